"""gradescope: the course as a Gradescope autograder, in a zip."""

import zipfile
from pathlib import Path

from course import grade, policy, screen, tree
from course.problem import Problem

STARTS = ["setup.sh", "run_autograder"]  # where Gradescope looks for them


def register(add):
    parser = add("gradescope", gradescope, "instructors",
                 "pack the course as an autograder for Gradescope")
    parser.add_argument("out", metavar="FILE.zip", type=Path)
    parser.add_argument("--chapters", metavar="02,03", required=True,
                        help="what the assignment is about")
    parser.add_argument("--policy", metavar="FILE.toml", type=Path,
                        help="weights; Gradescope has late days of its own")
    parser.add_argument("--hidden", metavar="FILE", type=Path,
                        help="a secret of yours, as for grade; it goes into the zip")


def gradescope(args):
    if args.out.suffix != ".zip":
        raise Problem(f"{args.out} is no name for a zip: end it in .zip", 2)
    chapters = [tree.find(name).number for name in args.chapters.split(",")]
    options = ["--chapters", ",".join(chapters)]
    files = {f"sockets/{path}": (data, mode) for path, (data, mode)
             in tree.pristine().items()}
    if args.policy:
        policy.read(args.policy)  # says what is wrong with it now
        files["sockets/policy.toml"] = args.policy.read_bytes(), 0o644
        # Read from the course's own folder, wherever that is.
        options += ["--policy", "policy.toml"]
    if args.hidden:
        # Beside the checkout, and for root alone: who runs submissions is not.
        files["secret"] = grade.secret_in(args.hidden), 0o600
        options += ["--hidden", "../secret"]
    for name in STARTS:
        files[name] = files[f"sockets/tools/gradescope/{name}"]
    files["options"] = "".join(f"{word}\n" for word in options).encode(), 0o644
    write(args.out, files)
    screen.say(f"{args.out}: {len(files)} files. In Gradescope: Configure "
               "Autograder, Zip file upload.")


def write(out, files):
    """`files`: {name: (bytes, mode)}."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (data, mode) in sorted(files.items()):
            entry = zipfile.ZipInfo(name)  # of 1980: the same zip for the same files
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
