#!/usr/bin/env python3
"""The answer depends on data, settings and seed, not on how many ranks worked on it.
SVRG_NIGHTLY=1 for 100 repeats of a run, and for more data."""
import os

from harness import DIGITS, WDBC, Case, main, numbers, records, weights

MINIBATCH = ["--algorithm", "svrg", "-b", "128", "-e", "5", "--tol-grad", "0"]
NIGHTLY = os.environ.get("SVRG_NIGHTLY") == "1"
TIMES = {"wall_seconds", "ts", "max_rss", "phase_seconds"}


class SameNumbers(Case):
    def bits(self, *args, ranks, name=None):
        run, _ = self.train(*args, name=name or f"run{ranks}", ranks=ranks)
        return weights(run)

    def distance(self, a, b):
        """Largest difference against the largest weight."""
        a, b = numbers(a), numbers(b)
        self.assertEqual(len(a), len(b))
        return max(abs(x - y) for x, y in zip(a, b)) / max(map(abs, a))

    def test_the_minibatch_scheme_agrees_to_1e_10_on_any_number_of_ranks(self):
        one = self.bits(WDBC, *MINIBATCH, ranks=1)
        self.assertGreater(max(map(abs, numbers(one))), 1e-3, "it must have moved")
        for ranks in 2, 3, 4:
            self.assertLessEqual(self.distance(one, self.bits(WDBC, *MINIBATCH, ranks=ranks)), 1e-10)

    def test_deterministic_gives_the_same_bits_on_any_number_of_ranks(self):
        runs = {self.bits(DIGITS, *MINIBATCH, "--deterministic", ranks=r) for r in (1, 2, 3, 4)}
        self.assertEqual(len(runs), 1)

    def test_the_default_solver_has_a_deterministic_mode_too(self):
        problems = [[WDBC]]
        if NIGHTLY:
            problems += [[DIGITS], *([WDBC, "--model", kind] for kind in ("svm-sq", "huber", "linear")),
                         *([data, "--engine", kind] for data in (WDBC, DIGITS) for kind in ("row", "ssn")),
                         [WDBC, "--l1", "0.01"], [DIGITS, "--l1", "0.001"]]
        for args in problems:
            with self.subTest(args):
                runs = {self.bits(*args, "--deterministic", "--overwrite", ranks=r) for r in (1, 2, 3, 4)}
                self.assertEqual(len(runs), 1)

    def test_a_repeated_run_gives_the_same_bits_and_the_same_record(self):
        for label, args in ("auto", [WDBC]), ("svrg", [DIGITS, *MINIBATCH]):
            for ranks in (1, 2, 3, 4) if NIGHTLY else (3,):
                with self.subTest(label, ranks=ranks):
                    first = None
                    for _ in range(25 if NIGHTLY else 2):
                        run, _ = self.train(*args, "--overwrite", ranks=ranks)
                        record = [{k: v for k, v in line.items() if k not in TIMES} for line in records(run)]
                        first = first or (weights(run), record)
                        self.assertEqual((weights(run), record), first)

    def test_the_default_solver_reaches_the_same_optimum_on_any_number_of_ranks(self):
        tight = [WDBC, "--l2", "1/n", "--tol-grad", "1e-10"]
        one = self.bits(*tight, ranks=1)
        for ranks in 2, 4:
            self.assertLessEqual(self.distance(one, self.bits(*tight, ranks=ranks)), 1e-6)

    def test_another_seed_gives_another_path(self):
        a = self.bits(WDBC, *MINIBATCH, ranks=2, name="a")
        self.assertNotEqual(a, self.bits(WDBC, *MINIBATCH, "--seed", "2", ranks=2, name="b"))

    def test_a_batch_is_global(self):
        _, result = self.train(WDBC, *MINIBATCH, ranks=4)
        _, lone = self.train(WDBC, *MINIBATCH, ranks=1, name="lone")
        self.assertEqual(result["passes"], lone["passes"])
        self.assertEqual(result["samples"], lone["samples"])


if __name__ == "__main__":
    main(needs=["h5dump"])
