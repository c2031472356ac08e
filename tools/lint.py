"""Checks of the repository's own style, each of which can fail.

    tools/lint.py            prints what is wrong, then `lint: N passed, N failed`

clang-format, clang-tidy and shellcheck run where they are installed, and are
counted as not run where they are not.
"""

import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CLANG_FORMAT = ["clang-format-14", "clang-format"]


def tracked(*patterns):
    # Also where root looks at somebody's checkout.
    out = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached",
         "--others", "--exclude-standard", *patterns],
        cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    return [ROOT / name for name in out.decode().split("\0")
            if name and (ROOT / name).is_file()]


def hits(paths, pattern, allowed=lambda path, line: False):
    """["path:line: text"] of every line that matches."""
    regex, found = re.compile(pattern), []
    for path in paths:
        text = path.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if regex.search(line) and not allowed(path, line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:90]}")
    return found


def cpp():
    return tracked("*.cc", "*.h")


def graded():
    return [p for p in tracked("tests/[0-9]*/*.cc", "tests/[0-9]*/*.h")
            if "alternative" not in p.parts]


def no_time_orders_a_test():
    """graded tests never sleep, and order nothing by time"""
    return hits(graded(), r"sleep_for|sleep_until|wait_for\(|usleep|nanosleep|[^a-z_]sleep\(")


def no_fixed_port():
    """tests use ports that the system chose"""
    return hits(graded(), r"htons\([1-9]|127\.0\.0\.1:[1-9]\d*\"\)\)?;.*bind")


def no_test_that_cannot_fail():
    """no test is disabled, skipped for ever, or true by itself"""
    return hits(graded(), r"EXPECT_TRUE\(true\)|ASSERT_TRUE\(true\)|DISABLED_|SUCCEED\(\)")


def references_are_finished():
    """a reference has nothing left to do"""
    return hits(tracked("solutions/*.cc"), r"TODO|FIXME|XXX|HACK")


def lines_fit():
    """C++ lines have at most 80 columns"""
    return hits(cpp(), r"^.{81,}", lambda path, line: "#include" in line)


# Classes that a chapter introduces whole: a header of its own size each.
WHOLE_CLASSES = {
    "chapters/07_event_loop/event_loop.h": 115,
    "chapters/10_socket/socket.h": 220,
    "chapters/10_socket/state.h": 180,
    "chapters/11_server/server.h": 130,
    "chapters/14_tls_socket/tls_socket.h": 150,
    "chapters/15_tls_server/client.h": 100,
    "chapters/15_tls_server/tls_server.h": 110,
}


def headers_fit_one_screen():
    """a chapter's header has at most 80 lines, but for those of whole classes"""
    lines = {str(p.relative_to(ROOT)): len(p.read_text(encoding="utf-8").splitlines())
             for p in tracked("chapters/*.h")}
    return [f"{name}: {n} lines" for name, n in lines.items()
            if n > WHOLE_CLASSES.get(name, 80)]


def headers_guard_themselves():
    """every header has #pragma once"""
    return [f"{p.relative_to(ROOT)}" for p in tracked("*.h")
            if "#pragma once" not in p.read_text(encoding="utf-8")]


def nothing_of_a_machine():
    """no path of a machine, no key, no host of a package registry"""
    return hits(tracked(), r"/home/[a-z]|/roo[t]/|BEGIN [A-Z ]*PRIVATE KEY"
                r"|deb\.debia[n]\.org|registry\.npmj[s]")


def nothing_binary():
    """every file is text, and ends with a newline"""
    return [f"{p.relative_to(ROOT)}" for p in tracked()
            if (data := p.read_bytes()) and (b"\0" in data or not data.endswith(b"\n"))]


def skeletons_are_listed():
    """chapters/skeletons.txt names each skeleton as it is"""
    run = subprocess.run([sys.executable, ROOT / "tools" / "skeletons.py", "--check"],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         check=False)
    return run.stdout.splitlines() if run.returncode else []


def formatted():
    """clang-format would change nothing"""
    program = next((p for p in CLANG_FORMAT if shutil.which(p)), None)
    if program is None:
        return None
    bad = []
    for path in cpp():
        out = subprocess.run([program, path], stdout=subprocess.PIPE, check=True).stdout
        if out != path.read_bytes():
            bad.append(f"{path.relative_to(ROOT)}: run {program} -i")
    return bad


def shell_is_clean():
    """shellcheck finds nothing in the shell scripts"""
    if not shutil.which("shellcheck"):
        return None
    run = subprocess.run(["shellcheck", "course", ".ci/run"], cwd=ROOT, text=True,
                         stdout=subprocess.PIPE, check=False)
    return run.stdout.splitlines()


def nothing_that_clang_tidy_knows():
    """clang-tidy finds no bug in the references"""
    if not shutil.which("clang-tidy"):
        return None
    run = subprocess.run(
        ["clang-tidy", "--quiet", *tracked("solutions/*.cc"), "--", "-std=c++20", "-I."],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    return run.stdout.splitlines() if run.returncode else []


CHECKS = [no_time_orders_a_test, no_fixed_port, no_test_that_cannot_fail,
          references_are_finished, lines_fit, headers_fit_one_screen,
          headers_guard_themselves, nothing_of_a_machine, nothing_binary,
          skeletons_are_listed, formatted, shell_is_clean,
          nothing_that_clang_tidy_knows]


def main():
    passed = failed = missing = 0
    for check in CHECKS:
        wrong = check()
        if wrong is None:
            missing += 1
            print(f"not run: {check.__doc__}: the program is not installed")
        elif wrong:
            failed += 1
            print(f"lint: {check.__doc__}; but:")
            print("".join(f"  {line}\n" for line in wrong[:20]), end="")
        else:
            passed += 1
    print(f"lint: {passed} passed, {failed} failed"
          + (f", {missing} not run" if missing else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
