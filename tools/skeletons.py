#!/usr/bin/env python3
"""Which files the learner writes, and what they were: chapters/skeletons.txt.

A line is `<git blob id>  chapters/NN_name/file.cc`. By that id git finds the
original again, whatever was committed since.

  skeletons.py --write   lists the files of chapters/ that hold a TODO
  skeletons.py --check   fails when the list is not what --write would write
"""

import hashlib
import re
import sys
from pathlib import Path

TODO = re.compile(r'\bTODO\("?\d\d\.\d')


def blob_id(data):
    """The id that git gives a file of these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def read(root):
    """{path: blob id}, in the order of the list."""
    lines = (root / "chapters/skeletons.txt").read_text().splitlines()
    return {path: blob for blob, path in (line.split("  ") for line in lines)}


def text(root):
    """What the list should say."""
    return "".join(f"{blob_id(path.read_bytes())}  {path.relative_to(root)}\n"
                   for path in sorted(root.glob("chapters/*/*.cc"))
                   if TODO.search(path.read_text()))


def main(words):
    root = Path(__file__).resolve().parents[1]
    listed = root / "chapters/skeletons.txt"
    if words == ["--write"]:
        listed.write_text(text(root))
    elif words == ["--check"]:
        if not listed.exists() or listed.read_text() != text(root):
            sys.exit("chapters/skeletons.txt is out of date: if the skeletons "
                     "are as they should be, run tools/skeletons.py --write")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
