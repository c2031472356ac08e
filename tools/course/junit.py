"""JUnit XML of a class: a suite for each student's chapter, a case a rule."""

from xml.etree import ElementTree

from course import gradebook
from course.text import printable


def xml(graded):
    root = ElementTree.Element("testsuites", name="grades")
    for student in graded.students:
        for grade in student.grades:
            _suite(root, student, grade)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(root, student, grade):
    name = f"{student.submission.id}.{grade.chapter.name}"
    suite = ElementTree.SubElement(root, "testsuite", name=name)
    for rule in grade.chapter.rules:
        case = ElementTree.SubElement(suite, "testcase", classname=name, name=rule.id)
        kind, text = _outcome(grade, rule.id)
        if kind:
            ElementTree.SubElement(case, kind, message=text.split("\n")[0]).text = text
    for attribute, kind in (("tests", "testcase"), ("failures", "*/failure"),
                            ("errors", "*/error")):
        suite.set(attribute, str(len(suite.findall(kind))))


def _outcome(grade, rule_id):
    """("failure" or "error", what to say), ("", "") for a pass."""
    if grade.verdict == gradebook.ERROR:
        return "error", printable(grade.reason)
    if not grade.graded:
        return "failure", printable(grade.reason)
    test = grade.failing_test(rule_id)
    return ("failure", printable(f"{test['why']}\n{test['text']}")) if test else ("", "")
