"""demo: the course's main job on sample submissions that come with it."""

import shutil
from pathlib import Path

from course import check, grade, report, results, screen, state, tree, work, yard
from course.problem import Problem

SAMPLES = tree.ROOT / "tests/samples"
FOLDER = tree.STATE / "demo"
CHAPTER = "02"
SHOWN = "half"


def register(add):
    add("demo", demo, "learners", "everything in one go, on sample submissions",
        json=True).add_argument("--out", metavar="DIR", type=Path,
                                default=FOLDER / "report",
                                help="where the reports go")


def demo(args):
    chapter = tree.find(CHAPTER)
    names = hand_in(chapter, FOLDER / "class")
    if not args.json:
        screen.say(f"{len(names)} students hand in chapter {chapter.number}, "
                   f"{chapter.title}:\n{', '.join(names)}.\n"
                   "Building and testing what each of them wrote; the first time "
                   "takes a minute.\n")
    graded = grade.grade_class(FOLDER / "class", args.out, [chapter],
                               yard.here())
    report.write(graded, args.out)
    if args.json:
        screen.as_json(report.as_json(graded, args.out))
    else:
        tell(graded, args.out)
    return graded.status()


def hand_in(chapter, folder):
    """Makes a class of the samples; your own files are not part of it."""
    samples = {path.name: path for path in SAMPLES.glob("*/")}
    if SHOWN not in samples:
        raise Problem("the samples, tests/samples, are not part of this edition")
    shutil.rmtree(folder, ignore_errors=True)
    for name, sample in samples.items():
        for path in sample.glob("*.cc"):
            state.write(folder / name / chapter.name / path.name, path.read_bytes())
    for path in tree.files(chapter):
        state.write(folder / "untouched" / chapter.name / path.name,
                    work.original(path))
    return sorted([*samples, "untouched"])


def tell(graded, out):
    learner = next(s for s in graded.students if s.submission.id == SHOWN).grades[0]
    screen.say(f"1. What a learner sees. This is `./course check {CHAPTER}` for "
               f"'{SHOWN}':\n", screen.HEAD)
    if learner.graded:
        check.show(results.Result(learner.chapter, learner.graded))
    else:
        screen.say(learner.reason, screen.BAD)
    screen.say("\n2. The class. This is `./course grade DIR --out DIR` for all "
               "of them:\n", screen.HEAD)
    report.show(graded, out)
    screen.say("\n3. The reports. Open the class page in a browser; it leads to each "
               "student's.", screen.HEAD)
    screen.say("\nTo begin the course yourself: ./course next")
