"""grade: a class in one Bazel build, a test target for each student's chapter."""

import json
from pathlib import Path

import skeletons
from course import (bazel, gradebook, intake, overlay, report, screen, state,
                    suspicion, tree)
from course.gradebook import Class, Grade, Student
from course.judge import Judge
from course.problem import Problem

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
    names = args.chapters.split(",") if args.chapters else []
    chapters = {chapter.name: chapter for chapter in map(tree.find, names)}
    graded = grade_class(args.folder, args.out, list(chapters.values()))
    report.write(graded, args.out)
    if args.json:
        screen.as_json(report.as_json(graded, args.out))
    else:
        report.show(graded, args.out)
    return graded.status()


def grade_class(folder, out, chapters):
    """The Class in `folder`; without chapters, in all that anybody has begun."""
    _check_places(folder, out)
    submissions, notes = intake.read_class(folder, list(skeletons.read(tree.ROOT)))
    if not submissions:
        raise Problem(f"{folder} has no folder and no archive (.tar.gz, .tgz, "
                      ".zip), so there is nobody to grade", 2)
    chapters = chapters or [
        chapter for chapter in tree.chapters()
        if any(_state(given, chapter) == "" for given in submissions)
    ] or tree.chapters()
    with overlay.ours():
        students, layers = _run(submissions, chapters)
    return Class(students, chapters, layers, notes)


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
    students = [Student(given, suspicion.flags(given.files, _reference),
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


def _reference(path):
    file = tree.ROOT / path.replace("chapters/", "solutions/", 1)
    return file.read_text() if file.is_file() else ""


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
