"""status: every chapter at a glance, and what is next."""

from course import results, screen, tree

STYLES = {"done": screen.GOOD, "broken": screen.BAD, "started": "yellow",
          "untouched": screen.DIM}
BAR = 20


def register(add):
    add("status", status, "learners", "the board: points of every chapter, and"
        " what is next", json=True)


def status(args):
    found = results.up_to_date(tree.chapters())
    if args.json:
        screen.as_json(as_json(found))
    else:
        show(found)


def as_json(found):
    return {"schema": 1, "chapters": [result.as_json() for result in found]}


def show(found):
    """The board, at most 80 columns wide."""
    for result in found:
        screen.say_parts(*_line(result))
    points = sum(result.points for result in found)
    screen.say(f"\n{points} of {sum(r.max_points for r in found)} points")
    say_next(next((r for r in found if r.state != "done"), None))


def _line(result):
    title = f"{result.chapter.number} {result.chapter.title}"
    filled = BAR * result.points // max(1, result.max_points)
    style = STYLES[result.state]
    rules = f"{len(result.passed)}/{len(result.rules)}"
    return [(f"{title[:27]:<27} ", screen.HEAD),
            ("█" * filled, screen.GOOD), ("░" * (BAR - filled), screen.DIM),
            f" {result.points:>3}/{result.max_points:<3} {rules:>5} rules  ",
            (result.state, style)]


def say_next(result):
    """One line: what to do now, after the Result that lacks points."""
    if result is None:
        screen.say("Every chapter is complete.", screen.GOOD)
    elif result.error:
        screen.say(f"Next: {result.chapter.name} does not compile  "
                   f"(./course check {result.chapter.number})")
    else:
        step = result.failing_step()
        screen.say(f"Next: {step.number} {step.title}  (./course next)")
