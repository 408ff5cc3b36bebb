#!/usr/bin/env python3
"""svrg tune: its folds, its path, its choice, and what becomes of it when it is stopped."""
import array
import json
import os
import pathlib
import signal
import time

from harness import DIGITS, WDBC, Case, dataset, end, main, numbers, rank_pids, start, wait, weights

SCALED = ["--standardize", "scale"]


def integers(path, name, code="q"):
    values = array.array(code)
    values.frombytes(dataset(path, name))
    return list(values)


def scores(run, metric="acc"):
    """By fold and point, one after the other."""
    return numbers(dataset(run / "tuning.h5", f"/tuning/score_{metric}"))


class Tune(Case):
    def tune(self, *args, name="run", ranks=0, **how):
        run = self.folder / name
        done = self.succeeds("tune", *args, "-o", run, ranks=ranks, **how)
        return run, done

    def test_the_table_is_the_same_on_any_number_of_ranks(self):
        tables, folds = [], []
        for ranks, groups in (1, "auto"), (2, "auto"), (4, "auto"), (4, "2"), (3, "1"):
            run, done = self.tune(WDBC, *SCALED, "--save-folds", "-m", "acc,ce", "--grid", "C=1e-3:10:5",
                                  "--folds", "4", "--groups", groups, ranks=ranks,
                                  name=f"on{ranks}-{groups}")
            folds.append(integers(run / "tuning.h5", "/tuning/fold_of_row", "i"))
            tables.append((done.json["chosen"]["setting"], scores(run), scores(run, "ce")))
            self.assertEqual(done.json["groups"], min(ranks, 4) if groups == "auto" else int(groups))
        for table, fold in zip(tables[1:], folds[1:]):
            self.assertEqual(fold, folds[0], "folds are a function of seed and row")
            self.assertEqual(table[:2], tables[0][:2], "no row is so near that the tolerance moves it")
            for a, b in zip(table[2], tables[0][2]):
                self.assertAlmostEqual(a, b, delta=1e-5 * abs(b))

    def test_a_cell_is_a_cold_training_on_the_rows_of_its_fold_and_sees_no_other(self):
        # The files that a user would make by hand: svrg train cannot know the rows held out.
        for options, grid in (SCALED, ["--grid", "C=1e-2:100:5"]), \
                             ([], ["--l2", "0", "--grid", "l1=0.1/n:10/n:3"]), \
                             (["--class-weight", "balanced"], ["--grid", "l2=1/n:1000/n:3"]):
            run, _ = self.tune(WDBC, *options, *grid, "--folds", "2", "--tol-grad", "1e-9", "--save-folds",
                               "--overwrite", ranks=2)
            lines = pathlib.Path(WDBC).read_text(encoding="utf-8").splitlines()
            fold_of = integers(run / "tuning.h5", "/tuning/fold_of_row", "i")
            self.assertEqual(len(lines), len(fold_of))
            objective = numbers(dataset(run / "tuning.h5", "/tuning/objective"))
            points = len(objective) // 2
            for fold, point in (0, 0), (1, points - 1):
                train, out = self.folder / "train.svm", self.folder / "out.svm"
                train.write_text("\n".join(x for x, f in zip(lines, fold_of) if f != fold) + "\n")
                out.write_text("\n".join(x for x, f in zip(lines, fold_of) if f == fold) + "\n")
                model = self.folder / "cold.h5"
                l2 = ["--l2", "0"] if "--l2" in grid else []
                cold = self.succeeds("train", train, *options, *l2, *self.setting(run, point),
                                     "--tol-grad", "1e-9", "--export", model, "--overwrite",
                                     "--n-features", "30").json
                cell = objective[fold * points + point]
                self.assertAlmostEqual(cell, cold["objective"], delta=1e-8 * abs(cell))
                scored = self.succeeds("evaluate", model, out).json["metrics"]["acc"]
                self.assertEqual(scores(run)[fold * points + point], scored)

    def setting(self, run, point):
        """The options of a point, as its table names them."""
        said = self.succeeds("inspect", run / "tuning.h5").out
        table = said[said.index("\npenalty"):].splitlines()[2:]
        key, value = table[point].split()[0].split("=")
        return [f"--{key}", value]

    def test_the_model_is_that_of_train_with_the_penalty_chosen(self):
        run, done = self.tune(WDBC, *SCALED, "--tol-grad", "1e-9", "--grid", "C=1e-2:100:5", ranks=2)
        chosen, refit = done.json["chosen"], done.json["refit"]
        key, value = chosen["setting"].split("=")
        cold = self.succeeds("train", WDBC, *SCALED, "--tol-grad", "1e-9", f"--{key}", value).json
        self.assertAlmostEqual(refit["objective"], cold["objective"], delta=1e-10)
        self.assertEqual(refit["run_dir"], str(run))
        self.assertEqual(self.succeeds("evaluate", run / "model.h5", WDBC).json["metrics"]["acc"],
                         refit["metrics"]["train_acc"])
        best = max(done.json["points"], key=lambda p: p["mean_acc"])
        self.assertEqual(best, done.json["best"])
        self.assertEqual(best, chosen)

    def test_one_standard_error_chooses_a_penalty_at_least_as_strong(self):
        for data, metric in (WDBC, "acc"), (WDBC, "ce"), (DIGITS, "acc"):
            done = self.succeeds("tune", data, "--x-scale", "0.05", "-m", metric, "--one-se", "--folds", "4",
                                 "--grid", "l2=1e-6:1:7")
            best, chosen = done.json["best"], done.json["chosen"]
            self.assertGreaterEqual(chosen["l2"], best["l2"])
            distance = abs(chosen[f"mean_{metric}"] - best[f"mean_{metric}"])
            self.assertLessEqual(distance, best[f"standard_error_{metric}"])
            self.assertEqual(done.json["rule"], "one-se")

    def test_a_path_of_the_lasso_and_numbers(self):
        text = "\n".join(f"{3 * (i % 7) - (i % 5) + 0.01 * (i % 3)} 1:{i % 7} 2:{i % 5} 3:{i % 11}"
                         for i in range(200))
        (self.folder / "numbers.svm").write_text(text + "\n")
        run, done = self.tune(self.folder / "numbers.svm", "--model", "linear", "--l2", "0",
                              "--grid", "l1=1e-3:100:6")
        self.assertEqual(done.json["metric"], "mse")
        zeros = integers(run / "tuning.h5", "/tuning/nonzeros")[:6]
        self.assertEqual(zeros[0], 0)
        self.assertEqual(zeros, sorted(zeros), "weaker penalties leave more weights")
        self.assertIn("non-zeros", done.err)
        self.assertEqual(done.json["chosen"]["setting"], "l1=0.001")

    # Stopped and resumed

    SLOW = [DIGITS, "--grid", "l2=1e-6:1:8", "--folds", "4", "--tol-grad", "1e-11", "--engine", "row"]

    def interrupt(self, ranks, cells, end_it):
        """Starts, and ends it by `end_it` once so many cells are done."""
        run = self.folder / "broken"
        process = start("tune", *self.SLOW, "-o", run, "--resume", "auto", ranks=ranks)
        until = time.monotonic() + 30
        while len(list(run.glob("cells/fold-*.h5"))) < cells:
            self.assertIsNone(process.poll(), "ended by itself")
            self.assertLess(time.monotonic(), until)
            time.sleep(0.002)
        end_it(process)
        return run, wait(process)

    def same_as_unbroken(self, run, ranks, least):
        done = self.succeeds("tune", *self.SLOW, "-o", run, "--resume", "auto", ranks=ranks).json
        whole, unbroken = self.tune(*self.SLOW, ranks=ranks, name="unbroken")
        told = unbroken.json
        self.assertGreaterEqual(done["cells_resumed"], least)
        self.assertEqual(done["cells_resumed"] + done["cells_trained"], 32)
        self.assertEqual(done["points"], told["points"])
        for name in "objective", "score_acc", "mean_acc", "weight", "bias", "epochs", "passes":
            self.assertEqual(dataset(run / "tuning.h5", f"/tuning/{name}"),
                             dataset(whole / "tuning.h5", f"/tuning/{name}"), name)
        self.assertEqual(weights(run), weights(whole))

    def test_stopped_and_then_killed_it_goes_on_to_the_same_bits(self):
        def stop(process):
            for pid in rank_pids(process):
                os.kill(pid, signal.SIGUSR1)
        run, done = self.interrupt(2, 3, stop)
        self.assertEqual(done.code, 75, done)
        self.assertIn("go on with --resume auto", done.out)
        self.assertFalse((run / "tuning.h5").exists())
        self.interrupt(2, 8, end)
        self.same_as_unbroken(run, 2, 8)

    def test_a_damaged_cell_is_trained_again(self):
        args = [WDBC, *SCALED, "--grid", "C=0.1:10:3", "--folds", "2"]
        run, first = self.tune(*args)
        cell = run / "cells/fold-001-point-0001.h5"
        raw = bytearray(cell.read_bytes())
        raw[len(raw) // 2] ^= 1
        cell.write_bytes(raw)
        again = self.succeeds("tune", *args, "-o", run, "--resume", "auto")
        self.assertIn("trained again", again.err)
        self.assertEqual((again.json["cells_trained"], again.json["cells_resumed"]), (1, 5))
        self.assertEqual(again.json["points"], first.json["points"])

    def test_what_is_there_is_not_replaced_unasked(self):
        args = [WDBC, *SCALED, "--grid", "C=1,10", "--folds", "2"]
        run, _ = self.tune(*args)
        self.fails(2, "tune", *args, "-o", run, says=("--overwrite",))
        self.fails(2, "train", WDBC, "-o", run, says=("--overwrite",))
        self.fails(2, "tune", *args[:-1], "3", "-o", run, "--resume", "auto", ranks=2, says=("folds is 3",))
        done = self.succeeds("tune", *args[:-1], "3", "-o", run, "--overwrite")
        self.assertEqual(done.json["cells_resumed"], 0)
        self.assertEqual(len(list(run.glob("cells/fold-*"))), 6)

    def test_files_are_explained(self):
        run, _ = self.tune(DIGITS, "--x-scale", "1/16", "--grid", "l2=1e-3,1e-2", "--folds", "2", ranks=2)
        said = self.succeeds("inspect", run / "tuning.h5").out
        for text in "svrg-tuning", "softmax", "2 folds", "l2=0.01", "best", "tuning/weight":
            self.assertIn(text, said)
        self.assertIn("score_acc", self.succeeds("inspect", run / "cells/fold-000-point-0001.h5").out)
        self.assertIn("l2 0.0", self.succeeds("inspect", run / "model.h5").out)

    def test_json_log_tells_of_cells(self):
        done = self.succeeds("tune", WDBC, *SCALED, "--grid", "C=1,10", "--folds", "2", "--json-log")
        events = [json.loads(line) for line in done.err.splitlines()]
        cells = [(e["fold"], e["setting"]) for e in events if e["event"] == "cell"]
        self.assertEqual(cells, [(0, "C=1"), (0, "C=10"), (1, "C=1"), (1, "C=10")])
        self.assertEqual(events[-1]["event"], "end")

    def test_faults_end_it_on_all_ranks(self):
        self.fails(2, "tune", WDBC, "--groups", "3", ranks=2, says=("--groups", "3 groups"))
        self.fails(3, "tune", "-q", self.folder / "none.svm", ranks=3, says=("none.svm",))
        self.fails(4, "tune", "-q", WDBC, "--algorithm", "svrg", "--learning-rate", "1e9", ranks=2,
                   says=("fold 1, C=0.0001", "rate"))

    def test_what_cannot_be_is_refused_with_a_remedy(self):
        self.fails(2, "tune", WDBC, "--grid", "l3=1:2:3", says=("--grid", "l2"))
        self.fails(2, "tune", WDBC, "-q", "--folds", "500", says=("500 folds of 456 rows",))
        self.fails(2, "tune", WDBC, "-q", "-m", "mse", says=("mse",))
        self.fails(2, "tune", WDBC, "--model", "mlp", says=("linear models",))
        self.fails(2, "tune", WDBC, "--resume", "auto", says=("--run-dir",))
        self.fails(71, "tune", "-q", DIGITS, "--max-memory", "1M", says=("--max-memory",))
        one = self.folder / "one.svm"
        one.write_text("1 1:1\n1 1:2\n1 1:3\n")
        self.fails(2, "tune", "-q", one, "--model", "logistic", "--folds", "2",
                   says=("nothing to tell apart",))

    def test_a_dry_run_says_what_it_would_do(self):
        run = self.folder / "none"
        done = self.succeeds("tune", WDBC, "--grid", "C=1:10:4", "--folds", "3", "--dry-run", "-o", run)
        for text in "12 trainings on 304 rows", "the rows by fold", "3 of 152 rows":
            self.assertIn(text, done.err)
        self.assertIn("[data]", done.out)
        self.assertFalse(run.exists())


if __name__ == "__main__":
    main(needs=["h5dump"])
