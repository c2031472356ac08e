"""The board: its width, its colours, and when it asks Bazel."""

import json
import os
import pty
import sys
import unittest

sys.path.insert(0, "tests/tools")
from support import CourseTest  # noqa: E402


class Board(CourseTest):
    def setUp(self):
        super().setUp()
        self.judge("01_sums", passing=[1, 2])
        self.judge("02_more", passing=[1])

    def calls(self):
        path = self.root / "bazel-calls"
        return path.read_text().splitlines() if path.exists() else []

    def test_it_is_plain_and_narrow_in_a_pipe(self):
        code, out, err = self.course("status")
        self.assertEqual((code, err), (0, ""))
        self.assertNotIn("\033", out)
        self.assertLessEqual(max(map(len, out.splitlines())), 80)
        self.assertIn("60/100   1/2 rules  untouched", out)
        self.assertIn("160 of 200 points", out)
        self.assertIn("Next: 02.2 Taking away", out)

    def on_terminal(self, **env):
        ours, theirs = pty.openpty()
        process = self.start("status", env={"TERM": "xterm-256color", **env},
                             stdout=theirs)
        os.close(theirs)
        seen = b""
        try:
            while part := os.read(ours, 4096):
                seen += part
        except OSError:  # EIO: the other end is closed
            pass
        process.communicate()
        os.close(ours)
        return seen.decode()

    def test_it_has_colour_on_a_terminal(self):
        self.assertIn("\033[32m", self.on_terminal())

    def test_no_color_is_obeyed(self):
        self.assertNotIn("\033[32m", self.on_terminal(NO_COLOR="1"))

    def test_results_that_are_newer_than_the_sources_are_believed(self):
        self.course("status")
        self.course("status")
        self.assertEqual(len(self.calls()), 1)

    def test_a_chapter_that_changed_is_checked_again_and_no_other(self):
        self.course("status")
        # Moved here with an old mtime, as some editors and `cp -p` do.
        other = self.write("other.cc", "int other;\n")
        os.utime(other, (1, 1))
        other.rename(self.root / "chapters/02_more/more.cc")
        _, out, _ = self.course("status")
        self.assertEqual(len(self.calls()), 2)
        self.assertNotIn("//chapters/01_sums", self.calls()[1])
        self.assertIn("//chapters/02_more:test", self.calls()[1])
        self.assertIn("started", out)

    def test_results_are_not_believed_when_a_save_came_during_the_run(self):
        self.write("bin/bazel-plain", (self.root / "bin/bazel").read_text(),
                   executable=True)
        self.write("bin/bazel", """#!/bin/sh
            echo 'int saved;' >>chapters/02_more/more.cc
            exec bin/bazel-plain "$@" """, executable=True)
        self.course("status")
        self.course("status")
        self.assertIn("//chapters/02_more:test", self.calls()[1])

    def test_results_that_are_broken_are_made_again(self):
        self.course("status")
        for path in self.root.glob("bazel-testlogs/**/graded.json"):
            path.write_text("{")
        code, out, _ = self.course("status", "--json")
        self.assertEqual([c["points"] for c in json.loads(out)["chapters"]], [100, 60])

    def test_a_reader_that_leaves_is_no_error(self):
        read, write = os.pipe()
        os.close(read)
        process = self.start("status", stdout=write)
        os.close(write)
        _, err = process.communicate()
        self.assertEqual((process.returncode, err), (141, ""))


if __name__ == "__main__":
    unittest.main()
