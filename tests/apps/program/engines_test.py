#!/usr/bin/env python3
"""Which engine and which instructions a run takes: said in its header, and of no weight for its end."""
import math
import re

from harness import DIGITS, WDBC, Case, main, svrg

TIGHT = ["--tol-grad", "1e-10"]


class Engines(Case):
    def run_with(self, data, *options, ranks=1):
        """Objective, and what the header says of the inner engine."""
        done = self.succeeds("train", data, *TIGHT, *options, ranks=ranks)
        engine = re.search(r"inner engine (\S+),", done.out + done.err)
        return done.json["objective"], engine and engine.group(1)

    def test_every_engine_ends_at_the_same_point(self):
        for data in WDBC, DIGITS:
            best, _ = self.run_with(data)
            for engine in "row", "ssn", "newton":
                for ranks in 1, 2:
                    objective, named = self.run_with(data, "--engine", engine, ranks=ranks)
                    self.assertEqual(named, engine)
                    self.assertAlmostEqual(objective, best, delta=1e-12)

    def test_rounded_rows_lead_to_the_same_point(self):
        exact, _ = self.run_with(DIGITS, "--engine", "row", "--inner-copy", "none")
        rounded, _ = self.run_with(DIGITS, "--engine", "row")
        self.assertAlmostEqual(exact, rounded, delta=1e-12)

    def test_values_beyond_single_precision_get_no_rounded_copy(self):
        path = self.folder / "large.svm"
        path.write_text("".join(f"{1 if i % 3 else -1} 1:{(i % 7 - 3) * 1e60:g} 2:{i % 5}\n"
                                for i in range(60)))
        rounded, _ = self.run_with(path, "--engine", "row", "-e", "5")
        exact, _ = self.run_with(path, "--engine", "row", "-e", "5", "--inner-copy", "none")
        self.assertEqual(rounded, exact)
        self.assertLess(exact, math.log(2))

    def test_instructions_agree_and_the_unknown_are_named(self):
        objectives = []
        for name in "plain", "avx2", "avx512":
            done = svrg("train", WDBC, *TIGHT, "--instructions", name)
            if done.code == 0:
                objectives.append(done.json["objective"])
            else:  # a machine that has them not
                self.assertIn(f"no instruction set '{name}'", done.err)
                self.assertIn("plain", done.err)
        for objective in objectives:
            self.assertAlmostEqual(objective, objectives[0], delta=1e-12)
        self.assertEqual(svrg("train", WDBC, "--instructions", "sse9").code, 2)


class Bench(Case):
    def test_writes_rates_that_training_chooses_its_engine_by(self):
        path = self.folder / "node.rates"
        self.succeeds("bench", "--rates", path, ranks=2)
        names = [line.split()[0] for line in path.read_text().splitlines()]
        self.assertEqual(names, ["bandwidth", "entries", "products", "updates", "factoring", "latency",
                                 "network"])
        self.assertEqual(svrg("bench", "--rates", path).code, 2, "exists")
        # Where factors cost nothing Newton's steps are nearly free; where they are dear rows are.
        for factoring, engine in ("1e15", "newton"), ("1e3", "row"):
            path.write_text("bandwidth 1e9\nentries 1e8\nproducts 1e12\nupdates 1e12\n"
                            f"factoring {factoring}\nlatency 1e-5\nnetwork 1e9\n")
            done = self.succeeds("train", WDBC, "--rates", path)
            self.assertIn(f"inner engine {engine}", done.out + done.err)

    def test_says_what_it_needs_and_what_is_wrong_with_a_file(self):
        self.assertIn("--rates FILE", svrg("bench").err)
        path = self.folder / "bad.rates"
        path.write_text("bandwidth 1e9\nspeed 12\n")
        done = svrg("train", WDBC, "--rates", path, ranks=2)
        self.assertEqual(done.code, 3)
        self.assertIn(f"{path}:2:", done.err)


if __name__ == "__main__":
    main()
