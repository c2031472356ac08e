"""Where submissions are built and run: apart from all that they may not see.

An output base of its own, in which no mutant, no other solution and no
reference of a chapter under grade is ever built but those that later chapters
stand on; these, and the sources, are closed to what compiles or runs somebody's
code. As root it all happens as an ordinary user.
"""

import hashlib
import os
import pwd
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from course import bazel, tree
from course.problem import Problem

SANDBOX = "linux-sandbox"
CLOSED = ("solutions", "tests", ".git")
# //tools says why they are not active, once it is built.
LIMITS = "limits for compiler and linker"
# These run nobody's code, and read what is closed.
OUR_OWN = [f"--strategy={action}=local" for action in
           ("CppLink", "CppArchive", "Vet", "SymlinkTree")]


@dataclass
class Yard:
    place: bazel.Place = field(default_factory=bazel.Place)
    words: list = field(default_factory=list)  # for every command
    closed: list = field(default_factory=list)  # for those with their code
    layers: dict = field(default_factory=dict)  # {name: True, or why not}

    def build(self, *words):
        return bazel.run("build", *self.words, *words, place=self.place)

    def close(self):
        """From now on, nobody's code sees the references."""
        built = Path(bazel.output_of("info", *self.words, "bazel-bin",
                                     place=self.place).strip())
        paths = [*(tree.ROOT / name for name in CLOSED), built / "solutions"]
        self.layers[LIMITS] = (built / "tools/unlimited.txt").read_text().strip() or True
        self.closed = [f"--sandbox_block_path={path}" for path in paths
                       if path.exists()] + OUR_OWN
        self.layers["references closed"] = True

    def test(self, *words, watch=None):
        return bazel.run("test", *self.words, *self.closed, *words, watch=watch,
                         place=self.place)


def here(weak=True):
    """The checkout's own output base, as whoever we are: for the demo."""
    return Yard(layers={"an ordinary user": os.geteuid() != 0 or
                        "the demo runs as you are",
                        "references closed": "only by ./course grade"})


def of_our_own(weak, words):
    """The Yard for grading a class. `weak`: any sandbox will do; `words`: of
    the instructor, for Bazel."""
    _check_options(weak, words)
    user, why_not = _ordinary_user()
    base = _folder(user)
    place = bazel.Place([f"--output_base={base / 'base'}", "--max_idle_secs=900"],
                        user, base)
    strategy = [] if weak else [f"--spawn_strategy={SANDBOX}"]
    return Yard(place, [*strategy, "--symlink_prefix=/", *words],
                layers={"an ordinary user": why_not or True})


def _check_options(weak, words):
    """A target would be built before the references are closed, and of two
    strategies the last one counts: theirs."""
    for word in words:
        if not re.match("--?[a-z]", word):
            raise Problem(f"after --, {word!r} is no option for Bazel; options "
                          "look like --remote_cache=http://HOST/cache", 2)
        if not weak and re.match("--(remote_executor|(spawn_)?strategy)\\b", word):
            raise Problem(f"{word} takes submissions out of the {SANDBOX}; "
                          "insist: --allow-weak-sandbox", 2)


def _ordinary_user():
    """(the user to become, why there is none): (None, "") if we are one."""
    if os.geteuid():
        return None, ""
    user = int(os.environ.get("SUDO_UID", 0)) or pwd.getpwnam("nobody").pw_uid
    try:
        looked = subprocess.run(["test", "-r", tree.ROOT / "course", "-a", "-x",
                                 tree.ROOT / "tools"], user=user, group=user,
                                extra_groups=[], check=False)
    except (OSError, subprocess.SubprocessError) as error:
        return None, f"this root cannot become user {user}: {error}"
    if looked.returncode:
        return None, f"user {user} cannot read {tree.ROOT}: move the checkout"
    return user, ""


def _folder(user):
    name = "sockets-grade-" + hashlib.sha256(
        os.fsencode(tree.ROOT)).hexdigest()[:12]
    parent = Path("/var/tmp") if user is not None else \
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = parent / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = os.geteuid() if user is None else user
    if folder.is_symlink() or folder.stat().st_uid not in (owner, os.geteuid()):
        raise Problem(f"{folder} belongs to somebody else; remove it")
    os.chown(folder, owner, -1)
    return folder


def trouble(run):
    """The Problem of a run, with what to do about a sandbox that is missing."""
    if "no strategy with that identifier was registered" in run.output:
        return Problem(
            "there is no linux-sandbox here (it needs user namespaces, which "
            "containers often lack), so submissions could reach the network and "
            "the machine's files. Grade elsewhere, or insist: "
            "--allow-weak-sandbox")
    return run.trouble()
