"""What is too much for the compiler ends soon, and says what it was too much of."""

import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, "tools")
from course import judge  # noqa: E402

OPTIONS = sys.argv[1:]  # the compiler's, from exercise.bzl


@unittest.skipIf(not OPTIONS, "clang takes no limits")
class Bombs(unittest.TestCase):
    def compile(self, name, options=OPTIONS):
        with tempfile.NamedTemporaryFile() as out:
            done = subprocess.run(
                ["g++", "-std=c++20", *options, "-c", f"tests/cheats/bombs/{name}.cc",
                 "-o", out.name], capture_output=True, text=True, check=False)
        self.assertNotEqual(done.returncode, 0)
        return done.stderr

    def reasons(self, said):
        return [reason for words, reason in judge.TOO_MUCH if re.search(words, said)]

    def test_time(self):
        # A test has less patience.
        patience = [re.sub("--cpu=[0-9:]+", "--cpu=2:5", word) for word in OPTIONS]
        self.assertEqual(self.reasons(self.compile("time", patience)),
                         ["takes the compiler more than a minute"])

    def test_memory(self):
        self.assertEqual(self.reasons(self.compile("memory")),
                         ["takes more than 2 GiB of memory to compile"])

    def test_output(self):
        self.assertEqual(self.reasons(self.compile("output")),
                         ["makes the compiler write more than 64 MiB"])

    def test_messages(self):
        self.assertLess(len(self.compile("messages")), 100_000)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    unittest.main(argv=sys.argv[:1])
