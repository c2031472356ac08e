"""The class's page, for the instructor: points, rules, and what stands out."""

from course import gradebook, insight, similar
from course.markup import Markup, bullets, join, page, row, table, tag

MOST_NAMES = 12  # in a cell
MOST_PAIRS = 30


def class_page(graded):
    students, chapters = graded.students, graded.chapters
    return page(
        "Grades", tag("h1", "Grades"),
        tag("p", f"{len(students)} students; at most "
            f"{students[0].max_points} points each."),
        _distribution(students), _points(graded),
        tag("h2", "For you to look at"), _flags(students), bullets(graded.notes),
        tag("h2", "Failed with hidden data only"), _hidden(students, chapters),
        tag("h2", "Similar submissions"), _similar(students, chapters),
        tag("h2", "Hardest rules"), _hardest(students, chapters),
        tag("h2", "Likely misconceptions"), _misconceptions(students, chapters),
        tag("h2", "Every rule of every student"),
        tag("p", "+ passed, × failed, h failed with hidden data only."),
        *(_map(students, chapter) for chapter in chapters),
        tag("h2", "How it was graded"), _layers(graded.layers))


def _link(student):
    return tag("a", student.name,
               href=f"students/{student.submission.id}/index.html")


def _links(students):
    """Their names; of many the first."""
    shown = [part for student in students[:MOST_NAMES]
             for part in (", ", _link(student))][1:]
    more = len(students) - MOST_NAMES
    return join([*shown, *([f" and {more} more"] if more > 0 else [])])


def _distribution(students):
    """How many have so much of the points: a bar for each tenth."""
    counts = insight.distribution(students)
    rows = [row((f"{10 * i} to {10 * i + 9} %" if i < 9 else "90 % and more", "id"),
                (count, "number"), tag("div", tag("div", style="width: "
                f"{100 * count // max(1, *counts)}%"), class_="bar"))
            for i, count in reversed(list(enumerate(counts)))]
    return table(["of the points", ("students", "number"), ""], rows,
                 class_="distribution")


def _points(graded):
    """What scrolls sideways, where there are many chapters, is their points only."""
    heads = ["student", ("total", "number"),
             *((chapter.number, "number") for chapter in graded.chapters)]
    return table(heads, [each for student in graded.students
                         for each in _student_rows(student, len(heads))],
                 class_="scores")


def _student_rows(student, columns):
    """Name and points; below them, across the table, what there is to say."""
    points = [(gradebook.ERROR, "number bad") if earned is None else
              (earned, "number") for earned in
              [student.points, *map(student.earned, student.grades)]]
    remarks = [*student.reasons(), *student.notes(),
               *(f"failed once, then passed alone: {test}"
                 for test in student.unsteady),
               *(["flagged: see below"] if student.flags else [])]
    yield row((_link(student), "name"), *points, class_="more" if remarks else None)
    if remarks:
        yield tag("tr", tag("td", tag("div", *(tag("div", each) for each in remarks),
                                      class_="remarks"), colspan=columns))


def _flags(students):
    flagged = [student for student in students if student.flags]
    if not flagged:
        return tag("p", "Nothing is flagged.")
    return join([tag("p", "A flag says what an honest answer seldom needs. Code "
                     "that was refused, that asks too much of the compiler, or that "
                     "forges verdicts, has no points; a pass that was not seen from "
                     "outside has none; every other flag has cost nothing."),
                 *(join([tag("h3", student.name), bullets(student.flags)])
                   for student in flagged)])


def _hidden(students, chapters):
    found = insight.hidden(students, chapters)
    if not found:
        ran = any(grade.graded and grade.graded["hidden_seed"]
                  for student in students for grade in student.grades)
        return tag("p", "What passed, passed with hidden data, too." if ran else
                   "There was no hidden data: grade --hidden FILE brings it.")
    return join([tag("p", "They passed with the data of the seed that they know, "
                     "and failed with the other one's, so the rule has no points."),
                 table(["rule", ""], [
                     row((rule.id, "id"), join([tag("div", f"{chapter.number}: ",
                                                    rule.text), _links(who)]))
                     for chapter, rule, who in found])])


def _similar(students, chapters):
    pairs = similar.pairs(students, chapters)
    if not pairs:
        return tag("p", "No two share more than chance gives.")
    rows = [row(pair.chapter.number, (f"{pair.share:.0%}", "number"),
                *((join([_link(student), " ", tag("code", place)]), "text")
                  for student, place in zip(pair.students, pair.places)))
            for pair in pairs[:MOST_PAIRS]]
    more = f" These are the first {MOST_PAIRS} of {len(pairs)}." \
        if len(pairs) > MOST_PAIRS else ""
    return join([tag("p", "How much of the shorter one's own code stands in the "
                     "other's too, whatever the names in it; what the skeleton, the "
                     "reference and our other solutions have is left out. The line "
                     "is where the first such passage begins. It says where to "
                     "look, and no more." + more),
                 table(["", ("shared", "number"), "one", "the other"], rows)])


def _hardest(students, chapters):
    hard = insight.hardest(students, chapters)
    if not hard:
        return tag("p", "Whoever tried a chapter passed all of its rules.")
    return table(["rule", "", ("passed", "number")], [
        row((each.rule.id, "id"),
            (f"{each.chapter.number}: {each.rule.text}", "text"),
            (f"{each.passed} of {each.tried}", "number")) for each in hard])


def _misconceptions(students, chapters):
    found = insight.misconceptions(students, chapters)
    if not found:
        return tag("p", "Nobody's failures look like a known wrong solution.")
    return join([tag("p", "Known wrong solutions that fail the same rules, or "
                     "nearly; several that fail the same look the same."),
                 table(["", "wrong solution", "students"], [
                     row(chapter.number,
                         (join([tag("strong", mutant["name"]), ": ",
                                mutant["sees"]]), "text"), (_links(who), "text"))
                     for chapter, mutant, who in found])])


def _map(students, chapter):
    """A mark for each student and rule: the best students first."""
    graded = insight.graded(students, chapter)
    if not graded:
        return Markup()
    heads = ["", *((tag("span", rule.id), "rule") for rule in chapter.rules)]
    rows = [row((_link(student), "name"), *(_mark(rule, grade)
                                            for rule in grade.graded["rules"]))
            for student, grade in graded]
    return tag("details", tag("summary", f"{chapter.number} {chapter.title}: "
                              f"{len(graded)} graded"),
               table(heads, rows, class_="map"))


def _mark(rule, grade):
    if rule["verdict"] == "PASS":
        return "+", "good"
    return ("h" if rule["id"] in grade.hidden_rules else "×"), "miss"


def _layers(layers):
    return bullets([
        f"{layer.name}: " + ("active" if layer.active else "NOT active")
        + (f" ({layer.said})" if layer.said else "") for layer in layers])
