#!/usr/bin/env python3
"""Whether net::Socket and net::Server do what Node's do.

Each scenario has a twin in *_twins.cc: it is run, and what its actors saw is
compared with what they saw in Node (traces/). differences.tsv has what is known
to differ. From the root of the checkout:

    bazel build //tests/oracle:twins
    tests/oracle/oracle_test.py                     all of it
    tests/oracle/oracle_test.py 001_connect_basic   some scenarios
    tests/oracle/oracle_test.py --rules             rules that nobody checks
"""

import copy
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, "tests/oracle")
import oracle  # noqa: E402

TITLES = ("expected, from Node", "happened here")


def binary():
    """In the test's own tree, or below bazel-bin."""
    built = "bazel-bin" / oracle.HERE / "twins"
    return built if built.is_file() else oracle.HERE / "twins"


def run(names):
    return oracle.run_all(lambda name: [binary(), name], names)


def failure(name, happened, known):
    """What to say about a trace that is not as expected; "" if it is."""
    recorded = oracle.checked_in(name)
    try:
        expected = oracle.with_differences(
            recorded["trace"], [d for d in known if d.scenario == name])
    except ValueError as problem:
        return f"{name}: {problem}"
    wrong = oracle.differences(expected, happened)
    if not wrong:
        return ""
    words = oracle.rules()
    return "\n".join(
        [f"{name} is not as in Node:"]
        + [oracle.two_columns(*entry, TITLES) for entry in wrong]
        + ["  rules:"]
        + [f"    {rule:<9} {words[rule]}" for rule in recorded["rules"]])


class Twins(unittest.TestCase):
    def test_do_what_node_does(self):
        known = oracle.known_differences()
        for name, (recorded, problem) in run(oracle.names()).items():
            with self.subTest(name):
                if recorded is None:
                    self.fail(f"{name}: {problem}")
                said = failure(name, recorded["trace"], known)
                if said:
                    self.fail(said)

    def test_are_all_there(self):
        there = subprocess.run([binary()], stdout=subprocess.PIPE, text=True,
                               check=True).stdout.split()
        self.assertEqual(oracle.names(), sorted(there))

    def test_have_a_trace_each(self):
        traces = sorted(p.stem for p in (oracle.HERE / "traces").glob("*.json"))
        self.assertEqual(oracle.names(), traces)

    def test_name_rules_that_exist(self):
        for name in oracle.names():
            script = (oracle.HERE / "scenarios" / f"{name}.js").read_text("utf-8")
            rules = re.search(r"scenario\(\s*__filename,\s*'([^']*)'", script)[1]
            self.assertEqual(oracle.checked_in(name)["rules"], rules.split(), name)
            self.assertLessEqual(set(rules.split()), set(oracle.rules()), name)


class Comparison(unittest.TestCase):
    """It would be of no use if it could not fail."""

    NAME = "059_end_basic_order"

    def said(self, change, known=()):
        happened = copy.deepcopy(oracle.checked_in(self.NAME)["trace"])
        change(happened)
        return failure(self.NAME, happened, list(known))

    def known(self, node, here):
        return oracle.Difference(self.NAME, "client", node, here, "a test")

    def test_is_content_with_the_same(self):
        self.assertEqual("", self.said(lambda trace: None))

    def test_sees_what_is_missing(self):
        self.assertIn("> end ", self.said(lambda t: t["client"].remove(["end"])))

    def test_sees_what_is_too_much(self):
        self.assertIn("> -",
                      self.said(lambda t: t["client"].append(["close", False])))

    def test_sees_another_order(self):
        self.assertIn("> end-callback true", self.said(
            lambda t: t["client"].insert(2, t["client"].pop(3))))

    def test_sees_another_argument(self):
        def change(trace):
            trace["client"][-1] = ["close", True]
        self.assertIn("close true", self.said(change))

    def test_sees_another_type(self):
        def change(trace):
            trace["client"][-1] = ["close", 0]
        self.assertIn("close 0", self.said(change))

    def test_sees_a_missing_actor(self):
        said = self.said(lambda t: t.pop("server_socket"))
        self.assertIn("server_socket", said)
        self.assertNotIn("client", said)

    def test_sees_another_actor(self):
        self.assertIn("nobody", self.said(lambda t: t.update(nobody=[["end"]])))

    def test_names_the_rules(self):
        self.assertIn("END-7     end() returns the socket",
                      self.said(lambda t: t.clear()))

    def test_takes_a_known_difference(self):
        def change(trace):
            trace["client"][-1] = ["close", True]
        self.assertEqual("", self.said(
            change, [self.known(["close", False], ["close", True])]))
        self.assertEqual("", self.said(
            lambda t: t["client"].pop(), [self.known(["close", False], None)]))

    def test_sees_a_known_difference_that_is_none_any_more(self):
        self.assertIn("close true", self.said(
            lambda t: None, [self.known(["close", False], ["close", True])]))

    def test_sees_a_known_difference_that_node_has_not(self):
        self.assertIn("differences.tsv", self.said(
            lambda t: None, [self.known(["close", True], None)]))


def unchecked_rules():
    """Those that have neither a scenario nor a graded test."""
    checked = {rule for name in oracle.names()
               for rule in oracle.checked_in(name)["rules"]}
    graded = set()
    for path in pathlib.Path("tests").glob("[0-9]*/*_test.cc"):
        graded |= set(re.findall(r'RULE\("([A-Z]+-\d+)"\)', path.read_text("utf-8")))
    words = oracle.rules()
    for rule in words:
        if rule not in checked | graded:
            print(f"{rule:<10} {words[rule]}")
    print(f"{len(words)} rules: {len(checked)} with a scenario, "
          f"{len(graded & set(words))} with a graded test, "
          f"{len(set(words) - checked - graded)} with neither")


def some(names):
    known, wrong = oracle.known_differences(), 0
    for name, (recorded, problem) in run(names).items():
        said = problem if recorded is None else \
            failure(name, recorded["trace"], known)
        wrong += bool(said)
        print(said or f"{name} is as in Node")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    if sys.argv[1:] == ["--rules"]:
        unchecked_rules()
    elif sys.argv[1:]:
        some(sys.argv[1:])
    else:
        unittest.main()
