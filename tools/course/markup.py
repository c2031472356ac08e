"""HTML that cannot be broken out of: every text is escaped unless made here."""

import html
import re

from course.text import printable

# No script runs and nothing is fetched, whatever a page may hold.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"

STYLE = """
:root { color-scheme: light dark; --ink: #1c2128; --paper: #fff; --soft: #f3f4f6;
  --line: #d5d9e0; --dim: #5a6472; --good: #1a7f37; --bad: #c0262d; --mark: #fff1c2 }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --paper: #14171c;
  --soft: #1e232b; --line: #39414d; --dim: #9aa5b4; --good: #57c975; --bad: #ff7b72;
  --mark: #4a3d12 } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 62rem; color: var(--ink);
  background: var(--paper); font: 16px/1.5 system-ui, sans-serif;
  overflow-wrap: anywhere }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem }
a { color: inherit }
p { margin: .5rem 0 }
pre, code { font: .85rem/1.45 ui-monospace, monospace }
pre { background: var(--soft); padding: .75rem; border-radius: .4rem;
  overflow-x: auto; overflow-wrap: normal }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0;
  border-bottom: 1px solid var(--line) }
th { color: var(--dim); font-weight: 600; font-size: .85rem }
.wide { overflow-x: auto; overflow-wrap: normal }
.number { text-align: right; padding-right: 1rem; font-variant-numeric: tabular-nums; white-space: nowrap }
.points { font-size: 1.15rem; margin: .25rem 0 }
.bar { height: .5rem; border-radius: .25rem; background: var(--line); overflow: hidden }
.bar div { height: 100%; background: var(--good) }
.dim { color: var(--dim) }
.good { color: var(--good) }
.bad { color: var(--bad) }
.id { white-space: nowrap; font-weight: 600 }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .6rem 0;
  padding: 0 .9rem }
summary { cursor: pointer; padding: .6rem 0 }
details > :last-child { margin-bottom: .9rem }
.beside { table-layout: fixed }
.beside td { font: .85rem/1.45 ui-monospace, monospace; overflow-wrap: anywhere }
.beside th:first-child, .beside td:first-child { width: 2.2rem; color: var(--dim) }
.differs td { background: var(--mark) }
.text { overflow-wrap: anywhere; min-width: 9rem }
.distribution { max-width: 32rem; margin-bottom: 1.5rem }
.distribution td { padding-top: .1rem; padding-bottom: .1rem; border: 0;
  vertical-align: middle }
.distribution td:last-child { width: 50% }
.name { min-width: 7rem }
.scores .name, .remarks { position: sticky; left: 0; background: var(--paper) }
.scores .name { width: 9rem; overflow-wrap: anywhere }
.scores .more td { padding-bottom: 0; border-bottom: 0 }
.remarks { width: fit-content; max-width: min(60rem, 100vw - 2rem); color: var(--dim);
  font-size: .85rem; overflow-wrap: anywhere }
.map { width: auto }
.map td { padding: .1rem .3rem; text-align: center; line-height: 1.3 }
.map .name { position: sticky; left: 0; background: var(--paper); text-align: left;
  max-width: 9rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.map .rule { vertical-align: bottom; padding: .3rem }
.map .rule span { writing-mode: vertical-rl; white-space: nowrap }
.map .miss { color: var(--bad); background: var(--soft); font-weight: 700 }
.timeline { display: block; width: 100%; max-width: 30rem; height: auto;
  fill: var(--ink); font: 11px ui-monospace, monospace }
.timeline text { white-space: pre }
.timeline .end { fill: var(--dim); font-weight: 600 }
.timeline line { stroke: var(--line); stroke-width: 2 }
.timeline .mine { fill: var(--good) }
"""


class Markup(str):
    """Text that is HTML already."""


def escaped(part):
    return part if isinstance(part, Markup) else \
        Markup(html.escape(printable(str(part))))


def tag(name, *parts, class_=None, **attributes):
    """<name attributes>parts</name>; parts that are no Markup are escaped."""
    if class_:
        attributes["class"] = class_
    said = "".join(f' {key}="{escaped(value)}"' for key, value in attributes.items())
    return Markup(f"<{name}{said}>{join(parts)}</{name}>")


def join(parts):
    return Markup("".join(escaped(part) for part in parts))


def table(heads, rows, class_=None):
    """`rows`: <tr> elements; see row()."""
    return tag("div", tag("table", tag("thead", row(*heads, cell="th")),
                          tag("tbody", *rows), class_=class_), class_="wide")


def row(*cells, cell="td", class_=None):
    """A cell is a text, or (text, class)."""
    return tag("tr", *(tag(cell, c[0], class_=c[1]) if isinstance(c, tuple)
                       else tag(cell, c) for c in cells), class_=class_)


def bullets(texts):
    return tag("ul", *(tag("li", text) for text in texts)) if texts else Markup()


def markdown(text):
    """The little of Markdown that hints use: paragraphs, code, `code`."""
    blocks = re.split(r"\n\s*\n", text.strip("\n"))
    return join(_block(block) for block in blocks)


def _block(block):
    lines = block.split("\n")
    if all(line.startswith("    ") for line in lines if line.strip()):
        return tag("pre", "\n".join(line[4:] for line in lines))
    parts = re.split(r"`([^`]+)`", " ".join(lines))
    return tag("p", *(tag("code", part) if i % 2 else part
                      for i, part in enumerate(parts)))


def page(title, *parts):
    head = join([Markup('<meta charset="utf-8">'),
                 Markup('<meta name="viewport" content="width=device-width, '
                        'initial-scale=1">'),
                 Markup('<meta http-equiv="Content-Security-Policy" '
                        f'content="{POLICY}">'),
                 tag("title", title), tag("style", Markup(STYLE))])
    return Markup("<!doctype html>\n") + tag(
        "html", tag("head", head), "\n", tag("body", *parts), lang="en") + "\n"
