"""What the tool remembers between commands; losing it does no harm."""

import contextlib
import json
import os
import tempfile

from course import tree

FILE = tree.STATE / "state.json"
PARTS = ("hints", "results")


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


def recall(part):
    """{name: value} of one part; empty where nothing good was kept."""
    try:
        return dict(json.loads(FILE.read_bytes())[part])
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def remember(part, values):
    """Adds to a part. A full disk or a foreign folder is no reason to fail."""
    whole = {name: recall(name) for name in PARTS}
    whole[part] |= values
    with contextlib.suppress(OSError):
        write(FILE, json.dumps(whole).encode())
