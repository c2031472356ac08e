#!/usr/bin/env python3
"""Runs ./course demo for real and looks at all that it leaves.

Not a Bazel test, because it starts Bazel. Prints each check that fails, and at
last `demo: N passed, N failed`.
"""

import csv
import json
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests/tools"))
from support import Page  # noqa: E402

MOST_WARM = 30  # seconds; a few, on a machine with nothing else to do
STUDENTS = ["cheats", "does_not_compile", "full", "half", "untouched"]


class Checks:
    def __init__(self):
        self.passed, self.failed = 0, 0

    def __call__(self, what, good, found=""):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED: {what}" + (f": {found!r}" if found != "" else ""))


def demo(out, *words):
    start = time.monotonic()
    done = subprocess.run([ROOT / "course", "demo", "--yes", "--out", out, *words],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return done, time.monotonic() - start


def chapters():
    return {path: path.read_bytes() for path in ROOT.glob("chapters/*/*.cc")}


def look_at_scores(check, results):
    scores = {name: each.get("score") for name, each in results.items()}
    check("full has 100 points", scores["full"] == 100, scores)
    check("half is in between", 20 < (scores["half"] or 0) < 80, scores)
    for name in ("cheats", "does_not_compile", "untouched"):
        check(f"{name} has 0 points", scores[name] == 0, scores)
    for name, each in results.items():
        total = sum(test["score"] for test in each["tests"])
        check(f"{name}: the tests sum to the score", total == each["score"], total)
        check(f"{name}: hidden output", each["stdout_visibility"] == "hidden")
        flags = each["extra_data"]["flags"]
        check(f"{name}: flagged if it cheats", bool(flags) == (name == "cheats"), flags)
    said = results["does_not_compile"]["tests"][0]["output"]
    check("the compiler is quoted", "client.cc:" in said and "error:" in said, said)
    verdicts = results["cheats"]["extra_data"]["verdicts"]["02_blocking_client"]
    check("no rule passes by cheating", set(verdicts.values()) == {"FAIL"}, verdicts)


def look_at_output(check, text, results):
    check("no escape codes in a pipe", "\033" not in text)
    for part in ("1. What a learner sees", "2. The class", "3. The reports"):
        check(f"it says {part}", part in text)
    first = next(test["output"] for test in results["half"]["tests"]
                 if test["status"] == "failed")
    check("the first failing rule as check prints it", first in text, first)
    for line in ("full +100", "cheats +0"):
        name, points = line.split(" +")
        check(f"the table has {name}", any(
            words[:2] == [name, points] for words in map(str.split, text.split("\n"))))


def look_at_pages(check, out):
    pages = {}
    for path in [out / "index.html", *out.glob("students/*/index.html")]:
        name = path.parent.name if path.parent != out else "class"
        try:
            pages[name] = Page(path)
        except (AssertionError, IndexError) as error:
            check(f"the page of {name} is whole", False, str(error))
            return
        source = pages[name].source
        check(f"{name}: no script", "script" not in pages[name].tags)
        check(f"{name}: nothing from elsewhere",
              "://" not in source and "src=" not in source)
        for href in pages[name].hrefs:
            check(f"{name}: {href} is there", (path.parent / href).is_file())
    check("a page for each", sorted(pages) == sorted(["class", *STUDENTS]), sorted(pages))
    check("half: a hint", "A first hint" in pages["half"].text)
    check("half: both ends", "the other end" in pages["half"].text)
    check("cheats: what it printed is text",
          "</pre><script>alert(100)" in pages["cheats"].text)
    check("cheats: flagged to the instructor", "ends the process: _exit" in pages["class"].text)
    check("does_not_compile: quoted", "error:" in pages["does_not_compile"].text)


def main():
    check, before = Checks(), chapters()
    with tempfile.TemporaryDirectory(prefix="demo.") as folder:
        out = pathlib.Path(folder)
        done, seconds = demo(out)
        check("it succeeds", done.returncode == 0, done.stdout + done.stderr)
        if done.returncode == 0:
            results = {path.parent.name: json.loads(path.read_text())
                       for path in out.glob("students/*/results.json")}
            check("five students", sorted(results) == STUDENTS, sorted(results))
            look_at_scores(check, results)
            look_at_output(check, done.stdout, results)
            look_at_pages(check, out)
            with (out / "grades.csv").open() as file:
                rows = {row["student"]: row["total"] for row in csv.DictReader(file)}
            check("grades.csv agrees", rows == {
                name: str(each["score"]) for name, each in results.items()}, rows)
            again, warm = demo(out, "--json")
            scores = {student["id"]: student["points"]
                      for student in json.loads(again.stdout)["students"]}
            check("the same again", scores == {
                name: each["score"] for name, each in results.items()}, scores)
            check(f"again within {MOST_WARM} s", warm < MOST_WARM, warm)
            print(f"demo: {seconds:.1f} s, again {warm:.1f} s")
    check("your own files are untouched", chapters() == before)
    print(f"demo: {check.passed} passed, {check.failed} failed")
    return int(check.failed > 0)


if __name__ == "__main__":
    sys.exit(main())
