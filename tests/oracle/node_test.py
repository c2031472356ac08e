#!/usr/bin/env python3
"""Whether Node still does what traces/ says: records all scenarios anew.

To write what Node does now, after a change of a scenario, from the root of the
checkout:

    tests/oracle/node_test.py --write
"""

import shutil
import sys
import unittest

sys.path.insert(0, "tests/oracle")
import oracle  # noqa: E402

NODE = shutil.which("node")
MISSING = ("not run: Node is not installed, so nothing was recorded; "
           "`./course doctor` says how to get it")


def record():
    """{name: (the trace, or None; what went wrong)}"""
    return oracle.run_all(
        lambda name: [NODE, oracle.HERE / "scenarios" / f"{name}.js"],
        oracle.names())


class Node(unittest.TestCase):
    maxDiff = None

    def test_does_what_the_traces_say(self):
        for name, (recorded, problem) in record().items():
            with self.subTest(name):
                self.assertIsNotNone(recorded, problem)
                stored = (oracle.HERE / "traces" / f"{name}.json").read_text("utf-8")
                self.assertEqual(
                    stored, oracle.as_openssl_3_0(oracle.as_text(recorded)))


def write():
    for name, (recorded, problem) in record().items():
        if recorded is None:
            sys.exit(f"{name}: {problem}")
        (oracle.HERE / "traces" / f"{name}.json").write_text(
            oracle.as_openssl_3_0(oracle.as_text(recorded)), "utf-8")
    print(f"{len(oracle.names())} traces")


if __name__ == "__main__":
    if NODE is None:
        # A failure, and no pass: whoever asks for this test wants an answer.
        sys.exit(MISSING)
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        unittest.main()
