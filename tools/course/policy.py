"""What people decide about grades: weights, late days, overrides, from a TOML.

    [weights]                # of a chapter, 100 where it is not named
    02 = 50
    [extra]                  # counts, but not towards the most there is
    chapters = ["12"]
    [late]
    due = 2026-11-01T23:59:00+01:00
    grace_minutes = 15
    percent_per_day = 10     # of what was earned
    most_days = 3            # after these: nothing
    [students.ann]
    extension_days = 2       # or: submitted = 2026-11-03..., or: late_days = 1
    [[override]]
    student = "ann"
    chapter = "02"
    rule = "SEND-1"          # without it: of the whole chapter
    points = 10
    reason = "their mail of 3 November"

The run itself knows nothing of it: results stay what the tests said, and the
same command with another file changes the grades alone.
"""

import datetime
import math
import tomllib
from dataclasses import dataclass, field

from course import tree
from course.problem import Problem
from course.text import one_line

KNOWN = {"weights": dict, "extra": dict, "late": dict, "students": dict,
         "override": list}
LATE = {"due": datetime.datetime, "grace_minutes": (int, float),
        "percent_per_day": (int, float), "most_days": int}
STUDENT = {"submitted": datetime.datetime, "late_days": int,
           "extension_days": int}
OVERRIDE = {"student": str, "chapter": str, "rule": str, "points": (int, float),
            "reason": str}


@dataclass
class Policy:
    weights: dict = field(default_factory=dict)  # {chapter name: weight}
    extra: set = field(default_factory=set)  # chapter names
    late: dict = field(default_factory=dict)
    students: dict = field(default_factory=dict)
    overrides: list = field(default_factory=list)

    def weight(self, chapter):
        return self.weights.get(chapter.name, 100)

    def days_late(self, student, submitted):
        """Whole days after the due date, of a student by id or name."""
        own = self.students.get(student.id) or self.students.get(student.name, {})
        if "late_days" in own:
            return own["late_days"]
        when = own.get("submitted", submitted)
        if "due" not in self.late or when is None:
            return 0
        due = self.late["due"] + datetime.timedelta(
            days=own.get("extension_days", 0),
            minutes=self.late.get("grace_minutes", 0))
        return max(0, math.ceil((when - due) / datetime.timedelta(days=1)))

    def is_over(self, student, now):
        """Whether nothing that the student might still hand in would count."""
        if "due" not in self.late:
            return False
        own = self.students.get(student.id) or self.students.get(student.name, {})
        return now >= self.late["due"] + datetime.timedelta(
            days=own.get("extension_days", 0) + self.late.get("most_days", 0),
            minutes=self.late.get("grace_minutes", 0))

    def share(self, days):
        """What is left of the points after so many days."""
        if days > self.late.get("most_days", math.inf):
            return 0
        return max(0, 1 - days * self.late.get("percent_per_day", 0) / 100)

    def overrides_of(self, student, chapter):
        return [each for each in self.overrides
                if each["student"] in (student.id, student.name)
                and each["chapter"] == chapter.name]

    def strangers(self, students):
        """Notes on whom it names and nobody handed in as: it may be a slip."""
        named = dict.fromkeys([*self.students, *(each["student"] for each
                                                 in self.overrides)])
        known = {name for given in students for name in (given.id, given.name)}
        return [f"the policy names {one_line(name)}, of whom there is no submission"
                for name in named if name not in known]


def read(path):
    """The Policy in a file; a Problem for anything that it does not know."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Problem(f"{path}: {error}", 2) from None
    _check(path, "", table, KNOWN)
    _check(path, "late.", table.get("late", {}), LATE)
    for name, own in table.get("students", {}).items():
        _check(path, f"students.{name}.", own, STUDENT)
    policy = Policy(
        {tree.find(name).name: _number(path, name, weight)
         for name, weight in table.get("weights", {}).items()},
        {tree.find(name).name for name in table.get("extra", {}).get("chapters", [])},
        table.get("late", {}), table.get("students", {}))
    for each in table.get("override", []):
        _check(path, "override.", each, OVERRIDE)
        policy.overrides.append(_override(path, each))
    for moment in [policy.late.get("due"),
                   *(own.get("submitted") for own in policy.students.values())]:
        if moment and moment.tzinfo is None:
            raise Problem(f"{path}: {moment} has no time zone: add +01:00, or Z", 2)
    return policy


def _check(path, where, table, known):
    for key, value in table.items():
        if key not in known:
            raise Problem(f"{path}: {where}{key} is not known; known are "
                          + ", ".join(known), 2)
        if not isinstance(value, known[key]):
            raise Problem(f"{path}: {where}{key} has a value of the wrong kind", 2)


def _number(path, name, value):
    if not isinstance(value, (int, float)) or value < 0:
        raise Problem(f"{path}: weights.{name} is no number", 2)
    return value


def _override(path, each):
    lacking = {"student", "chapter", "points", "reason"} - each.keys()
    if lacking:
        raise Problem(f"{path}: an override lacks " + ", ".join(sorted(lacking)), 2)
    chapter = tree.find(each["chapter"])
    if "rule" in each and not chapter.rule(each["rule"]):
        raise tree.unknown("rule", each["rule"], [r.id for r in chapter.rules])
    return {**each, "chapter": chapter.name}
