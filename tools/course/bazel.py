"""Runs Bazel quietly, and tells its own failures from the learner's."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlparse

from course import tree
from course.problem import Problem

QUIET = ["--color=no", "--curses=no", "--noshow_progress"]
# Its events name files here, also where a service keeps copies of them.
LOCAL_FILES = "--nobuild_event_json_file_path_conversion"
PAYLOADS = {"actionCompleted": "action", "targetCompleted": "completed",
            "targetConfigured": "configured", "testSummary": "testSummary",
            "testResult": "testResult"}
LOCK_HELD = 9
LOCK_PATIENCE = 60  # seconds


@dataclass
class Run:
    """What one Bazel command did, from its own event stream."""
    code: int | None = None
    stdout: str = ""
    stderr: str = ""
    events: list = field(default_factory=list)

    @property
    def output(self):
        return self.stderr + self.stdout

    def of_kind(self, kind):
        """(id, payload) of every event of that kind."""
        return [(event["id"][kind], event.get(PAYLOADS[kind], {}))
                for event in self.events if kind in event["id"]]

    def tests(self):
        """{label: PASSED, FAILED, TIMEOUT...} of the tests that ran."""
        return {id["label"]: summary.get("overallStatus", "NO_STATUS")
                for id, summary in self.of_kind("testSummary")}

    def test_runs(self):
        """{label: (folder of the test's files, strategy, "" if cached)}"""
        return {id["label"]: (_path(result["testActionOutput"][0]).parent,
                              result.get("executionInfo", {}).get("strategy", ""))
                for id, result in self.of_kind("testResult")
                if result.get("testActionOutput")}

    def failed_actions(self):
        """[(label, what the compiler or linker said)]"""
        return [(id["label"], _said(_path(action["stderr"])))
                for id, action in self.of_kind("actionCompleted")
                if not action.get("success") and "stderr" in action]

    def forbidden_includes(self):
        """[(label, what Bazel said)]: of files that are none of its own."""
        details = [(id["label"], payload.get("failureDetail", {}))
                   for id, payload in self.of_kind("targetCompleted")]
        return [(label, detail["message"]) for label, detail in details
                if detail.get("cppCompile", {}).get("code")
                == "UNDECLARED_INCLUSIONS"]

    def trouble(self):
        """The Problem that Bazel itself has."""
        if "No space left on device" in self.output:
            text = "the disk is full"
        elif self.code in (33, 36, 37):
            text = "Bazel broke down (try again; then: bazel shutdown)"
        else:
            text = "Bazel cannot build"
        lines = [line for line in self.output.splitlines() if line.strip()]
        errors = [line for line in lines
                  if re.match(r"(ERROR|FATAL|Error|.*No space left)", line)]
        said = (errors or lines)[:3]
        for _, action in self.failed_actions():
            said += action.splitlines()[:3]
        return Problem(f"{text} (exit status {self.code}):\n  "
                       + "\n  ".join(said))


def _path(file):
    return Path(unquote(urlparse(file["uri"]).path))


def _said(path):
    """What a compiler said: where that is endless, its beginning and its end,
    in lines that can be read."""
    with path.open("rb") as file:
        said = file.read(200_000)
        file.seek(max(file.tell(), path.stat().st_size - 20_000))
        said += file.read()
    return "\n".join(line[:1000] for line in
                     said.decode(errors="replace").split("\n"))


def program():
    """The Bazel that ./course found."""
    found = os.environ.get("COURSE_BAZEL")
    if not found:
        raise Problem("there is no Bazel here; ./course doctor says more")
    return found


@dataclass
class Place:
    """Where Bazel keeps what it builds, and as whom it runs."""
    startup: list = field(default_factory=list)  # options
    user: int | None = None  # None: as ourselves
    home: Path | None = None


HERE = Place()


def run(command, *words, watch=None, place=HERE):
    """Runs a Bazel command to its end, with `watch(run)` after new events.

    Another Bazel command in this checkout holds a lock: we say so, wait a
    while, and give up.
    """
    give_up = time.monotonic() + LOCK_PATIENCE
    told = False
    while True:
        done = _once([program(), *place.startup, "--noblock_for_lock", command,
                      *QUIET], words, watch, place)
        if done.code != LOCK_HELD:
            return done
        who = re.search(r"pid ?=? ?(\d+)", done.output)
        who = f" (process {who[1]})" if who else ""
        if time.monotonic() > give_up:
            raise Problem(f"another Bazel command{who} is at work in this "
                          "checkout; try again when it has ended")
        if not told:
            print(f"course: waiting for another Bazel command{who} ...",
                  file=sys.stderr)
            told = True
        time.sleep(0.5)


def _other_user(place):
    """What Popen has to be told to run as the place's user."""
    if place.user is None:
        return {}
    return {"user": place.user, "group": place.user, "extra_groups": [],
            "env": {**os.environ, "HOME": str(place.home), "USER": "student"}}


def _once(start, words, watch, place):
    # At home, if it has one: a sandbox may write to /tmp.
    with tempfile.TemporaryDirectory(prefix="course.", dir=place.home) as folder:
        if place.user is not None:
            os.chown(folder, place.user, place.user)
        events, out, err = (Path(folder, name) for name in
                            ("events.json", "stdout", "stderr"))
        with out.open("wb") as stdout, err.open("wb") as stderr:
            # In a session of its own, so that Ctrl-C reaches Bazel through us.
            process = subprocess.Popen(
                [*start, f"--build_event_json_file={events}", LOCAL_FILES,
                 *words],
                cwd=tree.ROOT, stdin=subprocess.DEVNULL, stdout=stdout,
                stderr=stderr, start_new_session=True,
                **_other_user(place))
        done = Run()
        unread = _Lines(events)
        try:
            while done.code is None:
                try:
                    done.code = process.wait(timeout=0.2 if watch else None)
                except subprocess.TimeoutExpired:
                    pass
                done.events += map(json.loads, unread.take())
                if watch:
                    watch(done)
        except BaseException:
            _interrupt(process)
            raise
        done.stdout, done.stderr = (path.read_text(errors="replace")
                                    for path in (out, err))
        return done


class _Lines:
    """Those of a file that is being written: each whole one, once."""

    def __init__(self, path):
        self.path = path
        self.read = 0  # bytes

    def take(self):
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self.read)
            text = file.read()
        whole = text[:text.rfind(b"\n") + 1]
        self.read += len(whole)
        return whole.decode(errors="replace").split("\n")[:-1]


def _interrupt(process):
    """As Ctrl-C at a Bazel: once for a clean end, thrice for any end."""
    for patience in (10, 5, 5):
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=patience)
            return
        except subprocess.TimeoutExpired:
            continue
        except KeyboardInterrupt:
            continue
    process.kill()
    process.wait()


def output_of(command, *words, place=HERE):
    """The standard output of a query; a failure is Bazel's own."""
    done = run(command, *words, place=place)
    if done.code:
        raise done.trouble()
    return done.stdout
