"""That the benchmark's own programs work. Nothing here looks at a clock."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, "bench")
import bench  # noqa: E402
import chart  # noqa: E402
import peers  # noqa: E402

PROGRAMS = pathlib.Path("bench").absolute()
SERVERS = [PROGRAMS / name for name in ("echo", "raw_poll")
           if (PROGRAMS / name).exists()]


class Servers(unittest.TestCase):
    def test_every_workload_comes_back_as_it_was_sent(self):
        for command in SERVERS:
            with peers.Server([command]) as server:
                for workload in bench.WORKLOADS:
                    if workload.idle <= 1000:
                        cost = bench.sample(PROGRAMS / "client", server,
                                            workload, 0.002)
                        self.assertIn("cpu", cost, workload.name)

    def test_every_workload_of_tls_does_so_too(self):
        identity = peers.identity(PROGRAMS)
        for command in ([PROGRAMS / "raw_tls"], [PROGRAMS / "echo", "--tls"]):
            with peers.Server(command + identity) as server:
                for workload in bench.TLS_WORKLOADS:
                    cost = bench.sample(PROGRAMS / "client", server, workload,
                                        0.02)
                    self.assertIn("cpu", cost, workload.name)

    def test_sigterm_is_a_clean_end(self):
        for command in SERVERS:
            server = peers.Server([command])
            with socket.create_connection(("127.0.0.1", int(server.address))):
                self.assertEqual(server.stop(), 0, command)

    def test_a_path_is_removed_at_the_end(self):
        for command in SERVERS:
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "s")
                with peers.Server([command], "--path", path) as server:
                    self.assertEqual(server.address, path)
                    with socket.socket(socket.AF_UNIX) as client:
                        client.connect(path)
                        client.sendall(b"hello")
                        self.assertEqual(client.recv(5, socket.MSG_WAITALL),
                                         b"hello")
                self.assertFalse(os.path.exists(path), command)

    def test_other_options_are_refused(self):
        for command in SERVERS:
            for words in ([], ["--port"], ["--port", "x"], ["--port", "65536"],
                          ["--nonsense", "1"], ["--port", "0", "--path", "x"]):
                done = subprocess.run([command, *words], capture_output=True,
                                      text=True, check=False)
                self.assertEqual(done.returncode, 2, (command, words))
                self.assertIn("usage:", done.stderr)


class Report(unittest.TestCase):
    def setUp(self):
        run = bench.Bench("client", {n: [] for n in ("raw poll", "sockets",
                                                     "libuv")},
                          3, 1.0, bench.WORKLOADS[:1], print)
        costs = {"raw poll": [100, 200, 300], "sockets": [100, 250, None],
                 "libuv": [50, 100, 150]}
        run.costs = {bench.WORKLOADS[0].name: costs}
        run.memory = {"raw poll": [64], "sockets": [1024], "libuv": [300]}
        self.report = json.loads(json.dumps(run.report()))

    def test_a_ratio_is_of_one_round(self):
        ratios = self.report["workloads"][0]["ratios"]
        self.assertEqual(ratios["libuv"], {"median": 2, "low": 2, "high": 2})
        self.assertAlmostEqual(ratios["sockets"]["median"], 0.9)

    def test_the_verdict_names_who_is_better(self):
        words = " ".join(bench.verdict(self.report))
        self.assertIn("raw loop: ping-pong, 1 connection", words)
        self.assertIn("ping-pong, 1 connection (libuv)", words)
        self.assertIn("1.00 KiB", words)

    def test_the_table_has_a_row_for_each_workload_and_one_for_memory(self):
        table = list(bench.rows(self.report))
        self.assertEqual(len(table), 3)
        self.assertEqual({len(row) for row in table}, {4})

    def test_the_chart_is_well_formed(self):
        import xml.etree.ElementTree as tree
        tree.fromstring(chart.svg(self.report))


if __name__ == "__main__":
    unittest.main()
