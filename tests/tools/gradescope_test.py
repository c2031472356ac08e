"""The autograder's zip, unpacked and run as Gradescope's container does it."""

import json
import os
import shutil
import subprocess
import sys
import unittest
import zipfile

sys.path.insert(0, "tests/tools")
from support import HERE, MORE, CourseTest, seed  # noqa: E402

SECRET = "0123456789abcdef"


class Gradescope(CourseTest):
    def setUp(self):
        super().setUp()
        shutil.copyfile(HERE / "course", self.root / "course")
        (self.root / "course").chmod(0o755)
        for name in ("setup.sh", "run_autograder"):
            (self.root / "tools/gradescope" / name).chmod(0o755)
        subprocess.run("git init -q && git add course tools chapters solutions "
                       "MODULE.bazel", shell=True, check=True, cwd=self.root)
        self.place = self.root / "autograder"
        self.zip = self.root / "auto.zip"

    def container(self, chapters="02", *words):
        """Lays /autograder out as Gradescope's image has it."""
        code, out, err = self.course("gradescope", str(self.zip), "--chapters",
                                     chapters, *words)
        self.assertEqual((code, err), (0, ""))
        for name in ("source", "submission", "results"):
            (self.place / name).mkdir(parents=True)
        with zipfile.ZipFile(self.zip) as archive:
            for entry in archive.infolist():
                path = archive.extract(entry, self.place / "source")
                os.chmod(path, entry.external_attr >> 16 & 0o777)
        self.write("autograder/submission_metadata.json", json.dumps(
            {"id": 1, "users": [{"name": "ann", "email": "a@b"}]}))
        self.checkout = self.place / "source/sockets"

    def run_autograder(self, *words):
        # The shell's start looks for programs; what Bazel says is a plan.
        (self.checkout / "bazel-plan.json").write_text(json.dumps(self.bazel_plan))
        (self.checkout / "course").write_text(
            '#!/bin/sh\nexec /usr/bin/python3 -I -B "${0%/*}/tools/course" "$@"\n')
        return subprocess.run(
            [self.place / "source/run_autograder", *words], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False, timeout=60, env={
                "PATH": os.environ["PATH"], "HOME": str(self.root),
                "COURSE_BAZEL": str(self.root / "bin/bazel"),
                "AUTOGRADER": str(self.place)})

    def results(self):
        return json.loads((self.place / "results/results.json").read_text())

    def test_a_submission_gets_its_results(self):
        self.container()
        self.write("autograder/submission/more.cc", "int mine;\n")
        self.judge(MORE, [1], label=f"//submissions/ann:{MORE}")
        done = self.run_autograder()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.results()["score"], 60)
        self.assertEqual([test["status"] for test in self.results()["tests"]],
                         ["passed", "failed"])

    def test_a_policy_comes_along(self):
        policy = self.write("policy.toml", "[weights]\n02 = 50\n")
        self.container("02", "--policy", str(policy))
        self.write("autograder/submission/more.cc", "int mine;\n")
        self.judge(MORE, [1], label=f"//submissions/ann:{MORE}")
        self.run_autograder()
        self.assertEqual(self.results()["score"], 30)

    def test_a_secret_comes_along_and_is_not_told(self):
        secret = self.root.parent / "secret"
        secret.write_text(SECRET + "\n")
        self.container("02", "--hidden", str(secret))
        kept = self.place / "source/secret"
        self.assertEqual((kept.read_text(), kept.stat().st_mode & 0o777),
                         (SECRET, 0o600))
        self.write("autograder/submission/more.cc", "int mine;\n")
        label = f"//submissions/ann:{MORE}"
        self.judge(MORE, [1], label=label)
        hidden = seed(MORE, "ann", SECRET)
        self.bazel_plan["labels"][label]["graded"].update(
            hidden_seed=hidden, guessed=["Sum.Rule2"])
        done = self.run_autograder()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.results()["score"], 60)
        layers = {layer["name"]: layer["active"]
                  for layer in self.results()["extra_data"]["layers"]}
        self.assertTrue(layers["hidden data"])
        told = json.dumps(self.results()) + done.stdout + done.stderr
        self.assertNotIn(str(hidden), told)
        self.assertNotIn(SECRET, told)

    def test_the_graders_own_failure_is_no_score(self):
        self.container()
        self.write("autograder/submission/more.cc", "int mine;\n")
        self.judge(MORE, [1], label=f"//submissions/ann:{MORE}")
        self.bazel_plan["labels"][f"//submissions/ann:{MORE}"]["status"] = "TIMEOUT"
        self.run_autograder()
        self.assertNotIn("score", self.results())

    def test_a_bazel_that_breaks_leaves_no_result(self):
        self.container()
        self.write("autograder/submission/more.cc", "int mine;\n")
        self.bazel_plan.update(code=37, says="ERROR: it broke")
        done = self.run_autograder()
        self.assertNotEqual(done.returncode, 0)
        self.assertFalse((self.place / "results/results.json").exists())

    def test_the_warm_up_builds_the_skeletons(self):
        self.container()
        self.judge(MORE, [], label=f"//submissions/skeletons:{MORE}", todo="02.1")
        done = self.run_autograder("--warm-up")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"//tests/{MORE}:built",
                      (self.checkout / "bazel-calls").read_text())
        self.assertFalse((self.place / "results/results.json").exists())

    def test_the_zip_holds_pristine_skeletons_and_the_modes(self):
        (self.root / "chapters/02_more/more.cc").write_text("int edited;\n")
        code, _, err = self.course("gradescope", str(self.zip), "--chapters", "2")
        self.assertEqual((code, "git does not have the skeleton" in err), (0, False),
                         err)
        with zipfile.ZipFile(self.zip) as archive:
            self.assertIn(b"TODO", archive.read("sockets/chapters/02_more/more.cc"))
            self.assertEqual(archive.getinfo("setup.sh").external_attr >> 16,
                             0o100755)

    def test_wrong_words_are_refused(self):
        self.write("secret", SECRET)  # would go out with the checkout
        for words in (["x.tar", "--chapters", "02"], ["x.zip", "--chapters", "09"],
                      ["x.zip"], ["x.zip", "--chapters", "02", "--hidden",
                                  str(self.root / "secret")]):
            self.assertEqual(self.course("gradescope", *words)[0], 2)
        self.assertFalse((self.root / "x.zip").exists())


if __name__ == "__main__":
    unittest.main()
