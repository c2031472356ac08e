"""Grades $AUTOGRADER/submission as a class of one, for Gradescope.

--warm-up: grades the skeletons instead, so that all that is ours is built.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

AUTOGRADER = Path(os.environ["AUTOGRADER"])
SOURCE = AUTOGRADER / "source"
COURSE = SOURCE / "sockets"


def student():
    """Whose it is, as Gradescope's export names them: the seeds are the same."""
    try:
        said = json.loads((AUTOGRADER / "submission_metadata.json").read_bytes())
        name = str(said["users"][0]["name"]).replace("/", "_").strip(". ")
    except (OSError, ValueError, LookupError, TypeError):
        name = ""
    return name[:100] or "student"


def skeletons(folder):
    """A submission that is not quite untouched, and so is built."""
    for line in (COURSE / "chapters/skeletons.txt").read_text().splitlines():
        path = folder / line.split("  ")[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((COURSE / path.relative_to(folder)).read_text() + "\n")


def grade(folder, out):
    """Runs ./course grade; returns where the one results.json is."""
    # Gradescope's containers may have no linux-sandbox; the results say so.
    done = subprocess.run(
        [COURSE / "course", "grade", folder, "--out", out, "--yes",
         "--allow-weak-sandbox", *(SOURCE / "options").read_text().split("\n")[:-1]],
        cwd=COURSE, stdin=subprocess.DEVNULL, check=False)
    found = list(out.glob("students/*/results.json"))
    if done.returncode not in (0, 1) or len(found) != 1:
        sys.exit(f"./course grade ended with {done.returncode} and without "
                 "a result")
    return found[0]


def main(words):
    with tempfile.TemporaryDirectory() as place:
        folder, out = Path(place, "class"), Path(place, "report")
        if words == ["--warm-up"]:
            skeletons(folder / "skeletons")
            grade(folder, out)
            return
        shutil.copytree(AUTOGRADER / "submission", folder / student(), symlinks=True)
        results = AUTOGRADER / "results"
        results.mkdir(exist_ok=True)
        shutil.copyfile(grade(folder, out), results / "results.json")


if __name__ == "__main__":
    main(sys.argv[1:])
