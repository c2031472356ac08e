"""test and compile-commands: for the repository as a whole, and for editors."""

import json

import lint as style
from course import bazel, screen, state, tree
from course.problem import Problem

GROUP = "the repository"


def register(add):
    add("test", test, GROUP, "every test of the repository: "
        "test [TARGETS] [-- BAZEL OPTIONS]", json=True
        ).add_argument("targets", nargs="*", metavar="TARGET")
    add("lint", lint, GROUP, "the repository's style")
    add("compile-commands", compile_commands, GROUP,
        "write compile_commands.json, for editors")


def test(args):
    edited = [c for c in tree.chapters() if not tree.untouched(c)]
    # Code that does not compile yet must not fail the rest.
    left_out = [pattern for c in edited for pattern in
                (f"-//chapters/{c.name}/...", f"-//tests/{c.name}:skeleton_test",
                 f"-//tests/{c.name}:skeleton_test_bin")]
    if edited and not args.json:
        names = ", ".join(chapter.name for chapter in edited)
        screen.say(f"You have begun {names}: not tested that its skeleton "
                   "earns nothing.")
    with screen.busy("building") as change:
        done = bazel.run(
            "test", "--keep_going", "--test_output=errors", *args.rest,
            "--", *(args.targets or ["//..."]), *left_out,
            watch=lambda run: change(_progress(run)))
    passed, failed = tally(done)
    if not passed and not failed:
        raise done.trouble()
    return _report(args, done, passed, failed, edited)


def lint(args):
    return style.main()


def _report(args, done, passed, failed, edited):
    if args.json:
        screen.as_json({"schema": 1, "passed": passed, "failed": failed,
                        "left_out": [c.name for c in edited]})
    else:
        if failed:
            screen.say(done.output.rstrip())
        for label in failed:
            screen.say_parts(("FAILED ", screen.BAD), label)
        screen.say(f"{len(passed)} passed, {len(failed)} failed")
    return int(bool(failed or not passed))


def _progress(run):
    done = run.tests()
    total = sum("testSize" in payload
                for _, payload in run.of_kind("targetConfigured"))
    bad = sum(verdict != "PASSED" for verdict in done.values())
    return f"{len(done)} of {total} tests" + (f", {bad} failed" if bad else "")


def tally(run):
    """([passed], [failed]): tests, and whatever did not build."""
    tests = run.tests()
    passed = [label for label, verdict in tests.items() if verdict == "PASSED"]
    failed = [label for label, verdict in tests.items() if verdict != "PASSED"]
    failed += [id["label"] for id, payload in run.of_kind("targetCompleted")
               if not payload.get("success") and id["label"] not in tests]
    return sorted(passed), sorted(set(failed))


def compile_commands(args):
    """From Bazel's own list of compiler runs; it builds nothing."""
    with screen.busy("asking Bazel"):
        actions = json.loads(bazel.output_of(
            "aquery", "--output=jsonproto", 'mnemonic("CppCompile", //...)'))
        execroot = bazel.output_of("info", "execution_root").strip()
    entries = {}
    for action in actions.get("actions", []):
        entry = _entry(action["arguments"], execroot)
        if entry:
            entries[entry["file"]] = entry
    if not entries:
        raise Problem("Bazel knows no C++ file here")
    state.write(tree.ROOT / "compile_commands.json",
                json.dumps(list(entries.values()), indent=1).encode())
    screen.say(f"compile_commands.json: {len(entries)} files")


def _entry(arguments, execroot):
    """One file's entry, under its name in the checkout where it has one."""
    # clangd does not know this flag of g++.
    words = [w for w in arguments if w != "-fno-canonical-system-headers"]
    if "-c" not in words:
        return None
    source = words[words.index("-c") + 1]
    path = tree.ROOT / source
    name = str(path) if path.exists() else source
    return {"directory": execroot, "file": name,
            "arguments": [name if word == source else word for word in words]}
