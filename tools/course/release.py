"""release: the students' edition, without what answers the exercises."""

import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

from course import results, screen, submit, tree
from course.problem import Problem

# What students get, by why they do. What nothing here names does not go out: a
# new folder has to be named first.
TAKEN = {
    "a chapter: its text, its contract, its skeleton and its programs":
        r"chapters/\d\d_\w+/(BUILD|README\.md|\w+\.(cc|h))",
    "how chapters are built, and which skeletons are untouched":
        r"chapters/(BUILD|(edition|exercise)\.bzl|skeletons\.txt)",
    "a chapter's tests and what they share, but not what sees it from outside":
        r"tests/\d\d_\w+/(BUILD|record_\w+\.js|(?!driver|subject)\w+\.(cc|h))",
    "what chapters include, and what runs their tests":
        r"common/(testing/((certificates|runner)/)?)?(BUILD|README\.md|\w+\.(cc|h|bzl))",
    "where GoogleTest and OpenSSL come from":
        r"third_party/(\w+\.(BUILD|bazelrc|bzl)|BUILD|(no_coverage|registry)/.+)",
    "how all of it is built":
        r"\.bazelignore|\.bazelrc|BUILD|MODULE\.bazel|WORKSPACE(\.bzlmod)?",
    "how an editor and git go about their code":
        r"\.clang-format|\.clang-tidy|\.gitignore",
    "what the build calls":
        r"tools/(BUILD|python\.bzl|vet\.(bzl|py)|(rubric|skeletons)\.py)",
    "the command for learners: intake is how submit reads its own archive":
        r"course|tools/packages\.txt|tools/course/(BUILD|(__init__|__main__|bazel"
        r"|board|check|compiler|doctor|intake|learn|main|problem|results|screen|state"
        r"|submit|text|tree|work)\.py)",
    "what it is, what is new in it, and who may copy it":
        r"README\.md|CHANGELOG\.md|LICENSE",
}
# What graded_tests() is told of them.
THEIR_LINES = re.compile(
    r"^    (?:alternative|mutants|outside) = (?:glob\()?\[[^\]]*\]\)?,\n"
    r'|\n(?:^#.*\n)*^cc_library\(\n    name = "driver_\w+",\n(?:^ .*\n)*^\)\n',
    re.MULTILINE)
PASSAGE = 5  # lines of a solution in a row, not all in its skeleton or header
MOST_HINTED = 1 / 3  # of a solution's passages in its chapter's README


def register(add):
    add("release", release, "instructors", "write the students' edition, and prove "
        "it").add_argument("folder", metavar="DIR", type=Path)


def release(args):
    folder = args.folder
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Problem(f"{folder} is there already, and not empty", 2)
    if folder.resolve().is_relative_to(tree.ROOT):
        raise Problem(f"{folder} lies in this checkout; choose another place", 2)
    files = edition(tree.pristine())
    found = leaks(files)
    if found:
        raise Problem("nothing was written, for these stand in the edition too:\n  "
                      + "\n  ".join(found[:20]))
    write(folder, files)
    screen.say(f"{folder}: {len(files)} files, no passage of a solution.")
    prove(folder)
    tidy(folder)
    commit(folder)
    screen.say("Every chapter builds there, and its skeleton earns nothing.",
               screen.GOOD)


def edition(files):
    """{path: (bytes, mode)} of what students get, of all that there is."""
    taken = re.compile("|".join(TAKEN.values()))
    kept = {path: found for path, found in files.items() if taken.fullmatch(path)}
    edits = {path: THEIR_LINES.sub("", kept[path][0].decode()) for path in kept
             if re.fullmatch(r"tests/\d\d_\w+/BUILD", path)}
    edits["chapters/edition.bzl"] = \
        files["chapters/edition.bzl"][0].decode().replace("= False", "= True")
    edits |= {path: chapter_text(kept[path][0].decode()) for path in kept
              if re.fullmatch(r"chapters/\d\d_\w+/README\.md", path)}
    edits["README.md"] = readme(files, kept)
    return kept | {path: (text.encode(), kept[path][1])
                   for path, text in edits.items()}


def readme(files, kept):
    """Their own beginning, then the path and how to work, as in ours; without
    the paragraphs and lines that lead to what is not there."""
    ours = files["README.md"][0].decode()
    parts = [part for part in re.split(r"^(?=## )", ours, flags=re.MULTILINE)
             if part.startswith(("## The path", "## Work through"))]
    text = "\n".join([files["docs/students.md"][0].decode(), *parts])
    paragraphs = [
        "\n".join(line for line in paragraph.split("\n")
                  if "//solutions/" not in line)
        for paragraph in text.rstrip().split("\n\n")
        if set(re.findall(r"\]\(([\w./]+)\)", paragraph)) <= kept.keys()
        and "--config=mine" not in paragraph]
    return "\n\n".join(paragraphs) + "\n"


def chapter_text(text):
    """A chapter's text where there is no reference: its commands run the
    student's own programs."""
    text = "\n\n".join(paragraph for paragraph in text.split("\n\n")
                       if not re.search(r"`[^`]* --reference\b", paragraph))
    text = re.sub(r"\s\((?:[^()]|\(\))*`solutions/[^()]*\)", "", text)
    return re.sub(r" --reference\b", "", text).replace("solutions/", "chapters/")


def leaks(files):
    """["path:line: as in solutions/..."]: passages of a solution in `files`.

    The hints of a chapter show some of its lines: see MOST_HINTED.
    """
    known, size = {}, Counter()  # {passage: (its solution, line)}, {solution: passages}
    for path in [*tree.ROOT.glob("solutions/*/*.cc"),
                 *tree.ROOT.glob("tests/*/alternative/*.cc")]:
        given = _given(path)
        for passage, line in _passages(path.read_text()):
            if not given.issuperset(passage):
                known.setdefault(passage, (tree.relative(path), line))
                size[tree.relative(path)] += 1
    found, hinted = [], Counter()
    for path, (data, _) in files.items():
        for passage, line in _passages(data.decode(errors="replace")):
            if passage not in known:
                continue
            solution, at = known[passage]
            if re.fullmatch(r"chapters/\d\d_\w+/README\.md", path):
                hinted[path, solution] += 1
            else:
                found.append(f"{path}:{line}: as in {solution}:{at}")
    return found + [
        f"{path}: {count} of the {size[solution]} passages of {solution}"
        for (path, solution), count in hinted.items()
        if count > MOST_HINTED * size[solution]]


def _given(solution):
    """The lines that a solution's chapter gives away: of skeletons and headers."""
    chapter = next(part for part in solution.parts if re.match(r"\d\d_", part))
    return {line for path in (tree.ROOT / "chapters" / chapter).glob("*.*")
            if path.suffix in (".cc", ".h")
            for line, _ in _code(path.read_text())}


def _passages(text):
    """[(PASSAGE lines in a row, the number of the first)]"""
    lines = list(_code(text))
    return [(tuple(line for line, _ in lines[i:i + PASSAGE]), lines[i][1])
            for i in range(len(lines) - PASSAGE + 1)]


def _code(text):
    """(line, number) of the lines that say anything: no blank, brace, include,
    or remark."""
    for number, line in enumerate(text.splitlines(), 1):
        line = " ".join(line.split())
        if re.search(r"\w", line) and not line.startswith(("//", "#")):
            yield line, number


def write(folder, files):
    for path, (data, mode) in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        place.chmod(mode)


def prove(folder):
    """Has the edition itself build and test every chapter: none may pass."""
    with screen.busy("building the edition and testing its skeletons"):
        done = subprocess.run([folder.resolve() / "course", "status", "--json"],
                              cwd=folder, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
    try:
        found = {each["chapter"]: each for each in json.loads(done.stdout)["chapters"]}
    except (ValueError, LookupError, TypeError):
        raise Problem(f"{folder} is written, but does not build:\n"
                      + done.stderr[-2000:]) from None
    for name in tree.names():
        logs = folder / "bazel-testlogs/chapters" / name / "test"
        _prove_red(name, found.get(name, {}), results.read(logs))


def _prove_red(name, board, graded):
    """The skeleton compiles, earns nothing, and asks for what is to do."""
    if not board or board["error"] or not graded:
        raise Problem(f"{name} of the edition does not compile: "
                      f"{board.get('error', 'it has no verdict')}")
    passed = [test["name"] for test in graded["tests"] if test["verdict"] == "PASS"]
    if board["points"] or passed:
        raise Problem(f"the skeleton of {name} earns points: {', '.join(passed)}")
    if not any(test["todo"] for test in graded["tests"]):
        raise Problem(f"no test of {name} says what is still to do")


def tidy(folder):
    """What the proof leaves is of this machine, and not to be handed out."""
    for link in folder.glob("bazel-*"):
        if link.is_symlink():
            link.unlink()
    shutil.rmtree(folder / tree.STATE.name, ignore_errors=True)


def commit(folder):
    """A history of one commit, from which `reset` takes the skeletons."""
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], [
            "-c", "user.name=sockets", "-c", "user.email=sockets@localhost",
            "commit", "-q", "-m", f"sockets {submit.version()}, for students"]):
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True,
                              text=True)
        if done.returncode:
            raise Problem(f"git {words[-1]}: {done.stderr.strip()}")
