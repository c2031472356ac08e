"""What comes out of grading a class: files for everybody, a table to look at."""

import json
import shutil

from course import class_page, gradebook, junit, pages, screen, state
from course.text import one_line

MOST_COLUMNS = 6  # chapters side by side in 80 columns


def write(graded, out):
    """The tables, index.html, and a folder for each student."""
    students = out / "students"
    _remove_others(students, {s.submission.id for s in graded.students})
    for student in graded.students:
        folder = students / student.submission.id
        results = gradebook.results_json(student, graded.layers)
        _write(folder / "results.json", json.dumps(results, indent=1))
        _write(folder / "index.html", pages.student_page(student))
    _write(out / "grades.csv", gradebook.grades_csv(graded))
    _write(out / "canvas.csv", gradebook.canvas_csv(graded))
    _write(out / "moodle.csv", gradebook.moodle_csv(graded))
    _write(out / "index.html", class_page.class_page(graded))
    _write(out / "junit.xml", junit.xml(graded))


def _write(path, text):
    state.write(path, text.encode())


def _remove_others(folder, ids):
    """Reports of students who are not of this class any more."""
    for path in folder.iterdir() if folder.is_dir() else []:
        if path.name not in ids and (path / "results.json").is_file():
            shutil.rmtree(path)


def as_json(graded, out):
    return {"schema": 1,
            "students": [student.as_json() for student in graded.students],
            "layers": [vars(layer) for layer in graded.layers],
            "notes": graded.notes, "out": str(out)}


def show(graded, out):
    """A line for each student, what protected the run, where the reports are."""
    columns = graded.chapters if len(graded.chapters) <= MOST_COLUMNS else []
    heads = "".join(f"{chapter.number:>5}" for chapter in columns)
    screen.say(f"{'student':<22}{heads}     total", screen.HEAD)
    for student in graded.students:
        _show_student(student, len(columns))
    for note in graded.notes:
        screen.say(f"note: {note}", "yellow")
    screen.say()
    _show_layers(graded.layers)
    screen.say(f"Grades:      {out / 'grades.csv'}\n"
               f"Class page:  {out / 'index.html'}\n"
               f"Each one's:  {out / 'students'}/NAME/")
    regrade = [s.name for s in graded.students if s.points is None]
    if regrade:
        screen.say("To be graded again (the grader's own ERROR): "
                   + ", ".join(regrade) + "\nThe same command tries them again, "
                   "and keeps what is graded.", screen.BAD)


def _show_layers(layers):
    active = [layer.name for layer in layers if layer.active]
    screen.say_wrapped("Active:      ", ", ".join(active))
    for layer in layers:
        if not layer.active:
            screen.say(f"NOT active:  {layer.name} ({layer.said})", screen.BAD)


def _show_student(student, columns):
    points = ["ERR" if p is None else p
              for p in map(student.earned, student.grades[:columns])]
    total = "ERROR" if student.points is None else \
        f"{student.points}/{student.max_points}"
    remarks = [f"{n} {name}" + "s" * (n > 1) for n, name in (
        (len(student.flags), "flag"), (len(student.unsteady), "unsteady test"),
        (len(student.hidden_rules), "hidden failure"),
        (len(student.notes()), "note")) if n]
    remarks += student.reasons()
    style = screen.BAD if student.points is None else \
        "yellow" if student.flags else ""
    line = f"{one_line(student.name, 21):<22}" \
        + "".join(f"{p:>5}" for p in points) + f"{total:>10}  "
    room = max(20, 79 - len(line))
    screen.say((line + one_line("; ".join(remarks), room)).rstrip(), style)
