"""grade: a class in one Bazel build, a test target for each student's chapter."""

import json
from pathlib import Path

import skeletons
from course import (gradebook, intake, overlay, policy, report, screen, state,
                    tree, yard)
from course.gradebook import Class, Grade, Layer, Student
from course.judge import Judge
from course.problem import Problem

OPTIONS = ["--keep_going", overlay.PACKAGE_PATH,
           "--sandbox_default_allow_network=false",
           "--//common:foundation=reference"]
TEST = ["--test_output=summary"]


def register(add):
    parser = add("grade", grade, "instructors", "grade a class: a folder or "
                 "archive for each student", json=True)
    parser.add_argument("folder", metavar="DIR", type=Path,
                        help="holds NAME/, NAME.tar.gz or NAME.zip")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True,
                        help="where grades.csv and the reports go")
    parser.add_argument("--chapters", metavar="02,03",
                        help="without it, all that any student has begun")
    parser.add_argument("--policy", metavar="FILE.toml", type=Path,
                        help="weights, late days, overrides")
    parser.add_argument("--hidden", metavar="FILE", type=Path,
                        help="a secret of yours: what passes is run again with "
                             "data and amounts that come from it")
    parser.add_argument("--regrade", metavar="WHAT", action="append", default=[],
                        help="run again: a student, a chapter, or a rule")
    parser.add_argument("--allow-weak-sandbox", action="store_true",
                        help="grade also where submissions cannot be shut in")


def grade(args):
    names = args.chapters.split(",") if args.chapters else []
    chapters = {chapter.name: chapter for chapter in map(tree.find, names)}
    rules = policy.read(args.policy) if args.policy else policy.Policy()
    place = yard.of_our_own(args.allow_weak_sandbox, args.rest)
    graded = grade_class(args.folder, args.out, list(chapters.values()), place,
                         rules, args.regrade,
                         secret_in(args.hidden) if args.hidden else b"")
    report.write(graded, args.out)
    if args.json:
        screen.as_json(report.as_json(graded, args.out))
    else:
        report.show(graded, args.out)
    return graded.status()


def secret_in(path):
    """What is in the file; it is not for those who have the checkout."""
    if path.resolve().is_relative_to(tree.ROOT):
        raise Problem(f"{path} lies in the checkout, where it would go out with "
                      "it: keep it elsewhere", 2)
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}", 2) from None
    if len(secret) < 16:
        raise Problem(f"{path} holds {len(secret)} bytes, which can be guessed: "
                      "openssl rand -hex 32 makes better ones", 2)
    return secret


def grade_class(folder, out, chapters, place, rules=policy.Policy(), regrade=(),
                secret=b""):
    """The Class in `folder`; without chapters, in all that anybody has begun."""
    _check_places(folder, out)
    submissions, notes = intake.read_class(
        folder, list(skeletons.read(tree.ROOT)),
        [tree.relative(path) for chapter in chapters for path in tree.files(chapter)])
    if not submissions:
        raise Problem(f"{folder} has no folder and no archive (.tar.gz, .tgz, "
                      ".zip), so there is nobody to grade", 2)
    chapters = chapters or [
        chapter for chapter in tree.chapters()
        if any(_state(given, chapter) == "" for given in submissions)
    ] or tree.chapters()
    with overlay.ours():
        run = Grading(place, submissions, chapters, secret)
        run.grade([_chosen(word, submissions, chapters) for word in regrade])
        return Class(run.students(rules), chapters, run.layers(),
                     notes + rules.strangers(submissions))


def _chosen(word, submissions, chapters):
    """What --regrade WORD means: (student id, chapter name), None for all."""
    for given in submissions:
        if word in (given.id, given.name):
            return given.id, None
    for chapter in chapters:
        if chapter.rule(word) or word in (chapter.name, chapter.number):
            return None, chapter.name
    raise tree.unknown("student, chapter or rule", word,
                       [given.name for given in submissions])


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


class Grading:
    """One run: lays out, builds, tests and judges."""

    def __init__(self, place, submissions, chapters, secret):
        self.secret = secret
        self.yard, self.submissions, self.chapters = place, submissions, chapters
        self.grades = {}  # {(student id, chapter name): Grade}
        self.sandboxes = {}  # {label: sandbox}
        work_list = [(given, [chapter for chapter in chapters
                              if _state(given, chapter) == ""])
                     for given in submissions if not given.unreadable]
        for given, begun in work_list:
            given.notes += _stand_ins(given, begun)
        overlay.lay_out([(given, begun) for given, begun in work_list if begun],
                        secret)
        self.pairs = [(given, chapter) for given, begun in work_list
                      for chapter in begun]

    def grade(self, regrade):
        if not self.pairs:
            return
        self._prepare({chapter.name for _, chapter in self.pairs})
        anew = [pair for pair in self.pairs
                if any(student in (None, pair[0].id) and
                       name in (None, pair[1].name) for student, name in regrade)]
        if anew:
            self._test(anew, "--cache_test_results=no", *_labels(anew))
        judge = self._test(self.pairs, "--cache_test_results=yes",
                           "//submissions/...")
        if not judge.anybody():
            raise yard.trouble(judge.run)
        # The grader's own failures get a second chance, alone and uncached.
        again = [pair for pair in self.pairs
                 if self.grades[pair[0].id, pair[1].name].verdict
                 == gradebook.ERROR]
        if again:
            self._test(again, "--cache_test_results=no", "--local_test_jobs=1",
                       *_labels(again))

    def _prepare(self, names):
        """Builds what is ours, and then closes the references."""
        targets = ["//common/testing/runner", "//tools:unlimited"]
        for name in sorted(names):
            targets += [f"//tests/{name}:built", f"//tests/{name}:rubric"]
            if (tree.ROOT / "tests" / name / "driver.cc").is_file():
                targets.append(f"//tests/{name}:driver")
        with screen.busy("building the tests"):
            run = self.yard.build(*OPTIONS, *targets)
        if run.code:
            raise yard.trouble(run)
        self.yard.close()

    def _test(self, pairs, *words):
        with screen.busy(f"building for {len(pairs)} tests") as change:
            run = self.yard.test(*OPTIONS, *TEST, *words, watch=lambda run: change(
                screen.progress(len(run.tests()), len(pairs), "graded")))
        if run.code not in (0, 1, 3):
            raise yard.trouble(run)
        judge = Judge(run, self.secret)
        self.grades |= {(given.id, chapter.name): judge.grade(given, chapter)
                        for given, chapter in pairs}
        self.sandboxes |= _sandboxes(run)
        return judge

    def students(self, rules):
        return [Student(given, rules, [
            self.grades.get((given.id, chapter.name)) or _ungraded(given, chapter)
            for chapter in self.chapters]) for given in self.submissions]

    def layers(self):
        kinds = set(self.sandboxes.values())
        isolated = kinds <= {yard.SANDBOX}
        ours = {name: said if isinstance(said, str) else ""
                for name, said in self.yard.layers.items()}
        if not isolated and not ours["references closed"]:
            ours["references closed"] = f"only a {yard.SANDBOX} closes them"
        return [
            Layer("intake by name"), Layer("object check"),
            *(Layer(name, not said, said) for name, said in ours.items()),
            Layer("sandbox without network", isolated, "" if isolated else
                  "it ran in: " + ", ".join(sorted(kinds))),
            Layer("a process with limits for each test"),
            Layer("keyed results"), Layer("canaries"),
            Layer("hidden data", bool(self.secret), "" if self.secret else
                  "no --hidden FILE was given"), self._outside()]

    def _outside(self):
        seen = [len(grade.graded["confirmed"]) for grade in self.grades.values()
                if grade.graded]
        return Layer("seen from outside", any(seen), "no test of these chapters"
                     if not any(seen) else f"{sum(seen)} passes")


def _labels(pairs):
    return [overlay.label(*pair) for pair in pairs]


def _stand_ins(given, chapters):
    return [f"{tree.relative(path)}: not handed in, so the skeleton stands in"
            for chapter in chapters for path in tree.files(chapter)
            if tree.relative(path) not in given.files]


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
