"""What the verdicts of a class say together: for the instructor's page."""

from collections import Counter
from dataclasses import dataclass

import kill_matrix
from course import tree

HARDEST = 10
LEAST_ALIKE = 0.6  # of the rules that fail in the one or the other


def graded(students, chapter):
    """[(student, Grade)] of those whose chapter has verdicts, best first."""
    found = [(student, grade) for student in students for grade in student.grades
             if grade.chapter.name == chapter.name and grade.graded]
    return sorted(found, key=lambda pair: -pair[1].points)


@dataclass
class Hard:
    chapter: tree.rubric.Chapter
    rule: tree.rubric.Rule
    passed: int
    tried: int


def hardest(students, chapters):
    """[Hard]: the rules that the smallest part of those passes who tried."""
    found = []
    for chapter in chapters:
        grades = [grade for _, grade in graded(students, chapter)]
        passed = Counter(rule["id"] for grade in grades
                         for rule in grade.graded["rules"]
                         if rule["verdict"] == "PASS")
        found += [Hard(chapter, rule, passed[rule.id], len(grades))
                  for rule in chapter.rules if passed[rule.id] < len(grades)]
    return sorted(found, key=lambda hard: hard.passed / hard.tried)[:HARDEST]


def hidden(students, chapters):
    """[(chapter, rule, [student])]: who passed it with known data only."""
    found = [(chapter, rule, [student for student, grade in graded(students, chapter)
                              if rule.id in grade.hidden_rules])
             for chapter in chapters for rule in chapter.rules]
    return sorted((each for each in found if each[2]), key=lambda each: -len(each[2]))


def distribution(students):
    """How many have 0 to 9 %, 10 to 19 %, ..., 90 % and more."""
    counts = [0] * 10
    for student in students:
        if student.points is not None:
            share = student.points / max(1, student.max_points)
            counts[max(0, min(9, int(10 * share)))] += 1
    return counts


def misconceptions(students, chapters):
    """[(chapter, wrong solution, [student])]: whose failures look like it."""
    matrix = kill_matrix.chapters(tree.ROOT)
    found = {}
    for chapter in chapters:
        for student, grade in graded(students, chapter):
            for mutant in likely(grade, matrix.get(chapter.name, [])):
                key = chapter.number, mutant["name"]
                found.setdefault(key, (chapter, mutant, []))[2].append(student)
    return sorted(found.values(), key=lambda each: -len(each[2]))


def likely(grade, mutants):
    """The wrong solutions whose failing rules are most like these: [] if none
    is like them. Where two fail the same rules, nothing here tells them apart."""
    failed = {rule["id"] for rule in grade.graded["rules"]
              if rule["verdict"] != "PASS" and not _to_do(grade, rule)}
    if not failed:
        return []
    alike = [(len(failed & set(mutant["rules"])) / len(failed | set(mutant["rules"])),
              mutant) for mutant in mutants]
    best = max((share for share, _ in alike), default=0)
    return [mutant for share, mutant in alike if share == best >= LEAST_ALIKE]


def _to_do(grade, rule):
    """Whether the rule fails because nothing is written yet."""
    test = grade.failing_test(rule["id"])
    return bool(test and test["todo"])
