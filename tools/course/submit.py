"""submit: packs what you wrote, to be handed in."""

import gzip
import hashlib
import io
import json
import re
import tarfile
from pathlib import Path

import skeletons
from course import intake, screen, state, tree
from course.problem import Problem

ARCHIVE = "sockets-submission.tar.gz"
STYLES = {"packed": screen.GOOD, "untouched": screen.DIM, "missing": screen.BAD}


def register(add):
    parser = add("submit", submit, "students", "pack your .cc files, to be handed "
                 "in", json=True)
    parser.add_argument("chapters", nargs="*", metavar="NN",
                        help="chapters; without, all that you have begun")
    parser.add_argument("--all", action="store_true",
                        help="untouched files, too")
    parser.add_argument("--out", metavar="FILE", default=ARCHIVE,
                        help=f"the archive, {ARCHIVE} unless you say so")


def submit(args):
    chapters = [tree.find(name) for name in args.chapters] or tree.chapters()
    out = Path(args.out)
    # So that a slip of the pen cannot overwrite what you wrote.
    if not out.name.endswith((".tar.gz", ".tgz")):
        raise Problem(f"{out} is no name for the archive: end it in .tar.gz", 2)
    states = {path: look(path) for chapter in chapters
              for path in tree.files(chapter)}
    packed = {tree.relative(path): path.read_bytes()
              for path, found in states.items()
              if found == "changed" or found == "untouched" and args.all}
    check(packed)
    if packed:
        write(out, packed)
    report(args, out, states, packed)
    return int(not packed or "missing" in states.values())


def look(path):
    """untouched, changed, or missing."""
    if not path.is_file():
        return "missing"
    skeleton = skeletons.read(tree.ROOT)[tree.relative(path)]
    same = skeletons.blob_id(path.read_bytes()) == skeleton
    return "untouched" if same else "changed"


def check(files):
    """Raises what the grader would say, before anything is written."""
    for path, data in files.items():
        if reason := intake.refusal(data):
            raise Problem(f"{path} cannot be handed in: "
                          + reason.removeprefix("refused: "))


def pack(files):
    """The bytes of the archive: the same for the same files, whenever."""
    manifest = {"schema": 1, "course": version(), "files": [
        {"path": path, "size": len(data),
         "sha256": hashlib.sha256(data).hexdigest()}
        for path, data in sorted(files.items())]}
    packed = io.BytesIO()
    # Without a name and a time in gzip's header.
    with gzip.GzipFile("", "wb", mtime=0, fileobj=packed) as zipped, \
            tarfile.open(mode="w", fileobj=zipped,
                         format=tarfile.USTAR_FORMAT) as archive:
        text = json.dumps(manifest, indent=1).encode()
        for path, data in [(intake.MANIFEST, text), *sorted(files.items())]:
            member = tarfile.TarInfo(path)  # mtime 0, mode 644, owner 0
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()


def version():
    """The course's version, as MODULE.bazel has it."""
    text = (tree.ROOT / "MODULE.bazel").read_text()
    return re.search(r'version = "([^"]+)"', text)[1]


def write(out, packed):
    """Writes the archive whole or not at all, and takes it in as the grader does."""
    try:
        state.write(out, pack(packed))
    except OSError as error:
        raise Problem(f"{out} was not written: {error.strerror}; free some space "
                      "or choose another place with --out FILE") from None
    taken = intake.read(out, "you", list(skeletons.read(tree.ROOT)))
    if taken.files != packed:
        said = taken.refused or taken.unreadable or "; ".join(taken.notes)
        raise Problem(f"{out} does not hold what was packed ({said}); do not hand "
                      "it in")


def report(args, out, states, packed):
    """Says what became of each file."""
    shown = [(tree.relative(path), "packed" if tree.relative(path) in packed
              else found, found) for path, found in states.items()]
    if args.json:
        screen.as_json({"schema": 1, "archive": str(out) if packed else None,
                        "files": [{"path": path, "state": found,
                                   "packed": path in packed}
                                  for path, _, found in shown]})
        return
    for path, became, found in shown:
        note = " (untouched)" if became == "packed" and found == "untouched" else ""
        screen.say_parts((f"{became:<10}", STYLES[became]), path + note)
    if packed:
        files = "1 file" if len(packed) == 1 else f"{len(packed)} files"
        screen.say(f"\n{out}: {files}, read again as the grader does. Hand it in.")
    else:
        screen.say("\nNothing is packed: there is nothing of yours yet. "
                   "(--all packs untouched files, too.)")
