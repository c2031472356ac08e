"""A small checkout with a Bazel that plays a part, for tests of ./course."""

import csv
import hashlib
import hmac
import html.parser
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path.cwd()  # the copy of the checkout that Bazel made
sys.path.insert(0, str(HERE / "tools"))

import skeletons  # noqa: E402

SUMS, MORE = "01_sums", "02_more"
README = """\
# {number} A chapter of tests

## Goal

One sentence.

## What changed since the start

Nothing.

## Picture

None.

## Rules

| id | rule | points |
|---|---|---|
| {rule}-1 | it adds | 60 |
| {rule}-2 | it takes away | 40 |

## Task

### {number}.1 Adding
Rules: {rule}-1.

Add the numbers.

### {number}.2 Taking away
Rules: {rule}-2.

Take them away.

## Run

Two commands.

## Hints

### {number}.1
<details><summary>Hint 1</summary>What is a sum?</details>
<details><summary>Hint 2</summary>Look at plus.</details>
<details><summary>Hint 3</summary>Write a + b.</details>

### {number}.2
<details><summary>Hint 1</summary>What is a difference?</details>
<details><summary>Hint 2</summary>Look at minus.</details>
<details><summary>Hint 3</summary>Write a - b.</details>

## Going further

Nowhere.
"""
SKELETON = 'int {name}() {{ TODO("{number}.1", "add"); }}\n'

# Plays Bazel: bazel-plan.json says what it does with each command and label.
BAZEL = '''\
#!/usr/bin/python3 -ISB
import json, os, pathlib, signal, sys, time
words = sys.argv[1:]
if "--version" in words:
    sys.exit(print("bazel no_version"))
with open("bazel-calls", "a") as calls:
    calls.write(" ".join(words) + "\\n")
plan = json.load(open("bazel-plan.json"))
command = next(word for word in words if not word.startswith("-"))
if words[-1] == "bazel-bin":
    for folder in "solutions", "tools":
        pathlib.Path("bazel-bin", folder).mkdir(parents=True, exist_ok=True)
    pathlib.Path("bazel-bin/tools/unlimited.txt").write_text(plan.get("unlimited", ""))
    sys.exit(print(pathlib.Path("bazel-bin").absolute()))
if command in plan.get("prints", {}):
    sys.exit(print(plan["prints"][command]))
if plan.get("hangs"):
    signal.signal(signal.SIGINT, lambda *_: (open("interrupted", "w"), sys.exit(8)))
    open("hanging", "w").close()
    signal.pause()
events = []
labels = plan.get("labels", {})
wanted = [label for label in labels for word in words
          if label == word or word.endswith("...") and label.startswith(word[:-3])]
for label in wanted:
    part = labels[label]
    if "stderr" in part:
        said = pathlib.Path("stderr." + label.replace("/", "_")).absolute()
        said.write_text(part["stderr"])
        events.append({"id": {"actionCompleted": {"label": label}}, "action":
                       {"success": False, "stderr": {"uri": said.as_uri()}}})
    if "graded" in part:
        out = pathlib.Path("bazel-testlogs") / label[2:].replace(":", "/") / "test.outputs"
        out.mkdir(parents=True, exist_ok=True)
        (out / "graded.json").write_text(json.dumps(part["graded"]))
        log = {"name": "test.log", "uri": (out.parent / "test.log").absolute().as_uri()}
        events.append({"id": {"testResult": {"label": label}}, "testResult": {
            "testActionOutput": [log],
            "executionInfo": {"strategy": part.get("strategy", "linux-sandbox")}}})
    if "status" in part:
        events.append({"id": {"testSummary": {"label": label}},
                       "testSummary": {"overallStatus": part["status"]}})
lines = "".join(json.dumps(event) + "\\n" for event in events)
if plan.get("remote") and "--nobuild_event_json_file_path_conversion" not in words:
    lines = lines.replace("file:///", "bytestream://HOST/blobs/")
for word in words:
    if word.startswith("--build_event_json_file="):
        pathlib.Path(word.partition("=")[2]).write_text(lines)
print(plan.get("says", ""), file=sys.stderr)
sys.exit(plan.get("code", 0) if wanted or command != "build" else 0)
'''


def seed(chapter, student, secret=""):
    """What the grader gives this student's tests, by its own description."""
    text = "\0".join(["0.1.0", chapter, student]).encode()
    digest = hmac.new(secret.encode(), text, "sha256") if secret else \
        hashlib.sha256(text)
    return int(digest.hexdigest()[:7], 16) + 1


class CourseTest(unittest.TestCase):
    """self.root: a checkout with two chapters, 01_sums and 02_more."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name, "check out")  # a space is allowed
        (self.root / "bin").mkdir(parents=True)
        shutil.copytree(HERE / "tools", self.root / "tools",
                        copy_function=shutil.copyfile)
        self.write("bin/bazel", BAZEL, executable=True)
        self.write("MODULE.bazel", 'module(\n    version = "0.1.0",\n)\n')
        self.bazel_plan = {"labels": {}}
        for number, name in (("01", "sums"), ("02", "more")):
            chapter = f"chapters/{number}_{name}"
            self.write(f"{chapter}/README.md", README.format(
                number=number, rule=name.upper()))
            self.write(f"{chapter}/{name}.cc", SKELETON.format(
                number=number, name=name))
            self.write(f"solutions/{number}_{name}/{name}.cc",
                       f"int {name}() {{ return 1; }}\n")
        self.write("chapters/skeletons.txt", skeletons.text(self.root))

    def write(self, path, text, executable=False):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if executable:
            path.chmod(0o755)
        return path

    def judge(self, chapter, passing, label=None, todo="", **more):
        """Bazel will find that these rules of the chapter pass, and that the
        others ask for the step `todo`: one for all, or {rule's number: step}."""
        label = label or f"//chapters/{chapter}:test"
        rules, tests = [], []
        name = chapter[3:].upper()
        for number, points in ((1, 60), (2, 40)):
            rule = f"{name}-{number}"
            verdict = "PASS" if number in passing else "FAIL"
            rules.append({"id": rule, "text": "it adds", "step": f"{chapter[:2]}.{number}",
                          "points": points if verdict == "PASS" else 0,
                          "max_points": points, "verdict": verdict,
                          "tests": [f"Sum.Rule{number}"]})
            tests.append({"name": f"Sum.Rule{number}", "rule": rule,
                          "step": f"{chapter[:2]}.{number}", "verdict": verdict,
                          "ms": 1, "why": f"why {rule} [fails]",
                          "todo": todo[number] if isinstance(todo, dict) else todo,
                          "failures": [], "output": "", "file": "", "line": 1,
                          "steps": [{"who": "you", "what": "send(4) = 7"},
                                    {"who": "peer", "what": "got 7 bytes"}],
                          "text": f"The whole story of [{rule}]."})
        student = label.rpartition("/")[2].partition(":")[0]
        self.bazel_plan["labels"][label] = {
            "status": "PASSED" if len(passing) == 2 else "FAILED",
            "graded": {"schema": 1, "chapter": chapter,
                       "seed": seed(chapter, student), "implementation": student,
                       "flags": [], "unsteady": [], "confirmed": [],
                       "hidden_seed": 0, "guessed": [],
                       "rules": rules, "tests": tests}}
        self.bazel_plan["code"] = max(self.bazel_plan.get("code", 0),
                                      0 if len(passing) == 2 else 3)
        self.bazel_plan.update(more)

    def break_build(self, chapter, stderr):
        """Bazel will find that the chapter does not compile."""
        self.bazel_plan["labels"][f"//chapters/{chapter}:test"] = {"stderr": stderr}
        self.bazel_plan["code"] = 1

    def start(self, *words, **options):
        """The Python behind ./course as a process that runs; see course()."""
        self.write("bazel-plan.json", json.dumps(self.bazel_plan))
        env = {"PATH": os.environ["PATH"], "HOME": str(self.root),
               "COURSE_BAZEL": str(self.root / "bin/bazel"),
               **options.pop("env", {})}
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                   "stderr": subprocess.PIPE, **options}
        return subprocess.Popen(["/usr/bin/python3", "-I", "-B",
                                 self.root / "tools/course", *words],
                                env=env, text=True, **options)

    def course(self, *words, **options):
        """(exit status, stdout, stderr) of ./course WORDS, without a terminal."""
        process = self.start(*words, **options)
        out, err = process.communicate(timeout=30)
        return process.returncode, out, err


class GradeTest(CourseTest):
    """A class that is handed in, graded, and reported in self.out."""

    def setUp(self):
        super().setUp()
        self.out = self.root / "out"

    def hand_in(self, student, chapter, passing=None, code="int mine;\n", **more):
        """Puts a student's file into the class, and plans its verdict."""
        name = chapter[3:]
        self.write(f"class/{student}/chapters/{chapter}/{name}.cc", code)
        if passing is not None:
            self.judge(chapter, passing, label=self.label(student, chapter), **more)

    @staticmethod
    def label(student, chapter):
        return f"//submissions/{student}:{chapter}"

    def plan(self, student, chapter=MORE):
        return self.bazel_plan["labels"][self.label(student, chapter)]

    def grade(self, *words):
        return self.course("grade", str(self.root / "class"), "--out",
                           str(self.out), *words)

    def rows(self):
        with (self.out / "grades.csv").open() as file:
            return {row["student"]: row for row in csv.DictReader(file)}

    def results(self, student):
        return json.loads((self.out / f"students/{student}/results.json").read_text())

    def page(self, student=None):
        return Page(self.out / (f"students/{student}/index.html" if student else
                                "index.html"))

    def calls(self):
        """The runs of tests; before them come a build and a question."""
        path = self.root / "bazel-calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line for line in lines if " test " in line]


class Page(html.parser.HTMLParser):
    """The text of a page and the tags in it; every tag must be closed."""
    EMPTY = {"meta", "br"}

    def __init__(self, path):
        super().__init__()
        self.text, self.tags, self.open, self.hrefs = "", set(), [], []
        self.source = pathlib.Path(path).read_text()
        self.feed(self.source)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.hrefs += [value for key, value in attributes if key == "href"]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        self.text += data
