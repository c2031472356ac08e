"""Lays submissions out as Bazel packages, beside the checkout and not in it.

//submissions/ID is found under .course/grade by --package_path, so that tests,
references and libraries are the checkout's own, built once for everybody.
"""

import contextlib
import fcntl
import hashlib
import hmac
import json
import shutil

from course import state, submit, tree, work
from course.problem import Problem

ROOT = tree.STATE / "grade"
PACKAGES = ROOT / "submissions"
PACKAGE_PATH = "--package_path=%workspace%:%workspace%/.course/grade"


@contextlib.contextmanager
def ours():
    """Two graders at a time would write over each other's packages."""
    ROOT.mkdir(parents=True, exist_ok=True)
    with (ROOT / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem("another grade is at work in this checkout; try again "
                          "when it has ended") from None
        yield


def label(submission, chapter):
    return f"//submissions/{submission.id}:{chapter.name}"


def seed(submission, chapter):
    """Of the tests' random data: another for each, and for each the same."""
    text = "\0".join([submit.version(), chapter.name, submission.id])
    return int(hashlib.sha256(text.encode()).hexdigest()[:7], 16) + 1


def hidden_seed(submission, chapter, secret):
    """Of a second run, which only those can foretell who have the secret."""
    if not secret:
        return 0
    text = "\0".join([submit.version(), chapter.name, submission.id])
    return int(hmac.digest(secret, text.encode(), "sha256").hex()[:7], 16) + 1


def lay_out(work_list, secret=b""):
    """Makes the packages for [(Submission, [Chapter])], and no others.

    A file that is already right is not written again, so that Bazel builds
    what has changed and nothing else.
    """
    wanted = {}
    for submission, chapters in work_list:
        wanted |= _package(submission, chapters, secret)
    PACKAGES.mkdir(exist_ok=True)
    _remove_others(PACKAGES, wanted.keys() | {
        parent for path in wanted for parent in path.parents})
    for path, data in wanted.items():
        if not path.is_file() or path.read_bytes() != data:
            state.write(path, data)


def _package(submission, chapters, secret):
    """{path: bytes} of a student's package."""
    folder = PACKAGES / submission.id
    files, calls = {}, []
    for chapter in chapters:
        sources, hidden = [], hidden_seed(submission, chapter, secret)
        for path in tree.files(chapter):
            relative = f"{chapter.name}/{path.name}"
            given = submission.files.get(tree.relative(path))
            files[folder / relative] = work.original(path) if given is None else given
            sources.append(relative)
        calls.append(f"submission(\n    name = {json.dumps(chapter.name)},\n"
                     f"    chapter = {json.dumps(chapter.name)},\n"
                     f"    hidden_seed = \"{hidden or ''}\",\n"
                     f"    seed = \"{seed(submission, chapter)}\",\n"
                     f"    srcs = {json.dumps(sources)},\n"
                     f"    student = {json.dumps(submission.id)},\n)\n")
    files[folder / "BUILD"] = "\n".join(
        ['load("//chapters:exercise.bzl", "submission")\n', *calls]).encode()
    return files


def _remove_others(folder, kept):
    for path in folder.iterdir():
        real = path.is_dir() and not path.is_symlink()
        if path in kept:
            if real:
                _remove_others(path, kept)
        elif real:
            shutil.rmtree(path)
        else:
            path.unlink()
