#!/usr/bin/env python3
"""Threads of a rank take the place of ranks: same rows, same chains, same answer."""
import os
import shutil
import subprocess
import unittest

from harness import DIGITS, PROGRAM, WDBC, Case, environment, main, records, svrg, weights


class Threads(Case):
    def run_on(self, data, *options, ranks, threads):
        return self.train(data, *options, "--threads", threads, "--overwrite",
                          name=f"{ranks}x{threads}", ranks=ranks)

    def weights_of(self, data, *options, ranks, threads):
        run, _ = self.run_on(data, *options, ranks=ranks, threads=threads)
        return weights(run)

    def path_of(self, data, *options, ranks, threads):
        """Passes and objective after every epoch."""
        run, _ = self.run_on(data, *options, ranks=ranks, threads=threads)
        return [(line["passes"], line["objective"]) for line in records(run)]

    def test_one_rank_with_threads_goes_the_way_of_as_many_ranks(self):
        for data, options in (WDBC, ["--engine", "row"]), (DIGITS, []), (WDBC, ["--l1", "0.1/n"]):
            with self.subTest(data=data, options=options):
                ranks = self.path_of(data, *options, ranks=4, threads=1)
                for r, t in (1, 4), (2, 2):
                    threads = self.path_of(data, *options, ranks=r, threads=t)
                    self.assertEqual([p for p, _ in threads], [p for p, _ in ranks])
                    for (_, a), (_, b) in zip(ranks, threads):
                        self.assertAlmostEqual(a, b, delta=1e-10 * a)

    def test_a_repeated_run_gives_the_same_bits(self):
        runs = {self.weights_of(DIGITS, ranks=1, threads=3) for _ in range(3)}
        self.assertEqual(len(runs), 1)

    def test_deterministic_gives_the_same_bits_whatever_the_threads(self):
        runs = {self.weights_of(DIGITS, "--deterministic", "--engine", "row", ranks=r, threads=t)
                for r, t in ((1, 1), (1, 2), (1, 3), (2, 2), (3, 1))}
        self.assertEqual(len(runs), 1)

    def test_more_threads_than_parts_of_the_rows_leave_some_idle(self):
        _, result = self.run_on(WDBC, "--virtual-shards", "2", ranks=1, threads=5)
        self.assertEqual(result["stop_reason"], "tolerance")

    def test_the_header_says_how_many_and_on_how_many_cores(self):
        done = self.succeeds("train", WDBC, "--threads", "2", ranks=2)
        self.assertIn("2 ranks x 2 threads", done.out + done.err)
        self.assertIn("cores ", done.out + done.err)

    @unittest.skipUnless(shutil.which("taskset"), "taskset is missing")
    def test_a_rank_bound_to_too_few_cores_is_told_what_to_do(self):
        core = str(min(os.sched_getaffinity(0)))
        done = subprocess.run(["taskset", "-c", core, PROGRAM, "train", WDBC, "--threads", "2"],
                              capture_output=True, text=True, env=environment(), check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("--map-by slot:PE=2", done.stderr)

    def test_an_algorithm_without_threads_says_so(self):
        done = svrg("train", WDBC, "--algorithm", "svrg", "--threads", "2", "-e", "1")
        self.assertIn("--threads: not used by --algorithm svrg", done.err)
        self.assertEqual(svrg("train", WDBC, "--threads", "0").code, 2)


if __name__ == "__main__":
    main(needs=["h5dump"])
