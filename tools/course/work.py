"""diff, reset, run: the learner's own files and program."""

import datetime
import difflib
import os
import shutil
import subprocess

import skeletons
from course import bazel, check, compiler, results, screen, state, tree
from course.problem import Problem

SIDE_BY_SIDE = 165  # columns for two files of 80


def register(add):
    add("diff", diff, "learners", "your code beside ours, once yours passes",
        chapter="required"
        ).add_argument("--spoil", action="store_true",
                       help="show it although the chapter is not complete")
    add("reset", reset, "learners", "start a chapter over; your files are kept",
        chapter="required")
    parser = add("run", run, "learners", "the chapter's program with your code: "
                 "run NN [PROGRAM] [-- ARGUMENTS]", chapter="required")
    parser.add_argument("arguments", nargs="*", metavar="ARGUMENT")
    parser.add_argument("--reference", action="store_true",
                        help="with our code instead of yours")


def diff(args):
    chapter = tree.find(args.chapter)
    ours = _ours(chapter)
    if not args.spoil and results.of(chapter.name).state != "done":
        raise Problem(f"{chapter.name} is not complete yet; --spoil shows our "
                      "code all the same")
    for path in tree.files(chapter):
        _show_diff(path, ours / path.name)


def _ours(chapter):
    """The folder of the chapter's solution."""
    folder = tree.ROOT / "solutions" / chapter.name
    if not folder.is_dir():
        raise Problem("the solutions are not part of this edition")
    return folder


def _show_diff(yours, ours):
    names = [tree.relative(yours), tree.relative(ours)]
    left, right = (path.read_text(errors="replace").splitlines()
                   for path in (yours, ours))
    if shutil.get_terminal_size().columns >= SIDE_BY_SIDE:
        screen.say(f"{names[0]:<82}   {names[1]}", screen.HEAD)
        for mark, one, other in side_by_side(left, right):
            screen.say(f"{one:<80.80} {mark} {other:.80}",
                       "yellow" if mark.strip() else "")
        return
    styles = {"+": screen.GOOD, "-": screen.BAD, "@": screen.DIM}
    for line in difflib.unified_diff(left, right, *names, lineterm=""):
        screen.say(line, styles.get(line[0], ""))


def side_by_side(left, right):
    """[(mark, left line, right line)]; the mark is a space where they agree."""
    rows = []
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        for i in range(max(b - a, d - c)):
            rows.append((" " if kind == "equal" else "|",
                         left[a + i] if a + i < b else "",
                         right[c + i] if c + i < d else ""))
    return rows


def reset(args):
    chapter = tree.find(args.chapter)
    changed = {path: skeleton for path in tree.files(chapter)
               if (skeleton := original(path)) != _bytes(path)}
    if not changed:
        screen.say(f"{chapter.name} is as it was at the start.")
        return 0
    names = ", ".join(map(tree.relative, changed))
    if not args.yes and not screen.ask(f"Start {names} over? Yours will be kept."):
        raise Problem("nothing was changed (to answer beforehand: --yes)")
    now = datetime.datetime.now().strftime("%Y-%m-%d_%H.%M.%S.%f")
    backup = tree.STATE / "backup" / now
    for path, skeleton in changed.items():
        if path.exists():
            state.write(backup / tree.relative(path), path.read_bytes())
        state.write(path, skeleton)
    screen.say(f"{names}: as at the start. Yours is in {tree.relative(backup)}.")
    return 0


def _bytes(path):
    return path.read_bytes() if path.exists() else None


def original(path):
    """The skeleton's bytes, which git keeps whatever was committed since."""
    blob = skeletons.read(tree.ROOT)[tree.relative(path)]
    if path.is_file() and skeletons.blob_id(path.read_bytes()) == blob:
        return path.read_bytes()
    if not shutil.which("git"):
        raise Problem("there is no git here, which keeps the skeletons; nothing "
                      "was changed")
    # A checkout that belongs to someone else (root's command in your folder)
    # is safe to read: the blob's id is checked.
    found = subprocess.run(["git", "-c", f"safe.directory={tree.ROOT}",
                            "cat-file", "blob", blob], cwd=tree.ROOT,
                           capture_output=True)
    if found.returncode or skeletons.blob_id(found.stdout) != blob:
        said = found.stderr.decode(errors="replace").strip()
        raise Problem(f"git does not have the skeleton of {tree.relative(path)}; "
                      f"nothing was changed ({said})")
    return found.stdout


def run(args):
    chapter = tree.find(args.chapter)
    folder = _ours(chapter) if args.reference else tree.ROOT / "chapters" / chapter.name
    package = f"//{tree.relative(folder)}"
    with screen.busy(f"building the program of {chapter.number}"):
        found = bazel.output_of(
            "query", f'kind("cc_binary", {package}:*) except '
            f'attr("testonly", 1, {package}:*)').split()
        target, words = _choose(chapter, found, [*args.arguments, *args.rest])
        done = bazel.run("build", target)
    if done.code:
        errors = [error for _, output in done.failed_actions()
                  if (error := compiler.first_error(output))]
        if not errors:
            raise done.trouble()
        check.show_error(errors[0])
        return 1
    file = tree.ROOT / "bazel-bin" / target[2:].replace(":", "/")
    os.execv(file, [str(file), *words])


def _choose(chapter, targets, words):
    """The program's target, and its arguments: of several the first names it."""
    if not targets:
        raise Problem(f"chapter {chapter.number} has no program")
    if len(targets) == 1:
        return targets[0], words
    by_name = {target.split(":")[1]: target for target in targets}
    if not words or words[0] not in by_name:
        raise Problem(f"chapter {chapter.number} has several programs: ./course "
                      f"run {chapter.number} {' | '.join(sorted(by_name))}")
    return by_name[words[0]], words[1:]
