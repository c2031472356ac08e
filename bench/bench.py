#!/usr/bin/env python3
"""What our echo costs, against a raw poll() loop and other libraries.

All servers run on one processor, and their samples take turns. A sample is a
fixed amount of work, and costs a server processor time; a ratio is the raw
loop's cost, divided by a server's, in the same round: above 1 is better than
the raw loop. A report, not a test: nothing fails because it is slow.
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import chart  # noqa: E402
import peers  # noqa: E402
from peers import OURS, RAW  # noqa: E402

MIB = 2**20
IDLE = 5000  # connections
GOAL, GOAL_MEMORY = 0.95, 1536


@dataclass
class Workload:
    name: str
    options: dict      # of client.cc
    unit: str = "messages"
    per_message: float = 1  # units
    alone: bool = False     # in a server of its own: memory is counted
    goal: float = GOAL

    @property
    def idle(self):
        return self.options.get("idle", 0)

    def command(self, share):
        """The client's options for that share of the work."""
        options = dict(self.options)
        # Bulk has few messages: what shrinks is their length.
        key = "bytes" if self.unit == "MiB" else "messages"
        options[key] = max(int(options[key] * share), 1)
        words = []
        for name, value in options.items():
            words += [f"--{name}"] if value is True else [f"--{name}", str(value)]
        return words

    def units(self, share):
        """How many units that share is."""
        return self.options["messages"] * share * self.per_message


def ping_pong(name, connections, messages, size=64, idle=0):
    return Workload(name, {"connections": connections, "bytes": size,
                           "messages": messages, "idle": idle})


def bulk(name, connections, mib):
    return Workload(name, {"connections": connections, "messages": connections,
                           "bytes": mib * MIB}, "MiB", mib)


WORKLOADS = [
    ping_pong("ping-pong, 1 connection", 1, 8000),
    ping_pong("ping-pong, 64", 64, 40000),
    ping_pong("ping-pong, 512", 512, 40000),
    ping_pong("16 KiB messages, 64", 64, 10000, size=16384),
    bulk("bulk, 1 connection", 1, 96),
    bulk("bulk, 64", 64, 2),
    Workload("connect, echo, close", {"connections": 16, "messages": 3000,
                                      "bytes": 64, "short-lived": True},
             "connections"),
    ping_pong("64, and 1,000 idle", 64, 20000, idle=1000),
    ping_pong("64, and 5,000 idle", 64, 10000, idle=IDLE),
]
MEMORY = Workload("memory", {"connections": 1, "messages": 1000, "bytes": 64,
                             "idle": IDLE}, alone=True)


def by_tls(workload, goal=GOAL, **options):
    workload.options |= {"tls": True, **options}
    workload.goal = goal
    return workload


def handshakes(name, messages, **options):
    return by_tls(Workload(name, {"connections": 1, "messages": messages,
                                  "bytes": 64, "short-lived": True},
                           "connections"), **options)


TLS_WORKLOADS = [
    by_tls(ping_pong("ping-pong, 64", 64, 20000)),
    by_tls(bulk("bulk, 1 connection", 1, 96), goal=0.92),
    by_tls(bulk("bulk, 16", 16, 6), goal=0.92),
    handshakes("full handshakes", 600),
    handshakes("resumed handshakes", 1200, resume=True),
]
TLS_MEMORY = by_tls(Workload("memory", {"connections": 1, "messages": 100,
                                        "bytes": 64, "idle": 1000}, alone=True))


def sample(client, server, workload, share=1.0):
    """{"cpu": ns, "wall": ns, "memory": bytes} of one run of the client."""
    done = subprocess.run(
        [client, "--port", server.address, "--pid", str(server.process.pid),
         *workload.command(share)],
        capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        raise peers.Failed(done.stderr.strip())
    return json.loads(done.stdout)


class Bench:
    """All samples of a run."""

    def __init__(self, client, commands, rounds, share, workloads, say,
                 memory=MEMORY):
        self.client, self.commands, self.share = client, commands, share
        self.memory_workload = memory
        self.rounds, self.workloads, self.say = rounds, workloads, say
        # {workload: {server: [one sample per round]}}
        self.costs = {w.name: {name: [] for name in commands} for w in workloads}
        self.memory = {name: [] for name in commands}
        self.failures = {}

    def run(self):
        with contextlib.ExitStack() as stack:
            servers = {name: stack.enter_context(peers.Server(command))
                       for name, command in self.commands.items()}
            self.one_round(servers, "warming up", 0, min(self.share, 0.25), False)
            for i in range(self.rounds):
                self.one_round(servers, f"round {i + 1} of {self.rounds}", i,
                               self.share, True)
        names = list(self.commands)
        for i in range(min(self.rounds, 3)):
            self.say(f"memory, {i + 1}")
            for name in names:
                self.measure_memory(name)

    def one_round(self, servers, title, number, share, counts):
        for workload in self.workloads:
            self.say(f"{title}: {workload.name}")
            names = list(servers)
            turn = number % len(names)
            for name in names[turn:] + names[:turn]:
                self.measure(servers[name], name, workload, share, counts)

    def measure(self, server, name, workload, share, counts):
        try:
            cost = sample(self.client, server, workload, share)["cpu"]
        except (peers.Failed, subprocess.TimeoutExpired) as failure:
            self.failures[f"{name}, {workload.name}"] = str(failure)
            cost = None
        if counts:
            self.costs[workload.name][name].append(cost)

    def measure_memory(self, name):
        try:
            with peers.Server(self.commands[name]) as server:
                grown = sample(self.client, server,
                               self.memory_workload)["memory"]
                self.memory[name].append(grown / self.memory_workload.idle)
        except (peers.Failed, subprocess.TimeoutExpired) as failure:
            self.failures[f"{name}, memory"] = str(failure)

    def report(self):
        """All of it, as JSON."""
        return {
            "schema": 1,
            "machine": f"{platform.system()} {platform.release()}, "
                       f"{os.cpu_count()} processors",
            "rounds": self.rounds,
            "servers": list(self.commands),
            "workloads": [self.of(w) for w in self.workloads],
            "idle_connections": self.memory_workload.idle,
            "bytes_per_idle_connection": {
                name: statistics.median(values)
                for name, values in self.memory.items() if values},
            "failures": self.failures,
        }

    def of(self, workload):
        costs = self.costs[workload.name]
        raw = [c for c in costs[RAW] if c]
        ratios = {}
        for name, own in costs.items():
            values = [r / c for r, c in zip(costs[RAW], own) if r and c]
            if values:
                ratios[name] = spread(values)
        rate = workload.units(self.share) / statistics.median(raw) * 1e9 if raw else 0
        return {"name": workload.name, "unit": workload.unit,
                "goal": workload.goal,
                "raw_per_cpu_second": rate, "ratios": ratios, "cpu_ns": costs}


def spread(values):
    """The median, and the quartiles."""
    low, high = (statistics.quantiles(values, n=4, method="inclusive")[::2]
                 if len(values) > 1 else values * 2)
    return {"median": statistics.median(values), "low": low, "high": high}


# --- The table ---

def number(value):
    for limit, unit in ((1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g}{unit}"
    return f"{value:.3g}"


def rows(report):
    """The table's cells as text; the first row is the head."""
    others = [name for name in report["servers"] if name != RAW]
    yield ["work per CPU second", f"{RAW} loop", *others]
    for workload in report["workloads"]:
        rate = number(workload["raw_per_cpu_second"])
        cells = [workload["ratios"].get(name) for name in others]
        yield [workload["name"], f"{rate} {workload['unit']}",
               *(f"{c['median']:.2f} ±{(c['high'] - c['low']) / 2:.2f}" if c
                 else "-" for c in cells)]
    memory = report["bytes_per_idle_connection"]
    yield ["KiB per idle connection",
           *(f"{memory[n] / 1024:.2f}" if n in memory else "-"
             for n in [RAW, *others])]


def verdict(report):
    """Where our goals stand, in words."""
    behind_raw, behind_best = [], []
    for workload in report["workloads"]:
        ratios = {n: r["median"] for n, r in workload["ratios"].items()}
        ours = ratios.get(OURS)
        if ours is None:
            continue
        if ours < workload["goal"]:
            behind_raw.append(f"{workload['name']} (goal {workload['goal']})")
        best = max((n for n in ratios if n not in (RAW, OURS)),
                   key=ratios.get, default=None)
        if best and ours < ratios[best]:
            behind_best.append(f"{workload['name']} ({best})")
    yield "behind the raw loop: " + ("; ".join(behind_raw) or "nowhere")
    yield "behind the best library: " + ("; ".join(behind_best) or "nowhere")
    memory = report["bytes_per_idle_connection"].get(OURS)
    if memory and report["idle_connections"] != TLS_MEMORY.idle:
        yield (f"{memory / 1024:.2f} KiB per idle connection; the goal is at "
               f"most {GOAL_MEMORY / 1024}")


def show(table):
    head, *body = table
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table
        drawn = Table(*head, highlight=False)
        for row in body:
            drawn.add_row(*row)
        Console().print(drawn)
        return
    widths = [max(map(len, column)) for column in zip(head, *body)]
    for row in (head, *body):
        print("  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip())


# --- The run ---

def make_room_for_descriptors():
    """How many idle connections there can be."""
    wanted = IDLE + 1000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in ((wanted, max(wanted, hard)), (min(wanted, hard), hard)):
        if soft >= wanted:
            break
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, limit)
            soft = limit[0]
    return min(IDLE, soft - 1000) if soft < wanted else IDLE


def leave_out_idle(most, workloads):
    """Without descriptors for them, fewer idle connections, under that name."""
    if most >= IDLE:
        return
    print(f"bench: only {most} idle connections instead of {IDLE}: "
          "ulimit -n is too low", file=sys.stderr)
    for workload in [*workloads, MEMORY]:
        if workload.idle > most:
            workload.options["idle"] = max(most, 0)
            workload.name = workload.name.replace("5,000", str(most))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--quick", action="store_true",
                        help="less work, and two rounds: only a rough picture")
    parser.add_argument("--tls", action="store_true", help="the same over TLS")
    parser.add_argument("--only", action="append", metavar="TEXT", default=[],
                        help="workloads whose name has TEXT; several: any")
    parser.add_argument("--peer", action="append", default=[],
                        choices=list(peers.LIBRARIES), help="only these peers")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--svg", metavar="FILE")
    parser.add_argument("--programs", type=pathlib.Path, metavar="DIR",
                        default=pathlib.Path("bench").absolute(),
                        help="where echo, raw_poll and client are")
    return parser.parse_args()


def progress():
    if not sys.stderr.isatty():
        return lambda text: None
    return lambda text: print(f"\r\033[K{text}", end="", file=sys.stderr,
                              flush=True)


def write(name, text):
    # `bazel run` starts us elsewhere.
    path = pathlib.Path(os.environ.get("BUILD_WORKING_DIRECTORY", "."), name)
    path.write_text(text, encoding="utf-8")


def main():
    args = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    workloads = [w for w in (TLS_WORKLOADS if args.tls else WORKLOADS)
                 if not args.only or any(t in w.name for t in args.only)]
    leave_out_idle(make_room_for_descriptors(), workloads)
    say = progress()
    processor = max(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="bench.") as folder:
        say("building the other servers")
        commands, missing = peers.find(args.programs, pathlib.Path(folder),
                                       args.peer, args.tls)
        # All on one: what a wake-up on another costs depends on what that does.
        os.sched_setaffinity(0, {processor})
        bench = Bench(args.programs / "client", commands,
                      2 if args.quick else args.rounds,
                      0.25 if args.quick else 1.0, workloads, say,
                      TLS_MEMORY if args.tls else MEMORY)
        bench.run()
    say("")
    report = bench.report()
    show(list(rows(report)))
    for line in [*missing, *(f"failed: {k}: {v}" for k, v in bench.failures.items()),
                 *verdict(report)]:
        print(line)
    if args.json:
        write(args.json, json.dumps(report, indent=1) + "\n")
    if args.svg:
        write(args.svg, chart.svg(report))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except (peers.Failed, OSError) as problem:
        sys.exit(f"bench: {problem}")
