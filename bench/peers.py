"""The servers that are compared: which there are, building and starting them."""

import os
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent
RAW, OURS = "raw poll", "sockets"
# Some versions of Asio leave <utility> to us.
COMPILE = ["-O2", "-DNDEBUG", "-std=c++20", "-include", "utility", f"-I{ROOT}"]
# name: (Debian package, source, what the linker needs)
OPENSSL = ["-lssl", "-lcrypto"]
BOTH = {  # by TLS if they get a certificate
    "libevent": ("libevent-dev", "libevent_echo.cc",
                 ["-levent_openssl", "-levent_core", *OPENSSL]),
    "Node.js": ("nodejs", "node_echo.js", None),
}
LIBRARIES = {
    "libuv": ("libuv1-dev", "libuv_echo.cc", ["-luv"]),
    "Boost.Asio": ("libboost-dev", "asio_echo.cc", ["-pthread"]),
    **BOTH,
}
TLS_LIBRARIES = {
    "Boost.Asio": ("libboost-dev", "asio_tls_echo.cc", ["-pthread", *OPENSSL]),
    **BOTH,
}


class Failed(Exception):
    """The text is for people."""


def where():
    """{Debian package: how to see that it is there}, of tools/packages.txt."""
    lines = (ROOT / "tools/packages.txt").read_text().splitlines()
    rows = [line.split(maxsplit=3) for line in lines
            if line and not line.startswith("#")]
    return {package: how for package, _, how, _ in rows}


def version(package):
    done = subprocess.run(["dpkg-query", "-W", "-f=${Version}", package],
                          capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def identity(programs):
    """Who the servers are, by TLS: what the build has made for the tests."""
    files = programs.parent / "common/testing/certificates"
    return ["--cert", files / "server-cert.pem",
            "--key", files / "server-key.pem"]


def find(programs, folder, names, tls=False):
    """({name: command}, [what is missing]) of all servers among `names`.

    programs: where ours, the raw loop's and the client's are; folder: for
    those that are compiled here.
    """
    commands = {RAW: [programs / ("raw_tls" if tls else "raw_poll")],
                OURS: [programs / "echo"] + (["--tls"] if tls else [])}
    missing, builds, seen_by = [], {}, where()
    libraries = TLS_LIBRARIES if tls else LIBRARIES
    for name, (package, source, link) in libraries.items():
        if names and name not in names:
            continue
        how = seen_by[package]
        if not (pathlib.Path(how).exists() if how.startswith("/")
                else shutil.which(how)):
            missing.append(f"{name}: install {package}")
        elif link is None:
            commands[name] = [shutil.which(how), HERE / "servers" / source]
        else:
            output = folder / pathlib.Path(source).stem
            builds[name] = subprocess.Popen(
                [os.environ.get("CXX", "g++"), *COMPILE,
                 HERE / "servers" / source, "-o", output, *link],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            commands[name] = [output]
    for name, build in builds.items():
        said, _ = build.communicate()
        if build.returncode:
            del commands[name]
            missing.append(f"{name}: does not compile: {said.strip()[:300]}")
    if tls:
        commands = {name: command + identity(programs)
                    for name, command in commands.items()}
    return commands, missing


class Server:
    """One that runs, until the end of a `with`."""

    def __init__(self, command, *options):
        self.process = subprocess.Popen(
            [*command, *(options or ("--port", "0"))], stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL, text=True)
        first = self.process.stdout.readline().split()
        if len(first) != 2 or first[0] != "listening":
            self.stop()
            raise Failed(f"{command[0]} does not listen")
        self.address = first[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Asks for the end; returns the exit status."""
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        return self.process.returncode
