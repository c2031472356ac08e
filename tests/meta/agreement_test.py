"""Texts, tests and mutants agree; and the reader of READMEs says what is wrong."""

import pathlib
import re
import sys
import tempfile
import unittest

ROOT = pathlib.Path.cwd()
sys.path.insert(0, str(ROOT / "tools"))

import kill_matrix  # noqa: E402
import rubric  # noqa: E402

# Introduced whole, with all of their rules.
WHOLE_CLASSES = {"10_socket", "11_server", "15_tls_server"}
NAMES = sorted(p.parent.name for p in ROOT.glob("chapters/[0-9]*/README.md"))


class Chapters(unittest.TestCase):
    def test_every_rule_is_tested_and_every_test_has_a_rule(self):
        self.assertTrue(NAMES)
        for name in NAMES:
            with self.subTest(name):
                chapter = rubric.read_readme(ROOT / "chapters" / name / "README.md")
                tests = rubric.read_tests(sorted(
                    (ROOT / "tests" / name).glob("*_test.cc")))
                rubric.check_agreement(chapter, tests)
                most = 60 if name in WHOLE_CLASSES else 25
                self.assertTrue(8 <= len(chapter.rules) <= most, len(chapter.rules))

    def test_every_rule_is_failed_by_a_mutant(self):
        # By one of //tests:mutants: none of mutants/more/.
        for name, mutants in kill_matrix.chapters(ROOT, "*.patch").items():
            with self.subTest(name):
                chapter = rubric.read_readme(ROOT / "chapters" / name / "README.md")
                rules = {r.id for r in chapter.rules}
                caught = {r for m in mutants for r in m["rules"]}
                self.assertEqual(caught, rules)
                self.assertGreaterEqual(len(mutants), 8)

    def test_a_mutant_is_named_as_its_file(self):
        for path in ROOT.glob("tests/[0-9]*/mutants/**/*.patch"):
            self.assertEqual(kill_matrix.read_mutant(path)["name"], path.stem)

    def test_every_todo_is_a_step_and_every_step_of_the_skeleton_is_in_order(self):
        for name in NAMES:
            with self.subTest(name):
                chapter = rubric.read_readme(ROOT / "chapters" / name / "README.md")
                steps = [s.number for s in chapter.steps]
                for source in sorted((ROOT / "solutions" / name).glob("*.cc")):
                    named = re.findall(r"// (\d\d\.\d+):", source.read_text("utf-8"))
                    self.assertLessEqual(set(named), set(steps), source.name)


class Reader(unittest.TestCase):
    """rubric.read_readme on READMEs that are wrong in one place."""

    GOOD = ("# 99 X\n## Goal\n## What changed since 98\n## Picture\n## Rules\n"
            "| id | rule | points |\n|---|---|---|\n| X-1 | One. | 60 |\n"
            "| X-2 | Two \\| a half. | 40 |\n## Task\n### 99.1 Do\n"
            "Rules: X-1, X-2.\n## Run\n## Hints\n### 99.1\n"
            + "<details><summary>Hint</summary>\nh\n</details>\n" * 3
            + "## Going further\n")

    def read(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "README.md"
            path.write_text(text, encoding="utf-8")
            return rubric.read_readme(path)

    def test_reads_a_good_one(self):
        chapter = self.read(self.GOOD)
        self.assertEqual([r.points for r in chapter.rules], [60, 40])
        self.assertEqual(chapter.rule("X-2").text, "Two | a half.")
        self.assertEqual(chapter.rule("X-2").step, "99.1")
        self.assertEqual(chapter.step("99.1").hints, ["h"] * 3)

    def test_names_the_line_of_what_is_wrong(self):
        for old, new, words in [
                ("| 40 |", "| 41 |", "sum to 101"),
                ("X-1, X-2.", "X-1.", ":9: X-2 belongs to no step"),
                ("X-1, X-2.", "X-1, X-3.", "X-3 is not in the table"),
                ("| X-2 |", "| X-1 |", ":9: X-1 is here twice"),
                ("| 60 |", "| many |", ":8: a rule is"),
                ("## Picture\n", "", "the headings are"),
                ("<details><summary>Hint</summary>\nh\n</details>\n", "", "2 hints"),
                ("# 99 X", "# X", ":1: the first line")]:
            with self.subTest(words):
                with self.assertRaises(rubric.Broken) as caught:
                    self.read(self.GOOD.replace(old, new, 1))
                self.assertIn(words, str(caught.exception))

    def test_a_test_names_its_rule_first(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "x_test.cc"
            path.write_text('TEST(X, Works) {\n  int n = 0;\n}\n', encoding="utf-8")
            with self.assertRaises(rubric.Broken) as caught:
                rubric.read_tests([path])
            self.assertIn(":1: the first line of a graded test is", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
