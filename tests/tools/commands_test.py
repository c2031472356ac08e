"""Each command of ./course against a Bazel that plays a part."""

import json
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, "tests/tools")
from support import CourseTest, skeletons  # noqa: E402
from course import screen, state  # noqa: E402


class Seeds(CourseTest):
    def test_a_report_is_replayed_by_its_seed_and_not_kept(self):
        self.judge("02_more", [1])
        self.assertEqual(self.course("check", "2", "--seed", "77")[0], 1)
        self.course("check", "2")
        with_seed, without = (self.root / "bazel-calls").read_text().splitlines()
        self.assertIn("--test_env=GRADED_SEED=77 ", with_seed)
        self.assertNotIn("SEED", without)
        code, _, err = self.course("check", "--seed", "77")
        self.assertEqual(code, 2)
        self.assertIn("check NN --seed N", err)


class Names(CourseTest):
    def test_a_chapter_has_four_names(self):
        for name in ("2", "02", "02_more", "chapters/02_more/"):
            code, out, _ = self.course("read", name)
            self.assertEqual((code, out[:4]), (0, "# 02"), name)

    def test_an_unknown_chapter_suggests_the_nearest(self):
        code, _, err = self.course("read", "02_mroe")
        self.assertEqual(code, 2)
        self.assertIn("no chapter '02_mroe'; did you mean 02_more?", err)

    def test_an_unknown_rule_suggests_the_nearest(self):
        code, _, err = self.course("hint", "sum-1")
        self.assertEqual(code, 2)
        self.assertIn("no rule 'sum-1'; did you mean SUMS-1?", err)

    def test_an_unknown_command_suggests_the_nearest(self):
        code, _, err = self.course("chekc")
        self.assertEqual((code, err),
                         (2, "course: there is no command 'chekc'; did you mean check?\n"))

    def test_an_unknown_option_is_one_line(self):
        code, _, err = self.course("check", "--nonsense")
        self.assertEqual((code, err.count("\n")), (2, 1))

    def test_a_broken_readme_is_called_that(self):
        self.write("chapters/01_sums/README.md", "# nothing\n")
        code, _, err = self.course("read", "1")
        self.assertEqual(code, 1)
        self.assertIn("this chapter's text is broken:", err)
        self.assertIn("README.md:1:", err)


class Check(CourseTest):
    def test_the_first_failure_comes_in_full_and_the_others_as_a_list(self):
        self.judge("01_sums", passing=[])
        code, out, _ = self.course("check", "1")
        self.assertEqual(code, 1)
        self.assertIn("0 of 100 points, 0 of 2 rules", out)
        self.assertIn("The whole story of [SUMS-1].", out)
        self.assertIn("  SUMS-2  why SUMS-2 [fails]", out)
        self.assertNotIn("whole story of [SUMS-2]", out)
        self.assertIn("Next: 01.1 Adding", out)

    def test_the_step_that_a_rule_waits_for_is_the_next(self):
        self.judge("01_sums", passing=[], todo="01.2")
        self.assertIn("Next: 01.2 Taking away", self.course("check", "1")[1])
        self.assertIn("01.2 Taking away", self.course("hint", "1")[1])

    def test_of_steps_that_rules_wait_for_the_first_is_the_next(self):
        self.judge("01_sums", passing=[], todo={1: "01.2", 2: "01.1"})
        self.assertIn("Next: 01.1 Adding", self.course("check", "1")[1])

    def test_a_mistake_comes_before_a_step_that_is_still_to_do(self):
        self.judge("01_sums", passing=[], todo={1: "", 2: "01.2"})
        self.assertIn("Next: 01.1 Adding", self.course("check", "1")[1])

    def test_a_complete_chapter_exits_with_0_and_names_the_next(self):
        self.judge("01_sums", passing=[1, 2])
        code, out, _ = self.course("check", "1")
        self.assertEqual(code, 0)
        self.assertIn("Every rule passes.", out)
        self.assertIn("Next: chapter 02", out)

    def test_without_a_number_it_is_the_first_chapter_that_lacks_points(self):
        self.judge("01_sums", passing=[1, 2])
        self.judge("02_more", passing=[1])
        _, out, _ = self.course("check")
        self.assertIn("02 A chapter of tests  60 of 100 points", out)

    def test_a_compile_error_is_shown_with_its_lines(self):
        self.break_build("01_sums", "chapters/01_sums/sums.cc:1:15: error: "
                         "'::recv' has not been declared\n"
                         "chapters/01_sums/sums.cc:9:1: error: expected ';'\n")
        code, out, _ = self.course("check", "1")
        self.assertEqual(code, 1)
        self.assertIn("It does not compile: chapters/01_sums/sums.cc:1", out)
        self.assertIn(" >    1 | int sums()", out)
        self.assertIn("#include <sys/socket.h>", " ".join(out.split()))
        self.assertIn("1 more error,", out)

    def test_bazel_in_trouble_is_not_the_learners_failure(self):
        for code, says, expected in (
                (37, "FATAL: bazel crashed", "Bazel broke down"),
                (1, "ERROR: chapters/BUILD:1: name 'nonsense' is not defined",
                 "name 'nonsense' is not defined"),
                (36, "ERROR: No space left on device", "the disk is full")):
            self.bazel_plan = {"code": code, "says": says}
            status, out, err = self.course("check", "1")
            self.assertEqual((status, out), (1, ""))
            self.assertIn(expected, err)

    def test_a_run_without_a_verdict_is_no_verdict(self):
        self.bazel_plan = {"code": 3, "labels": {
            "//chapters/01_sums:test": {"status": "FAILED"}}}
        status, _, err = self.course("check", "1")
        self.assertEqual(status, 1)
        self.assertIn("ended without a verdict", err)

    def test_json_lists_chapters_and_rules_and_nothing_else(self):
        self.judge("01_sums", passing=[1])
        self.break_build("02_more", "x.cc:1:1: error: expected ';'\n")
        code, out, _ = self.course("check", "--all", "--json")
        self.assertEqual(code, 1)
        found = json.loads(out)
        self.assertEqual(found["schema"], 1)
        first, second = found["chapters"]
        self.assertEqual(first, {
            "chapter": "01_sums", "title": "A chapter of tests", "points": 60,
            "max_points": 100, "state": "untouched", "error": None, "rules": [
                {"id": "SUMS-1", "verdict": "PASS", "points": 60, "max_points": 60},
                {"id": "SUMS-2", "verdict": "FAIL", "points": 0, "max_points": 40}]})
        self.assertEqual((second["state"], second["points"], second["max_points"]),
                         ("broken", 0, 100))
        self.assertEqual(second["error"]["message"], "expected ';'")


class Learn(CourseTest):
    def test_hints_come_one_by_one_and_then_all(self):
        self.judge("01_sums", passing=[])
        shown = [self.course("hint", "1")[1] for _ in range(4)]
        self.assertIn("Hint 1 of 3\nWhat is a sum?", shown[0])
        self.assertIn("Hint 2 of 3\nLook at plus.", shown[1])
        self.assertIn("Hint 3 of 3\nWrite a + b.", shown[2])
        self.assertIn("all three", shown[3])
        self.assertIn("What is a sum?", shown[3])

    def test_a_hint_can_be_asked_for_by_rule_by_step_and_by_level(self):
        for what in ("more-2", "02.2", "2.2"):
            _, out, _ = self.course("hint", what, "--level", "2")
            self.assertIn("Look at minus.", out, what)

    def test_a_rule_of_several_chapters_is_that_of_the_chapter_tested_last(self):
        self.judge("01_sums", passing=[])
        self.judge("02_more", passing=[])
        readme = "chapters/02_more/README.md"
        text = (self.root / readme).read_text(encoding="utf-8")
        self.write(readme, text.replace("MORE-2", "SUMS-2"))
        for chapter, step in (("02", "02.2"), ("01", "01.2"), ("02", "02.2")):
            self.course("check", chapter)
            self.assertIn(step, self.course("hint", "SUMS-2")[1])

    def test_a_lost_or_broken_memory_is_harmless(self):
        for text in ("{", "[]", '{"hints": 3}', '{"hints": {"01.1": "x"}}', "\0"):
            self.write(".course/state.json", text)
            code, out, err = self.course("hint", "SUMS-1")
            self.assertEqual((code, err), (0, ""), text)
            self.assertIn("Hint 1 of 3", out)

    def test_read_keeps_the_hints_back(self):
        _, out, _ = self.course("read", "1")
        self.assertIn("./course hint 01", out)
        self.assertNotIn("Write a + b.", out)
        self.assertIn("## Going further", out)

    def test_next_shows_the_task_with_its_rules_and_files(self):
        self.judge("01_sums", passing=[1])
        self.judge("02_more", passing=[])
        _, out, _ = self.course("next")
        self.assertIn("01.2 Taking away", out)
        self.assertIn("Take them away.", out)
        self.assertIn("to do SUMS-2  it adds", out)
        self.assertNotIn("SUMS-1", out)
        self.assertIn("chapters/01_sums/sums.cc", out)

    def test_trace_has_a_column_for_each_end(self):
        self.judge("01_sums", passing=[1])
        _, out, _ = self.course("trace", "1")
        self.assertIn("FAIL  SUMS-2  Sum.Rule2", out)
        you, peer = out.splitlines()[-2:]
        self.assertLess(you.index("send(4) = 7"), peer.index("got 7 bytes"))


class Work(CourseTest):
    def git(self, *words):
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *words],
                       cwd=self.root, check=True, capture_output=True)

    def setUp(self):
        super().setUp()
        self.file = self.root / "chapters/01_sums/sums.cc"
        self.skeleton = self.file.read_text()

    def commit_own_work(self):
        self.git("init", "-q")
        for text in (self.skeleton, "int mine;\n"):
            self.file.write_text(text)
            self.git("add", "chapters")
            self.git("commit", "-qm", "work")

    def test_reset_brings_the_skeleton_back_and_keeps_yours(self):
        self.commit_own_work()
        code, out, _ = self.course("reset", "1", "--yes")
        self.assertEqual((code, self.file.read_text()), (0, self.skeleton))
        backup, = self.root.glob(".course/backup/*/chapters/01_sums/sums.cc")
        self.assertEqual(backup.read_text(), "int mine;\n")
        self.assertIn(".course/backup/", out)

    def test_reset_asks_before_it_changes_anything(self):
        self.commit_own_work()
        code, _, _ = self.course("reset", "1")
        self.assertEqual((code, self.file.read_text()), (1, "int mine;\n"))

    def test_reset_brings_a_deleted_file_back(self):
        self.commit_own_work()
        self.file.unlink()
        code, _, _ = self.course("reset", "1", "--yes")
        self.assertEqual((code, self.file.read_text()), (0, self.skeleton))

    def test_reset_without_the_original_loses_nothing(self):
        self.git("init", "-q")
        self.file.write_text("int mine;\n")
        for env in ({}, {"PATH": "/nowhere"}):
            code, _, err = self.course("reset", "1", "--yes", env=env)
            self.assertEqual((code, self.file.read_text()), (1, "int mine;\n"))
            self.assertIn("nothing was changed", err)

    def test_diff_waits_until_yours_passes(self):
        self.judge("01_sums", passing=[1])
        code, out, err = self.course("diff", "1")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("--spoil", err)
        code, out, _ = self.course("diff", "1", "--spoil")
        self.assertEqual(code, 0)
        self.assertIn("+int sums() { return 1; }", out)

    def test_run_becomes_the_program_with_its_arguments(self):
        self.bazel_plan["prints"] = {"query": "//chapters/01_sums:adder"}
        self.write("bazel-bin/chapters/01_sums/adder",
                   '#!/bin/sh\nprintf "%s," "$@"\nexit 7\n', executable=True)
        code, out, _ = self.course("run", "1", "two", "--", "--yes", "a b")
        self.assertEqual((code, out), (7, "two,--yes,a b,"))

    def test_where_there_are_no_solutions_both_that_need_them_say_so(self):
        shutil.rmtree(self.root / "solutions")
        for words in (["diff", "1", "--spoil"], ["run", "1", "--reference"]):
            code, out, err = self.course(*words)
            self.assertEqual((code, out), (1, ""))
            self.assertIn("the solutions are not part of this edition", err)

    def test_of_several_programs_the_first_word_chooses_one(self):
        self.bazel_plan["prints"] = {
            "query": "//chapters/01_sums:adder\n//chapters/01_sums:talker"}
        self.write("bazel-bin/chapters/01_sums/talker",
                   '#!/bin/sh\nprintf "%s," "$@"\nexit 7\n', executable=True)
        code, out, _ = self.course("run", "1", "talker", "--", "--yes", "a b")
        self.assertEqual((code, out), (7, "--yes,a b,"))
        code, _, err = self.course("run", "1", "--", "two")
        self.assertEqual(code, 1)
        self.assertIn("adder | talker", err)


class Tables(unittest.TestCase):
    def test_a_table_becomes_a_list_on_terminals(self):
        text = "| id | rule | points |\n|---|---|---|\n| A-1 | it adds | 60 |\n"
        self.assertEqual(screen.TABLE.sub(lambda m: screen.as_list(m[0]), text),
                         "- **A-1** it adds (points: 60)\n")
        self.assertIsNone(screen.TABLE.search("| a line of a shell\n"))


class Writing(CourseTest):
    def test_a_write_that_fails_leaves_the_old_file_alone(self):
        path = self.write("file", "old")
        with self.assertRaises(TypeError):
            state.write(path, None)
        self.assertEqual(path.read_text(), "old")
        state.write(path, b"new")
        self.assertEqual(path.read_text(), "new")
        self.assertEqual([p.name for p in self.root.glob("*file*")], ["file"])


class Skeletons(CourseTest):
    def test_the_id_is_that_of_git(self):
        self.assertEqual(skeletons.blob_id(b"hello\n"),
                         "ce013625030ba8dba906f756967f9e9ca394464a")

    def test_check_fails_when_a_skeleton_was_changed(self):
        def check():
            return subprocess.run(["/usr/bin/python3", "-B", "tools/skeletons.py",
                                   "--check"], cwd=self.root,
                                  capture_output=True).returncode

        self.assertEqual(check(), 0)
        self.write("chapters/01_sums/sums.cc", 'TODO("01.1", "other")\n')
        self.assertEqual(check(), 1)


if __name__ == "__main__":
    unittest.main()
