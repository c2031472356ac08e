"""Text that others wrote, made harmless before it is shown or kept."""


def printable(text, most=16 * 1024):
    """`text` with every control or broken character spelled out, as \\x1b."""
    spelled = "".join(c if c.isprintable() or c in "\n\t" else _spelled(ord(c))
                      for c in text[:most])
    return spelled + ("\n... (cut)" if len(text) > most else "")


def _spelled(code):
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def one_line(text, most=160):
    """The same on a single line."""
    text = printable(" ".join(text.split()))
    return text if len(text) <= most else text[:most - 3] + "..."


def cell(value):
    """A cell for a spreadsheet, which takes text after = + - @ for a formula."""
    if isinstance(value, (int, float)):
        return value
    dangerous = value.lstrip(" ")[:1] in ("=", "+", "-", "@", "\t", "\r", "\n")
    return "'" + value if value and dangerous else value
