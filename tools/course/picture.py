"""The time line of a test as a picture: an SVG that stands in a page."""

import textwrap

from course.markup import Markup, join, tag

WIDTH, MARGIN = 320, 12  # as wide as a phone shows it without scaling
LINE, GAP, HEAD = 15, 9, 30  # heights
COLUMNS = 40  # of text between the two ends


def time_line(steps):
    """What both ends did, downwards; your code on the left."""
    y, drawn, number = HEAD, [], 0
    for step in steps:
        words, mine = _words(step), step["who"] == "you"
        number += bool(step["who"])
        lines = textwrap.wrap(f"{number} {words}" if step["who"] else words, COLUMNS,
                              subsequent_indent="  ") or [""]
        drawn.append(_step(lines, y, mine, bool(step["who"])))
        y += LINE * len(lines) + GAP
    if not drawn:
        return Markup()
    ends = [("your code", MARGIN, "start"), ("the other end", WIDTH - MARGIN, "end")]
    return tag("svg", *(part for words, x, anchor in ends for part in (
        tag("text", words, x=x, y=14, class_="end", **{"text-anchor": anchor}),
        tag("line", x1=x, x2=x, y1=20, y2=y))), *drawn,
        class_="timeline", viewBox=f"0 0 {WIDTH} {y + 2}")


def _words(step):
    times = step.get("times", 1)
    if not step["who"]:
        return f"... {times} more"
    who = "" if step["who"] == "you" else f"{step['who']}: "
    return who + step["what"] + (f"  ×{times}" if times > 1 else "")


def _step(lines, y, mine, dotted):
    """A dot on the line of who did it, and the words beside it."""
    if not dotted:
        return tag("text", *lines, x=WIDTH // 2, y=y + 12, class_="end",
                   **{"text-anchor": "middle"})
    end, x, anchor = (MARGIN, MARGIN + 10, "start") if mine else \
        (WIDTH - MARGIN, WIDTH - MARGIN - 10, "end")
    return join([tag("circle", cx=end, cy=y + 8, r=4,
                     class_="mine" if mine else "theirs"),
                 *(tag("text", line, x=x, y=y + 12 + i * LINE,
                       **{"text-anchor": anchor}) for i, line in enumerate(lines))])
