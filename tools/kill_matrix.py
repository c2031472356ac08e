#!/usr/bin/env python3
"""The kill matrix: which rules each wrong solution fails.

    tools/kill_matrix.py [CHAPTER ...]      as a table
    tools/kill_matrix.py --json

Read from the mutants' patches. That they say the truth is what //tests:mutants
and //tests:more_mutants prove: the rules that fail, and no others.
"""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def read_mutant(path):
    """{"name", "sees", "rules"} of a patch's first lines."""
    fields = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("--- "):
            break
        key, _, value = line.partition(": ")
        fields[key] = value.strip()
    return {"name": fields["Mutant"], "sees": fields["What the user sees"],
            "rules": fields["Caught by"].split()}


def chapters(root=ROOT, files="**/*.patch"):
    """{chapter: [mutant, ...]}, in order."""
    return {folder.parent.name: [read_mutant(p) for p in sorted(folder.glob(files))]
            for folder in sorted(root.glob("tests/[0-9]*/mutants"))}


def table(mutants):
    """One row per mutant, one column per rule, a mark where it is caught."""
    rules = sorted({rule for m in mutants for rule in m["rules"]},
                   key=lambda r: (r.split("-")[0], int(r.split("-")[1])))
    width = max(len(m["name"]) for m in mutants)
    # The ids stand upright, so that a row stays narrow.
    height = max(map(len, rules))
    lines = [" " * width + "  " + " ".join(rule.rjust(height)[i] for rule in rules)
             for i in range(height)]
    for mutant in mutants:
        marks = " ".join("x" if rule in mutant["rules"] else "." for rule in rules)
        lines.append(f"{mutant['name']:<{width}}  {marks}")
    return "\n".join(lines)


def main():
    found = chapters()
    if sys.argv[1:] == ["--json"]:
        print(json.dumps(found, indent=1))
        return
    unknown = [name for name in sys.argv[1:] if name not in found]
    if unknown:
        sys.exit(f"no mutants of {unknown[0]}; there are those of {', '.join(found)}")
    for chapter, mutants in found.items():
        if mutants and (not sys.argv[1:] or chapter in sys.argv[1:]):
            print(f"{chapter}: {len(mutants)} wrong solutions\n\n{table(mutants)}\n")


if __name__ == "__main__":
    main()
