"""The web pages of a grading run: one for each student, one for the class."""

from course import gradebook
from course.markup import Markup, bullets, join, markdown, page, row, table, tag
from course.text import one_line


def student_page(student):
    """For the student alone: it says nothing of flags."""
    return page(
        f"{student.name}: {_total(student)}",
        tag("h1", student.name), _points(student.points, student.max_points),
        _bar(student.points, student.max_points),
        *([tag("h2", "What was handed in"), bullets(student.notes())]
          if student.notes() else []),
        *(_chapter(grade) for grade in student.grades))


def _total(student):
    return "to be graded again" if student.points is None else \
        f"{student.points} of {student.max_points} points"


def _points(points, most):
    if points is None:
        return tag("p", "To be graded again: the grader failed, not you.",
                   class_="points bad")
    return tag("p", tag("strong", points), f" of {most} points", class_="points")


def _bar(points, most):
    share = 100 * (points or 0) // max(1, most)
    return tag("div", tag("div", style=f"width: {share}%"), class_="bar")


def _chapter(grade):
    chapter = grade.chapter
    title = tag("h2", f"{chapter.number} {chapter.title}")
    if not grade.graded:
        return join([title, _points(grade.points, grade.max_points)
                     if grade.points is not None else Markup(),
                     tag("p", _sentence(grade.reason), class_="bad"),
                     *(tag("p", line) for line in grade.meaning.splitlines()),
                     tag("pre", grade.said) if grade.said else Markup()])
    failing = [rule for rule in grade.graded["rules"] if rule["verdict"] != "PASS"]
    return join([
        title, _points(grade.points, grade.max_points),
        *(_failure(grade, rule, first=rule is failing[0]) for rule in failing),
        tag("h3", "All rules"), _rules(grade.graded["rules"]),
        tag("p", "Seed ", tag("code", f"./course check {chapter.number} --seed "
                              f"{grade.graded['seed']}"), class_="dim")])


def _rules(rules):
    return table(["rule", "", "", ("points", "number")], [
        row((rule["id"], "id"), rule["text"], _verdict(rule["verdict"] == "PASS"),
            (f"{rule['points']}/{rule['max_points']}", "number"))
        for rule in rules])


def _verdict(passed):
    return tag("span", "pass", class_="good") if passed else \
        tag("span", "FAIL", class_="bad")


def _failure(grade, rule, first):
    """A failing rule: its words, what happened, the time line, a hint."""
    test = grade.failing_test(rule["id"])
    if not test:
        return Markup()
    step = grade.chapter.step(rule["step"])
    summary = tag("summary", tag("span", rule["id"], class_="id bad"), " ",
                  rule["text"], " ",
                  tag("span", f"({rule['max_points']} points)", class_="dim"))
    parts = [summary, *_what_failed(test), _time_line(test["steps"]),
             _output(test["output"]),
             tag("h3", "A first hint"), markdown(step.hints[0]),
             tag("p", f"Read step {step.number}, {step.title}, in ",
                 tag("code", f"chapters/{grade.chapter.name}/README.md"),
                 "; the test is ", tag("code", f"{test['file']}:{test['line']}"),
                 class_="dim")]
    return tag("details", *parts, **({"open": "open"} if first else {}))


def _what_failed(test):
    if test["todo"]:
        return [tag("p", f"Step {test['todo']} is still to do.")]
    if test["verdict"] != "FAIL" or not test["failures"]:
        return [tag("p", _sentence(test["why"]))]
    return [part for failure in test["failures"][:2] for part in _comparison(failure)]


def _sentence(text):
    return one_line(text[:1].upper() + text[1:] + ".", 400)


def _comparison(failure):
    """Expected beside happened, the first difference marked; then the words."""
    expected, actual = failure["expected"], failure["actual"]
    size = max(len(expected), len(actual))
    pairs = list(zip(expected + ["(nothing)"] * (size - len(expected)),
                     actual + ["(nothing)"] * (size - len(actual))))
    differs = next((i for i, (e, a) in enumerate(pairs) if e != a), None)
    if failure.get("value"):
        yield tag("p", "Value of ", tag("code", failure["value"]), ":")
    if pairs:
        yield table(["", "expected", "happened"], [
            row(i + 1, *pair, class_="differs" if i == differs else None)
            for i, pair in enumerate(pairs)], class_="beside")
    yield tag("p", failure.get("notes") or failure["message"])


def _time_line(steps):
    """What both ends did, a column for each."""
    rows, number = [], 0
    for step in steps:
        times = step.get("times", 1)
        if not step["who"]:
            rows.append(row("", f"... {times} more", ""))
            continue
        number += 1
        what = step["what"] + (f"  ×{times}" if times > 1 else "")
        rows.append(row(number, what, "") if step["who"] == "you" else
                    row(number, "", f"{step['who']}: {what}"))
    if not rows:
        return Markup()
    return join([tag("h3", "What both ends did, in the order it happened"),
                 table(["", "your code", "the other end"], rows, class_="beside")])


def _output(output):
    return join([tag("h3", "What the code printed"), tag("pre", output)]) \
        if output else Markup()


def class_page(graded):
    """For the instructor: student by chapter, flags, what protected the run."""
    heads = ["student", *((chapter.number, "number") for chapter in graded.chapters),
             ("total", "number"), "remarks"]
    return page(
        "Grades", tag("h1", "Grades"),
        tag("p", f"{len(graded.students)} students; at most "
            f"{graded.students[0].max_points} points each."),
        table(heads, [_class_row(student) for student in graded.students]),
        tag("h2", "For you to look at"), _flags(graded.students),
        bullets(graded.notes),
        tag("h2", "How it was graded"), _layers(graded.layers))


def _class_row(student):
    href = f"students/{student.submission.id}/index.html"
    points = [(gradebook.ERROR, "number bad") if earned is None else
              (earned, "number") for earned in
              [*map(student.earned, student.grades), student.points]]
    return row(tag("a", student.name, href=href), *points,
               join(tag("div", remark) for remark in [
                   *student.reasons(), *student.notes(),
                   *(f"failed once, then passed alone: {test}"
                     for test in student.unsteady),
                   *(["flagged: see below"] if student.flags else [])]))


def _flags(students):
    flagged = [student for student in students if student.flags]
    if not flagged:
        return tag("p", "Nothing is flagged.")
    return join([tag("p", "A flag says what an honest answer seldom needs. Code "
                     "that was refused, or that forges verdicts, has no points; "
                     "a pass that was not seen from outside has none; every "
                     "other flag has cost nothing."),
                 *(join([tag("h3", student.name), bullets(student.flags)])
                   for student in flagged)])


def _layers(layers):
    return bullets([
        f"{layer.name}: " + ("active" if layer.active else "NOT active")
        + (f" ({layer.said})" if layer.said else "") for layer in layers])
