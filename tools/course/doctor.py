"""doctor: what is installed, what is missing, and how to get it."""

import os
import re
import shutil
import socket
import subprocess
from importlib.util import find_spec
from pathlib import Path

from course import screen, tree

DISK = 3 * 2**30  # bytes that a build of everything takes, generously


def register(add):
    add("doctor", doctor, "learners", "what is installed, what is missing, how "
        "to get it", json=True)


def packages():
    """[(package, level, how, purpose)] of tools/packages.txt."""
    lines = (tree.ROOT / "tools/packages.txt").read_text().splitlines()
    return [line.split(maxsplit=3) for line in lines
            if line and not line.startswith("#")]


def doctor(args):
    checks = [*_tools(), _sandbox(), _ipv6(), _disk()]
    broken = [c for c in checks if not c["ok"] and c["needed"]]
    if args.json:
        screen.as_json({"schema": 1, "checks": checks})
        return int(bool(broken))
    for check in checks:
        mark, style = ("ok", screen.GOOD) if check["ok"] else \
            ("MISSING", screen.BAD) if check["needed"] else ("-", screen.DIM)
        screen.say_parts((f"{mark:<8}", style), f"{check['name']:<17} "
                         f"{check['found']:<18.18} {check['purpose']}")
        if not check["ok"]:
            screen.say(f"{'':<8}  {check['remedy']}", screen.DIM)
    if broken:
        screen.say(f"\n{len(broken)} to mend. A command that needs a missing "
                   "package offers to install it.", screen.BAD)
    return int(bool(broken))


def _check(name, ok, found, purpose, remedy, needed=True):
    return {"name": name, "ok": ok, "found": found, "purpose": purpose,
            "remedy": "" if ok else remedy, "needed": needed}


def _tools():
    ours = os.environ.get("COURSE_BAZEL", "")
    for package, level, how, purpose in packages():
        if level == "bazel" and ours not in ("", "/usr/bin/bazel"):
            if how == "bazel":
                yield _check(Path(ours).name, True, _version(ours), purpose, "")
            continue
        if how.startswith("import:"):
            ok = find_spec(how.partition(":")[2]) is not None
        elif how.startswith("/"):
            ok = Path(how).exists()
        else:
            ok = shutil.which(how) is not None
        found = _package_version(package) or _version(how) if ok else ""
        yield _check(package, ok, found, purpose,
                     f"sudo apt-get install {package}",
                     level not in ("lint", "peer", "optional"))


def _output(*command):
    """What a command prints; "" when it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20,
                              stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _package_version(package):
    return _output("dpkg-query", "-W", "-f=${Version}", package)


def _version(program):
    """Of a program from elsewhere: the first number that it prints of itself."""
    number = re.search(r"\d+(\.\d+)+\S*", _output(program, "--version"))
    return number[0] if number else "yes"


def _sandbox():
    """Bazel falls back without a word when the kernel refuses namespaces."""
    ok = bool(_output("unshare", "--user", "--map-root-user", "--net", "echo", "ok"))
    return _check("sandbox", ok, "linux-sandbox" if ok else "no namespaces",
                  "tests without the network",
                  "user namespaces: sysctl kernel.unprivileged_userns_clone=1, "
                  "and no plain chroot or container", needed=False)


def _ipv6():
    try:
        with socket.socket(socket.AF_INET6) as listener:
            listener.bind(("::1", 0))
        ok = True
    except OSError:
        ok = False
    return _check("IPv6 loopback", ok, "::1" if ok else "none",
                  "tests that use ::1",
                  "sysctl net.ipv6.conf.lo.disable_ipv6=0", needed=False)


def _disk():
    home = Path(os.environ.get("HOME", "/"))
    free = shutil.disk_usage(home if home.exists() else "/").free
    return _check("disk space", free > DISK, f"{free / 2**30:.1f} GiB",
                  "Bazel's results, in ~/.cache",
                  f"free {DISK >> 30} GiB in {home}")
