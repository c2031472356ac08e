"""What the graded tests said: reading it, and getting it anew when it is old."""

import json
import zipfile
from dataclasses import dataclass

from course import bazel, compiler, screen, state, tree
from course.problem import Problem

LOGS = tree.ROOT / "bazel-testlogs"


@dataclass
class Result:
    """One chapter: `graded` as the runner wrote it, or `error` without it."""
    chapter: tree.rubric.Chapter
    graded: dict | None
    error: compiler.Error | None = None
    warnings: tuple = ()  # ((file:line, text), ...)

    def __post_init__(self):
        if self.graded:
            self.rules = self.graded["rules"]
        else:
            self.rules = [{"id": rule.id, "text": rule.text, "step": rule.step,
                           "points": 0, "max_points": rule.points,
                           "verdict": "FAIL", "tests": []}
                          for rule in self.chapter.rules]
        self.points = sum(rule["points"] for rule in self.rules)
        self.max_points = sum(rule["max_points"] for rule in self.rules)
        self.passed = [r for r in self.rules if r["verdict"] == "PASS"]
        self.failed = [r for r in self.rules if r["verdict"] != "PASS"]

    @property
    def state(self):
        if self.error:
            return "broken"
        if not self.failed:
            return "done"
        return "untouched" if tree.untouched(self.chapter) else "started"

    def tests(self, rule_id):
        """The tests of a rule, the failing ones first."""
        return sorted((test for test in (self.graded or {"tests": []})["tests"]
                       if test["rule"] == rule_id),
                      key=lambda test: test["verdict"] == "PASS")

    def judged(self):
        """This Result, unless the code did not compile and no test has run."""
        if self.error:
            raise Problem(f"{self.chapter.name} does not compile, so no test ran "
                          f"(./course check {self.chapter.number})")
        return self

    def why(self, rule_id):
        """One line: why the rule failed; "" if it passed."""
        test = next(iter(self.tests(rule_id)), None)
        if not test:
            return "it has no verdict"
        return f"step {test['todo']} is still to do" if test["todo"] else test["why"]

    def failing_step(self):
        """Where to go on, or None: the step of the first rule that fails. If its
        test asked for one that is still to do, the first that any test asked
        for: that one may need others first."""
        if not self.failed:
            return None
        first = self.failed[0]
        if any(test["todo"] for test in self.tests(first["id"])[:1]):
            asked = {test["todo"] for test in self.graded["tests"]}
            for step in self.chapter.steps:
                if step.number in asked:
                    return step
        return self.chapter.step(first["step"])

    def as_json(self):
        keys = ("id", "verdict", "points", "max_points")
        return {"chapter": self.chapter.name, "title": self.chapter.title,
                "points": self.points, "max_points": self.max_points,
                "state": self.state,
                "rules": [{key: rule[key] for key in keys} for rule in self.rules],
                "error": self.error.as_json() if self.error else None}


def test_label(chapter):
    return f"//chapters/{chapter.name}:test"


def _logs(chapter):
    return LOGS / "chapters" / chapter.name / "test"


def _outputs(logs):
    """Where the runner's graded.json is: plain, or in Bazel 4's archive."""
    folder = logs / "test.outputs"
    return folder / "graded.json", folder / "outputs.zip"


def read(logs):
    """The graded.json of a test whose files are in `logs`, or None."""
    plain, archive = _outputs(logs)
    try:
        if plain.exists():
            return json.loads(plain.read_bytes())
        with zipfile.ZipFile(archive) as zipped:
            return json.loads(zipped.read("graded.json"))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return None


def _sources(chapter):
    """What changes with anything that decides the chapter's verdicts."""
    files = [tree.ROOT / ".bazelrc", tree.ROOT / "tools/rubric.py",
             *tree.ROOT.glob("chapters/*.bzl"), *tree.ROOT.glob("chapters/*/*.h")]
    for name in (f"chapters/{chapter.name}", f"tests/{chapter.name}", "common",
                 "solutions"):
        files += [tree.ROOT / name, *(tree.ROOT / name).rglob("*")]
    stats = [file.stat() for file in files if file.exists()]
    # A file that is moved or copied here keeps its mtime, but not its ctime.
    return [len(stats), max(stat.st_mtime_ns for stat in stats),
            max(stat.st_ctime_ns for stat in stats)]


def _written(chapter):
    """When the chapter's results were written, or []."""
    return [path.stat().st_mtime_ns for path in _outputs(_logs(chapter))
            if path.exists()]


def tested_at(chapter):
    """When the chapter was tested last; 0: never."""
    return max(_written(chapter), default=0)


def _is_fresh(chapter):
    """Whether our last check had these sources and wrote these results."""
    return state.recall("results").get(chapter.name) == \
        [_sources(chapter), _written(chapter)]


def check(chapters, seed=None):
    """[Result]: builds and runs the tests of these chapters, in one go.

    With a seed, a grader's: what comes out is shown, and not kept as current.
    """
    what = chapters[0].number if len(chapters) == 1 else \
        f"{len(chapters)} chapters"
    sources = {chapter.name: _sources(chapter) for chapter in chapters}
    with screen.busy(f"checking {what}"):
        done = bazel.run("test", "--keep_going", "--test_output=summary",
                         *([f"--test_env=GRADED_SEED={seed}"] if seed else []),
                         *map(test_label, chapters))
    if done.code not in (0, 1, 3):
        raise done.trouble()
    ran = done.tests()
    errors = _compile_errors(done)
    found = [_result(chapter, done, ran, errors) for chapter in chapters]
    if seed is None:
        _remember(found, sources)
    return found


def _remember(found, sources):
    state.remember("results", {
        result.chapter.name: [sources[result.chapter.name], _written(result.chapter)]
        for result in found if result.graded})


def _compile_errors(done):
    """{chapter name: first error} of the compilers that failed."""
    errors = {}
    for label, output in done.failed_actions():
        name = label.partition(":")[0].rpartition("/")[2]
        if error := compiler.first_error(output):
            errors.setdefault(name, error)
    return errors


def _result(chapter, done, ran, errors):
    verdict = ran.get(test_label(chapter), "NO_STATUS")
    if verdict == "NO_STATUS":
        if not errors:
            raise done.trouble()
        # With --config=mine the error may be in an earlier chapter.
        error = errors.get(chapter.name) or next(iter(errors.values()))
        return Result(chapter, None, error)
    graded = read(_logs(chapter))
    if graded is None:
        raise Problem(f"the tests of {chapter.name} ended without a verdict "
                      f"({verdict}); their log: {LOGS}/chapters/{chapter.name}/"
                      "test/test.log")
    return Result(chapter, graded,
                  warnings=tuple(compiler.warnings(done.output, chapter)))


def up_to_date(chapters):
    """[Result]: the last results where they are still true, else new ones."""
    fresh = {c.name: Result(c, graded) for c in chapters
             if _is_fresh(c) and (graded := read(_logs(c)))}
    stale = [chapter for chapter in chapters if chapter.name not in fresh]
    if stale:
        fresh |= {result.chapter.name: result for result in check(stale)}
    return [fresh[chapter.name] for chapter in chapters]


def current():
    """The Result of the first chapter that lacks points, else of the last."""
    all_results = up_to_date(tree.chapters())
    if not all_results:
        raise Problem("there are no chapters here")
    return next((r for r in all_results if r.state != "done"), all_results[-1])


def of(name):
    """The up-to-date Result of the named chapter; without a name, current()."""
    return up_to_date([tree.find(name)])[0] if name else current()
