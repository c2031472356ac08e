#!/usr/bin/env python3
"""What a learner reads when something fails, word for word.

A file of golden/ begins with two lines, "Mutant: CHAPTER/NAME" and "Rule: ID".
The rest is the text of that failure, with the parts that differ from run to
run (ports, descriptors, line numbers) made equal. To write it again after a
change of words, from the root of the checkout:

    bazel build //tests/meta:golden_test && tests/meta/golden_test.py --write
"""

import os
import pathlib
import re
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = pathlib.Path("tests/meta/golden")
# Their time lines differ from run to run, and from one version of OpenSSL to
# another: how often poll() is called, and how long what is encrypted is.
WITHOUT_TIME_LINES = {"14_tls_socket", "15_tls_server"}


def runfile(path):
    """A built file: in the test's own tree, or below bazel-bin."""
    built = pathlib.Path("bazel-bin") / path
    return built if built.exists() else pathlib.Path(path)


def normal(text):
    text = re.sub(r"(127\.0\.0\.1|\[::1\]):\d+", r"\1:PORT", text)
    text = re.sub(r"port \d{4,5}\b", "port PORT", text)
    text = re.sub(r"(\w)\(\d+\b", r"\1(FD", text)
    text = re.sub(r"\) = \d+\n", ") = N\n", text)
    text = re.sub(r"unix:@[0-9a-f]{5}\b", "unix:@NAME", text)
    text = re.sub(r"\d+: socket:\[\d+\]", "FD: socket:[N]", text)
    text = re.sub(r"/tmp/\S+?(?=[/\"\s),])", "/tmp/DIR", text)
    return re.sub(r"(README\.md|_test\.cc):\d+", r"\1:LINE", text)


def failure_text(chapter, mutant, rule):
    folder = pathlib.Path("tests") / chapter
    environment = {
        "PATH": os.environ["PATH"],
        "GRADED_BINARY": str(runfile(folder / f"mutant_{mutant}_test_bin")),
        "GRADED_RUBRIC": str(runfile(folder / "rubric.tsv")),
        "GRADED_IMPLEMENTATION": "mutant",
        "GRADED_BY_ACTOR": "1",
    }
    run = subprocess.run([runfile("common/testing/runner/runner")], env=environment,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         check=False)
    for part in re.split(r"(?=^FAIL  )", run.stdout, flags=re.M):
        if part.startswith(f"FAIL  {rule}  "):
            if chapter in WITHOUT_TIME_LINES:
                part = re.sub(r"  What both ends did.*?\n\n", "", part, flags=re.S)
            return normal(part.rstrip() + "\n")
    return f"{rule} did not fail; the runner said:\n{run.stdout}"


def cases():
    for path in sorted(GOLDEN.glob("*.txt")):
        mutant, rule, text = path.read_text(encoding="utf-8").split("\n", 2)
        chapter, name = mutant.removeprefix("Mutant: ").split("/")
        yield path, chapter, name, rule.removeprefix("Rule: "), text


class Golden(unittest.TestCase):
    maxDiff = None

    def test_there_are_enough(self):
        self.assertGreaterEqual(len(list(cases())), 12)

    def test_texts(self):
        for path, chapter, mutant, rule, text in cases():
            with self.subTest(path.name):
                self.assertEqual(failure_text(chapter, mutant, rule), text)

    def test_no_line_is_wider_than_a_terminal(self):
        for path, *_, text in cases():
            for line in text.splitlines():
                self.assertLessEqual(len(line), 80, f"{path.name}: {line}")


def write():
    os.chdir(HERE.parent.parent)
    for path, chapter, mutant, rule, _ in cases():
        path.write_text(f"Mutant: {chapter}/{mutant}\nRule: {rule}\n"
                        + failure_text(chapter, mutant, rule), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        unittest.main()
