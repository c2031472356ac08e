"""Takes in what students handed in, and trusts nothing of it.

From a folder, a .tar.gz or a .zip only the course's own .cc files are read, by
name; nothing is ever unpacked under a path that an archive names. All the rest
is refused, and noted with its reason.
"""

import datetime
import gzip
import hashlib
import lzma
import os
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from course.problem import Problem
from course.text import one_line

MOST_BYTES = 256 * 1024  # in one file
MOST_ENTRIES = 5_000  # in one submission
MOST_PACKED = 8 * 2**20  # bytes of an archive
MOST_UNPACKED = 64 * 2**20
MOST_NOTES = 20
MANIFEST = "manifest.json"  # of ./course submit

OURS = {"solutions", "tests"}  # folders of the course that hold equal names
NOISE = {"__MACOSX", ".git", ".DS_Store", MANIFEST}
ARCHIVES = (".tar.gz", ".tgz", ".zip")
# How the archives of a class are named: lastfirst_LATE_ID_ID_file-1.tar.gz, and
# First Last_ID_assignsubmission_file_, with or without a file's name.
CANVAS = re.compile(r"(?P<name>[^_]+)_(?:LATE_)?(?P<id>\d+)_\d+_.*?(?:-(?P<again>\d+))?"
                    r"\.(?:tar\.gz|tgz|zip)", re.IGNORECASE)
MOODLE = re.compile(r"(?P<name>[^_]+)_(?P<id>\d+)_assignsubmission_file_?.*")
GRADESCOPE = "submission_metadata.yml"
# What a broken archive makes the readers of the standard library raise.
BROKEN = (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error,
          lzma.LZMAError, struct.error, EOFError, ValueError, LookupError,
          RuntimeError, ArithmeticError)


class Refused(Exception):
    """A submission of which nothing is taken, and why."""


@dataclass
class Submission:
    """One student's files: {"chapters/02_name/file.cc": bytes}."""
    id: str  # safe in a label and in a path
    name: str  # as the instructor has it
    files: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)
    refused: str = ""  # why nothing could be taken
    unreadable: str = ""  # this machine's own failure: regrade
    submitted: datetime.datetime | None = None  # where the folder says it
    number: str = ""  # the student's, in Canvas or Moodle


@dataclass
class Entry:
    """A file in a submission; `kind` is "" for a regular one."""
    path: str
    kind: str
    size: int
    read: object  # read(n) -> at most n bytes


def read_class(folder, wanted, due=()):
    """([Submission], [note]): one for each folder or archive in `folder`."""
    found, notes = {}, []
    names = {path.name: _student_name(path) for path in folder.iterdir()}
    for path in _newest(sorted(folder.iterdir()), names, notes):
        name = names[path.name]
        if path.name in NOISE or path.name == GRADESCOPE:
            continue
        if name is None:
            notes.append(f"{one_line(path.name)}: neither a folder nor an "
                         "archive (.tar.gz, .tgz, .zip), so nobody's")
            continue
        taken = found.setdefault(student_id(name).casefold(), (path, name))
        if taken[0] != path:
            raise Problem(f"{one_line(taken[0].name)!r} and {one_line(path.name)!r} "
                          "would be the same student: rename one of them", 2)
    submissions = [read(path, name, wanted, due) for path, name in found.values()]
    when = gradescope_times(folder / GRADESCOPE)
    for submission, (path, _) in zip(submissions, found.values()):
        match = CANVAS.fullmatch(path.name) or MOODLE.fullmatch(path.name)
        submission.number = match["id"] if match else ""
        submission.submitted = when.get(submission.name)
    return submissions, notes


def _newest(paths, names, notes):
    """Without what the same student handed in before, as Canvas counts it."""
    last = {}
    for path in paths:
        match = CANVAS.fullmatch(path.name)
        if match:
            last.setdefault(names[path.name], []).append(
                (int(match["again"] or 0), path))
    old = {path for handed_in in last.values()
           for _, path in sorted(handed_in)[:-1]}
    notes += [f"{one_line(path.name)}: the same student handed in a newer one"
              for path in sorted(old)]
    return [path for path in paths if path not in old]


def _student_name(path):
    """The student whose folder or archive this is, or None."""
    if path.name.startswith(".") or path.is_symlink():
        return None
    ending = next((e for e in ARCHIVES if path.name.lower().endswith(e)), "")
    if not (path.is_dir() or ending and path.is_file()):
        return None
    for pattern in (CANVAS, MOODLE):
        match = pattern.fullmatch(path.name)
        if match:
            return match["name"]
    return path.name if path.is_dir() else path.name[:-len(ending)]


def gradescope_times(path):
    """{submission's folder: when it came}, from Gradescope's list of them."""
    times, folder = {}, ""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    for line in lines:
        if re.match(r"\S+:\s*$", line):
            folder = line.strip().rstrip(":").strip("\"'")
        moment = re.match(r"  :?created_at: (\d{4}-\d\d-\d\d)[T ]"
                          r"(\d\d:\d\d:\d\d)(?:\.\d+)? ?(Z|[+-]\d\d:?\d\d)", line)
        if moment and folder:
            day, hour, zone = moment.groups()
            zone = "+00:00" if zone == "Z" else zone
            times[folder] = datetime.datetime.fromisoformat(f"{day}T{hour}{zone}")
    return times


def student_id(name):
    """`name` itself where a label can hold it, else a safe one of its own."""
    safe = re.sub(r"[^A-Za-z0-9_.-]+", "_", name)[:60].strip("._-")
    if safe == name:
        return name
    return f"{safe or 'student'}-{hashlib.sha1(os.fsencode(name)).hexdigest()[:8]}"


def read(path, name, wanted, due=()):
    """The Submission in a folder or archive; `wanted`: the course's paths; `due`:
    those of them that a name without its chapter's folder means first."""
    submission = Submission(student_id(name), name)
    try:
        submission.files, submission.notes = take(_entries(path), wanted, due)
        if not submission.files and not submission.notes:
            submission.notes = ["there is no file in it"]
    except Refused as refused:
        submission.refused = str(refused)
    except BROKEN as error:
        submission.refused = "the archive is broken: " + one_line(
            str(error) or type(error).__name__)
    except OSError as error:
        submission.unreadable = f"cannot be read here: {error.strerror}"
    return submission


def take(entries, wanted, due=()):
    """({wanted path: bytes}, notes) of the entries."""
    chosen, notes = {}, []  # chosen: {wanted path: (rank, path, bytes)}
    for number, entry in enumerate(entries, 1):
        if number > MOST_ENTRIES:
            raise Refused(f"it has more than {MOST_ENTRIES} entries")
        if NOISE.intersection(entry.path.split("/")):
            continue
        target, rank, reason = _place(entry, wanted, due)
        data = b"" if reason else entry.read(MOST_BYTES + 1)
        reason = reason or refusal(data)
        if reason:
            notes.append(f"{one_line(entry.path)}: {reason}")
            continue
        new, old = (rank, entry.path, data), chosen.get(target)
        first, second = (new, old) if not old or rank < old[0] else (old, new)
        chosen[target] = first
        if second and second[2] != first[2]:
            notes.append(f"{one_line(second[1])}: refused, because "
                         f"{one_line(first[1])} counts for {target}")
    if len(notes) > MOST_NOTES:
        notes[MOST_NOTES:] = [f"... and {len(notes) - MOST_NOTES} more"]
    return {target: data for target, (_, _, data) in sorted(chosen.items())}, notes


def _place(entry, wanted, due):
    """(wanted path, rank, reason against it); a lower rank fits better."""
    path = entry.path.replace("\\", "/")
    parts = PurePosixPath(path).parts
    if path.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", path):
        return None, 0, "refused: its path leads out of the submission"
    if entry.kind:
        return None, 0, f"refused: {entry.kind}, not a file"
    if any(part.startswith(".") for part in parts):
        return None, 0, "not taken: hidden"
    if OURS.intersection(parts[:-1]):
        return None, 0, "not taken: the course's own is used"
    named = [w for w in wanted if PurePosixPath(w).name == parts[-1]]
    if not named:
        return None, 0, _not_asked_for(parts[-1])
    if entry.size > MOST_BYTES:
        return None, 0, _TOO_LARGE
    folder = parts[-2] if len(parts) > 1 else ""
    for target in named:
        if PurePosixPath(target).parent.name == folder:
            return target, 0 if parts[-3:-2] == ("chapters",) else 1, ""
    if re.match(r"\d\d_", folder):
        return None, 0, f"not taken: {folder} has no such file"
    named = [w for w in named if w in due] or named
    if len(named) > 1:
        return None, 0, f"not taken: it could be {' or '.join(named)}; its " \
            "chapter's folder around it says which"
    return named[0], 2, ""


_TOO_LARGE = f"refused: larger than {MOST_BYTES >> 10} KiB"


def _not_asked_for(name):
    if name.endswith((".h", ".hpp")):
        return "not taken: the course's own headers are used"
    if name in ("BUILD", "BUILD.bazel", "WORKSPACE", "MODULE.bazel", ".bazelrc") \
            or name.endswith(".bzl"):
        return "not taken: the course's own build files are used"
    return "not taken: no file that is asked for"


def refusal(data):
    """Why a file of these bytes is not taken, or ""."""
    if len(data) > MOST_BYTES:
        return _TOO_LARGE
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"refused: byte {error.start} is not UTF-8 text"
    return "refused: it has NUL bytes, so it is not text" if b"\0" in data else ""


def _entries(path):
    if path.is_dir():
        return _entries_of_one_archive(path) or _of_folder(path)
    size = path.stat().st_size
    if size > MOST_PACKED:
        raise Refused(f"the archive is larger than {MOST_PACKED >> 20} MiB")
    return _of_zip(path) if path.name.lower().endswith(".zip") else _of_tar(path)


def _entries_of_one_archive(folder):
    """The archive in a folder that holds nothing else (Moodle, Gradescope)."""
    inside = [path for path in folder.iterdir() if path.name not in NOISE]
    if len(inside) == 1 and inside[0].is_file() and not inside[0].is_symlink() \
            and inside[0].name.lower().endswith(ARCHIVES):
        return _entries(inside[0])
    return None


def _of_folder(folder):
    for parent, folders, names in os.walk(folder, onerror=_raise):
        folders.sort()
        for name in sorted(names) + folders:
            path = os.path.join(parent, name)
            status = os.lstat(path)
            if not stat.S_ISDIR(status.st_mode):
                yield Entry(os.path.relpath(path, folder), _kind(status.st_mode),
                            status.st_size, lambda n, p=path: _read(p, n))


def _raise(error):
    raise error


def _read(path, n):
    # A link or a FIFO may have taken the file's place since lstat().
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(fd, "rb") as file:
        return file.read(n)


def _kind(mode):
    """What a mode of stat(2) says is no regular file, or ""."""
    if stat.S_ISLNK(mode):
        return "a symbolic link"
    return "" if stat.S_ISREG(mode) else "a device, pipe or socket"


def _of_tar(path):
    # As a stream: it cannot be sent back and forth, and what it unpacks to is
    # counted before tarfile sees it.
    with gzip.open(path) as unpacked, \
            tarfile.open(fileobj=_Counted(unpacked), mode="r|") as archive:
        for member in archive:
            kind = "a symbolic link" if member.issym() else \
                "a hard link" if member.islnk() else \
                "" if member.isreg() else "a device or pipe"
            if not member.isdir():
                yield Entry(member.name, kind, member.size, lambda n, m=member:
                            archive.extractfile(m).read(n))


class _Counted:
    """A stream that ends a bomb."""

    def __init__(self, stream):
        self.stream = stream
        self.left = MOST_UNPACKED

    def read(self, n):
        data = self.stream.read(n)
        self.left -= len(data)
        if self.left < 0:
            raise Refused(f"it unpacks to more than {MOST_UNPACKED >> 20} MiB")
        return data


def _of_zip(path):
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > MOST_UNPACKED:
            raise Refused(f"it unpacks to more than {MOST_UNPACKED >> 20} MiB")
        for member in members:
            mode = member.external_attr >> 16  # 0 where no Unix packed it
            kind = _kind(mode) if stat.S_IFMT(mode) else ""
            if member.flag_bits & 1:
                kind = "encrypted"
            if not member.is_dir():
                yield Entry(member.filename, kind, member.file_size,
                            lambda n, m=member: _unzip(archive, m, n))


def _unzip(archive, member, n):
    with archive.open(member) as file:
        return file.read(n)
