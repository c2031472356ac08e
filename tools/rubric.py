"""Reads a chapter's README: its rules, points, steps and hints.

The README is their only home. The build calls this file to make the table
that the runner of graded tests reads; ./course imports it.
"""

import argparse
import dataclasses
import pathlib
import re
import sys

HEADINGS = ["Goal", "What changed since", "Picture", "Rules", "Task", "Run",
            "Hints", "Going further"]
RULE_ID = r"[A-Z][A-Z0-9]*-[0-9]+"


class Broken(Exception):
    """A README or a test that does not have the form that is needed."""


@dataclasses.dataclass
class Rule:
    id: str
    text: str
    points: int
    line: int
    step: str = ""


@dataclasses.dataclass
class Step:
    number: str
    title: str
    line: int
    text: str = ""
    rules: list = dataclasses.field(default_factory=list)
    hints: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Chapter:
    path: pathlib.Path
    name: str
    number: str
    title: str
    rules: list
    steps: list

    def rule(self, rule_id):
        return next((r for r in self.rules if r.id == rule_id), None)

    def step(self, number):
        return next((s for s in self.steps if s.number == number), None)


@dataclasses.dataclass
class Test:
    name: str
    rule: str
    file: str
    line: int


def read_readme(path):
    """Returns the Chapter of a README.md; raises Broken with file and line."""
    path = pathlib.Path(path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Broken(f"{path}: {error}") from None

    def broken(line, what):
        return Broken(f"{path}:{line}: {what}")

    title = re.fullmatch(r"# (\d\d) (.+)", lines[0]) if lines else None
    if not title:
        raise broken(1, 'the first line is not "# NN Title"')
    chapter = Chapter(path, path.resolve().parent.name, title[1], title[2], [], [])
    sections = _sections(lines)
    found = [name for name, _, _ in sections]
    if len(found) != len(HEADINGS) or any(
            not have.startswith(want) for have, want in zip(found, HEADINGS)):
        raise broken(1, "the headings are " + ", ".join(found) + "; they must be "
                     + ", ".join(HEADINGS))
    place = {want: (start, end) for want, (_, start, end) in zip(HEADINGS, sections)}
    chapter.rules = _rules(lines, *place["Rules"], broken)
    chapter.steps = _steps(lines, *place["Task"], broken)
    for step in chapter.steps:
        for rule_id in step.rules:
            rule = chapter.rule(rule_id)
            if rule is None or rule.step:
                raise broken(step.line, f"{rule_id} is " + (
                    f"in step {rule.step} already" if rule else "not in the table"))
            rule.step = step.number
    for rule in chapter.rules:
        if not rule.step:
            raise broken(rule.line, f"{rule.id} belongs to no step")
    # In the order in which a learner meets them.
    order = [rule_id for step in chapter.steps for rule_id in step.rules]
    chapter.rules.sort(key=lambda rule: order.index(rule.id))
    total = sum(rule.points for rule in chapter.rules)
    if total != 100:
        raise broken(place["Rules"][0] + 1, f"the points sum to {total}, not 100")
    _hints(lines, *place["Hints"], chapter, broken)
    return chapter


def _sections(lines):
    """[(heading, first line, line after the last)], numbers from 0."""
    starts, fenced = [], False
    for i, line in enumerate(lines):
        if line.startswith("```"):
            fenced = not fenced
        elif line.startswith("## ") and not fenced:
            starts.append((line[3:].strip(), i))
    ends = [start for _, start in starts[1:]] + [len(lines)]
    return [(name, start, end) for (name, start), end in zip(starts, ends)]


def _rules(lines, start, end, broken):
    rules = []
    for i in range(start, end):
        if not lines[i].startswith("|"):
            continue
        cells = [c.strip() for c in re.split(r"(?<!\\)\|", lines[i].strip("| \t"))]
        if cells[0] == "id" or set(cells[0]) <= set("-: "):
            continue
        if len(cells) != 3 or not re.fullmatch(RULE_ID, cells[0]) \
                or not cells[2].isdigit():
            raise broken(i + 1, 'a rule is "| ID-1 | words | points |"')
        if any(r.id == cells[0] for r in rules):
            raise broken(i + 1, f"{cells[0]} is here twice")
        rules.append(Rule(cells[0], cells[1].replace("\\|", "|"), int(cells[2]), i + 1))
    if not rules:
        raise broken(start + 1, "there is no rule")
    return rules


def _numbered(lines, start, end):
    """The "### NN.S Title" parts: [(number, title, line, body lines)]."""
    parts = []
    for i in range(start, end):
        match = re.fullmatch(r"### (\d\d\.\d+)\s*(.*)", lines[i])
        if match:
            parts.append((match[1], match[2], i + 1, []))
        elif parts:
            parts[-1][3].append(lines[i])
    return parts


def _steps(lines, start, end, broken):
    steps = []
    for number, title, line, body in _numbered(lines, start, end):
        text = "\n".join(body).strip()
        named = re.match(rf"Rules?: ((?:{RULE_ID}(?:, |,\n| and )?)+)\.", text)
        if not named:
            raise broken(line, f'step {number} does not begin with "Rules: ID-1, ID-2."')
        steps.append(Step(number, title, line, text, re.findall(RULE_ID, named[1])))
    if not steps:
        raise broken(start + 1, "there is no step")
    return steps


def _hints(lines, start, end, chapter, broken):
    for number, _, line, body in _numbered(lines, start, end):
        step = chapter.step(number)
        if step is None:
            raise broken(line, f"hints for {number}, which is no step")
        step.hints = [h.strip() for h in re.findall(
            r"<details>\s*<summary>.*?</summary>(.*?)</details>", "\n".join(body), re.S)]
    for step in chapter.steps:
        if len(step.hints) != 3:
            raise broken(step.line, f"step {step.number} has {len(step.hints)} hints, not 3")


def read_tests(paths):
    """The graded tests of these sources: each TEST with the rule it names."""
    tests = []
    for path in paths:
        text = pathlib.Path(path).read_text(encoding="utf-8")
        for match in re.finditer(r"^TEST(?:_F)?\((\w+),\s*(\w+)\)\s*\{\n(.*\n)",
                                 text, re.M):
            line = text.count("\n", 0, match.start()) + 1
            rule = re.match(rf'\s*RULE\("({RULE_ID})"\);', match[3])
            if not rule:
                raise Broken(f"{path}:{line}: the first line of a graded test is "
                             'RULE("ID-1");')
            tests.append(Test(f"{match[1]}.{match[2]}", rule[1], str(path), line))
    return tests


def check_agreement(chapter, tests):
    """Every rule has a test, and every test a rule of this chapter."""
    tested = {test.rule for test in tests}
    for test in tests:
        if chapter.rule(test.rule) is None:
            raise Broken(f"{test.file}:{test.line}: {test.rule} is not in {chapter.path}")
    for rule in chapter.rules:
        if rule.id not in tested:
            raise Broken(f"{chapter.path}:{rule.line}: no test checks {rule.id}")


def check_confirmations(tests, confirmations):
    """Each test of a driver has one of the same name and rule among the tests."""
    rules = {test.name: test.rule for test in tests}
    for seen in confirmations:
        if rules.get(seen.name) != seen.rule:
            raise Broken(f"{seen.file}:{seen.line}: no test {seen.name} of "
                         f"{seen.rule} is there to be confirmed")


def table(chapter, tests, confirmations=()):
    """The runner's table: one record a line, fields joined by tabs."""
    rows = [("chapter", chapter.name, chapter.title)]
    rows += [("rule", r.id, str(r.points), r.step, str(r.line), r.text)
             for r in chapter.rules]
    rows += [("test", t.name, t.rule, t.file, str(t.line)) for t in tests]
    rows += [("confirmation", seen.name) for seen in confirmations]
    return "".join("\t".join(row) + "\n" for row in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readme", required=True)
    parser.add_argument("--tests", nargs="+", required=True)
    parser.add_argument("--driver", nargs="*", default=[])
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    try:
        chapter = read_readme(arguments.readme)
        chapter.name = pathlib.Path(arguments.readme).parent.name
        tests = read_tests(arguments.tests)
        check_agreement(chapter, tests)
        confirmations = read_tests(arguments.driver)
        check_confirmations(tests, confirmations)
    except Broken as error:
        sys.exit(str(error))
    pathlib.Path(arguments.out).write_text(
        table(chapter, tests, confirmations), encoding="utf-8")


if __name__ == "__main__":
    main()
