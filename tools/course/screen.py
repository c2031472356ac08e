"""Everything that is printed: colours on a terminal, plain text in a pipe.

`rich` is imported only for a terminal, and not before it is needed.
"""

import contextlib
import functools
import json
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time

TABLE = re.compile(r"^\|.*\n\|[-|: ]+\n(?:\|.*\n)*", re.MULTILINE)
STARTED = {}  # {what: (when progress() saw it first, done by then)}
GOOD, BAD, DIM, HEAD = "green", "red", "dim", "bold"


@functools.cache
def console():
    from rich.console import Console

    class Honest(Console):
        def on_broken_pipe(self):  # main() ends quietly, in its own way
            raise BrokenPipeError

    return Honest(highlight=False, markup=False, emoji=False, soft_wrap=True)


def on_terminal():
    return sys.stdout.isatty()


def say(text="", style=""):
    """One line or more, as they are: nothing in them is markup."""
    if on_terminal():
        console().print(text, style=style or None)
    else:
        print(text)


def say_wrapped(head, text, width=79):
    """`text` after `head`, in lines of at most `width`."""
    say(textwrap.fill(text, width, initial_indent=head,
                      subsequent_indent=" " * len(head)))


def say_parts(*parts):
    """One line of texts and (text, style) pairs."""
    if on_terminal():
        from rich.text import Text
        console().print(Text.assemble(*parts))
    else:
        print(*(part if isinstance(part, str) else part[0] for part in parts),
              sep="")


def as_json(value):
    print(json.dumps(value))


def markdown(text):
    """Rendered on a terminal; in a pipe the source, which is readable."""
    if on_terminal():
        from rich.markdown import Markdown
        text = TABLE.sub(lambda table: as_list(table[0]), text)
        console().print(Markdown(text), soft_wrap=False,
                        width=min(80, console().width))
    else:
        say(text)


def as_list(table):
    """A Markdown table as a list: Debian 12's rich does not know tables."""
    head, _, *rows = ([cell.strip() for cell in line.strip("| ").split(" | ")]
                      for line in table.splitlines())
    return "".join(f"- **{row[0]}** {row[1]}" +
                   "".join(f" ({name}: {cell})" for name, cell in
                           zip(head[2:], row[2:])) + "\n"
                   for row in rows if len(row) > 1)


def page(text):
    """A Markdown text in a pager; in a pipe, as it is."""
    if not (on_terminal() and shutil.which("less")):
        markdown(text)
        return
    with console().capture() as captured:
        markdown(text)
    # In less, Ctrl-C ends a search and nothing else.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    subprocess.run(["less", "-R"], input=captured.get().encode())
    signal.signal(signal.SIGINT, before)


def clear():
    if on_terminal():
        console().clear()


@contextlib.contextmanager
def busy(text):
    """Shows on a terminal's last line that something is going on.

    Yields a function that changes the text.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    with Console(stderr=True).status(text + " ...") as status:
        yield lambda new: status.update(new + " ...")


def progress(done, total, what):
    """"graded 12 of 30, 5 minutes left": what busy() shows."""
    begun = STARTED.setdefault((what, total), (time.monotonic(), done))
    said = f"{what} {done} of {total}"
    fresh, seconds = done - begun[1], time.monotonic() - begun[0]
    if fresh and seconds > 5:
        left = seconds / fresh * (total - done)
        said += f", {left / 60:.0f} minutes left" if left > 90 else \
            f", {left:.0f} seconds left"
    return said


def ask(question):
    """True for yes; without a terminal there is nobody to ask."""
    if not sys.stdin.isatty():
        return False
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
