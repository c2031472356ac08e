"""What is too much for the compiler ends soon, and says what it was too much of."""

import pathlib
import re
import resource
import shlex
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, "tools")
from course import judge  # noqa: E402

OPTIONS = sys.argv[1:]  # the compiler's, from exercise.bzl
# A test has less patience.
HASTE = [re.sub("--cpu=[0-9:]+", "--cpu=2:5", word) for word in OPTIONS]


def bomb(name):
    return f"tests/cheats/bombs/{name}.cc"


@unittest.skipIf(not OPTIONS, "clang takes no limits")
class Bombs(unittest.TestCase):
    def compile(self, name, options=OPTIONS):
        with tempfile.NamedTemporaryFile() as out:
            return self.refused("g++", "-std=c++20", *options, "-c", bomb(name),
                                "-o", out.name)

    def refused(self, *words):
        """What the program says that fails."""
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        self.assertNotEqual(done.returncode, 0)
        return done.stderr

    def reasons(self, said):
        return [reason for words, reason in judge.TOO_MUCH if re.search(words, said)]

    def test_time(self):
        for name in ("time", "includes"):
            self.assertEqual(self.reasons(self.compile(name, HASTE)),
                             ["takes the compiler more than a minute"])

    def test_time_of_the_object_check(self):
        with tempfile.NamedTemporaryFile() as out:
            said = self.refused(
                "/usr/bin/python3", "-B", "tools/vet.py", "--out", out.name,
                "--chapter", "02_blocking_client", "--nm", "nm",
                "--compile", shlex.join(["g++", *HASTE]), "--sources", bomb("includes"))
        self.assertEqual(self.reasons(said), ["takes the compiler more than a minute"])

    def test_memory(self):
        self.assertEqual(self.reasons(self.compile("memory")),
                         ["takes more than 2 GiB of memory to compile"])

    def test_output(self):
        self.assertEqual(self.reasons(self.compile("output")),
                         ["makes the compiler write more than 64 MiB"])

    def test_output_of_the_linker(self):
        with tempfile.TemporaryDirectory() as folder:
            objects = [f"{folder}/{name}.o" for name in ("one", "other")]
            for number, path in enumerate(objects):
                subprocess.run(["g++", *OPTIONS, f"-DNAME=half_{number}", "-c",
                                bomb("half"), "-o", path], check=True)
            said = self.refused("g++", *OPTIONS, "-shared", *objects,
                                "-o", f"{folder}/program")
        self.assertEqual(self.reasons(said),
                         ["makes the compiler write more than 64 MiB"])

    def test_messages(self):
        self.assertLess(len(self.compile("messages")), 100_000)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    unittest.main(argv=sys.argv[:1])
