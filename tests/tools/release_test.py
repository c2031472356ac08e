"""The students' edition: what is in it, what is not, and who notices."""

import json
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, "tests/tools")
from support import HERE, MORE, SUMS, CourseTest  # noqa: E402

SOLUTION = """\
int more() {
  int first = 1;
  int second = 2;
  int third = first + second;
  first = third * second;
  return first - third;
}
"""
TEXT_WITH_REFERENCE = """
Before yours works, `./course run 02 --reference -- 8080` starts a server that
does.

Ours says the last, as Node does (`strict()` in
`solutions/02_more/more.cc`). Those that are --referenced stay:

    $ ./course run 02 --reference -- 8080
    $ (ulimit -n 6; bazel-bin/solutions/02_more/adder)
"""
TEXT_WITHOUT = """
Ours says the last, as Node does. Those that are --referenced stay:

    $ ./course run 02 -- 8080
    $ (ulimit -n 6; bazel-bin/chapters/02_more/adder)
"""
# Plays the edition's own ./course status --json.
STATUS = """\
#!/bin/sh
mkdir -p .course '{logs}/testlogs/chapters'
ln -s '{logs}/testlogs' bazel-testlogs
cp -r '{logs}'/0* bazel-testlogs/chapters/
cat '{logs}/status'
"""


class Release(CourseTest):
    def setUp(self):
        super().setUp()
        for path in ("BUILD", "README.md", "bench/BUILD", "tests/oracle/twins.cc",
                     "tests/02_more/more_test.cc", "tests/02_more/driver.cc",
                     "tests/02_more/driver_words.h",
                     "tests/02_more/mutants/wrong.patch",
                     "tests/02_more/alternative/more.cc"):
            self.write(path, f"what {path} says\n")
        self.write("tests/02_more/BUILD", 'graded_tests(\n    name = "02_more",\n'
                   '    alternative = [\n        "alternative/more.cc",\n    ],\n'
                   '    mutants = glob(["mutants/**/*.patch"]),\n'
                   '    outside = [":driver_words"],\n    sources = ["more.cc"],\n)\n'
                   '\n# What both say.\ncc_library(\n    name = "driver_words",\n'
                   '    hdrs = ["driver_words.h"],\n)\n')
        shutil.copyfile(HERE / "chapters/edition.bzl",
                        self.root / "chapters/edition.bzl")
        shutil.copytree(HERE / "docs", self.root / "docs",
                        copy_function=shutil.copyfile)
        self.write("README.md", "# sockets\n\n    ./course demo\n\n## The path\n\n"
                   "[02](chapters/02_more/README.md)\n\n[twins](tests/oracle/twins.cc)"
                   "\n\n## Work through a chapter\n\n    yours\n    //solutions/x\n\n"
                   "## Who it is for\n\nEverybody.\n")
        self.write("solutions/02_more/more.cc", SOLUTION)
        self.edition = self.root.parent / "edition"
        self.status = {"chapters": []}
        for name in (SUMS, MORE):
            self.skeleton(name)

    def skeleton(self, name, points=0, verdict="FAIL", todo="02.1"):
        """What the edition's status will say of a chapter."""
        self.status["chapters"] = [
            *(each for each in self.status["chapters"] if each["chapter"] != name),
            {"chapter": name, "points": points, "error": None}]
        self.write(f"logs/{name}/test/test.outputs/graded.json", json.dumps(
            {"tests": [{"name": "A.B", "verdict": verdict, "todo": todo}]}))

    def release(self):
        self.write("logs/status", json.dumps(self.status))
        self.write("course", STATUS.format(logs=self.root / "logs"), executable=True)
        subprocess.run("git init -q; git add course tools chapters solutions tests docs "
                       "bench BUILD README.md MODULE.bazel", shell=True, check=True,
                       cwd=self.root)
        return self.course("release", str(self.edition))

    def files(self):
        return {str(path.relative_to(self.edition))
                for path in self.edition.rglob("*") if path.is_file()
                and not {".git", "tools"} & set(path.parts)}

    def test_what_is_there_and_what_is_not(self):
        code, out, err = self.release()
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(self.files(), {
            "BUILD", "MODULE.bazel", "README.md", "course", "chapters/edition.bzl",
            "chapters/skeletons.txt", "tests/02_more/BUILD",
            "tests/02_more/more_test.cc",
            *(f"chapters/{name}/{file}" for name in (SUMS, MORE)
              for file in ("README.md", f"{name[3:]}.cc"))})
        self.assertEqual((self.edition / "tests/02_more/BUILD").read_text(),
                         'graded_tests(\n    name = "02_more",\n'
                         '    sources = ["more.cc"],\n)\n')
        self.assertIn("STUDENTS = True",
                      (self.edition / "chapters/edition.bzl").read_text())
        log = subprocess.run(["git", "log", "--oneline"], cwd=self.edition,
                             capture_output=True, text=True, check=True).stdout
        self.assertRegex(log, r"\A\w+ sockets 0\.1\.0, for students\n\Z")

    def test_what_nobody_named_stays_here(self):
        self.release()
        before = self.files()
        shutil.rmtree(self.edition)
        new = ["answers/more.md", "notes.md", "chapters/answers.md",
               "chapters/02_more/answers/more.h", "tests/02_more/hidden/more_test.cc",
               "tests/hidden/more_test.cc", "common/answers/more.cc",
               "third_party/answers/more.cc", "tools/answers.py",
               "tools/course/answers.py"]
        for path in new:
            self.write(path, "the answer\n")
        subprocess.run(["git", "add", *new], check=True, cwd=self.root)
        self.assertEqual(self.release()[0], 0)
        self.assertEqual(self.files(), before)
        tools = {path.name for path in (self.edition / "tools").rglob("*.py")}
        self.assertNotIn("answers.py", tools)
        self.assertIn("submit.py", tools)

    def test_the_readme_leads_nowhere_that_is_not_there(self):
        self.release()
        text = (self.edition / "README.md").read_text()
        for words in ("./course next", "./course check", "chapters/02_more", "yours"):
            self.assertIn(words, text)
        for words in ("demo", "oracle", "solutions", "Everybody"):
            self.assertNotIn(words, text)

    def test_a_chapters_text_leads_to_no_reference(self):
        readme = self.root / "chapters/02_more/README.md"
        text = readme.read_text()
        readme.write_text(text + TEXT_WITH_REFERENCE)
        self.assertEqual(self.release()[0], 0)
        self.assertEqual((self.edition / "chapters/02_more/README.md").read_text(),
                         text + TEXT_WITHOUT)

    def test_what_the_proof_left_is_not_handed_out(self):
        self.assertEqual(self.release()[0], 0)
        self.assertTrue((self.root / "logs/testlogs/chapters").is_dir())
        self.assertFalse([*self.edition.glob("bazel-*"),
                          *self.edition.glob(".course")])

    def test_their_tool_knows_what_is_theirs(self):
        self.release()
        done = subprocess.run(
            ["/usr/bin/python3", "-I", "-B", self.edition / "tools/course", "help"],
            capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("  submit", done.stdout)
        for command in ("grade", "release", "demo", "gradescope"):
            self.assertNotRegex(done.stdout, rf"\n  {command} ")

    def test_a_passage_of_a_solution_stops_it(self):
        self.write("tests/02_more/more_test.cc", "// as it should be:\n\n" + SOLUTION)
        code, out, err = self.release()
        self.assertEqual((code, out), (1, ""))
        self.assertIn("tests/02_more/more_test.cc:3: as in solutions/02_more/more.cc:1",
                      err)
        self.assertFalse(self.edition.exists())

    def test_hints_show_a_part_of_it_at_most(self):
        readme = self.root / "chapters/02_more/README.md"
        text = readme.read_text()
        readme.write_text(text + "".join(SOLUTION.splitlines(True)[:4]))
        self.assertEqual(self.release()[0], 0)
        readme.write_text(text + SOLUTION)
        shutil.rmtree(self.edition)
        code, _, err = self.release()
        self.assertEqual(code, 1)
        self.assertIn("chapters/02_more/README.md: 2 of the 2 passages", err)

    def test_edited_skeletons_go_out_as_they_were(self):
        skeleton = self.root / "chapters/02_more/more.cc"
        subprocess.run("git init -q; git add chapters", shell=True, check=True,
                       cwd=self.root)
        before = skeleton.read_text()
        skeleton.write_text(SOLUTION)
        blobs = subprocess.run(["git", "hash-object", "-w", "--stdin"], cwd=self.root,
                               input=before, text=True, capture_output=True, check=True)
        self.assertTrue(blobs.stdout)
        self.assertEqual(self.release()[0], 0)
        self.assertEqual((self.edition / "chapters/02_more/more.cc").read_text(), before)

    def test_a_skeleton_that_earns_points_is_not_released_quietly(self):
        for more, said in (({"points": 60}, "earns points"),
                           ({"verdict": "PASS"}, "earns points: A.B"),
                           ({"todo": ""}, "says what is still to do")):
            self.skeleton(MORE, **more)
            code, _, err = self.release()
            self.assertEqual(code, 1)
            self.assertIn(said, err)
            shutil.rmtree(self.edition)

    def test_an_edition_that_does_not_build_is_not_released_quietly(self):
        self.status["chapters"].pop()
        self.assertIn("does not compile", self.release()[2])
        shutil.rmtree(self.edition)
        self.status = {}
        self.assertIn("does not build", self.release()[2])

    def test_nothing_is_written_over(self):
        for folder in (self.root / "new", self.root):
            self.assertEqual(self.course("release", str(folder))[0], 2)
        self.edition.mkdir()
        kept = pathlib.Path(self.edition, "kept")
        kept.write_text("mine")
        self.assertEqual((self.release()[0], kept.read_text()), (2, "mine"))


if __name__ == "__main__":
    unittest.main()
