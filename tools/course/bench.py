"""bench: what the references cost, against a raw loop and other libraries."""

import os
import sys

from course import bazel, screen, tree

PROGRAMS = ["//bench:client", "//bench:echo", "//bench:raw_poll",
            "//bench:raw_tls", "//common/testing/certificates:files"]


def register(add):
    parser = add("bench", bench, "the repository", "our echo server's cost, "
                 "against a raw poll loop and other libraries")
    parser.add_argument("--tls", action="store_true", help="the same over TLS")
    parser.add_argument("--rounds", type=int, help="10 if not given")
    parser.add_argument("--quick", action="store_true",
                        help="only a rough picture, in a minute or two")
    parser.add_argument("--only", action="append", metavar="TEXT",
                        help="workloads whose name has TEXT; several: any")
    parser.add_argument("--peer", action="append", metavar="NAME",
                        help="only this library; several: those")
    parser.add_argument("--json", metavar="FILE", help="all figures")
    parser.add_argument("--svg", metavar="FILE", help="a chart")


def bench(args):
    with screen.busy("building"):
        built = bazel.run("build", "-c", "opt", *args.rest, *PROGRAMS)
        if built.code:
            raise built.trouble()
        folder = bazel.output_of("info", "-c", "opt", *args.rest, "bazel-bin")
    words = ["--programs", os.path.join(folder.strip(), "bench")]
    for name in ("rounds", "only", "peer", "json", "svg"):
        values = getattr(args, name)
        for value in values if isinstance(values, list) else [values]:
            if value is not None:
                words += [f"--{name}", str(value)]
    words += [f"--{name}" for name in ("quick", "tls") if getattr(args, name)]
    sys.stdout.flush()
    # In our place: Ctrl-C and the exit status are its own.
    os.execv(sys.executable, [sys.executable, "-I", "-B",
                              str(tree.ROOT / "bench/bench.py"), *words])
