"""check and watch: the verdict on a chapter, now or at every save."""

import sys
import textwrap
import time

from course import board, results, screen, tree
from course.problem import Problem

POLL = 0.2  # seconds between two looks at the files
PATIENCE = 2.0  # an editor may take a file away this long before it is back


def register(add):
    parser = add("check", check, "learners", "build and run a chapter's tests",
                 chapter="optional", json=True)
    parser.add_argument("--all", action="store_true", help="every chapter")
    parser.add_argument("--seed", metavar="N", type=int,
                        help="with the random data that a report names")
    add("watch", watch, "learners", "check again at every save; Ctrl-C ends it",
        chapter="optional", json=True)


def check(args):
    if args.all and args.chapter:
        raise Problem("check takes a chapter or --all, not both", 2)
    if args.all:
        found = results.check(tree.chapters())
    elif args.chapter:
        found = results.check([tree.find(args.chapter)], args.seed)
    elif args.seed:
        raise Problem("--seed goes with a chapter: check NN --seed N", 2)
    else:
        found = [results.current()]
    if args.json:
        screen.as_json(board.as_json(found))
    elif args.all:
        board.show(found)
        _first_failure(found)
    else:
        show(found[0])
    return int(any(result.state != "done" for result in found))


def _first_failure(found):
    """One line on the first thing that fails."""
    for result in found:
        if result.failed and not result.error:
            rule = result.failed[0]
            screen.say(f"First failure: {rule['id']} {result.why(rule['id'])}")
            return


def show(result):
    """The verdict: the first failure in full, the rest as a list."""
    chapter = result.chapter
    screen.say_parts(
        (f"{chapter.number} {chapter.title}", screen.HEAD),
        f"  {result.points} of {result.max_points} points, "
        f"{len(result.passed)} of {len(result.rules)} rules\n")
    if result.error:
        show_error(result.error)
    elif result.failed:
        _show_failures(result)
    for where, text in result.warnings[:3]:
        screen.say(f"warning: {where}: {text}", "yellow")
    if not result.failed:
        screen.say("Every rule passes.", screen.GOOD)
        screen.say(f"Compare your code with ours: ./course diff {chapter.number}")
        _say_next_chapter(chapter)


def show_error(error):
    screen.say(f"It does not compile: {error.where()}" if error.line else
               "It compiles, but does not link.", screen.BAD)
    for number, text in error.excerpt():
        mark = ">" if number == error.line else " "
        screen.say(f" {mark} {number:>4} | {text}",
                   "" if number == error.line else screen.DIM)
    screen.say(f"\nerror: {error.message}")
    if error.meaning:
        screen.say(textwrap.fill(error.meaning, 80), screen.HEAD)
    if not error.path.startswith("chapters/") and error.line:
        screen.say("This file is not yours to write: if you have not changed the "
                   "chapter's header,\nthe mistake is the course's.")
    if error.more:
        plural = "s" if error.more > 1 else ""
        screen.say(f"... and {error.more} more error{plural}, which may go away "
                   "with this one.")


def _show_failures(result):
    first, others = result.failed[0], result.failed[1:]
    tests = result.tests(first["id"])
    screen.say(tests[0]["text"].rstrip() if tests else
               f"{first['id']}: {result.why(first['id'])}")
    if others:
        screen.say("\nAlso failing:", screen.HEAD)
    width = max((len(rule["id"]) for rule in others), default=0)
    for rule in others:
        line = f"  {rule['id']:<{width}}  {result.why(rule['id'])}"
        screen.say(line if len(line) <= 80 else line[:77] + "...")
    step = result.failing_step()
    screen.say(f"\nNext: {step.number} {step.title}  (./course hint "
               f"{result.chapter.number})", screen.HEAD)


def _say_next_chapter(chapter):
    after = _after(chapter)
    if after:
        screen.say(f"Next: chapter {after.number}, {after.title}  "
                   f"(./course read {after.number})")


def _after(chapter):
    """The chapter that follows, or None after the last."""
    later = [name for name in tree.names() if name > chapter.name]
    return tree.chapter(later[0]) if later else None


def watch(args):
    """Without a chapter, goes on with the next one when one is complete."""
    chapter = tree.find(args.chapter) if args.chapter else \
        results.current().chapter
    while True:
        following = None if args.chapter else _after(chapter)
        watched = [chapter, following] if following else [chapter]
        seen = {each.name: snapshot(each) for each in watched}
        result = _check_once(chapter, args.json)
        if result and result.state == "done":
            chapter = watched[-1]
        wait_for_change(chapter, seen[chapter.name])


def _check_once(chapter, json):
    start = time.monotonic()
    try:
        result = results.check([chapter])[0]
    except Problem as problem:  # Bazel's own: the next save may find it mended
        screen.clear()
        print(f"course: {problem}", file=sys.stderr)
        return None
    if json:
        screen.as_json(board.as_json([result]))
        return result
    screen.clear()
    show(result)
    screen.say(f"\n{time.strftime('%H:%M:%S')}, in {time.monotonic() - start:.1f} s. "
               "Waiting for you to save; Ctrl-C ends this.", screen.DIM)
    return result


def snapshot(chapter):
    """{path: what changes with a save} of the chapter's files."""
    seen = {}
    for path in (tree.ROOT / "chapters" / chapter.name).iterdir():
        if path.suffix in (".cc", ".h", ".md") or path.name == "BUILD":
            try:
                stat = path.stat()
            except FileNotFoundError:  # it vanished between the two calls
                continue
            seen[path] = (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size,
                          stat.st_ino)
    return seen


def wait_for_change(chapter, seen):
    """Returns once a file is not as it was and none of them is missing."""
    while snapshot(chapter) == seen:
        time.sleep(POLL)
    give_up = time.monotonic() + PATIENCE
    while seen.keys() - snapshot(chapter).keys() and time.monotonic() < give_up:
        time.sleep(POLL)
