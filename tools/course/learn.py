"""read, next, hint, trace: what a learner looks at between two edits."""

import re
import textwrap

from course import results, screen, state, tree
from course.problem import Problem


def register(add):
    add("read", read, "learners", "a chapter's text", chapter="optional")
    add("next", next_, "learners", "the task you are at: its text, rules and files",
        json=True)
    parser = add("hint", hint, "learners", "the next hint for what fails first",
                 json=True)
    parser.add_argument("what", nargs="?", metavar="NN|RULE|STEP",
                        help="a chapter, CLIENT-3, or 02.3")
    parser.add_argument("--level", type=int, choices=(1, 2, 3))
    add("trace", trace, "learners", "what both ends of the wire did in a test",
        chapter="required", json=True
        ).add_argument("rule", nargs="?", metavar="RULE", help="CLIENT-3")


def read(args):
    chapter = tree.find(args.chapter) if args.chapter else \
        results.current().chapter
    text = chapter.path.read_text(encoding="utf-8")
    # The hints are for `hint`, one at a time.
    text = re.sub(r"^## Hints\n.*?(?=^## )", "## Hints\n\nOne at a time: "
                  f"`./course hint {chapter.number}`\n\n", text,
                  flags=re.MULTILINE | re.DOTALL)
    screen.page(text)


def next_(args):
    result = results.current().judged()
    chapter, step = result.chapter, result.failing_step()
    files = [tree.relative(path) for path in tree.files(chapter)]
    rules = [rule for rule in result.rules if step and rule["id"] in step.rules]
    if args.json:
        screen.as_json({"schema": 1, "chapter": chapter.name,
                        "step": step.number if step else None,
                        "title": step.title if step else None,
                        "rules": rules, "files": files})
        return
    if not step:
        screen.say("Every chapter is complete.", screen.GOOD)
        return
    screen.say_parts((f"{step.number} {step.title}", screen.HEAD),
                     f"   chapter {chapter.number}, {chapter.title}\n")
    screen.markdown(re.sub(r"^Rules?: .*?\.\n*", "", step.text, flags=re.DOTALL))
    screen.say()
    for rule in rules:
        passed = rule["verdict"] == "PASS"
        words = textwrap.wrap(f"{rule['id']}  {rule['text']}", 70)
        screen.say_parts(("  ok    " if passed else "  to do ",
                          screen.GOOD if passed else screen.BAD),
                         "\n        ".join(words))
    screen.say("\nYou write:  " + ", ".join(files))
    screen.say(f"Then:       ./course check {chapter.number}")
    screen.say(f"Stuck:      ./course hint {chapter.number}")


def rule_of(name):
    """(chapter, rule) by the rule's id: in the chapter that was tested last, if
    several have it."""
    rules = [(chapter, rule) for chapter in tree.chapters() for rule in chapter.rules]
    found = [pair for pair in rules if pair[1].id == name.upper()]
    if not found:
        raise tree.unknown("rule", name, [*{rule.id: 0 for _, rule in rules}])
    return max(found, key=lambda pair: results.tested_at(pair[0]))


def _step(what):
    """(chapter, step) of a rule, of a step's number, or of what fails first."""
    if what and re.match(r"\d+\.\d+$", what):
        chapter = tree.find(what.partition(".")[0])
        number = chapter.number + what[what.index("."):]
        if not chapter.step(number):
            raise tree.unknown("step", what, [s.number for s in chapter.steps])
        return chapter, chapter.step(number)
    if what and re.match(r"[A-Za-z]+\d*-", what):
        chapter, rule = rule_of(what)
        return chapter, chapter.step(rule.step)
    result = results.of(what).judged()
    if result.state == "done":
        raise Problem(f"nothing fails in {result.chapter.name}; name a rule or "
                      "a step to see its hints")
    return result.chapter, result.failing_step()


def hint(args):
    chapter, step = _step(args.what)
    seen = state.recall("hints").get(step.number)
    seen = seen if seen in (1, 2, 3) else 0
    level = args.level or min(seen + 1, 3)
    levels = [1, 2, 3] if seen == 3 and not args.level else [level]
    state.remember("hints", {step.number: max(level, seen)})
    if args.json:
        screen.as_json({"schema": 1, "chapter": chapter.name,
                        "step": step.number, "hints":
                        [{"level": n, "text": step.hints[n - 1]} for n in levels]})
        return
    screen.say(f"{step.number} {step.title}", screen.HEAD)
    if len(levels) > 1:
        screen.say("You have seen all three hints; here they are again.")
    for n in levels:
        screen.say(f"\nHint {n} of 3", screen.DIM)
        screen.markdown(step.hints[n - 1])


def trace(args):
    result = results.of(args.chapter).judged()
    test = _traced_test(result, args.rule)
    if args.json:
        screen.as_json({"schema": 1, "chapter": result.chapter.name, **test})
        return
    style = screen.GOOD if test["verdict"] == "PASS" else screen.BAD
    screen.say_parts((test["verdict"], style), f"  {test['rule']}  {test['name']}")
    screen.say(f"{result.why(test['rule'])}\n".lstrip("\n"))
    show_steps(test["steps"])


def _traced_test(result, rule):
    """The named rule's test, or the first that fails, or the first."""
    ids = [known["id"] for known in result.rules]
    rule = rule or (result.failed or result.rules)[0]["id"]
    if rule.upper() not in ids:
        raise tree.unknown(f"rule of {result.chapter.number}", rule, ids)
    tests = result.tests(rule.upper())
    if not tests:
        raise Problem(f"no test of {rule.upper()} has run")
    return tests[0]


def show_steps(steps):
    """A numbered time line, with a column for each end of the wire."""
    if not steps:
        screen.say("  (nothing was noted: the code under test made no call)")
        return
    ends = sorted(dict.fromkeys(step["who"] for step in steps),
                  key=lambda who: who != "you")
    width = max(24, 76 // len(ends))
    screen.say("      " + "".join(f"{end:<{width}}" for end in ends), screen.HEAD)
    for number, step in enumerate(steps, 1):
        indent = " " * (width * ends.index(step["who"]))
        screen.say(f"{number:>4}  {indent}{step['what']}")
