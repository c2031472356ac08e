"""watch: it runs at each save, however the editor saves."""

import json
import os
import signal
import sys
import unittest

sys.path.insert(0, "tests/tools")
from support import CourseTest  # noqa: E402


class Watch(CourseTest):
    def setUp(self):
        super().setUp()
        self.file = self.root / "chapters/01_sums/sums.cc"

    def watch(self, *words):
        process = self.start("watch", "--json", *words)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def verdict(self, process):
        """(chapter, points) of the next run; waits for it."""
        chapter, = json.loads(process.stdout.readline())["chapters"]
        return chapter["chapter"], chapter["points"]

    def save(self, text):
        """As an editor that writes another file and renames it."""
        other = self.write("chapters/01_sums/.sums.cc.swp", text)
        os.replace(other, self.file)

    def plan(self):
        self.write("bazel-plan.json", json.dumps(self.bazel_plan))

    def test_it_runs_again_after_each_kind_of_save(self):
        self.judge("01_sums", passing=[])
        process = self.watch("1")
        self.assertEqual(self.verdict(process), ("01_sums", 0))
        self.judge("01_sums", passing=[1])
        self.plan()
        self.file.write_text("int one;\n")
        self.assertEqual(self.verdict(process), ("01_sums", 60))
        self.save("int two;\n")
        self.assertEqual(self.verdict(process), ("01_sums", 60))

    def test_a_file_that_vanishes_is_waited_for(self):
        self.judge("01_sums", passing=[])
        process = self.watch("1")
        self.verdict(process)
        away = self.root / "away"
        self.file.rename(away)
        away.rename(self.file)
        self.assertEqual(self.verdict(process), ("01_sums", 0))

    def test_a_save_during_a_run_makes_another(self):
        self.judge("01_sums", passing=[])
        # The first run saves the file itself, before it ends.
        self.write("bin/bazel-plain", (self.root / "bin/bazel").read_text(),
                   executable=True)
        self.write("bin/bazel", """#!/bin/sh
            if [ ! -e saved ]; then
              touch saved
              echo 'int new;' >chapters/01_sums/sums.cc
            fi
            exec bin/bazel-plain "$@" """, executable=True)
        process = self.watch("1")
        self.verdict(process)
        self.verdict(process)

    def test_ctrl_c_ends_it_quietly(self):
        self.judge("01_sums", passing=[])
        process = self.watch("1")
        self.verdict(process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
        self.assertEqual((process.returncode, out, err), (130, "", ""))

    def test_without_a_number_it_goes_on_with_the_next_chapter(self):
        self.judge("01_sums", passing=[1])
        self.judge("02_more", passing=[1])
        process = self.watch()
        self.assertEqual(self.verdict(process), ("01_sums", 60))
        self.judge("01_sums", passing=[1, 2])
        self.plan()
        self.save("int right;\n")
        self.assertEqual(self.verdict(process), ("01_sums", 100))
        self.write("chapters/02_more/more.cc", "int start;\n")
        self.assertEqual(self.verdict(process), ("02_more", 60))

    def test_bazel_in_trouble_does_not_end_it(self):
        self.bazel_plan = {"code": 37, "says": "FATAL: crashed", "labels": {}}
        process = self.watch("1")
        self.assertIn("FATAL: crashed", process.stderr.readline()
                      + process.stderr.readline())
        self.judge("01_sums", passing=[], code=3)
        self.plan()
        self.save("int again;\n")
        self.assertEqual(self.verdict(process), ("01_sums", 0))


if __name__ == "__main__":
    unittest.main()
