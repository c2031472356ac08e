"""The commands of ./course: finding the one that is meant, and ending well."""

import argparse
import importlib
import importlib.util
import os
import signal
import sys

from course import tree
from course.problem import Problem

# A module registers its commands with `register(add)`; see Commands.add.
MODULES = ["board", "check", "learn", "work", "submit", "grade",
           "gradescope", "release", "demo", "doctor", "bench", "repository"]
GROUPS = ["learners", "students", "instructors", "the repository"]


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Problem(f"{message} (./course help {self.prog.split()[-1]})", 2)


class Commands:
    """Every command by name, with its parser and the function that runs it."""

    def __init__(self):
        self.parsers = {}
        self.groups = {group: [] for group in GROUPS}
        self.add("help", self.help, "learners", "this list; help COMMAND: more"
                 ).add_argument("topic", nargs="?", metavar="COMMAND")
        for name in MODULES:
            if importlib.util.find_spec(f"course.{name}"):
                importlib.import_module(f"course.{name}").register(self.add)

    def add(self, name, function, group, summary, *, chapter=None, json=False):
        """A parser for the arguments of `name`; function(args) -> exit status.

        chapter: None, "optional" or "required". Always in args: `yes`, and
        `rest`, the words after `--`.
        """
        parser = Parser(prog=f"./course {name}", description=summary)
        if chapter:
            parser.add_argument("chapter", metavar="NN", help="a chapter",
                                nargs="?" if chapter == "optional" else None)
        if json:
            parser.add_argument("--json", action="store_true",
                                help="print JSON, and nothing else")
        parser.set_defaults(function=function)
        self.parsers[name] = parser
        self.groups[group].append((name, summary))
        return parser

    def find(self, name):
        if name not in self.parsers:
            raise tree.unknown("command", name, self.parsers)
        return self.parsers[name]

    def help(self, args):
        if args.topic:
            self.find(args.topic).print_help()
            return 0
        print("./course COMMAND [NN]: NN is a chapter, as 2 or 02_name; without "
              "it, the first\nchapter that lacks points is meant.")
        for group, commands in self.groups.items():
            if commands:
                print(f"\nFor {group}:")
            for name, summary in commands:
                print(f"  {name:<17} {summary}")
        print("\n--yes anywhere: ask nothing.  Words after -- go to the program"
              " or to Bazel.")
        return 0


def run(words):
    """Runs one command line; returns its exit status."""
    rest = []
    if "--" in words:
        cut = words.index("--")
        words, rest = words[:cut], words[cut + 1:]
    yes = "--yes" in words
    words = [word for word in words if word != "--yes"]
    commands = Commands()
    if not words or words[0] in ("-h", "--help"):
        words = ["help"]
    args = commands.find(words[0]).parse_args(words[1:])
    args.yes, args.rest = yes or os.environ.get("CI") == "true", rest
    return args.function(args) or 0


def main(words):
    def stop(*_):
        raise SystemExit(143)

    signal.signal(signal.SIGTERM, stop)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace", line_buffering=True)
    try:
        status = run(words)
        sys.stdout.flush()
        return status
    except Problem as problem:
        print(f"course: {problem}", file=sys.stderr)
        return problem.status
    except tree.rubric.Broken as broken:
        print(f"course: this chapter's text is broken: {broken}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of our output has gone, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        print(f"course: {error}", file=sys.stderr)
        return 1
