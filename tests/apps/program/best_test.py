#!/usr/bin/env python3
"""Stopping where a figure no longer improves, keeping the best epoch, starting from a model."""
import math

from harness import DIGITS, DIGITS_TEST, WDBC, WDBC_TEST, Case, main, records, weights

PATIENT = [DIGITS, "--valid", DIGITS_TEST, "--algorithm", "sgd", "-b", "64", "--update-freq", "1",
           "--learning-rate", "0.3", "--tol-grad", "0", "--checkpoint-every", "1"]


def best_of(lines, name, larger):
    """Epoch and value of the first of the best, and how many lines follow it: by definition."""
    good = [line for line in lines if line[name] is not None and not math.isnan(line[name])]
    best = (max if larger else min)(good, key=lambda line: line[name])
    return best["epoch"], best[name], len(lines) - 1 - lines.index(best)


class Patience(Case):
    def test_stops_n_measured_epochs_after_the_best(self):
        for ranks in 1, 2:
            for monitor, name, larger in (("valid:acc", "valid_acc", True),
                                          ("valid:ce", "valid_ce", False)):
                run, result = self.train(*PATIENT, "--patience", "4", "--monitor", monitor, "-m", "acc",
                                         "-e", "300", name=f"{name}{ranks}", ranks=ranks)
                self.assertEqual(result["stop_reason"], "patience")
                lines = records(run)
                epoch, value, since = best_of(lines, name, larger)
                self.assertEqual((result["best_epoch"], result["best_metric"]), (epoch, value))
                self.assertEqual(since, 4)
                # No sooner: before the end no four in a row were without a better one.
                for end in range(1, len(lines)):
                    self.assertLess(best_of(lines[:end], name, larger)[2], 4)

    def test_watches_the_first_validation_metric_or_asks_for_something_to_watch(self):
        run, result = self.train(*PATIENT, "--patience", "2", "-m", "ce,acc", ranks=2)
        self.assertEqual(result["best_metric"], best_of(records(run), "valid_ce", False)[1])
        self.fails(2, "train", WDBC, "--patience", "3", ranks=2,
                   says=["--patience", "--valid", "--monitor train:objective"])
        self.fails(2, "train", WDBC, "--patience", "3", "--monitor", "valid:acc",
                   says=["--monitor", "--valid"])
        self.fails(2, "train", WDBC, "--patience", "3", "--monitor", "train:rmse", ranks=2,
                   says=["--monitor", "rmse"])
        for wrong in "acc", "test:acc", "valid:objective", "train:accuracy":
            self.fails(2, "train", WDBC, "--patience", "3", "--monitor", wrong, says=["--monitor"])

    def test_the_objective_of_a_solver_that_cannot_rise_is_stopped_by_its_tolerance(self):
        _, result = self.train(WDBC, "--patience", "3", "--monitor", "train:objective", ranks=2)
        self.assertEqual(result["stop_reason"], "tolerance")
        self.assertEqual(result["best_epoch"], result["epochs"])
        self.assertEqual(result["best_metric"], result["objective"])

    def test_a_resumed_run_stops_where_the_unbroken_one_does(self):
        for ranks in 1, 2:
            asked = [*PATIENT, "--patience", "6", "--monitor", "valid:ce", "-e", "300"]
            whole, result = self.train(*asked, name=f"whole{ranks}", ranks=ranks)
            run = self.folder / f"cut{ranks}"
            # Before the best epoch, after it, and when all is over.
            for cut in result["best_epoch"] - 1, result["best_epoch"] + 3, 300, 300:
                how = ["--resume", "auto"] if run.exists() else []
                again = self.succeeds("train", *asked, "-e", cut, "-o", run, *how, ranks=ranks).json
            for key in "epochs", "best_epoch", "best_metric", "stop_reason", "objective":
                self.assertEqual(again[key], result[key], key)
            self.assertTrue(weights(run) == weights(whole))

    def test_another_figure_is_sought_anew(self):
        run, _ = self.train(*PATIENT, "--patience", "50", "--monitor", "valid:ce", "-e", "5")
        again = self.succeeds("train", *PATIENT, "--patience", "50", "--monitor", "valid:acc", "-e", "8",
                              "-o", run, "--resume", "auto")
        self.assertIn("did not watch valid_acc", again.err)
        self.assertGreater(again.json["best_epoch"], 5)


if __name__ == "__main__":
    main(needs=["h5dump"])
