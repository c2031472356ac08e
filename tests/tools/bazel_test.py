"""How ./course runs Bazel: its lock, its end, and Ctrl-C."""

import json
import os
import signal
import sys
import time
import unittest

sys.path.insert(0, "tests/tools")
from support import CourseTest  # noqa: E402


class Running(CourseTest):
    def wait_for(self, name):
        """Until the Bazel that plays a part has made this file."""
        give_up = time.monotonic() + 10
        while not (self.root / name).exists():
            self.assertLess(time.monotonic(), give_up, f"no {name}")
            time.sleep(0.01)

    def end_with(self, number):
        self.bazel_plan["hangs"] = True
        process = self.start("check", "1")
        self.wait_for("hanging")
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
        self.assertTrue((self.root / "interrupted").exists())  # and reaped
        self.assertEqual((out, err.strip()), ("", ""))
        return process.returncode

    def test_ctrl_c_ends_bazel_and_says_nothing(self):
        self.assertEqual(self.end_with(signal.SIGINT), 130)

    def test_being_ended_ends_bazel_too(self):
        self.assertEqual(self.end_with(signal.SIGTERM), 143)

    def test_another_command_that_holds_the_lock_is_waited_for(self):
        self.write("bin/bazel-free", (self.root / "bin/bazel").read_text(),
                   executable=True)
        self.write("bin/bazel", """#!/bin/sh
            if [ -e tried ]; then exec bin/bazel-free "$@"; fi
            touch tried
            echo 'Another command (pid=77) is running. Exiting immediately.' >&2
            exit 9""", executable=True)
        self.judge("01_sums", passing=[1, 2])
        code, _, err = self.course("check", "1")
        self.assertEqual((code, err), (
            0, "course: waiting for another Bazel command (process 77) ...\n"))

    def test_without_bazel_it_says_so(self):
        code, _, err = self.course("check", "1", env={"COURSE_BAZEL": ""})
        self.assertEqual(code, 1)
        self.assertIn("there is no Bazel here", err)


class Repository(CourseTest):
    def test_the_last_line_counts(self):
        self.bazel_plan = {"code": 3, "labels": {"//...": {
            "status": "PASSED"}}}
        code, out, _ = self.course("test")
        self.assertEqual((code, out.splitlines()[-1]), (0, "1 passed, 0 failed"))
        self.bazel_plan["labels"]["//..."]["status"] = "FAILED"
        code, out, _ = self.course("test")
        self.assertEqual((code, out.splitlines()[-1]), (1, "0 passed, 1 failed"))

    def test_no_test_at_all_is_a_failure(self):
        self.bazel_plan = {"code": 4, "says": "ERROR: No test targets were found"}
        code, out, err = self.course("test")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("No test targets were found", err)

    def test_a_begun_chapter_is_left_out_and_named(self):
        self.write("chapters/02_more/more.cc", "int mine;\n")
        self.bazel_plan["labels"]["//..."] = {"status": "PASSED"}
        _, out, _ = self.course("test", "--", "--config=asan")
        self.assertIn("02_more", out)
        call = (self.root / "bazel-calls").read_text()
        self.assertIn(" --config=asan -- //... ", call)
        self.assertIn("-//tests/02_more:skeleton_test", call)
        self.assertNotIn("01_sums", call)

    def test_compile_commands_name_the_files_of_the_checkout(self):
        arguments = ["g++", "-fno-canonical-system-headers", "-c",
                     "chapters/01_sums/sums.cc"]
        self.bazel_plan["prints"] = {
            "aquery": json.dumps({"actions": [{"arguments": arguments}]}),
            "info": "/execroot"}
        code, out, _ = self.course("compile-commands")
        self.assertEqual((code, out), (0, "compile_commands.json: 1 files\n"))
        entry, = json.loads((self.root / "compile_commands.json").read_text())
        path = os.path.realpath(self.root / "chapters/01_sums/sums.cc")
        self.assertEqual(entry, {"directory": "/execroot", "file": path,
                                 "arguments": ["g++", "-c", path]})


class Doctor(CourseTest):
    def test_it_reports_every_package_with_a_remedy(self):
        _, out, _ = self.course("doctor", "--json", env={"PATH": "/nowhere"})
        checks = {check["name"]: check for check in json.loads(out)["checks"]}
        for name in ("g++", "python3-rich", "clangd", "sandbox", "IPv6 loopback",
                     "disk space"):
            self.assertIn(name, checks)
        self.assertFalse(checks["g++"]["ok"])
        self.assertEqual(checks["g++"]["remedy"], "sudo apt-get install g++")
        self.assertFalse(checks["clangd"]["needed"])


if __name__ == "__main__":
    unittest.main()
