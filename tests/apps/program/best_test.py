#!/usr/bin/env python3
"""Stopping where a figure no longer improves, keeping the best epoch, starting from a model."""
import math
import os

from harness import DATA, DIGITS, DIGITS_TEST, WDBC, Case, dataset, main, records, weights

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


class SaveBest(Case):
    # The accuracy has its peak early and the steps are long, so that the last epoch is not the best.
    ASKED = [*PATIENT, "--save-best", "--monitor", "valid:acc", "--keep", "2"]

    def test_model_export_and_best_checkpoint_are_those_of_the_best_epoch(self):
        for ranks in 1, 2:
            out = self.folder / f"best{ranks}.h5"
            run, result = self.train(*self.ASKED, "-e", "25", "--export", out, name=f"run{ranks}",
                                     ranks=ranks)
            epoch, value, since = best_of(records(run), "valid_acc", True)
            self.assertGreater(since, 3, "the best is pruned unless it is held")
            self.assertEqual((result["best_epoch"], result["best_metric"]), (epoch, value))
            best = run / "checkpoints/best.h5"
            self.assertTrue(os.readlink(best).startswith("step-"), "relative, so that a run can move")
            self.assertEqual(len(list((run / "checkpoints").glob("step-*.h5"))), 2)
            for model in run / "model.h5", out, best:
                for part in "weight", "bias":
                    name = f"/params/linear/{part}"
                    self.assertEqual(dataset(model, name), dataset(run / "model.h5", name))
                says = self.succeeds("evaluate", model, DIGITS_TEST, "-m", "acc").json
                self.assertEqual(says["metrics"]["acc"], value)
            self.assertNotEqual(dataset(run / "model.h5", "/params/linear/weight"),
                                dataset(run / "checkpoints/last.h5", "/params/linear/weight"))
            self.assertIn(f"best_epoch         {epoch}",
                          self.succeeds("inspect", run / "model.h5").out.replace("state.", ""))

    def test_it_survives_a_resume_before_and_after_the_best(self):
        whole, result = self.train(*self.ASKED, "-e", "25", name="whole", ranks=2)
        run, epochs = self.folder / "run", [result["best_epoch"] - 1, result["best_epoch"] + 1, 25, 25]
        for cut in epochs:
            how = ["--resume", "auto"] if run.exists() else []
            again = self.succeeds("train", *self.ASKED, "-e", cut, "-o", run, *how, ranks=2).json
        self.assertEqual(again["best_epoch"], result["best_epoch"])
        self.assertEqual(again["best_metric"], result["best_metric"])
        self.assertTrue(weights(run) == weights(whole))
        self.assertEqual(os.readlink(run / "checkpoints/best.h5"),
                         os.readlink(whole / "checkpoints/best.h5"))

    def test_the_best_weights_come_with_a_checkpoint_alone(self):
        whole, result = self.train(*self.ASKED, "-e", "25", name="whole")
        last = self.folder / "elsewhere.h5"
        last.write_bytes((whole / "checkpoints/last.h5").read_bytes())
        run, again = self.train(*self.ASKED, "-e", "25", "--resume", last)
        self.assertEqual(again["best_epoch"], result["best_epoch"])
        self.assertTrue(weights(run) == weights(whole))

    def test_an_epoch_measured_only_at_the_end_may_be_the_best(self):
        asked = [*self.ASKED, "--monitor", "train:objective", "--update-freq", "4", "-e", "6",
                 "--learning-rate", "0.01"]
        run, result = self.train(*asked, ranks=2)
        self.assertEqual(result["best_epoch"], 6)
        self.assertEqual(os.readlink(run / "checkpoints/best.h5"),
                         os.readlink(run / "checkpoints/last.h5"))
        again = self.succeeds("train", *asked, "-o", run, "--resume", "auto", ranks=2).json
        self.assertEqual(again["best_epoch"], 6)
        whole, _ = self.train(*asked, "-e", "9", name="whole", ranks=2)
        self.succeeds("train", *asked, "-e", "9", "-o", run, "--resume", "auto", ranks=2)
        self.assertTrue(weights(run) == weights(whole))

    def test_without_folder_or_validation_rows_too(self):
        out = self.folder / "out.h5"
        result = self.succeeds("train", WDBC, "--save-best", "--export", out, ranks=2).json
        self.assertEqual(result["best_epoch"], result["epochs"])
        self.assertEqual(result["best_metric"], result["objective"])
        nothing = self.succeeds("train", WDBC, "--monitor", "train:acc")
        self.assertIn("not used without --patience or --save-best", nothing.err)


class WarmStart(Case):
    def test_from_the_optimum_there_is_nothing_to_do(self):
        for ranks in 1, 2:
            for data, more in ((WDBC, []), (DIGITS, ["--standardize", "scale"]), (WDBC, ["--no-intercept"])):
                folder = self.folder / f"{ranks}{len(list(self.folder.iterdir()))}"
                cold = self.succeeds("train", data, *more, "--tol-grad", "1e-9", "-o", folder,
                                     ranks=ranks).json
                warm = self.succeeds("train", data, *more, "--tol-grad", "1e-8", "--warm-start",
                                     folder / "model.h5", ranks=ranks).json
                self.assertGreater(cold["epochs"], 2)
                self.assertLessEqual(warm["epochs"], 1)
                self.assertEqual(warm["stop_reason"], "tolerance")
                self.assertAlmostEqual(warm["objective"], cold["objective"], delta=1e-13)
                # Measured against the gradient at zero, as the cold run was.
                self.assertAlmostEqual(warm["grad_norm"] / warm["grad_norm_relative"],
                                       cold["grad_norm"] / cold["grad_norm_relative"], delta=1e-9)

    def test_columns_that_were_standardised_otherwise_are_converted(self):
        table = [DATA / "wdbc.csv", "-m", "ce"]
        run, _ = self.train(*table, "--standardize", "zscore", ranks=2)
        here = records(run)[-1]["train_ce"]
        self.assertGreater(records(run)[0]["train_ce"], 3 * here)
        # The penalty differs, the cross-entropy of the same raw rows does not.
        for name, *how in ("none",), ("scale", "--standardize", "scale"), ("fixed", "--x-scale", "0.01"):
            warm, _ = self.train(*table, *how, "-e", "1", "--warm-start", run / "model.h5", name=name,
                                 ranks=2)
            self.assertAlmostEqual(records(warm)[0]["train_ce"], here, delta=1e-9)

    def test_a_net_goes_on_from_its_weights_and_a_checkpoint_wins(self):
        net = [DIGITS, "--model", "mlp", "--hidden", "16", "--update-freq", "1", "--tol-grad", "0"]
        run, result = self.train(*net, "-e", "4", ranks=2)
        warm = self.folder / "warm"
        asked = [*net, "--warm-start", run / "checkpoints/last.h5", "-o", warm]
        self.succeeds("train", *asked, "-e", "3", "--resume", "auto", ranks=2)
        self.assertEqual(records(warm)[0]["objective"], records(run)[-1]["objective"])
        self.succeeds("train", *asked, "-e", "5", "--resume", "auto", ranks=2)
        self.assertEqual([line["epoch"] for line in records(warm)], list(range(6)))
        for more, says in ((["--hidden", "17"], "another net"), (["--x-scale", "1/16"], "scaled")):
            self.fails(2, "train", *net, *more, "--warm-start", run / "model.h5", says=[says], ranks=2)

    def test_what_does_not_fit_is_named(self):
        run, _ = self.train(WDBC, "-e", "1")
        model = run / "model.h5"
        for args, says in (([DIGITS], "logistic"), ([WDBC, "--model", "svm-sq"], "--model logistic"),
                           ([WDBC, "--positive", "1"], "--positive"), ([WDBC, "--no-intercept"], "intercept"),
                           ([WDBC, "--n-features", "31"], "30 features")):
            self.fails(2, "train", *args, "--warm-start", model, says=["--warm-start", says], ranks=2)
        self.fails(3, "train", WDBC, "--warm-start", self.folder / "none.h5", says=["none.h5"], ranks=2)


if __name__ == "__main__":
    main(needs=["h5dump"])
