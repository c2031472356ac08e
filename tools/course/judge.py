"""From Bazel's run to one Grade for each student and chapter.

Only a whole and consistent result of the runner's counts. Everything else is an
ERROR, unless the compiler has said what is wrong with the student's code.
"""

import re

from course import compiler, gradebook, overlay, results
from course.gradebook import Grade
from course.text import printable

MOST_LINES = 40  # of a compiler's output
# What a compiler says when the machine fails, and not the code.
MACHINE = re.compile(r"internal compiler error|No space left on device|Killed"
                     r"|out of memory|cannot allocate", re.IGNORECASE)
# What compiler and linker say when the code asks too much: exercise.bzl, MODEST.
TOO_MUCH = [
    ("CPU time limit exceeded", "takes the compiler more than a minute"),
    ("File size limit exceeded|File too large",
     "makes the compiler write more than 64 MiB"),
    ("out of memory allocating|memory exhausted",
     "takes more than 2 GiB of memory to compile")]
# It is the code's fault, and no bug of the compiler's.
REPORT = re.compile(r"Please submit a full bug report.*\n?|See <file:.*README.Bugs>.*\n?")
# Where the build keeps its files, which says nothing to a student.
BUILD_PATH = re.compile(r"(?:[^\s'\":]*/execroot/\w+/)?bazel-out/[^\s/]+/bin/"
                        r"|[^\s'\":]*/execroot/\w+/")


class Judge:
    """The outcomes of one Bazel run, by label."""

    def __init__(self, run, secret=b""):
        self.run, self.secret = run, secret
        self.statuses = run.tests()
        self.folders = {label: folder for label, (folder, _)
                        in run.test_runs().items()}
        self.said = {}  # {label of the code or what is made of it: what was said}
        for label, text in [*run.failed_actions(), *run.forbidden_includes()]:
            self.said.setdefault(label, text)

    def anybody(self):
        """Whether the run says anything of anybody's code."""
        return any(status != "NO_STATUS" for status in self.statuses.values()) or \
            any(label.startswith("//submissions/") for label in self.said)

    def grade(self, submission, chapter):
        label = overlay.label(submission, chapter)
        for part in ("_code", "_bin", "_subject", "_vetting"):
            if label + part in self.said:
                return _broken(submission, chapter, self.said[label + part])
        status = self.statuses.get(label, "NO_STATUS")
        if status not in ("PASSED", "FAILED"):
            return _error(chapter, f"the tests ended with {status}")
        graded = results.read(self.folders[label]) if label in self.folders else None
        seeds = (overlay.seed(submission, chapter),
                 overlay.hidden_seed(submission, chapter, self.secret))
        wrong = _disbelief(graded, submission, chapter, status, seeds)
        if wrong:
            return _error(chapter, wrong)
        return Grade(chapter, gradebook.GRADED, graded=graded,
                     flags=graded["flags"])


def _error(chapter, reason):
    return Grade(chapter, gradebook.ERROR, f"regrade, the grader failed: {reason}")


def _broken(submission, chapter, said):
    """0 points if the code is at fault, ERROR if the machine is."""
    text = BUILD_PATH.sub("", said).replace(f"submissions/{submission.id}/",
                                            "chapters/")
    forbidden = "undeclared inclusion" in text
    assembler = "Assembler messages:" in text  # what a compiler writes is right
    error = compiler.first_error(text)
    too_much = [reason for words, reason in TOO_MUCH if re.search(words, text)]
    if not too_much and (MACHINE.search(text) or not (
            forbidden or assembler or error)):
        return _error(chapter, "the compiler did not end well: "
                      + printable(text.strip()[-200:]))
    lines = (REPORT.sub("", text) if too_much else text).strip().split("\n")
    shown = [line[:300] for line in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES:
        shown.append(f"... ({len(lines) - MOST_LINES} more lines)")
    if too_much:
        reason, meaning = too_much[0], "No chapter needs so much: look for a " \
            "template, a constexpr, an array or an #include without end."
    elif forbidden:
        reason, meaning = "includes files that are not its own", ""
    elif assembler:
        reason, meaning = "brings assembler of its own", ""
    else:
        reason = "does not compile" if error.line else "does not link"
        where = f"{error.where()}: " if error.path else ""
        meaning = f"{where}{error.message}\n{error.meaning}".rstrip()
    return Grade(chapter, gradebook.BROKEN, reason, said=printable("\n".join(shown)),
                 meaning=meaning,
                 flags=[reason] if too_much or forbidden or assembler else [])


def _disbelief(graded, submission, chapter, status, seeds):
    """Why these results cannot be believed, or ""."""
    if graded is None:
        return "there is no result"
    try:
        if not isinstance(graded["flags"], list) or \
                not isinstance(graded["guessed"], list) or \
                (graded["seed"], graded["hidden_seed"]) != seeds:
            return "the result is of another run"
        if graded["schema"] != 1 or graded["chapter"] != chapter.name \
                or graded["implementation"] != submission.id:
            return "the result is somebody else's"
        points = {rule["id"]: rule["max_points"] for rule in graded["rules"]}
        if points != {rule.id: rule.points for rule in chapter.rules}:
            return "the result is of other rules"
        if any(test["verdict"] == "MISSING" for test in graded["tests"]):
            return "the runner lost a test"
        passed = [_consistent(graded, rule) for rule in graded["rules"]]
    except (KeyError, TypeError, ValueError):
        return "the result is incomplete"
    if None in passed or all(passed) != (status == "PASSED"):
        return "the result contradicts itself"
    return ""


def _consistent(graded, rule):
    """Whether the rule passed; None if its parts say different things."""
    verdicts = [test["verdict"] for test in graded["tests"]
                if test["rule"] == rule["id"]]
    passed = bool(verdicts) and set(verdicts) == {"PASS"}
    earned = rule["max_points"] if passed else 0
    same = rule["verdict"] == ("PASS" if passed else "FAIL")
    return passed if same and rule["points"] == earned else None
