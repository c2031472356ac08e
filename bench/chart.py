"""The report as an SVG chart: a dot and its spread per server and workload."""

from html import escape

COLOURS = {"sockets": "#d9480f", "libuv": "#1c7ed6", "Boost.Asio": "#2b8a3e",
           "libevent": "#9c36b5", "Node.js": "#868e96"}
STYLE = """
 text { font: 12px system-ui, sans-serif; fill: #212529 }
 .small { font-size: 11px; fill: #5c636a }
 .head { font-size: 14px; font-weight: 600 }
 .paper { fill: #ffffff }
 .grid { stroke: #dee2e6 }
 .one { stroke: #5c636a }
 @media (prefers-color-scheme: dark) {
  text { fill: #e9ecef }
  .small { fill: #adb5bd }
  .paper { fill: #0d1117 }
  .grid { stroke: #30363d }
  .one { stroke: #adb5bd }
 }
"""
WIDTH, LEFT, RIGHT = 760, 190, 30
LINE, GAP = 11, 14  # of a server, and after a workload


def svg(report):
    names = [n for n in report["servers"] if n in COLOURS]
    highest = max([r["high"] for w in report["workloads"]
                   for r in w["ratios"].values()] + [1.0])
    top = max(1.2, round(highest + 0.1, 1))
    memory = {n: b / 1024 for n, b in report["bytes_per_idle_connection"].items()}
    body, y = _head(names), 84
    body += _scale(top, y, len(report["workloads"]) * (LINE * len(names) + GAP))
    for workload in report["workloads"]:
        body += _workload(workload, names, top, y)
        y += LINE * len(names) + GAP
    body += [_text(LEFT, y + 34, "KiB of memory per idle connection", "head")]
    body += _memory(memory, y + 44)
    height = y + 64 + 18 * len(memory)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} '
            f'{height}" width="{WIDTH}" height="{height}" role="img">\n'
            f"<title>Work per second of processor time</title>\n"
            f"<style>{STYLE}</style>\n"
            f'<rect class="paper" width="{WIDTH}" height="{height}"/>\n'
            + "\n".join(body) + "\n</svg>\n")


def _text(x, y, text, kind="", anchor="start"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" '
            f'text-anchor="{anchor}">{escape(text)}</text>')


def _head(names):
    parts = [_text(LEFT, 24, "Work per second of processor time; the raw poll "
                   "loop is 1", "head")]
    x = LEFT
    for name in names:
        parts.append(f'<circle cx="{x + 4}" cy="42" r="4" fill="{COLOURS[name]}"/>')
        parts.append(_text(x + 13, 46, name))
        x += 30 + 7 * len(name)
    return parts


def _x(value, top):
    return LEFT + (WIDTH - LEFT - RIGHT) * value / top


def _scale(top, y, height):
    parts = []
    for tenths in range(0, int(top * 10) + 1, 2):
        x = _x(tenths / 10, top)
        kind = "one" if tenths == 10 else "grid"
        parts.append(f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" '
                     f'y1="{y - 10}" y2="{y + height - 8}"/>')
        parts.append(_text(x, y - 14, f"{tenths / 10:.1f}", "small", "middle"))
    return parts


def _workload(workload, names, top, y):
    middle = y + LINE * (len(names) - 1) / 2 + 4
    parts = [_text(LEFT - 12, middle, workload["name"], anchor="end")]
    for i, name in enumerate(names):
        ratio = workload["ratios"].get(name)
        if not ratio:
            continue
        low, mid, high = (_x(ratio[k], top) for k in ("low", "median", "high"))
        at, colour = y + i * LINE, COLOURS[name]
        said = escape(f"{name}: {ratio['median']:.2f} "
                      f"({ratio['low']:.2f} to {ratio['high']:.2f})")
        parts.append(
            f'<g stroke="{colour}" fill="{colour}"><title>{said}</title>'
            f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{at}" y2="{at}" '
            f'stroke-width="2"/><circle cx="{mid:.1f}" cy="{at}" r="4"/></g>')
    return parts


def _memory(memory, y):
    parts, most = [], max([*memory.values(), 0.1])
    for i, (name, kib) in enumerate(memory.items()):
        at, width = y + i * 18, (WIDTH - LEFT - RIGHT - 50) * kib / most
        parts.append(_text(LEFT - 12, at + 11, name, anchor="end"))
        parts.append(f'<rect x="{LEFT}" y="{at}" width="{max(width, 1):.1f}" '
                     f'height="13" fill="{COLOURS.get(name, "#5c636a")}"/>')
        parts.append(_text(LEFT + width + 6, at + 11, f"{kib:.2f}", "small"))
    return parts
