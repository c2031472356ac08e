"""What a class has earned: the record of it, grades.csv and results.json."""

import csv
import datetime
import functools
import io
from dataclasses import dataclass, field

from course.intake import Submission
from course.policy import Policy
from course.text import cell, one_line, printable
from course.tree import rubric

# Verdicts of a chapter. ERROR is the grader's own: no points are recorded.
GRADED, MISSING, UNTOUCHED, BROKEN, REFUSED, ERROR = (
    "graded", "missing", "untouched", "does not compile", "refused", "ERROR")


@dataclass
class Grade:
    """One student's chapter."""
    chapter: rubric.Chapter
    verdict: str
    reason: str = ""  # one line, unless it was graded
    graded: dict | None = None  # as the runner wrote it
    said: str = ""  # by the compiler
    meaning: str = ""  # its first error in plain words
    flags: list = field(default_factory=list)

    @property
    def points(self):
        """None after an ERROR: neither a zero nor anything else."""
        if self.verdict == ERROR:
            return None
        return sum(r["points"] for r in self.graded["rules"]) if self.graded else 0

    @property
    def max_points(self):
        return sum(rule.points for rule in self.chapter.rules)

    def points_of(self, rule_id):
        return next((rule["points"] for rule in
                     (self.graded or {"rules": []})["rules"]
                     if rule["id"] == rule_id), 0)

    @functools.cached_property
    def hidden_rules(self):
        """The ids of those that fail with the hidden seed, and only there."""
        if not self.graded:
            return []
        known = {test["rule"] for test in self.graded["tests"]
                 if test["verdict"] != "PASS"
                 and test["name"] not in self.graded["guessed"]}
        return [rule["id"] for rule in self.graded["rules"]
                if rule["verdict"] != "PASS" and rule["id"] not in known]

    def failing_test(self, rule_id):
        """The first failing test of a rule, or None."""
        return next((test for test in (self.graded or {"tests": []})["tests"]
                     if test["rule"] == rule_id and test["verdict"] != "PASS"), None)


@dataclass
class Layer:
    """A layer of protection, and why it was not active."""
    name: str
    active: bool = True
    said: str = ""


@dataclass
class Student:
    """A submission, and what became of it."""
    submission: Submission
    policy: Policy
    grades: list = field(default_factory=list)

    @property
    def name(self):
        return one_line(self.submission.name)

    @property
    def flags(self):
        """For the instructor alone."""
        return [f"{grade.chapter.number}: {flag}" for grade in self.grades
                for flag in grade.flags]

    @property
    def hidden_seeds(self):
        """{chapter name: seed}, once there is nothing left to be guessed."""
        now = datetime.datetime.now(datetime.timezone.utc)
        return {grade.chapter.name: grade.graded["hidden_seed"]
                for grade in self.grades if grade.graded
                and grade.graded["hidden_seed"]
                and self.policy.is_over(self.submission, now)}

    @property
    def hidden_rules(self):
        """["02 SEND-1"]: what they passed with the data of their own seed only."""
        return [f"{grade.chapter.number} {rule}" for grade in self.grades
                for rule in grade.hidden_rules]

    @property
    def unsteady(self):
        """Tests that failed, and passed when they were run again alone."""
        return [f"{grade.chapter.number}: {test}" for grade in self.grades
                if grade.graded for test in grade.graded["unsteady"]]

    def earned(self, grade):
        """A chapter's points, weighted, after what people decided: or None."""
        points = grade.points
        for each in self.policy.overrides_of(self.submission, grade.chapter):
            if "rule" not in each:
                points = each["points"]
            elif points is not None:
                points += each["points"] - grade.points_of(each["rule"])
        weight = self.policy.weight(grade.chapter)
        return None if points is None else _tidy(
            points * weight / grade.max_points)

    @property
    def days_late(self):
        return self.policy.days_late(self.submission, self.submission.submitted)

    @property
    def points(self):
        points = [self.earned(grade) for grade in self.grades]
        return None if None in points else _tidy(
            sum(points) * self.policy.share(self.days_late))

    @property
    def max_points(self):
        return _tidy(sum(self.policy.weight(grade.chapter) for grade in self.grades
                         if grade.chapter.name not in self.policy.extra))

    def decisions(self):
        """What people decided about this one, a line each."""
        days = self.days_late
        late = f"{days} day{'s' * (days > 1)} late: " \
            f"{self.policy.share(days):.0%} of the points"
        return [*([late] if days else []), *(
            f"{grade.chapter.number} {each.get('rule', '')}".strip() +
            f": {each['points']} points, {one_line(each['reason'])}"
            for grade in self.grades for each in
            self.policy.overrides_of(self.submission, grade.chapter))]

    def reasons(self):
        """["01, 02: not handed in"] of the chapters that were not graded."""
        chapters = {}
        for grade in self.grades:
            if grade.reason:
                chapters.setdefault(grade.reason, []).append(grade.chapter.number)
        return [f"{', '.join(numbers)}: {reason}"
                for reason, numbers in chapters.items()]

    def notes(self):
        """What the intake has to say to the student."""
        given = self.submission
        return [one_line(note) for note in
                filter(None, [given.refused, given.unreadable, *given.notes,
                              *self.decisions()])]

    def as_json(self):
        return {"student": self.name, "id": self.submission.id,
                "chapters": [{"chapter": grade.chapter.name,
                              "points": grade.points,
                              "max_points": grade.max_points,
                              "counts": self.earned(grade),
                              "verdict": grade.verdict, "reason": grade.reason}
                             for grade in self.grades],
                "points": self.points, "max_points": self.max_points,
                "days_late": self.days_late, "flags": self.flags,
                "hidden": self.hidden_rules, "unsteady": self.unsteady,
                "notes": self.notes()}


def _tidy(number):
    number = round(number, 2)
    return int(number) if number == int(number) else number


@dataclass
class Class:
    """All students of a run, and how it was made."""
    students: list
    chapters: list
    layers: list  # [Layer]
    notes: list  # on the folder itself

    def status(self):
        """The command's: 1 when anybody has to be graded again."""
        return int(any(student.points is None for student in self.students))


def grades_csv(graded):
    """One row a student, to be opened in a spreadsheet."""
    heads = ["student", *(chapter.name for chapter in graded.chapters),
             "total", "max", "late", "flags", "notes"]
    rows = []
    for student in graded.students:
        points = [*map(student.earned, student.grades), student.points]
        rows.append([
            student.name, *(ERROR if p is None else p for p in points),
            student.max_points, student.days_late, "; ".join(student.flags),
            "; ".join(student.reasons() + student.notes())])
    return _csv(heads, rows)


def canvas_csv(graded):
    """For Canvas, Gradebook, Import: it finds the student by ID."""
    heads = ["Student", "ID", "SIS Login ID", "Section",
             *(chapter.name for chapter in graded.chapters)]
    return _csv(heads, [[student.name, student.submission.number, "", "",
                         *map(student.earned, student.grades)]
                        for student in graded.students])


def moodle_csv(graded):
    """For a Moodle assignment, Upload grading worksheet."""
    return _csv(["Identifier", "Full name", "Grade", "Maximum grade"], [
        [f"Participant {student.submission.number}".strip(), student.name,
         student.points, student.max_points] for student in graded.students])


def _csv(heads, rows):
    """None is an empty cell: those who import it leave what was there."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        [heads, *([cell("" if value is None else value) for value in row]
                  for row in rows)])
    return text.getvalue()


def results_json(student, layers):
    """results.json in Gradescope's form.

    After an ERROR it has no score at all, so that none can be recorded.
    """
    tests = [test for grade in student.grades for test in _tests(grade)]
    results = {"score": student.points, "output": _summary(student),
               "output_format": "text", "visibility": "visible",
               "stdout_visibility": "hidden", "tests": tests,
               "extra_data": {
                   **student.as_json(), "layers": [vars(layer) for layer in layers],
                   "regrade": student.points is None,
                   "verdicts": {grade.chapter.name: _verdicts(grade)
                                for grade in student.grades},
                   "seeds": {grade.chapter.name: grade.graded["seed"]
                             for grade in student.grades if grade.graded},
                   "hidden_seeds": student.hidden_seeds}}
    if student.points is None:
        for scored in [results, *tests]:
            scored.pop("score")
    return results


def _summary(student):
    total = "to be graded again" if student.points is None else \
        f"{student.points} of {student.max_points} points"
    return "\n".join([total, *student.reasons(), *student.notes()])


def _verdicts(grade):
    if not grade.graded:
        return {rule.id: grade.verdict for rule in grade.chapter.rules}
    return {rule["id"]: rule["verdict"] for rule in grade.graded["rules"]}


def _tests(grade):
    """One test a rule; for a chapter without verdicts, one in all."""
    number = grade.chapter.number
    if not grade.graded:
        output = "\n\n".join(filter(None, [grade.reason, grade.meaning,
                                          grade.said]))
        return [_test(f"{number} {grade.chapter.title}", grade.points,
                      grade.max_points, output)]
    return [_test(f"{number} {rule['id']} {rule['text']}", rule["points"],
                  rule["max_points"],
                  (grade.failing_test(rule["id"]) or {"text": ""})["text"])
            for rule in grade.graded["rules"]]


def _test(name, points, most, output):
    return {"name": name, "score": points, "max_score": most,
            "status": "passed" if points == most else "failed",
            "output": printable(output), "output_format": "text",
            "visibility": "visible"}
