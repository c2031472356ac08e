"""The tree of the course: its chapters, their files, and their names."""

import difflib
import re
import subprocess
from pathlib import Path

import rubric
import skeletons
from course.problem import Problem

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".course"  # what this tool remembers; git ignores it


def unknown(kind, name, known):
    """The Problem of a name that does not exist, with the nearest that does."""
    exact = {k.lower(): k for k in known}
    near = difflib.get_close_matches(name.lower(), exact, n=1, cutoff=0.5)
    text = f"there is no {kind} '{name}'"
    if near:
        text += f"; did you mean {exact[near[0]]}?"
    elif known:
        text += f"; there is {', '.join(known)}"
    return Problem(text, 2)


def names():
    """The folder names of all chapters, in order."""
    return sorted(path.parent.name for path in ROOT.glob("chapters/*/README.md")
                  if re.match(r"\d\d_", path.parent.name))


def find(text):
    """The chapter that `text` means: 2, 02, 02_name or chapters/02_name/."""
    text = text.rstrip("/").rpartition("/")[2]
    for name in names():
        if text == name or text.isdecimal() and int(text) == int(name[:2]):
            return chapter(name)
    raise unknown("chapter", text, names())


def chapter(name):
    return rubric.read_readme(ROOT / "chapters" / name / "README.md")


def chapters():
    return [chapter(name) for name in names()]


def files(chapter):
    """The files of the chapter that the learner writes."""
    prefix = f"chapters/{chapter.name}/"
    return [ROOT / path for path in skeletons.read(ROOT)
            if path.startswith(prefix)]


def untouched(chapter):
    """Whether the learner's files are still the skeletons."""
    ids = skeletons.read(ROOT)
    return all(path.is_file() and
               skeletons.blob_id(path.read_bytes()) == ids[relative(path)]
               for path in files(chapter))


def relative(path):
    return str(path.relative_to(ROOT))


def pristine():
    """{path: (bytes, mode)} of all that git tracks, the skeletons as they were."""
    from course import work  # which needs this module
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"], cwd=ROOT,
        capture_output=True)
    if listed.returncode:
        raise Problem("this is no checkout that git knows: "
                      + listed.stderr.decode(errors="replace").strip())
    learners = skeletons.read(ROOT)
    paths = [ROOT / name for name in listed.stdout.decode().split("\0")
             if name and (ROOT / name).is_file()]
    return {relative(path): (
        work.original(path) if relative(path) in learners else path.read_bytes(),
        path.stat().st_mode & 0o777) for path in paths}
