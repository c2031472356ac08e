"""grade: a class in one Bazel build, a test target for each student's chapter."""

import json
import shutil
from pathlib import Path

import skeletons
from course import (bazel, gradebook, intake, overlay, pages, screen, state,
                    suspicion, tree)
from course.gradebook import Grade, Student
from course.judge import Judge
from course.problem import Problem
from course.text import one_line

SANDBOX = "linux-sandbox"
OPTIONS = ["--keep_going", "--test_output=summary", overlay.PACKAGE_PATH,
           "--sandbox_default_allow_network=false",
           "--//common:foundation=reference"]


def register(add):
    parser = add("grade", grade, "instructors", "grade a class: a folder or "
                 "archive for each student", json=True)
    parser.add_argument("folder", metavar="DIR", type=Path,
                        help="holds NAME/, NAME.tar.gz or NAME.zip")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True,
                        help="where grades.csv and the reports go")
    parser.add_argument("--chapters", metavar="02,03",
                        help="without it, all that any student has begun")


def grade(args):
    chapters = [tree.find(name) for name in args.chapters.split(",")] \
        if args.chapters else None
    students, layers, notes = grade_class(args.folder, args.out, chapters)
    write_reports(students, layers, notes, args.out)
    if args.json:
        screen.as_json(as_json(students, layers, notes, args.out))
    else:
        show(students, layers, notes, args.out)
    return int(any(student.points is None for student in students))


def grade_class(folder, out, chapters=None):
    """([Student], layers, notes on the class)."""
    _check_places(folder, out)
    wanted = list(skeletons.read(tree.ROOT))
    submissions, notes = intake.read_class(folder, wanted)
    if not submissions:
        raise Problem(f"{folder} has no folder and no archive (.tar.gz, .tgz, "
                      ".zip), so there is nobody to grade", 2)
    chapters = chapters or [
        chapter for chapter in tree.chapters()
        if any(_state(given, chapter) == "" for given in submissions)
    ] or tree.chapters()
    with overlay.ours():
        students, layers = _run(submissions, chapters)
    return students, layers, notes


def _check_places(folder, out):
    if not folder.is_dir():
        raise Problem(f"{folder} is no folder; grade takes one that holds a "
                      "folder or an archive for each student", 2)
    if out.exists() and not out.is_dir():
        raise Problem(f"{out} is a file; --out takes a folder", 2)
    if out.resolve().is_relative_to(folder.resolve()):
        raise Problem(f"{out} lies in {folder}, where it would count as a "
                      "student's: choose another --out", 2)


def _state(submission, chapter):
    """Why there is nothing to build, as a verdict; "" if there is something."""
    given = {tree.relative(path): submission.files.get(tree.relative(path))
             for path in tree.files(chapter)}
    if submission.refused:
        return gradebook.REFUSED
    if not any(data is not None for data in given.values()):
        return gradebook.MISSING
    ids = skeletons.read(tree.ROOT)
    same = all(data is None or skeletons.blob_id(data) == ids[path]
               for path, data in given.items())
    return gradebook.UNTOUCHED if same else ""


REASONS = {gradebook.REFUSED: "nothing of it could be taken",
           gradebook.MISSING: "not handed in",
           gradebook.UNTOUCHED: "untouched: it is the skeleton"}


def _run(submissions, chapters):
    """([Student], layers): lays out, builds, tests, and judges."""
    work_list = [(given, [chapter for chapter in chapters
                          if _state(given, chapter) == ""])
                 for given in submissions if not given.unreadable]
    for given, begun in work_list:
        given.notes += _stand_ins(given, begun)
    overlay.lay_out([(given, begun) for given, begun in work_list if begun])
    grades, sandboxes = _judged([(given, chapter) for given, begun in work_list
                                 for chapter in begun])
    students = [Student(given, suspicion.flags(given.files),
                        [grades.get((given.id, chapter.name))
                         or _ungraded(given, chapter) for chapter in chapters])
                for given in submissions]
    return students, _layers(sandboxes)


def _judged(pairs):
    """({(student id, chapter name): Grade}, {label: sandbox})."""
    if not pairs:
        return {}, {}
    run = _bazel(len(pairs), "--cache_test_results=yes", "//submissions/...")
    judge = Judge(run)
    if run.code not in (0, 1, 3) or not judge.anybody():
        raise run.trouble()
    grades = {(given.id, chapter.name): judge.grade(given, chapter)
              for given, chapter in pairs}
    sandboxes = _sandboxes(run)
    # The grader's own failures get a second chance, alone and uncached.
    again = [(given, chapter) for given, chapter in pairs
             if grades[given.id, chapter.name].verdict == gradebook.ERROR]
    if again:
        run = _bazel(len(again), "--cache_test_results=no", "--local_test_jobs=1",
                     *(overlay.label(*pair) for pair in again))
        judge = Judge(run)
        grades |= {(given.id, chapter.name): judge.grade(given, chapter)
                   for given, chapter in again}
        sandboxes |= _sandboxes(run)
    return grades, sandboxes


def _stand_ins(given, chapters):
    return [f"{tree.relative(path)}: not handed in, so the skeleton stands in"
            for chapter in chapters for path in tree.files(chapter)
            if tree.relative(path) not in given.files]


def _bazel(total, *words):
    with screen.busy(f"building for {total} tests") as change:
        return bazel.run("test", *OPTIONS, *words, watch=lambda run: change(
            f"graded {len(run.tests())} of {total}"))


def _ungraded(given, chapter):
    if given.unreadable:
        return Grade(chapter, gradebook.ERROR,
                     f"regrade, the grader failed: {given.unreadable}")
    found = _state(given, chapter)
    return Grade(chapter, found, REASONS[found])


def _sandboxes(run):
    """{label: the sandbox it ran in}. A result from the cache names none, so
    each is kept from when it was made."""
    kept = overlay.ROOT / "sandboxes.json"
    try:
        known = dict(json.loads(kept.read_bytes()))
    except (OSError, ValueError, TypeError):
        known = {}
    found = {label: strategy or known.get(label, "unknown")
             for label, (_, strategy) in run.test_runs().items()}
    state.write(kept, json.dumps({**known, **found}).encode())
    return found


def _layers(sandboxes):
    """{layer: whether it was active}, and the kinds of sandbox."""
    kinds = set(sandboxes.values())
    return {"intake by name": True, "a process per test": True,
            "resource limits": True, "no network": kinds <= {SANDBOX},
            "sandbox": ", ".join(sorted(kinds)) or "none was needed"}


def write_reports(students, layers, notes, out):
    """grades.csv, index.html, and a folder for each student."""
    chapters = [grade.chapter for grade in students[0].grades]
    _remove_others(out / "students", {s.submission.id for s in students})
    for student in students:
        folder = out / "students" / student.submission.id
        results = gradebook.results_json(student, layers)
        _write(folder / "results.json", json.dumps(results, indent=1))
        _write(folder / "index.html", pages.student_page(student))
    _write(out / "grades.csv", gradebook.grades_csv(students, chapters))
    _write(out / "index.html", pages.class_page(students, chapters, layers, notes))


def _write(path, text):
    state.write(path, text.encode())


def _remove_others(folder, ids):
    """Reports of students who are not of this class any more."""
    for path in folder.iterdir() if folder.is_dir() else []:
        if path.name not in ids and (path / "results.json").is_file():
            shutil.rmtree(path)


def as_json(students, layers, notes, out):
    return {"schema": 1, "students": [student.as_json() for student in students],
            "layers": layers, "notes": notes, "out": str(out)}


def show(students, layers, notes, out):
    """A line for each student, what protected the run, where the reports are."""
    chapters = [grade.chapter for grade in students[0].grades]
    columns = chapters if len(chapters) <= 6 else []
    heads = "".join(f"{chapter.number:>5}" for chapter in columns)
    screen.say(f"{'student':<22}{heads}     total", screen.HEAD)
    for student in students:
        _show_student(student, len(columns))
    for note in notes:
        screen.say(f"note: {one_line(note)}", "yellow")
    active = [name for name, value in layers.items() if value is True]
    idle = [name for name, value in layers.items() if value is False]
    screen.say(f"\nActive:      {', '.join(active)}\n"
               f"Sandbox:     {layers['sandbox']}")
    if idle:
        screen.say(f"NOT active:  {', '.join(idle)}", screen.BAD)
    screen.say(f"Grades:      {out / 'grades.csv'}\n"
               f"Class page:  {out / 'index.html'}\n"
               f"Each page:   {out / 'students'}/NAME/index.html "
               "(and results.json)")
    regrade = [student.name for student in students if student.points is None]
    if regrade:
        screen.say("To be graded again (the grader's own ERROR): "
                   + ", ".join(regrade) + "\nThe same command tries them again, "
                   "and keeps what is graded.", screen.BAD)


def _show_student(student, columns):
    points = [("ERR" if grade.points is None else grade.points)
              for grade in student.grades[:columns]]
    total = "ERROR" if student.points is None else \
        f"{student.points}/{student.max_points}"
    remarks = [f"{n} {name}" + "s" * (n > 1) for n, name in (
        (len(student.flags), "flag"), (len(student.notes()), "note")) if n]
    remarks += student.reasons()
    style = screen.BAD if student.points is None else \
        "yellow" if student.flags else ""
    line = f"{one_line(student.name, 21):<22}" \
        + "".join(f"{p:>5}" for p in points) + f"{total:>10}  "
    room = max(20, 79 - len(line))
    screen.say((line + one_line("; ".join(remarks), room)).rstrip(), style)
