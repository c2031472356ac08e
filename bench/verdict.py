#!/usr/bin/env python3
"""Seconds from a save to the verdict, as `./course check` gives it.

    bench/verdict.py [--runs 20] [NN_name ...]

For each chapter: the reference takes the place of the learner's files, a
comment is added to one of them, and the check is timed; then again. The
learner's files are put back at the end, also after Ctrl-C.
"""

import argparse
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def check(chapter):
    return subprocess.run([ROOT / "course", "check", chapter, "--json"],
                          stdout=subprocess.DEVNULL, check=False).returncode


def measure(chapter, runs):
    """The times of `runs` checks, each after a new save."""
    files = sorted((ROOT / "solutions" / chapter).glob("*.cc"))
    mine = {ROOT / "chapters" / chapter / f.name: f.read_bytes() for f in files}
    kept = {path: path.read_bytes() for path in mine}
    try:
        for path, text in mine.items():
            path.write_bytes(text)
        if check(chapter) != 0:
            sys.exit(f"{chapter}: the reference does not pass")
        times, first = [], next(iter(mine))
        for i in range(runs):
            first.write_bytes(mine[first] + f"// save {i}\n".encode())
            start = time.monotonic()
            if check(chapter) != 0:
                sys.exit(f"{chapter}: the reference does not pass")
            times.append(time.monotonic() - start)
        return times
    finally:
        for path, text in kept.items():
            path.write_bytes(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("chapters", nargs="*")
    arguments = parser.parse_args()
    names = arguments.chapters or sorted(
        p.name for p in (ROOT / "solutions").iterdir() if p.is_dir())
    print("chapter              median    min    max  seconds")
    for name in names:
        times = measure(name, arguments.runs)
        print(f"{name:<20} {statistics.median(times):>6.2f} "
              f"{min(times):>6.2f} {max(times):>6.2f}")


if __name__ == "__main__":
    main()
