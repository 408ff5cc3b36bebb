#!/usr/bin/env python3
"""svrg report without a browser: well-formed pages without anything from elsewhere, of every kind of
run, and one line where there is nothing to report."""
import os
import re
import signal
import subprocess

from harness import (DIGITS, DIGITS_TEST, ROOT, WDBC, WDBC_TEST, Case, command, end, environment, main, start,
                     svrg, wait_for_epochs)
from report_page import Page, check, comparison, study


class Report(Case):
    def report(self, *paths):
        out = self.folder / "report.html"
        self.succeeds("report", *paths, "-o", out)
        return check(self, out.read_text())

    def test_a_run_has_all_its_figures(self):
        run, result = self.train(WDBC, "--valid", WDBC_TEST, "--standardize", "zscore", "-m", "acc,ce",
                                 "--report", ranks=2)
        page = check(self, (run / "report.html").read_text())
        self.assertEqual(set(page.figures), {
            "objective", "gradient", "metric-acc", "metric-ce", "phases", "ranks", "memory", "weights",
            "confusion", "roc", "calibration"})
        words = page.words()
        self.assertIn("Converged", words)
        self.assertIn("113 validation rows", words)
        self.assertIn(f"{result['epochs']} epochs", words)
        # By epoch, pass, second and byte.
        self.assertEqual(page.figures["objective"].count("<svg viewBox"), 4)
        # The same from the directory, its run.h5, and with MPI's launcher.
        for path in run, run / "run.h5":
            self.assertEqual(set(self.report(path).figures), set(page.figures))
        self.assertIn("report.html", self.succeeds("report", run, "-o", self.folder / "report.html", ranks=3).out)

    def test_the_confusion_is_what_evaluate_says(self):
        run, _ = self.train(DIGITS, "--valid", DIGITS_TEST, ranks=2)
        page = self.report(run)
        counts = self.succeeds("evaluate", run / "model.h5", DIGITS_TEST).json["confusion"]
        shown = re.findall(r"(\d) taken for (\d): ([\d,]+) \(", page.figures["confusion"])
        self.assertEqual(len(shown), 100)
        for a, b, count in shown:
            self.assertEqual(int(count), counts[int(a)][int(b)], (a, b))
        self.assertNotIn("roc", page.figures)

    def test_regression_l1_svm_and_nets(self):
        table = self.folder / "rows.csv"
        with open(WDBC, encoding="ascii") as source:
            rows = [line.split() for line in source]
        table.write_text("y,a,b\n" + "".join(
            f"{len(r) * 3.5 + i % 7 + (i % 13) * .37},{i % 7},{(i * i) % 11}\n" for i, r in enumerate(rows)))
        numbers, _ = self.train(table, "--label-column", "y", "--model", "huber", name="huber")
        page = self.report(numbers)
        self.assertIn("residuals", page.figures)
        self.assertNotIn("confusion", page.figures)
        lasso, _ = self.train(WDBC, "--l1", "0.01", "--l2", "0", "--tol-gap", "1e-6", name="lasso", ranks=2)
        self.assertRegex(self.report(lasso).words(), r"[1-9]\d* of them 0")
        svm, _ = self.train(WDBC, "--model", "svm-sq", name="svm")
        page = self.report(svm)
        self.assertIn("roc", page.figures)
        self.assertIn("an SVM has no probabilities", page.words())
        net, _ = self.train(DIGITS, "--model", "mlp", "--hidden", "16", "-e", "4", name="net", ranks=2)
        page = self.report(net)
        self.assertNotIn("weights", page.figures)
        self.assertIn("fc1_weight", page.words())
        self.assertNotIn("Not converged", page.words())

    def test_several_runs_are_overlaid_and_repeats_are_a_band(self):
        runs = comparison(self)
        page = self.report(*runs)
        words = page.words()
        for text in "train.algorithm", "train.seed", "median of 3", "best of its column":
            self.assertIn(text, words)
        self.assertIn('class="band', page.figures["objective"])
        # The one with the least objective has a star.
        self.assertRegex(page.text, r"<strong>0\.07485\d* ★")

    def test_scaling_studies_mark_what_is_simulated(self):
        page = self.report(study(self, "simulated", WDBC, "--engine", "row"))
        self.assertLessEqual({"speed-up-1", "efficiency-1", "communication-1", "scaling-phases-1"}, set(page.figures))
        for name in "speed-up-1", "efficiency-1", "communication-1":
            figure = page.figures[name]
            self.assertIn("fattree (simulated)", figure)
            self.assertIn("<strong>simulated</strong>", figure)
            self.assertEqual(figure.count('class="mark hollow'), 7 + 1, "points, and one in the legend")
        for text in "Amdahl, serial part", "more ranks than a node's 2 cores", "Strong scaling":
            self.assertIn(text, page.words())
        weak = self.report(study(self, "weak", WDBC, repeats=1))
        self.assertIn("Gustafson", weak.words())
        self.assertNotIn("simulated", weak.words())
        self.assertNotIn('class="mark hollow', weak.text)
        alone = self.report(study(self, "strong", WDBC, counts=(2,), repeats=1))
        self.assertIn("only one number of ranks", alone.words())

    def test_a_killed_run_is_reported_by_its_log(self):
        run = self.folder / "killed"
        process = start("train", WDBC, "--algorithm", "svrg", "-e", "100000", "--tol-grad", "0", "-o", run,
                        ranks=0)
        wait_for_epochs(run, 5, process)
        while_it_runs = self.report(run)
        end(process)
        process.said.close()
        self.assertFalse((run / "model.h5").exists())
        for page in while_it_runs, self.report(run):
            words = page.words()
            self.assertIn("Not finished", words)
            self.assertIn("no end is recorded", words)
            self.assertIn("objective", page.figures)
        with open(run / "log.jsonl", "a", encoding="ascii") as log:
            log.write('{"epoch": 77, "st')
        self.report(run)

    def test_interrupted_then_resumed_on_another_number_of_ranks(self):
        run = self.folder / "run"
        how = ["train", WDBC, "--engine", "row", "-o", run, "--tol-grad", "1e-9"]
        self.succeeds(*how, "-e", "4", ranks=3)
        self.assertIn("Not converged", self.report(run).words())
        self.succeeds(*how, "--resume", "auto", ranks=2)
        words = self.report(run).words()
        self.assertIn("Converged", words)
        self.assertIn("another number of ranks for a while", words)

    def test_a_stopped_run_says_so(self):
        run = self.folder / "run"
        process = start("train", WDBC, "--algorithm", "svrg", "-e", "1000000", "--tol-grad", "0", "-o", run,
                        ranks=1)
        wait_for_epochs(run, 3, process)
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(process.wait(30), 75)
        process.said.close()
        words = self.report(run).words()
        self.assertIn("Interrupted", words)
        self.assertIn("--resume auto", words)

    def test_names_are_text_whatever_they_are(self):
        data = self.folder / "<img src=x onerror=alert(1)>.csv"
        with open(WDBC, encoding="ascii") as source:
            rows = [line.split()[:3] for line in source][:60]
        data.write_text("y,<b>&\"bold\",c'd\n" + "".join(
            f"{r[0]},{r[1].split(':')[1]},{r[2].split(':')[1]}\n" for r in rows))
        run, _ = self.train(data, "--label-column", "y", name="<i>run & more</i>")
        page = self.report(run)
        self.assertNotIn("<img", page.text)
        self.assertNotIn("<i>", page.text)
        self.assertNotIn("<b>", page.text)
        self.assertIn('<b>&"bold"', page.words())
        self.assertIn("<i>run & more</i>", page.words())

    def test_is_replaced_only_if_it_is_a_report(self):
        run, _ = self.train(WDBC)
        out = self.folder / "out.html"
        for _ in range(2):
            self.succeeds("report", run, "-o", out)
        out.write_text("mine")
        self.fails(2, "report", run, "-o", out, says=["out.html", "--overwrite"])
        self.assertEqual(out.read_text(), "mine")
        self.succeeds("report", run, "-o", out, "--overwrite")
        Page(out.read_text())

    def test_the_default_is_report_html_where_one_stands(self):
        run, _ = self.train(WDBC)
        done = subprocess.run(command(["report", run], 0), cwd=self.folder, env=environment(), check=False)
        self.assertEqual(done.returncode, 0)
        self.assertTrue((self.folder / "report.html").exists())


class Refusals(Case):
    def test_one_line_that_names_the_file_and_the_remedy(self):
        run, _ = self.train(WDBC, ranks=2)
        foreign, damaged, empty = (self.folder / name for name in ("foreign.h5", "damaged.h5", "empty"))
        foreign.write_text("not HDF5")
        whole = bytearray((run / "run.h5").read_bytes())
        whole[len(whole) // 2] ^= 0xFF
        damaged.write_bytes(whole)
        empty.mkdir()
        fresh = self.folder / "fresh"
        fresh.mkdir()
        (fresh / "log.jsonl").write_text("")
        torn = self.folder / "torn"
        torn.mkdir()
        (torn / "log.jsonl").write_text("nonsense\n" + (run / "log.jsonl").read_text())
        for code, path, says in [(3, self.folder / "nothing", "no such file"), (3, foreign, "foreign.h5"),
                                 (3, damaged, "damaged.h5"), (3, empty, "svrg train -o"),
                                 (3, fresh, "no epoch is recorded yet"), (3, torn, "log.jsonl:1"), (3, torn, "remove that line"),
                                 (3, run / "model.h5", "svrg-model"),
                                 (3, run / "checkpoints/last.h5", "a checkpoint")]:
            self.fails(code, "report", path, "-o", self.folder / "out.html", says=[says])
            self.assertFalse((self.folder / "out.html").exists())
        self.fails(2, "report", says=["RUN is missing"])
        self.fails(6, "report", run, "-o", self.folder / "nowhere/out.html", says=["out.html"])

    def test_what_is_damaged_beside_a_good_log_is_said_on_the_page(self):
        run, _ = self.train(WDBC)
        for name in "run.h5", "model.h5":
            whole = bytearray((run / name).read_bytes())
            whole[len(whole) // 2] ^= 0xFF
            (run / name).write_bytes(whole)
        out = self.folder / "out.html"
        self.succeeds("report", run, "-o", out)
        words = check(self, out.read_text()).words()
        for name in "run.h5", "model.h5":
            self.assertIn(name, words)

    def test_what_is_damaged_in_the_log_is_taken_from_run_h5(self):
        run, result = self.train(WDBC)
        log = run / "log.jsonl"
        log.write_text("nonsense\n" + log.read_text())
        out = self.folder / "out.html"
        self.succeeds("report", run, "-o", out)
        words = check(self, out.read_text()).words()
        for text in "log.jsonl:1", "what run.h5 has", "Converged", f"{result['epochs']} epochs":
            self.assertIn(text, words)

    def test_report_without_a_run_directory_warns(self):
        result = self.succeeds("train", WDBC, "--report")
        self.assertIn("--report: not used without --run-dir", result.err)

    def test_help_names_what_it_takes(self):
        self.assertIn("RUN...", svrg("report", "--help").out)


if __name__ == "__main__":
    if not os.environ.get("SVRG_STUDY_OF_RUNS"):
        os.environ["SVRG_STUDY_OF_RUNS"] = str(ROOT / "build/bin/study_of_runs")
    main()
