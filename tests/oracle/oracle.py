"""What oracle_test.py and node_test.py share: traces, and comparing them."""

import collections
import concurrent.futures
import copy
import json
import os
import pathlib
import re
import subprocess

HERE = pathlib.Path("tests/oracle")
JOBS = 4  # scenarios at a time: they wait most of the time
LIMIT = 60  # seconds; a scenario gives up by itself before that
CERTIFICATES = pathlib.Path("common/testing/certificates")


def names():
    """Of all scenarios, "001_connect_basic" first."""
    return sorted(p.stem for p in (HERE / "scenarios").glob("[0-9]*.js"))


def checked_in(name):
    """{"scenario", "rules", "trace": {actor: [[event, argument...]...]}}"""
    return json.loads((HERE / "traces" / f"{name}.json").read_text("utf-8"))


def as_text(recorded):
    """As it is checked in: a line for each event."""
    actors = ",\n".join(
        f"  {_json(actor)}: [\n"
        + ",\n".join(f"   {_json(event)}" for event in events) + "\n  ]"
        for actor, events in recorded["trace"].items())
    return (f'{{\n "scenario": {_json(recorded["scenario"])},\n'
            f' "rules": {_json(recorded["rules"])},\n'
            f' "trace": {{\n{actors}\n }}\n}}\n')


def _json(value):
    return json.dumps(value, ensure_ascii=True)


def rules():
    """{"CONN-1": its words}"""
    lines = (HERE / "rules.tsv").read_text("utf-8").splitlines()
    return dict(line.split("\t") for line in lines)


# A line of differences.tsv: instead of the event `node`, `actor` sees `here`;
# None: it sees nothing.
Difference = collections.namedtuple("Difference", "scenario actor node here reason")


def known_differences():
    known = []
    for line in (HERE / "differences.tsv").read_text("utf-8").splitlines()[1:]:
        scenario, actor, node, here, reason = line.split("\t")
        known.append(Difference(scenario, actor, json.loads(node),
                                json.loads(here), reason))
    return known


def with_differences(trace, known):
    """`trace` as it is expected here."""
    trace = copy.deepcopy(trace)
    for entry in known:
        events = trace.get(entry.actor, [])
        if entry.node not in events:
            raise ValueError(f"differences.tsv: {entry.actor} does not see "
                             f"{_json(entry.node)} in Node")
        at = events.index(entry.node)
        events[at:at + 1] = [] if entry.here is None else [entry.here]
    return trace


def certificates():
    """Where the build has put them: in the test's own tree, or bazel-bin."""
    built = "bazel-bin" / CERTIFICATES
    return str((built if built.is_dir() else CERTIFICATES).absolute())


def as_openssl_3_0(text):
    """With the names of errors that OpenSSL 3.0 has, as the traces."""
    table = pathlib.Path("common/testing/openssl_names.cc").read_text("utf-8")
    for other, name in re.findall(r'\{("ERR_\S+"),\s*("ERR_\S+")\}', table):
        text = text.replace(other, name)
    return text


def run_all(command_of, scenarios):
    """{name: (what it printed, or None; what went wrong)}"""
    def run(name):
        try:
            done = subprocess.run(
                command_of(name), stdin=subprocess.DEVNULL, capture_output=True,
                timeout=LIMIT, check=False,
                env={**os.environ, "TMPDIR": "/tmp",
                     "CERTIFICATES": certificates()})
        except subprocess.TimeoutExpired:
            return None, f"it ran for {LIMIT} s and was killed"
        said = done.stderr.decode(errors="backslashreplace")[-4000:]
        if done.returncode:
            return None, f"it ended with status {done.returncode}: {said}"
        try:
            return json.loads(done.stdout.decode(errors="backslashreplace")), ""
        except ValueError:
            return None, f"it printed no trace: {done.stdout[:500]!r} {said}"

    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        return dict(zip(scenarios, pool.map(run, scenarios)))


def differences(expected, happened):
    """[(actor, expected events, events that happened)] that are not equal."""
    return [(actor, expected.get(actor, []), happened.get(actor, []))
            for actor in sorted({*expected, *happened})
            if _json(expected.get(actor, [])) != _json(happened.get(actor, []))]


def two_columns(actor, expected, happened, titles):
    """Both lists side by side, a > at the first line that differs."""
    left, right = ([" ".join([str(e[0]), *map(_json, e[1:])]) for e in events]
                   for events in (expected, happened))
    width = max(map(len, [titles[0], *left])) + 2
    lines = [f"  {actor}", f"         {titles[0]:<{width}}{titles[1]}"]
    told = False
    for i in range(max(len(left), len(right))):
        a, b = (side[i] if i < len(side) else "-" for side in (left, right))
        mark = ">" if a != b and not told else " "
        told = told or a != b
        lines.append(f"    {i + 1:2} {mark} {a:<{width}}{b}")
    return "\n".join(lines)
