"""The class page, the picture, the similarity: what a class says together."""

import sys
import unittest
from xml.etree import ElementTree

sys.path.insert(0, "tests/tools")
from support import MORE, SUMS, GradeTest, seed  # noqa: E402
from course import picture, similar  # noqa: E402

SECRET = "0123456789abcdef"
CODE = """\
int more(int count, const char* text) {
  int sum = 0;
  for (int i = 0; i < count; ++i) {
    // every second one counts twice
    if (text[i] == 'x') { sum += i * 2 + 1; } else { sum -= i / 3 - 7; }
    while (sum > 1000) { sum = sum - 999; text = text + 1; }
  }
  switch (sum) { case 1: return 12; case 5: return 99; default: break; }
  return sum % 17 == 3 ? count + sum : count * sum - (sum << 2);
}
"""
RENAMED = CODE.replace("sum", "total").replace("// every", "/* some */ //") \
    .replace("count", "number").replace("  ", "\t").replace("999", "998")
OTHER = """\
int more(int n, const char* s) {
  return n == 0 ? 0 : (*s == 'x' ? 2 * n : -n) + more(n - 1, s + 1);
}
struct Adder { int state{}; void add(int by) { state += by; } };
int twice(int a) { Adder adder; adder.add(a); adder.add(a); return adder.state; }
static_assert(sizeof(Adder) == sizeof(int), "no more than its state");
"""


class ClassPage(GradeTest):
    def test_the_map_has_a_mark_for_each_rule_and_the_best_come_first(self):
        self.hand_in("ann", MORE, [1])
        self.hand_in("zoe", MORE, [1, 2])
        self.grade()
        text = self.page().text
        at = text.index("02 A chapter of tests: 2 graded")
        self.assertIn("MORE-1MORE-2zoe++ann+×", text[at:])

    def test_what_failed_with_hidden_data_only_is_told_apart(self):
        self.hand_in("ann", MORE, [1])
        self.hand_in("zoe", MORE, [])
        self.grade()
        self.assertIn("There was no hidden data", self.page().text)
        secret = self.root.parent / "secret"
        secret.write_text(SECRET)
        for name, guessed in (("ann", ["Sum.Rule2"]), ("zoe", [])):
            self.plan(name)["graded"].update(
                hidden_seed=seed(MORE, name, SECRET), guessed=guessed)
        code, out, _ = self.grade("--hidden", str(secret))
        self.assertEqual(code, 0)
        self.assertRegex(out, r"ann .* 1 hidden failure\n")
        text = self.page().text
        self.assertIn("MORE-202: it takes awayann", text[text.index("Failed with hid"):])
        self.assertIn("ann+hzoe××", text)
        self.assertIn("With hidden data only, these fail: MORE-2.", self.page("ann").text)
        self.assertIn("FAIL, hidden", self.page("ann").text)
        self.assertNotIn("hidden data", self.page("zoe").text)
        self.plan("ann")["graded"]["guessed"] = []
        self.grade("--hidden", str(secret))
        self.assertIn("What passed, passed with hidden data, too.", self.page().text)

    def test_hardest_rules_and_distribution(self):
        self.hand_in("ann", MORE, [1])
        self.hand_in("zoe", MORE, [1, 2])
        self.hand_in("bob", MORE, [])
        self.grade("--chapters", "02")
        text = self.page().text
        self.assertIn("MORE-202: it takes away1 of 3MORE-102: it adds2 of 3", text)
        for line in ("90 % and more1", "60 to 69 %1", "0 to 9 %1", "10 to 19 %0"):
            self.assertIn(line, text)

    def test_the_wrong_solution_that_fails_the_same_is_named(self):
        for name, rules in (("adds-twice", "MORE-1"), ("never-takes", "MORE-2"),
                            ("never-begins", "MORE-1 MORE-2")):
            self.write(f"tests/02_more/mutants/{name}.patch",
                       f"Mutant: {name}\nWhat the user sees: wrong <sums>\n"
                       f"Caught by: {rules}\n--- a\n+++ b\n")
        self.hand_in("ann", MORE, [1])
        self.hand_in("bob", MORE, [], todo="02.1")
        self.grade()
        text = self.page().text
        self.assertIn("never-takes: wrong <sums>ann", text)
        self.assertNotIn("adds-twice", text)
        self.assertNotIn("never-begins", text)  # bob has not begun

    def test_a_copy_under_other_names_is_found(self):
        self.hand_in("ann", MORE, [1], code=CODE)
        self.hand_in("bob", MORE, [1], code="#include <x>\n" + RENAMED)
        self.hand_in("cy", MORE, [1], code=OTHER)
        self.grade()
        self.assertIn("02100%ann more.cc:1bob more.cc:2", self.page().text)
        self.assertNotIn("cy more.cc", self.page().text)

    def test_what_the_reference_has_is_no_copy(self):
        self.write("solutions/02_more/more.cc", CODE)
        self.hand_in("ann", MORE, [1], code=CODE)
        self.hand_in("bob", MORE, [1], code=RENAMED)
        self.grade()
        self.assertIn("No two share more than chance gives.", self.page().text)

    def test_a_skeleton_that_is_lost_stops_nothing(self):
        self.hand_in("ann", MORE, [1], code=CODE)
        self.write("chapters/02_more/more.cc", "int edited;\n")
        self.assertEqual(self.grade()[0], 0)

    def test_what_a_whole_class_has_is_no_copy(self):
        for i in range(similar.MOST_OWNERS + 1):
            self.hand_in(f"ann{i}", MORE, [1], code=CODE)
        self.grade()
        self.assertIn("No two share more than chance gives.", self.page().text)

    def test_students_text_stays_text(self):
        bad = "<script>x"
        self.write(f"class/{bad}_12_assignsubmission_file_/02_more/more.cc", "int i;")
        self.hand_in("ann", MORE, [1])
        graded = self.plan("ann")["graded"]["tests"][1]
        graded["steps"] = [{"who": "you", "what": bad + "\x1b[2J"}]
        graded["output"] = graded["why"] = bad
        self.grade()
        for student in (None, "ann"):
            self.assertNotIn("script", self.page(student).tags)
            self.assertIn(bad, self.page(student).text)

    def test_junit_has_a_case_for_each_rule(self):
        self.hand_in("ann", MORE, [1])
        self.plan("ann")["graded"]["tests"][1]["why"] = "said \x1b & <b>\ufffe"
        self.hand_in("bob", SUMS, [1, 2])
        self.plan("bob", SUMS)["status"] = "TIMEOUT"
        self.grade()
        root = ElementTree.parse(self.out / "junit.xml").getroot()
        suites = {suite.get("name"): suite for suite in root}
        self.assertEqual(
            [(name, *(suite.get(key) for key in ("tests", "failures", "errors")))
             for name, suite in suites.items()],
            [(f"ann.{SUMS}", "2", "2", "0"), (f"ann.{MORE}", "2", "1", "0"),
             (f"bob.{SUMS}", "2", "0", "2"), (f"bob.{MORE}", "2", "2", "0")])
        failure = suites[f"ann.{MORE}"].find("testcase[@name='MORE-2']/failure")
        self.assertEqual(failure.get("message"), "said \\x1b & <b>\\ufffe")
        self.assertIn("The whole story of [MORE-2].", failure.text)


class Picture(unittest.TestCase):
    def test_each_end_has_its_side(self):
        svg = picture.time_line([
            {"who": "you", "what": "send(4)", "times": 3}, {"who": "", "what": "",
                                                            "times": 9},
            {"who": "peer", "what": "w" * 100}])
        self.assertRegex(svg, r'<circle cx="12"[^>]*class="mine"></circle>'
                         r'<text x="22"[^>]*>1 send\(4\)  ×3<')
        self.assertIn(">... 9 more<", svg)
        self.assertRegex(svg, r'<circle cx="308"[^>]*></circle><text x="298"')
        self.assertLessEqual(max(map(len, svg.split(">"))), 160)

    def test_no_steps_no_picture(self):
        self.assertEqual(picture.time_line([]), "")


class Similar(unittest.TestCase):
    def test_names_layout_and_remarks_say_nothing(self):
        self.assertEqual([word for word, _ in similar.tokens(CODE)],
                         [word for word, _ in similar.tokens(RENAMED)])

    def test_lines_are_counted_across_remarks(self):
        self.assertEqual(list(similar.tokens('/* a\n */ b\n"c" 4;')),
                         [("n", 2), ("s", 3), ("0", 3), (";", 3)])

    def test_a_passage_inside_other_code_is_found(self):
        shared = similar.fingerprints({"a": CODE}).keys() & \
            similar.fingerprints({"b": OTHER + CODE + OTHER}).keys()
        self.assertGreater(len(shared), similar.LEAST_SHARED)


if __name__ == "__main__":
    unittest.main()
