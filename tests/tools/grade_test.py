"""./course grade against a Bazel that plays a part: verdicts, reports, errors."""

import fcntl
import json
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, "tests/tools")
from support import (MORE, README, SKELETON, SUMS, GradeTest, seed,  # noqa: E402
                     skeletons)
from course import intake  # noqa: E402

SECRET = "0123456789abcdef"


class Grades(GradeTest):
    def test_a_class_gets_a_table_a_csv_and_a_report_each(self):
        self.hand_in("ann", SUMS, [1, 2])
        self.hand_in("ann", MORE, [1])
        self.hand_in("bob", MORE, [1, 2])
        (self.root / "class/eve").mkdir()
        code, out, err = self.grade()
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"ann +100 +60 +160/200")
        self.assertRegex(out, r"bob +0 +100 +100/200  01: not handed in")
        self.assertRegex(out, r"eve +0 +0 +0/200  1 note; 01, 02: not handed in")
        self.assertEqual(self.rows()["ann"], {
            "student": "ann", SUMS: "100", MORE: "60", "total": "160", "max": "200",
            "late": "0", "flags": "", "notes": ""})
        self.assertEqual(len(self.calls()), 1)
        for student in ("ann", "bob"):
            self.assertTrue(self.page(student).text)
        self.assertIn("students/ann/index.html", self.page().hrefs)
        self.assertIn("studenttotal0102ann16010060bob100010001: not handed ineve",
                      self.page().text)

    def test_canvas_and_moodle_get_tables_of_their_own(self):
        self.hand_in("ann_12_3_x.zip", MORE)
        self.hand_in("=Eve Ng_14_assignsubmission_file_", MORE)
        student = intake.student_id("=Eve Ng")
        self.judge(MORE, [1], label=self.label(student, MORE))
        self.plan(student)["graded"]["unsteady"] = []
        code, out, _ = self.grade()
        self.assertEqual((self.out / "canvas.csv").read_text().splitlines(), [
            f"Student,ID,SIS Login ID,Section,{MORE}", "'=Eve Ng,14,,,60",
            "ann,12,,,"])
        self.assertEqual((self.out / "moodle.csv").read_text().splitlines(), [
            "Identifier,Full name,Grade,Maximum grade",
            "Participant 14,'=Eve Ng,60,100", "Participant 12,ann,,100"])

    def test_results_json_has_gradescopes_form(self):
        self.hand_in("ann", MORE, [1])
        self.grade()
        results = self.results("ann")
        self.assertEqual((results["score"], results["stdout_visibility"]),
                         (60, "hidden"))
        self.assertEqual(results["extra_data"]["verdicts"],
                         {MORE: {"MORE-1": "PASS", "MORE-2": "FAIL"}})
        self.assertEqual(results["extra_data"]["seeds"], {MORE: seed(MORE, "ann")})
        self.assertFalse(results["extra_data"]["regrade"])
        passed, failed = results["tests"]
        self.assertEqual(passed, {
            "name": "02 MORE-1 it adds", "score": 60, "max_score": 60,
            "status": "passed", "output": "", "output_format": "text",
            "visibility": "visible"})
        self.assertEqual((failed["score"], failed["status"], failed["output"]),
                         (0, "failed", "The whole story of [MORE-2]."))

    def test_the_page_shows_rule_time_line_and_first_hint(self):
        self.hand_in("ann", MORE, [1])
        self.plan("ann")["graded"]["tests"][1]["failures"] = [
            {"value": "sum", "notes": "Two and two.", "message": "m", "file": "",
             "line": "1", "expected": ["4"], "actual": ["5"]}]
        self.grade()
        page = self.page("ann")
        for words in ("it adds", "send(4) = 7", "peer: got 7 bytes", "Two and two.",
                      "What is a difference?", "60 of 100 points"):
            self.assertIn(words, page.text)
        self.assertNotIn("Look at minus.", page.text)
        self.assertNotIn("script", page.tags)
        self.assertIn("prefers-color-scheme: dark", page.source)

    def test_untouched_and_missing_chapters_are_zero_and_cost_no_build(self):
        self.hand_in("ann", MORE, code=(self.root / "chapters/02_more/more.cc")
                     .read_text())
        (self.root / "class/bob").mkdir()
        code, out, _ = self.grade("--chapters", "2")
        self.assertEqual((code, self.calls()), (0, []))
        self.assertEqual(self.rows()["ann"]["notes"],
                         "02: untouched: it is the skeleton")
        self.assertEqual(self.rows()["bob"]["notes"],
                         "02: not handed in; there is no file in it")
        self.assertEqual(self.results("bob")["score"], 0)

    def test_a_broken_archive_costs_its_owner_alone(self):
        self.hand_in("ann", MORE, [1, 2])
        self.write("class/bob.zip", "nonsense")
        code, _, _ = self.grade()
        self.assertEqual((code, self.rows()["ann"]["total"]), (0, "100"))
        self.assertEqual(self.results("bob")["score"], 0)
        self.assertIn("the archive is broken", self.page("bob").text)

    def test_code_that_does_not_compile_costs_its_chapter_and_is_quoted(self):
        self.hand_in("ann", SUMS, [1, 2])
        self.hand_in("ann", MORE)
        lines = "".join(f"submissions/ann/02_more/more.cc:{n}:1: error: '::recv' has "
                        "not been declared\n" for n in range(1, 61))
        self.bazel_plan["labels"][self.label("ann", MORE) + "_code"] = {
            "stderr": "/x/execroot/sockets/bazel-out/k8/bin/a.cc: In function\n"
                      + lines}
        self.bazel_plan["code"] = 1
        code, out, _ = self.grade()
        self.assertEqual(code, 0)
        self.assertRegex(out, r"ann +100 +0 +100/200  02: does not compile")
        said = self.results("ann")["tests"][-1]["output"]
        self.assertIn("chapters/02_more/more.cc:1:1: error: '::recv'", said)
        self.assertIn("... (21 more lines)", said)
        self.assertIn("#include <sys/socket.h>", said)
        self.assertNotIn("execroot", said)
        self.assertIn("chapters/02_more/more.cc:1:1: error", self.page("ann").text)

    def test_assembler_that_is_refused_a_file_is_the_students_own_doing(self):
        self.hand_in("ann", MORE)
        self.bazel_plan["labels"][self.label("ann", MORE) + "_code"] = {
            "stderr": "/tmp/x.s: Assembler messages:\n/tmp/x.s:9: Error: file not "
                      "found: /x/solutions/02_more/more.cc\n"}
        self.bazel_plan["code"] = 1
        self.assertEqual(self.grade()[0], 0)
        row = self.rows()["ann"]
        self.assertEqual((row["total"], row["flags"]),
                         ("0", "02: brings assembler of its own"))

    def test_code_that_asks_too_much_of_the_compiler_costs_its_chapter(self):
        self.hand_in("ann", SUMS, [1, 2])
        self.hand_in("ann", MORE)
        wall = "x" * 5_000_000 + "\n"
        for part, said, reason in (
                ("_code", "g++: internal compiler error: CPU time limit exceeded signal "
                 "terminated program prlimit", "takes the compiler more than a minute"),
                ("_code", wall + "g++: internal compiler error: File size limit exceeded signal "
                 "terminated program prlimit\nPlease submit a full bug report, with\n"
                 "See <file:///usr/share/doc/gcc-12/README.Bugs> for instructions.\n",
                 "makes the compiler write more than 64 MiB"),
                ("_code", "cc1plus: out of memory allocating 2147483664 bytes after a "
                 "total of 577536 bytes", "takes more than 2 GiB of memory to compile"),
                ("_subject", "collect2: fatal error: ld terminated with signal 25 [File "
                 "size limit exceeded]", "makes the compiler write more than 64 MiB"),
                ("_vetting", "g++: internal compiler error: CPU time limit exceeded "
                 "signal terminated program prlimit",
                 "takes the compiler more than a minute")):
            label = self.label("ann", MORE) + part
            self.bazel_plan["labels"][label] = {"stderr": said}
            self.bazel_plan["code"] = 1
            self.assertEqual(self.grade()[0], 0)
            row = self.rows()["ann"]
            self.assertEqual((row[SUMS], row[MORE], row["flags"]),
                             ("100", "0", "02: " + reason))
            said = self.results("ann")["tests"][-1]["output"]
            self.assertIn("No chapter needs so much", said)
            self.assertNotRegex(said, "bug report|README.Bugs")
            self.assertLess(len(said), 20_000)
            del self.bazel_plan["labels"][label]

    def test_a_hidden_seed_is_told_when_nothing_can_be_handed_in_any_more(self):
        self.hand_in("ann", MORE, [1])
        hidden = seed(MORE, "ann", SECRET)
        self.plan("ann")["graded"].update(hidden_seed=hidden, guessed=["Sum.Rule2"])
        for due, told in (("2999-01-01", False), ("2001-01-01", True)):
            policy = self.write("policy.toml", f"[late]\ndue = {due}T00:00:00Z\n")
            self.assertEqual(self.grade("--hidden", self.secret(SECRET), "--policy",
                                        str(policy))[0], 0)
            self.assertEqual(self.rows()["ann"]["total"], "60")
            self.assertEqual(f"--seed {hidden}" in self.page("ann").text, told)
            told_by = [path.name for path in self.out.rglob("*") if path.is_file()
                       and str(hidden) in path.read_text()]
            self.assertEqual(sorted(told_by),
                             ["index.html", "results.json"] if told else [])
        build = (self.root / ".course/grade/submissions/ann/BUILD").read_text()
        self.assertIn(f'hidden_seed = "{hidden}"', build)

    def test_a_result_without_the_hidden_seed_is_not_believed(self):
        self.hand_in("ann", MORE, [1])
        self.assertEqual(self.grade("--hidden", self.secret(SECRET))[0], 1)
        self.assertIn("the result is of another run", self.rows()["ann"]["notes"])

    def test_a_secret_that_is_none_is_refused(self):
        self.hand_in("ann", MORE, [1])
        inside = self.write("secret", SECRET)
        for path, said in ((str(inside), "lies in the checkout"),
                           (self.secret("abc"), "can be guessed"),
                           ("/nowhere/secret", "No such file")):
            code, out, err = self.grade("--hidden", path)
            self.assertEqual((code, out), (2, ""))
            self.assertIn(said, err)

    def secret(self, text):
        """A file outside of the checkout."""
        file = tempfile.NamedTemporaryFile("w")
        self.addCleanup(file.close)
        file.write(text + "\n")
        file.flush()
        return file.name

    def test_a_file_of_the_chapter_that_did_not_come_is_the_skeletons(self):
        extra = self.write("chapters/02_more/extra.cc", 'int x() { TODO("02.2", "x"); }')
        text = extra.read_text()
        self.write("chapters/skeletons.txt", skeletons.text(self.root))
        subprocess.run("git init -q && git add chapters", shell=True, check=True,
                       cwd=self.root, capture_output=True)
        extra.write_text("int instructors_own;\n")
        self.hand_in("ann", MORE, [1])
        self.grade()
        package = self.root / ".course/grade/submissions/ann"
        self.assertEqual((package / "02_more/extra.cc").read_text(), text)
        self.assertIn('srcs = ["02_more/extra.cc", "02_more/more.cc"]',
                      (package / "BUILD").read_text())
        self.assertIn("extra.cc: not handed in, so the skeleton stands in",
                      self.rows()["ann"]["notes"])

    def test_a_bare_name_is_that_of_the_chapter_under_grade(self):
        third = "chapters/03_third"
        self.write(f"{third}/README.md", README.format(number="03", rule="THIRD"))
        self.write(f"{third}/more.cc", SKELETON.format(number="03", name="third"))
        self.write("chapters/skeletons.txt", skeletons.text(self.root))
        self.write("class/ann/more.cc", "int mine;\n")
        self.judge(MORE, [1], label=self.label("ann", MORE))
        self.assertEqual(self.grade("--chapters", "2")[0], 0)
        self.assertEqual(self.rows()["ann"][MORE], "60")

    def test_only_what_changed_is_written_and_who_left_is_forgotten(self):
        self.hand_in("ann", MORE, [1])
        self.hand_in("bob", MORE, [1])
        self.grade()
        packages = self.root / ".course/grade/submissions"
        before = (packages / "ann/02_more/more.cc").stat()
        subprocess.run(["rm", "-r", self.root / "class/bob"], check=True)
        self.grade()
        after = (packages / "ann/02_more/more.cc").stat()
        self.assertEqual((before.st_ino, before.st_mtime_ns),
                         (after.st_ino, after.st_mtime_ns))
        self.assertEqual([p.name for p in packages.iterdir()], ["ann"])
        self.assertEqual([p.name for p in (self.out / "students").iterdir()], ["ann"])

    def test_json_is_alone(self):
        self.hand_in("ann", MORE, [1])
        code, out, _ = self.grade("--json")
        found = json.loads(out)
        self.assertEqual((code, found["students"][0]["points"]), (0, 60))
        layers = {layer["name"]: layer["active"] for layer in found["layers"]}
        self.assertTrue(layers["sandbox without network"])
        self.assertTrue(layers["references closed"])
        self.assertTrue(layers["limits for compiler and linker"])

    def test_a_compiler_without_limits_is_not_kept_quiet(self):
        self.hand_in("ann", MORE, [1])
        self.bazel_plan["unlimited"] = "clang takes none\n"
        self.assertIn("NOT active:  limits for compiler and linker (clang takes none)",
                      self.grade()[1])

    def test_a_weaker_sandbox_is_not_kept_quiet(self):
        self.hand_in("ann", MORE, [1])
        self.plan("ann")["strategy"] = "processwrapper-sandbox"
        said = "NOT active:  sandbox without network (it ran in: processwrapper"
        out = self.grade()[1]
        self.assertIn(said, out)
        self.assertIn("NOT active:  references closed (only a linux-sandbox", out)
        self.plan("ann")["strategy"] = ""  # from the cache, so as it was then
        self.assertIn(said, self.grade()[1])
        self.assertIn("sandbox without network: NOT active", self.page().text)

    def test_what_failed_on_another_machine_is_read_here(self):
        self.hand_in("ann", MORE, [1])
        self.plan("ann").update(strategy="remote")
        self.hand_in("bob", MORE, [1])
        self.bazel_plan["remote"] = True
        self.bazel_plan["labels"][self.label("bob", MORE) + "_code"] = {
            "stderr": "submissions/bob/02_more/more.cc:9:1: error: no\n"}
        del self.bazel_plan["labels"][self.label("bob", MORE)]
        elsewhere = ["--", "--remote_executor=grpc://HOST:1"]
        code, out, err = self.grade("--allow-weak-sandbox", *elsewhere)
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"ann +60 ")
        self.assertRegex(out, r"bob +0 .*02: does not compile")
        self.assertIn("(it ran in: remote)", out)

    def test_a_weaker_sandbox_is_taken_only_where_somebody_insists(self):
        self.hand_in("ann", MORE, [1])
        self.bazel_plan.update(code=2, says="ERROR: 'linux-sandbox' was requested "
                               "for default strategies but no strategy with that "
                               "identifier was registered.")
        code, out, err = self.grade()
        self.assertEqual((code, out), (1, ""))
        self.assertIn("--allow-weak-sandbox", err)
        self.assertIn("--spawn_strategy=linux-sandbox", self.calls()[0])
        self.bazel_plan.update(code=3, says="")
        self.assertEqual(self.grade("--allow-weak-sandbox")[0], 0)
        self.assertNotIn("--spawn_strategy", self.calls()[-1])

    def test_nor_is_one_of_bazels_options(self):
        self.hand_in("ann", MORE, [1])
        for word in "--remote_executor=grpc://HOST:1", "--spawn_strategy=local":
            code, out, err = self.grade("--", word)
            self.assertEqual((code, out), (2, ""))
            self.assertIn(f"{word} takes submissions out of the linux-sandbox", err)
        self.assertEqual(self.calls(), [])

    def test_references_are_closed_once_what_is_ours_is_built(self):
        self.hand_in("ann", MORE, [1])
        self.grade()
        lines = (self.root / "bazel-calls").read_text().splitlines()
        self.assertEqual([word for line in lines for word in line.split()
                          if word in ("build", "info", "test")],
                         ["build", "info", "test"])
        self.assertNotIn("block_path", lines[0])
        for name in ("solutions", "bazel-bin/solutions"):
            self.assertIn(f"--sandbox_block_path={self.root / name} ", lines[2])
        self.assertNotIn("submissions", lines[0].partition("grade")[2])

    def test_what_bazel_says_is_out_of_reach_of_submissions(self):
        self.hand_in("ann", MORE, [1])
        self.grade()
        lines = (self.root / "bazel-calls").read_text().splitlines()
        for line in (lines[0], lines[-1]):
            self.assertRegex(
                line, r"--output_base=(.+/)base .*--build_event_json_file=\1course")

    def test_options_for_bazel_reach_every_command(self):
        self.hand_in("ann", MORE, [1])
        option = "--remote_cache=http://127.0.0.1:1/cache"
        self.assertEqual(self.grade("--", option)[0], 0)
        lines = (self.root / "bazel-calls").read_text().splitlines()
        self.assertEqual([line.split().count(option) for line in lines], [1, 1, 1])

    def test_what_is_no_option_for_bazel_is_refused_before_it_runs(self):
        self.hand_in("ann", MORE, [1])
        for words in (["//solutions/..."], ["--remote_cache", "http://a/"], ["-"],
                      ["--"], [""]):
            code, out, err = self.grade("--", *words)
            self.assertEqual((code, out), (2, ""), words)
            self.assertIn(f"{words[-1]!r} is no option for Bazel", err)
        self.assertFalse((self.root / "bazel-calls").exists())

    def test_one_student_or_one_rule_is_run_again(self):
        self.hand_in("ann", MORE, [1])
        self.hand_in("bob", MORE, [1, 2])
        for what, labels in (("ann", ["ann"]), ("MORE-2", ["ann", "bob"])):
            self.assertEqual(self.grade("--regrade", what)[0], 0)
            anew, whole = self.calls()[-2:]
            self.assertIn("--cache_test_results=no", anew)
            self.assertEqual([name for name in ("ann", "bob")
                              if anew.count(self.label(name, MORE))], labels)
            self.assertIn("--cache_test_results=yes", whole)
        code, _, err = self.grade("--regrade", "MORE-3")
        self.assertEqual(code, 2)
        self.assertIn("no student, chapter or rule 'MORE-3'", err)

    def test_a_test_that_failed_and_then_passed_alone_is_reported(self):
        self.hand_in("ann", MORE, [1, 2])
        self.plan("ann")["graded"]["unsteady"] = ["Sum.Rule1"]
        _, out, _ = self.grade()
        self.assertRegex(out, r"ann +100 +100/100  1 unsteady test\n")
        self.assertIn("failed once, then passed alone: 02: Sum.Rule1",
                      self.page().text)


class Errors(GradeTest):
    def error(self):
        """The grader's own failure: neither a zero nor full marks."""
        code, out, _ = self.grade()
        self.assertEqual(code, 1)
        self.assertIn("To be graded again", out)
        self.assertEqual(self.rows()["ann"]["total"], "ERROR")
        self.assertEqual(self.rows()["bob"]["total"], "100")
        results = self.results("ann")
        self.assertNotIn("score", results)
        self.assertFalse([t for t in results["tests"] if "score" in t])
        self.assertTrue(results["extra_data"]["regrade"])
        self.assertIn("the grader failed, not you", self.page("ann").text)
        return self.rows()["ann"]["notes"]

    def setUp(self):
        super().setUp()
        self.hand_in("ann", MORE, [1, 2])
        self.hand_in("bob", MORE, [1, 2])
        self.graded = self.plan("ann")["graded"]

    def test_a_test_that_did_not_end(self):
        self.plan("ann")["status"] = "TIMEOUT"
        self.assertIn("ended with TIMEOUT", self.error())

    def test_no_result(self):
        del self.plan("ann")["graded"]
        self.assertIn("there is no result", self.error())

    def test_a_result_of_another(self):
        self.graded["implementation"] = "bob"
        self.assertIn("somebody else's", self.error())

    def test_a_result_that_contradicts_itself(self):
        for spoil in (lambda: self.plan("ann").update(status="FAILED"),
                      lambda: self.graded["tests"][0].update(verdict="FAIL"),
                      lambda: self.graded["rules"][0].update(points=99),
                      lambda: self.graded["tests"].pop()):
            self.judge(MORE, [1, 2], label=self.label("ann", MORE))
            self.graded = self.plan("ann")["graded"]
            spoil()
            self.assertIn("contradicts itself", self.error())

    def test_a_result_of_other_rules_or_half_of_one(self):
        self.graded["rules"][0]["max_points"] = 70
        self.assertIn("of other rules", self.error())
        self.graded["rules"][0] = {}
        self.assertIn("is incomplete", self.error())

    def test_a_test_that_the_runner_lost(self):
        self.graded["tests"][0]["verdict"] = "MISSING"
        self.assertIn("the runner lost a test", self.error())

    def test_a_compiler_that_breaks_down(self):
        del self.bazel_plan["labels"][self.label("ann", MORE)]
        for said in ("more.cc:1:1: internal compiler error: Segmentation fault",
                     "g++: fatal error: Killed signal terminated program cc1plus",
                     "a.cc:1:1: fatal error: x.s: No space left on device"):
            self.bazel_plan["labels"][self.label("ann", MORE) + "_code"] = {
                "stderr": said}
            self.assertIn("regrade, the grader failed", self.error())

    def test_it_is_tried_again_alone_before_that(self):
        self.plan("ann")["status"] = "TIMEOUT"
        self.error()
        self.assertEqual(len(self.calls()), 2)
        self.assertIn("--cache_test_results=no", self.calls()[1])
        self.assertTrue(self.calls()[1].endswith(self.label("ann", MORE)))

    def test_when_bazel_fails_nobody_is_judged(self):
        for plan in ({"code": 37}, {"code": 1, "says": "ERROR: no such target"},
                     {"code": 1, "labels": {"//submissions/x": {}}}):
            self.bazel_plan = plan
            code, out, err = self.grade()
            self.assertEqual((code, out, self.out.exists()), (1, "", False))
            self.assertIn("Bazel", err)


class Hostile(GradeTest):
    def test_what_a_student_wrote_stays_text_everywhere(self):
        evil = '</pre><script>alert(1)</script><img src=x onerror="alert(2)"> &amp;'
        self.hand_in("ann", MORE, [])
        test = self.plan("ann")["graded"]["tests"][0]
        test.update(output=evil + "\x1b[31m", why=evil, text=evil + "\x1b[31m\u202e",
                    verdict="CRASH", steps=[{"who": evil, "what": evil, "times": 1}])
        self.plan("ann")["graded"]["tests"][1]["failures"] = [
            {"value": evil, "notes": evil, "message": evil, "expected": [evil],
             "actual": ["\x00\ufffe", evil]}]
        self.write(f"class/ann/{evil.replace('/', '|')}.txt", "")
        self.write("class/bob/chapters/02_more/more.cc", f"exit(0); // {evil}\n")
        self.plan("ann")["graded"]["flags"] = [evil]
        self.bazel_plan["labels"][self.label("bob", MORE) + "_code"] = {
            "stderr": f"submissions/bob/02_more/more.cc:1:1: error: {evil}\x1b[0m\n"}
        self.assertEqual(self.grade()[0], 0)
        for student in ("ann", "bob", None):
            page = self.page(student)
            self.assertFalse({"script", "img"} & page.tags, student)
            self.assertNotIn("\x1b", page.source)
            self.assertNotIn("\u202e", page.source)
        self.assertIn(evil, self.page("ann").text)
        text = self.results("ann")["tests"][0]["output"]
        self.assertTrue(text.endswith("\\x1b[31m\\u202e"), text)

    def test_names_are_no_formulas_and_no_markup(self):
        for name in ("=1+1", "@SUM(1)", "-2", "<b>bold", "\x1b[31m"):
            (self.root / "class" / name).mkdir(parents=True)
        code, out, _ = self.grade("--chapters", "2")
        self.assertEqual(code, 0)
        self.assertNotIn("\x1b", out)
        names = list(self.rows())
        self.assertEqual(sorted(names), sorted(
            ["'=1+1", "'@SUM(1)", "'-2", "<b>bold", "\\x1b[31m"]))
        self.assertNotIn("b", self.page().tags)
        for path in (self.out / "students").iterdir():
            self.assertRegex(path.name, r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")

    def test_flags_are_for_the_instructor(self):
        self.hand_in("ann", MORE, [1, 2])
        self.plan("ann")["graded"]["flags"] = ["ends the process: exit"]
        code, out, _ = self.grade()
        self.assertRegex(out, r"ann +100 +100/100  1 flag\n")
        self.assertIn("02: ends the process", self.rows()["ann"]["flags"])
        self.assertIn("02: ends the process", self.page().text)
        self.assertNotIn("ends the process", self.page("ann").text)


POLICY = """
[weights]
01 = 50
[extra]
chapters = ["01"]
[late]
due = 2026-11-01T12:00:00Z
grace_minutes = 15
percent_per_day = 10
most_days = 3
[students.ann]
submitted = 2026-11-01T12:10:00Z
[students.bob]
submitted = 2026-11-02T13:00:00Z
[students.eve]
late_days = 4
[[override]]
student = "bob"
chapter = "02"
rule = "MORE-2"
points = 30
reason = "a mail"
"""


class Policies(GradeTest):
    def setUp(self):
        super().setUp()
        for student in ("ann", "bob", "eve"):
            self.hand_in(student, SUMS, [1, 2])
            self.hand_in(student, MORE, [1])

    def with_policy(self, text):
        path = self.write("policy.toml", text)
        return self.grade("--policy", str(path))

    def test_who_is_named_and_handed_in_nothing_is_noted(self):
        said = "note: the policy names {}, of whom there is no submission"
        code, out, _ = self.with_policy(POLICY + "[students.anm]\nlate_days = 1\n")
        self.assertEqual(code, 0)
        self.assertIn(said.format("anm"), out)
        self.assertNotIn(said.format("ann"), out)

    def test_weights_extra_credit_late_days_and_overrides(self):
        self.assertEqual(self.with_policy(POLICY)[0], 0)
        rows = self.rows()
        self.assertEqual([rows["ann"][k] for k in (SUMS, MORE, "total", "max", "late")],
                         ["50", "60", "110", "100", "0"])
        self.assertEqual([rows["bob"][k] for k in (SUMS, MORE, "total", "late")],
                         ["50", "90", "112", "2"])
        self.assertEqual(rows["bob"]["notes"], "2 days late: 80% of the points; "
                         "02 MORE-2: 30 points, a mail")
        self.assertEqual((rows["eve"]["total"], rows["eve"]["late"]), ("0", "4"))

    def test_the_record_stays_what_the_tests_said(self):
        self.with_policy(POLICY)
        self.assertEqual(self.results("bob")["extra_data"]["chapters"][1]["points"], 60)

    def test_a_file_that_says_something_unknown_is_refused(self):
        for text, said in (
                ("weigths = 1", "weigths is not known"), ("late = 1", "wrong kind"),
                ("[late]\ndue = 2026-11-01T12:00:00", "no time zone"),
                ("[weights]\n9 = 1", "no chapter '9'"),
                ("[weights]\n02 = -1", "is no number"), ("x = ", "policy.toml"),
                ("[[override]]\nstudent = 'ann'", "lacks chapter, points, reason"),
                ("[[override]]\nstudent='a'\nchapter='2'\nrule='X-1'\npoints=1\n"
                 "reason='r'", "no rule 'X-1'")):
            code, out, err = self.with_policy(text)
            self.assertEqual((code, out), (2, ""), text)
            self.assertIn(said, err)


class Usage(GradeTest):
    def test_what_cannot_be_graded_is_named(self):
        (self.root / "class").mkdir()
        for words, said in (
                ((), "nobody to grade"), (("--chapters", "9"), "no chapter '9'"),
                (("--out", str(self.root / "class/out")), "choose another --out"),
                (("--out", str(self.root / "course")), "is a file"),
                (("more",), "unrecognized arguments")):
            self.write("course", "")
            code, out, err = self.grade(*words)
            self.assertEqual((code, out), (2, ""), words)
            self.assertIn(said, err)
        code, _, err = self.course("grade", "/nowhere", "--out", str(self.out))
        self.assertEqual(code, 2)
        self.assertIn("/nowhere is no folder", err)

    def test_two_graders_at_a_time_are_one_too_many(self):
        self.hand_in("ann", MORE, [1])
        lock = self.write(".course/grade/lock", "")
        with lock.open() as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            code, _, err = self.grade()
        self.assertEqual(code, 1)
        self.assertIn("another grade is at work", err)

    def test_a_full_disk_leaves_no_half_report(self):
        self.hand_in("ann", MORE, [1])
        (self.root / "out").mkdir()
        code, _, err = self.course(
            "grade", "class", "--out", "out", cwd=self.root,
            preexec_fn=lambda: __import__("resource").setrlimit(
                __import__("resource").RLIMIT_FSIZE, (3000, 3000)))
        self.assertEqual(code, 1)
        self.assertIn("File too large", err)
        for path in self.out.rglob("*"):
            self.assertIn(path.suffix, ("", ".json", ".html"))
            if path.suffix == ".json":
                json.loads(path.read_text())


if __name__ == "__main__":
    unittest.main()
