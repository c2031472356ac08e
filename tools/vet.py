#!/usr/bin/env python3
"""The object check: what a student's code may not hold, found before it runs.

    vet.py --out FILE --chapter NN_name --nm NM --compile 'g++ ...'
           --objects OBJECT... --foundation ARCHIVE... --sources FILE.cc...

Writes a line for each finding: "refused<tab>what" for code that is not run, and
"flag<tab>what" for a line that an instructor should look at, but that costs no
points. Both look at the code as the compiler sees it, after its preprocessor:
a macro hides nothing.
"""

import argparse
import pathlib
import posixpath
import re
import shlex
import subprocess
import sys
import tempfile

# What a symbol that is called, or an identifier, may mean. A chapter whose
# task needs one is named in MAY.
REFUSED_CALLS = [
    (r"v?fork|_Fork|clone|exec[lv]p?e?|fexecve|posix_spawnp?|system|popen",
     "starts processes"),
    (r"kill|killpg|tgkill|pidfd_\w+|getppid", "reaches for other processes"),
    (r"ptrace|process_vm_\w+|prctl|personality|mprotect|pkey_mprotect|userfaultfd",
     "reaches into a process's memory"),
    (r"syscall|dlv?sym|dlopen|dlmopen|dl_iterate_phdr|dladdr1?",
     "goes around the calls that the tests watch"),
    (r"(?:__)?environ|secure_getenv", "reads the runner's settings"),
    (r"_ZT?[INSV]*K?(?:7testing|6graded)\w*|__real_\w+",
     "calls the test library"),
]
FLAGGED_CALLS = [
    (r"_?exit|_Exit|quick_exit|(?:at_quick_|at|on_)exit", "ends the process"),
    (r"getenv", "reads the environment"),
    (r"(?:f|fd|fre)?open(?:64|at|at64)?|_ZNSt\d+basic_i?o?f(?:ilebuf|stream)\w*",
     "opens files"),
    (r"__libc_(?!single_threaded)\w+|_dl_\w+|backtrace\w*|_?_?(?:sig)?longjmp\w*",
     "calls what the library keeps for itself"),
]
FLAGGED_TEXT = [
    (r"/proc/|/sys/", "knows the system's files about processes"),
    (r"GRADED_|TEST_UNDECLARED|XML_OUTPUT_FILE|TESTBRIDGE|graded\.json",
     "knows the runner"),
    (r"gtest|\bPASSED\b", "knows the test library"),
]
MAY = {
    # A descriptor kept for a bad hour.
    "03_blocking_server": r"open",
    "06_poll_server": r"open",
    "11_server": r"open",
    "05_unix_sockets": r"v?fork|open|_exit",
    "12_services": r"signal|sigaction",
}

ASSEMBLER = re.compile(r"\b(?:asm|__asm|__asm__)\b")
ATTRIBUTE = re.compile(
    r"(?:__attribute__\s*\(\(|\[\[)[^;{}]*?\b_*(constructor|destructor|ifunc|alias"
    r"|weakref|weak|section|init_priority|symver|naked)_*\b")
PRAGMA = re.compile(r"#\s*pragma\s+(weak|redefine_extname)\b")
FRAMES = re.compile(r"\b__builtin_(?:return_address|frame_address|extract\w*)\b")
# The operators new and delete that a program may replace.
ALLOCATOR = (r"_Z(?:n[wa]m|d[la]Pvm?)(?:St11align_val_t)?(?:RKSt9nothrow_t)?")
TEST_LIBRARY = r"_ZT?[INSV]*K?(?:7testing|6graded)"
# A string or character literal, a comment, or a raw string.
LITERAL = re.compile(
    r'R"([^()\\\s]{0,16})\((?P<raw>.*?)\)\1"|"(?P<text>(?:\\.|[^"\\\n])*)"'
    r"|'(?:\\.|[^'\\\n])+'", re.S)
OWN_FOLDERS = ("/usr/include/", "/usr/lib/", "/usr/local/include/")


def one_line(text):
    return " ".join(text.split())[:90]


def own_lines(path, preprocessed):
    """([(number, line)] of the file itself, {headers it includes})."""
    lines, headers, here, number = [], set(), False, 0
    for line in preprocessed.splitlines():
        mark = re.match(r'# (\d+) "((?:\\.|[^"\\])*)"', line)
        if mark:
            if here and not mark[2].startswith("<") and mark[2] != path:
                headers.add(mark[2])
            here, number = mark[2] == path, int(mark[1])
            continue
        if here:
            lines.append((number, line))
        number += 1
    return lines, headers


def in_source(path, preprocessed):
    lines, headers = own_lines(path, preprocessed)
    for header in sorted(headers):
        if header.startswith("/"):
            header = posixpath.normpath(header)  # clang: /usr/bin/../lib/gcc
        if header.startswith("/") and not header.startswith(OWN_FOLDERS) \
                or "gtest" in header or ".." in header.split("/"):
            yield "refused", f"{path}: includes what is not the student's: {header}"
    text = "\n".join(line for _, line in lines)
    numbers = [number for number, _ in lines]

    def at(position):
        return f"{path}:{numbers[text.count(chr(10), 0, position)]}"

    strings = [(match.start(), match["raw"] or match["text"] or "")
               for match in LITERAL.finditer(text)]
    # Of the same length, so that positions stay what they are.
    bare = LITERAL.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)
    for pattern, meaning in ((ASSEMBLER, "assembler"),
                             (ATTRIBUTE, "an attribute for the linker"),
                             (PRAGMA, "a pragma for the linker"),
                             (FRAMES, "looks at its callers")):
        for match in pattern.finditer(bare):
            yield "refused", f"{at(match.start())}: {meaning}: {one_line(match[0])}"
    for pattern, meaning in FLAGGED_TEXT:
        for position, string in strings:
            if re.search(pattern, string):
                yield "flag", f"{at(position)}: {meaning}: {one_line(string)}"


def in_objects(objects, foundation, system, may):
    """`objects`, `foundation`: [(kind of nm, symbol)] of the student's objects,
    and of the libraries that it stands on; `system`: the system's symbols."""
    strong = {name for kind, name in foundation if kind in "TDBR"}
    for kind, name in objects:
        if kind in "Uwv":
            yield from _called(name, may)
        elif kind == "i":
            yield "refused", f"chooses a function at load time: {name}"
        elif (kind, name) == ("W", "__clang_call_terminate"):
            pass  # clang's own, for a noexcept function
        elif not name.startswith("_Z"):
            if kind.isupper() and (name in system or name.startswith("_")
                                   or name == "main"):
                yield "refused", f"defines a function of the system: {name}"
        elif re.fullmatch(ALLOCATOR, name) or re.match(TEST_LIBRARY, name) \
                or kind in "TDBRCAGS" and re.match(r"_Z(?:T[VTIS]S|NK?S|S)[a-z]", name):
            yield "refused", f"defines what is not its own: {name}"
        elif name in strong:
            yield "refused", f"defines what an earlier chapter has: {name}"


def _called(name, may):
    name = name.partition("@")[0]
    if may and re.fullmatch(may, name):
        return
    for kind, calls in (("refused", REFUSED_CALLS), ("flag", FLAGGED_CALLS)):
        for pattern, meaning in calls:
            if re.fullmatch(pattern, name):
                yield kind, f"{meaning}: {name}"


def symbols(nm, files, *options):
    """[(kind, symbol)] of object files and archives."""
    if not files:
        return []
    out = subprocess.run([nm, "-A", "-P", *options, *files], check=True,
                         text=True, stdout=subprocess.PIPE).stdout
    rows = (line.partition(": ")[2].split(" ") for line in out.splitlines())
    return [(row[1], row[0]) for row in rows if len(row) > 1]


def early_sections(objects):
    """Sections whose code runs before other constructors do."""
    found = set()
    for path in objects:
        data = pathlib.Path(path).read_bytes()
        found |= set(re.findall(rb"\.preinit_array|\.(?:init_array|ctors)\.\d+", data))
    return [("refused", "runs before the tests begin: section " + name.decode())
            for name in sorted(found)]


def output_of(*words):
    return subprocess.run(words, text=True, stdout=subprocess.PIPE, check=True,
                          errors="replace").stdout


def preprocessed(compile, path):
    """Into a file, for which the compiler's limits hold, too."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "out")  # not made here: clang replaces it
        done = subprocess.run([*compile, "-E", path, "-o", out], check=False)
        if done.returncode:
            sys.exit(1)  # the compiler has said why
        text = out.read_text(errors="replace")
    if f'"{path}"' not in text:
        sys.exit(f"vet.py: the compiler says nothing of {path}")
    return text


def main():
    parser = argparse.ArgumentParser()
    for name in ("--out", "--chapter", "--nm", "--compile"):
        parser.add_argument(name, required=True)
    for name in ("--objects", "--foundation", "--sources"):
        parser.add_argument(name, nargs="*", default=[])
    args = parser.parse_args()
    compile = shlex.split(args.compile)
    found = early_sections(args.objects)
    for path in args.sources:
        found += in_source(path, preprocessed(compile, path))
    libraries = [output_of(compile[0], f"-print-file-name={name}").strip()
                 for name in ("libc.so.6", "libstdc++.so.6", "libgcc_s.so.1")]
    system = {name.partition("@")[0] for kind, name in symbols(
        args.nm, libraries, "--dynamic", "--defined-only")}
    found += in_objects(symbols(args.nm, args.objects),
                        symbols(args.nm, args.foundation), system,
                        MAY.get(args.chapter, ""))
    pathlib.Path(args.out).write_text("".join(
        f"{kind}\t{one_line(what)}\n" for kind, what in dict.fromkeys(found)), encoding="utf-8")


if __name__ == "__main__":
    main()
