"""A student's page: what was earned, and what each failing rule has to say."""

from course import gradebook, picture
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
        *(_chapter(grade, student.hidden_seeds.get(grade.chapter.name))
          for grade in student.grades))


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


def _chapter(grade, hidden_seed):
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
        title, _points(grade.points, grade.max_points), _hidden(grade),
        *(_failure(grade, rule, first=rule is failing[0]) for rule in failing),
        tag("h3", "All rules"), _rules(grade),
        _seed("Seed", chapter, grade.graded["seed"]),
        _seed("Hidden seed", chapter, hidden_seed) if hidden_seed else Markup()])


def _seed(what, chapter, seed):
    return tag("p", what, " ",
               tag("code", f"./course check {chapter.number} --seed {seed}"),
               class_="dim")


def _hidden(grade):
    """What the data of their own seed did not show."""
    if not grade.hidden_rules:
        return Markup()
    names = [part for rule in grade.hidden_rules
             for part in (", ", tag("span", rule, class_="id bad"))]
    return tag("p", "With hidden data only, these fail: ",
               *names[1:], ". Your code does them for the data and the amounts that "
               "you can see, and not for others.")


def _rules(grade):
    return table(["rule", "", "", ("points", "number")], [
        row((rule["id"], "id"), rule["text"], _verdict(rule, grade),
            (f"{rule['points']}/{rule['max_points']}", "number"))
        for rule in grade.graded["rules"]])


def _verdict(rule, grade):
    if rule["verdict"] == "PASS":
        return tag("span", "pass", class_="good")
    hidden = rule["id"] in grade.hidden_rules
    return tag("span", "FAIL, hidden" if hidden else "FAIL", class_="bad")


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
    return join([tag("h3", "What both ends did, in the order it happened"),
                 picture.time_line(steps)]) if steps else Markup()


def _output(output):
    return join([tag("h3", "What the code printed"), tag("pre", output)]) \
        if output else Markup()
