"""Our sockets and servers with programs of others at the other end.

A tool that is not here has its cases skipped, and the last lines say which.
"""

import hashlib
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import unittest

HERE = pathlib.Path("tests/interop").absolute()
ECHO = pathlib.Path("bench/echo").absolute()
CLIENT = HERE / "client"
DEADLINE = 60  # seconds of a case: a guard, nothing waits for it
BULK = random.Random(1).randbytes(32 << 20)
LINE = b"hello, other side\n"
ENDED = ["connect", "finish", "end", "close"]  # of a client whose end came first

# Name: (Debian package, a command, what it says of one that will do).
TOOLS = {
    "node": ("nodejs", ["-p", "typeof net.Socket.prototype.resetAndDestroy"],
             "function"),
    "nc": ("netcat-openbsd", ["-h"], "OpenBSD"),
    "curl": ("curl", ["--version"], "telnet"),
    "socat": ("socat", ["-V"], "socat version"),
    "openssl": ("openssl", ["version"], "OpenSSL 3"),
}


def is_here(tool):
    _, words, expected = TOOLS[tool]
    if shutil.which(tool) is None:
        return False
    done = subprocess.run([tool, *words], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    return expected in done.stdout + done.stderr


MISSING = [tool for tool in TOOLS if not is_here(tool)]
children = []


def needs(tool):
    return unittest.skipIf(tool in MISSING, f"no {tool} here")


def end_children():
    for child in children:
        child.kill()  # by its own pid; nothing, if it was waited for
        child.wait()


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.path = str(self.folder / "socket")
        self.addCleanup(children.clear)
        self.addCleanup(end_children)
        guard = threading.Timer(DEADLINE, self.give_up)
        guard.start()
        self.addCleanup(guard.cancel)

    def give_up(self):
        """Whoever waits for a child sees its end."""
        print(f"{self.id()}: not over after {DEADLINE} s", flush=True)
        for child in list(children):
            child.kill()

    def start(self, *command, **streams):
        child = subprocess.Popen(command, **streams)
        children.append(child)
        for stream in (child.stdin, child.stdout, child.stderr):
            if stream:
                self.addCleanup(stream.close)
        return child

    def serve(self, *command, says_so_on="stdout", **streams):
        """(A server, where it listens) once it does."""
        server = self.start(*command, **{says_so_on: subprocess.PIPE}, **streams)
        for line in getattr(server, says_so_on):
            found = re.search(rb'(?:istening|ACCEPT).*[ :"]([^ :"]+)"?\n', line)
            if found:
                return server, found[1].decode()
        self.fail(f"{command[0]} does not listen")

    def ours_itself(self, *options):
        """(Our echo server, where it listens.) It must come to a clean end."""
        server, address = self.serve(ECHO, *(options or ("--port", "0")))
        self.addCleanup(self.end_ours, server)
        return server, address

    def ours(self, *options):
        return self.ours_itself(*options)[1]

    def end_ours(self, server):
        server.terminate()
        self.assertEqual(server.wait(), 0, "our server's exit status, after "
                         "all clients: it crashed, or did not end")

    def talk(self, *command, data):
        """(What a client wrote, the lines on its stderr): `data` is its stdin."""
        files = [open(self.folder / name, "w+b") for name in
                 ("stdin", "stdout", "stderr")]
        for file in files:
            self.addCleanup(file.close)
        stdin, stdout, stderr = files
        stdin.write(data)
        stdin.seek(0)
        status = self.start(*command, stdin=stdin, stdout=stdout,
                            stderr=stderr).wait()
        for file in files:
            file.seek(0)
        events = stderr.read().decode().splitlines()
        self.assertEqual(status, 0, f"{command[0]} failed, saying {events}")
        return stdout.read(), events

    def same(self, received, sent):
        """By length and checksum: nobody wants to read the bytes."""
        self.assertEqual(len(received), len(sent), "bytes that came back")
        self.assertEqual(checksum(received), checksum(sent),
                         "the checksum of what came back")

    def still_serves(self, address):
        received, events = self.talk(CLIENT, address, data=LINE)
        self.same(received, LINE)
        self.assertEqual(events, ENDED, "the next client of our server")


def checksum(data):
    return hashlib.sha256(data).hexdigest()


@needs("node")
class NodeClientOurServer(Case):
    def talk_node(self, address, *mode, data):
        return self.talk("node", HERE / "node_client.js", address, *mode,
                         data=data)

    def bulk(self, address):
        received, events = self.talk_node(address, data=BULK)
        self.same(received, BULK)
        self.assertEqual(events, ENDED)

    def test_bulk_over_tcp(self):
        self.bulk(self.ours())

    def test_bulk_at_a_path(self):
        self.bulk(self.ours("--path", self.path))

    def test_all_of_the_echo_comes_after_the_clients_end(self):
        data = BULK[:1 << 16]
        received, events = self.talk_node(self.ours(), "late", data=data)
        self.same(received, data)
        self.assertEqual(events, ENDED)

    def test_a_reset_amid_bulk_harms_nobody_else(self):
        address = self.ours()
        _, events = self.talk_node(address, "reset", data=BULK)
        self.assertEqual(events, ["connect", "close"])
        self.still_serves(address)

    def test_a_reset_at_once_harms_nobody_else(self):
        address = self.ours()
        _, events = self.talk_node(address, "reset-at-once", data=LINE)
        self.assertEqual(events, ["connect", "close"])
        self.still_serves(address)


@needs("node")
class OurClientNodeServer(Case):
    def node(self, kind, *path):
        return self.serve("node", HERE / "node_server.js", kind, *path)

    def bulk(self, address):
        received, events = self.talk(CLIENT, address, data=BULK)
        self.same(received, BULK)
        self.assertEqual(events, ENDED)

    def test_bulk_over_tcp(self):
        self.bulk(self.node("echo")[1])

    def test_bulk_at_a_path(self):
        self.bulk(self.node("echo", self.path)[1])

    def test_an_answer_that_waits_for_our_end(self):
        _, address = self.node("answer")
        received, events = self.talk(CLIENT, address, data=BULK)
        self.assertEqual(received.decode(), checksum(BULK),
                         "Node's checksum of what we sent")
        self.assertEqual(events, ENDED)

    def test_we_go_on_sending_after_nodes_end(self):
        server, address = self.node("end-first")
        received, events = self.talk(CLIENT, address, "after-end", data=BULK)
        self.assertEqual(received, b"your turn")
        self.assertEqual(events, ["connect", "end", "finish", "close"])
        self.assertEqual(server.stdout.readline().decode(),
                         f"received {checksum(BULK)}\n",
                         "Node's checksum of what we sent after its end")

    def test_nodes_reset_is_econnreset(self):
        _, address = self.node("reset")
        _, events = self.talk(CLIENT, address, data=LINE)
        self.assertEqual(events, ["connect", "finish", "error ECONNRESET",
                                  "close after an error"])

    def test_nodes_reset_while_we_send_is_one_error(self):
        _, address = self.node("reset")
        _, events = self.talk(CLIENT, address, data=BULK)
        # The write that meets the reset first gets the one, a later one the
        # other.
        self.assertIn(events[1:2], (["error ECONNRESET"], ["error EPIPE"]))
        self.assertEqual(events[2:], ["close after an error"])

    def test_our_reset_is_econnreset_to_node(self):
        server, address = self.node("echo")
        received, events = self.talk(CLIENT, address, "reset", data=LINE)
        self.same(received, LINE)
        self.assertEqual(events, ["connect", "close"])
        self.assertEqual(server.stdout.readline(), b"error ECONNRESET\n",
                         "what Node saw of our reset_and_destroy()")


@needs("nc")
class Netcat(Case):
    # -N: FIN after the end of stdin. It leaves at the server's FIN.
    def test_bulk_from_nc_over_tcp(self):
        received, _ = self.talk("nc", "-N", "127.0.0.1", self.ours(), data=BULK)
        self.same(received, BULK)

    def test_bulk_from_nc_at_a_path(self):
        address = self.ours("--path", self.path)
        received, _ = self.talk("nc", "-N", "-U", address, data=BULK)
        self.same(received, BULK)

    def both_ways(self, *where):
        # It leaves at its client's FIN, whatever it has to send: we go second.
        with open(self.folder / "bulk", "w+b") as bulk, \
                open(self.folder / "from_us", "wb") as from_us:
            bulk.write(BULK)
            bulk.seek(0)
            server, address = self.serve(
                "nc", "-n", "-v", "-N", "-l", *where, stdin=bulk,
                stdout=from_us, says_so_on="stderr")
        received, events = self.talk(CLIENT, address, "after-end",
                                     data=BULK[::-1])
        self.same(received, BULK)
        self.assertEqual(events, ["connect", "end", "finish", "close"])
        self.assertEqual(server.wait(), 0, "nc's exit status")
        self.same((self.folder / "from_us").read_bytes(), BULK[::-1])

    def test_bulk_both_ways_with_nc_as_the_server(self):
        self.both_ways("127.0.0.1", "0")

    def test_bulk_both_ways_with_nc_at_a_path(self):
        self.both_ways("-U", self.path)


@needs("curl")
class Curl(Case):
    def test_lines_by_telnet(self):
        # The end of stdin is no end to it, and sends no FIN; but until then it
        # waits for stdin and not for us. It leaves at the server's FIN.
        server, address = self.ours_itself()
        curl = self.start("curl", "-sSN", f"telnet://127.0.0.1:{address}",
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        curl.stdin.write(LINE * 1000)
        curl.stdin.close()
        self.same(curl.stdout.read(len(LINE) * 1000), LINE * 1000)
        self.end_ours(server)
        self.assertEqual(curl.stdout.read(), b"")
        self.assertEqual(curl.wait(), 0, "curl's exit status")


@needs("socat")
class Socat(Case):
    # -t: how long it waits, after the end of one direction, for the other's.
    SOCAT = ["socat", "-t", str(DEADLINE)]

    def listen(self, other_end):
        return self.serve(*self.SOCAT, "-d", "-d", f"UNIX-LISTEN:{self.path}",
                          other_end, says_so_on="stderr")

    def test_bulk_from_socat_at_a_path(self):
        address = self.ours("--path", self.path)
        received, _ = self.talk(*self.SOCAT, "-", f"UNIX-CONNECT:{address}",
                                data=BULK)
        self.same(received, BULK)

    def test_bulk_to_socat_at_a_path(self):
        server, address = self.listen("EXEC:cat")
        received, events = self.talk(CLIENT, address, data=BULK)
        self.same(received, BULK)
        self.assertEqual(events, ENDED)
        self.assertEqual(server.wait(), 0, "socat's exit status")

    def test_an_answer_that_waits_for_our_end(self):
        _, address = self.listen("EXEC:sha256sum")
        received, events = self.talk(CLIENT, address, data=BULK)
        self.assertEqual(received.split()[0].decode(), checksum(BULK),
                         "sha256sum, of what we sent")
        self.assertEqual(events, ENDED)

    def test_half_close_passes_through_socat(self):
        _, address = self.listen(f"TCP:127.0.0.1:{self.ours()}")
        received, events = self.talk(CLIENT, address, data=BULK)
        self.same(received, BULK)
        self.assertEqual(events, ENDED)

    def test_a_client_that_never_reads_harms_nobody_else(self):
        address = self.ours()
        # -u: one way only. Its system answers the echo with a reset.
        self.talk("socat", "-u", "-", f"TCP:127.0.0.1:{address}", data=LINE)
        self.still_serves(address)


def main():
    # As Ctrl-C: what this started must end, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        over = unittest.main(verbosity=2, exit=False)
    finally:
        end_children()
    for tool in MISSING:
        print(f"{tool} (package {TOOLS[tool][0]}) is not here, or not one that "
              "will do: nothing was shown about it")
    return not over.result.wasSuccessful()


if __name__ == "__main__":
    raise SystemExit(main())
