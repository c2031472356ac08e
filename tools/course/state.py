"""What the tool remembers between commands; losing it does no harm."""

import contextlib
import json
import os
import tempfile

from course import tree

FILE = tree.STATE / "state.json"


def write(path, data):
    """All of `data` is in the file, or the file is as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        mode = path.stat().st_mode if path.exists() else 0o644
        os.chmod(name, mode & 0o777)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def hints():
    """{step number: how many of its hints were shown}"""
    try:
        shown = json.loads(FILE.read_bytes())["hints"]
        return {step: level for step, level in shown.items()
                if isinstance(level, int)}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def remember_hint(step, level):
    shown = hints()
    shown[step] = max(level, shown.get(step, 0))
    with contextlib.suppress(OSError):
        write(FILE, json.dumps({"hints": shown}).encode())
