"""Our TLS with OpenSSL's own tools, curl and Node at the other end."""

import pathlib
import subprocess
import sys

sys.path.insert(0, "tests/interop")
from interop_test import (  # noqa: E402
    BULK, DEADLINE, HERE, LINE, Case, main, needs)

CERTIFICATES = pathlib.Path("common/testing/certificates").absolute()
CLIENT = pathlib.Path("solutions/12_services/chat_client").absolute()


def pem(name):
    return CERTIFICATES / f"{name}.pem"


def identity(name):
    return ["--cert", pem(f"{name}-cert"), "--key", pem(f"{name}-key")]


class TlsCase(Case):
    def ours_by_tls(self, *options):
        return self.ours("--port", "0", "--tls", *identity("server"), *options)

    def talk_by_tls(self, port, *, data, ca="ca-cert"):
        """What our client received from a server; it has said "ann" first."""
        received, _ = self.talk(CLIENT, "ann", "--port", port, "--tls",
                                "--ca", pem(ca), data=data)
        return received


@needs("openssl")
class SClient(TlsCase):
    def s_client(self, port, *options):
        """All that it prints, with the echo of many lines in it."""
        client = self.start(
            "openssl", "s_client", "-connect", f"127.0.0.1:{port}",
            "-servername", "localhost", "-CAfile", pem("ca-cert"),
            "-verify_return_error", *options, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            # It leaves at the end of stdin, whether an answer is there or not.
            client.stdin.write(LINE * 1000)
            client.stdin.flush()
            said, echoed = b"", 0
            for line in client.stdout:
                said += line
                # What it prints itself has no LF at times.
                echoed += line.endswith(LINE)
                if echoed == 1000:
                    break
            client.stdin.close()
        except BrokenPipeError:
            pass
        said += client.stdout.read()
        return client.wait(), said.decode(errors="replace")

    def good(self, port, *options):
        status, said = self.s_client(port, *options)
        self.assertEqual(status, 0, said)
        self.assertEqual(said.count(LINE.decode()), 1000, said)
        self.assertIn("Verify return code: 0 (ok)", said)
        return said

    def refused(self, port, *options, alert):
        _, said = self.s_client(port, *options)
        self.assertNotIn(LINE.decode(), said)
        self.assertIn(alert, said)

    def test_tls_1_3(self):
        self.assertIn("New, TLSv1.3", self.good(self.ours_by_tls(), "-tls1_3"))

    def test_tls_1_2(self):
        self.assertIn("New, TLSv1.2", self.good(self.ours_by_tls(), "-tls1_2"))

    def test_nothing_older(self):
        port = self.ours_by_tls()
        self.refused(port, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0",
                     alert="alert protocol version")
        self.good(port)

    def resumed(self, version):
        port = self.ours_by_tls()
        session = self.folder / "session"
        self.good(port, version, "-sess_out", session)
        self.assertIn("Reused, TLSv1", self.good(port, version, "-sess_in",
                                                 session))

    def test_a_session_of_1_3_is_resumed(self):
        self.resumed("-tls1_3")

    def test_a_session_of_1_2_is_resumed(self):
        self.resumed("-tls1_2")

    def test_alpn_by_the_servers_order(self):
        port = self.ours_by_tls("--alpn", "echo,chat")
        self.assertIn("ALPN protocol: echo",
                      self.good(port, "-alpn", "chat,echo"))
        self.refused(port, "-alpn", "http/1.1",
                     alert="alert no application protocol")

    def test_a_client_certificate(self):
        port = self.ours_by_tls("--request-cert", "--ca", pem("ca-cert"))
        for version in "-tls1_3", "-tls1_2":
            self.good(port, version, "-cert", pem("client-cert"), "-key",
                      pem("client-key"))
            _, said = self.s_client(port, version)
            self.assertNotIn(LINE.decode(), said, "without a certificate")
            _, said = self.s_client(port, version, "-cert", pem("rogue-cert"),
                                    "-key", pem("rogue-key"))
            self.assertNotIn(LINE.decode(), said, "of an unknown authority")

    @needs("nc")
    def test_plain_text_harms_nobody_else(self):
        port = self.ours_by_tls()
        plain = self.start("nc", "-N", "127.0.0.1", port,
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        plain.stdin.write(LINE)
        plain.stdin.close()
        self.assertNotIn(LINE, plain.stdout.read())
        self.good(port)


@needs("curl")
class Curl(TlsCase):
    """A client that has its own way of verifying."""

    def curl(self, port, *, ca="ca-cert", name="localhost"):
        # The echo of this request is an answer to it: a line that begins with
        # the version and 200, the length, and the body.
        return subprocess.run(
            ["curl", "--silent", "--show-error", "--cacert", pem(ca),
             "--resolve", f"{name}:{port}:127.0.0.1", "--http1.1",
             "--request", "HTTP/1.1 200", "--data-raw", LINE.decode(),
             f"https://{name}:{port}"],
            stdin=subprocess.DEVNULL, capture_output=True, check=False,
            timeout=DEADLINE)

    def good(self, port):
        done = self.curl(port)
        self.assertEqual((done.returncode, done.stdout), (0, LINE), done.stderr)

    def refused(self, port, **wrong):
        cannot_verify = 60
        done = self.curl(port, **wrong)
        self.assertEqual((done.returncode, done.stdout), (cannot_verify, b""),
                         done.stderr)
        self.good(port)

    def test_it_verifies_us(self):
        self.good(self.ours_by_tls())

    def test_it_does_not_believe_another_authority(self):
        self.refused(self.ours_by_tls(), ca="ca2-cert")

    def test_it_does_not_believe_another_name(self):
        self.refused(self.ours_by_tls(), name="other.test")


class Ourselves(TlsCase):
    def test_with_and_without_tls(self):
        said = b"ann\n" + LINE
        self.assertEqual(self.talk_by_tls(self.ours_by_tls(), data=LINE), said)
        received, _ = self.talk(CLIENT, "ann", "--port", self.ours(), data=LINE)
        self.assertEqual(received, said)


@needs("openssl")
class SServer(TlsCase):
    def s_server(self, name, *options):
        # -rev answers each line with its reverse.
        _, port = self.serve(
            "openssl", "s_server", "-accept", "127.0.0.1:0", "-rev",
            "-cert", pem(f"{name}-cert"), "-key", pem(f"{name}-key"), *options,
            stderr=subprocess.DEVNULL)
        return port

    def test_both_versions(self):
        for version in "-tls1_3", "-tls1_2":
            received = self.talk_by_tls(self.s_server("server", version),
                                        data=LINE * 1000)
            lines = b"ann\n" + LINE * 1000
            self.assertEqual(received, b"".join(
                line[::-1] + b"\n" for line in lines.splitlines()))

    def test_whom_we_do_not_believe(self):
        for name, why in {
                "expired": "certificate has expired",
                "future": "certificate is not yet valid",
                "selfsigned": "self-signed certificate",
                "unknown": "unable to verify the first certificate",
                "wrong-usage": "unsuitable certificate purpose",
                "sni": "certificate is not for the address",
        }.items():
            with self.subTest(name):
                client = subprocess.run(
                    [CLIENT, "ann", "--port", self.s_server(name), "--tls",
                     "--ca", pem("ca-cert")], stdin=subprocess.DEVNULL,
                    capture_output=True, text=True, check=False)
                self.assertEqual((client.returncode, client.stdout), (1, ""))
                self.assertIn(why, client.stderr)


@needs("node")
class Node(TlsCase):
    def test_bulk_with_its_server(self):
        _, port = self.serve("node", HERE / "tls_node.js", "server",
                             CERTIFICATES)
        self.same(self.talk_by_tls(port, data=BULK), b"ann\n" + BULK)

    def test_bulk_with_its_client(self):
        received, events = self.talk(
            "node", HERE / "tls_node.js", "client", CERTIFICATES,
            self.ours_by_tls(), data=BULK)
        self.same(received, BULK)
        self.assertEqual(events, ["authorized true"])


if __name__ == "__main__":
    raise SystemExit(main())
