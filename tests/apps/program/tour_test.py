#!/usr/bin/env python3
"""The program's tour on the data that ships: train, evaluate, predict, inspect; what each leaves and
prints."""
import json
import os
import pty
import subprocess

from harness import (DIGITS, DIGITS_TEST, WDBC, WDBC_TEST, Case, command, environment, main, records,
                     svrg)

TRAIN_FIELDS = """objective grad_norm grad_norm_relative gap epochs passes samples ranks threads seconds_load
seconds_train seconds_total memory_peak bytes_communicated allreduces stop_reason run_dir metrics""".split()


class Tour(Case):
    def test_wdbc_from_training_to_labels(self):
        run, result = self.train(WDBC, "--l2", "1/n", "--no-intercept", "-m", "acc,ce", ranks=2)
        # The optimum of this objective is known to 12 digits (logistic loss, l2 = 1/n, no intercept).
        self.assertAlmostEqual(result["objective"], 0.07490372144829, delta=1e-9)
        self.assertLessEqual(result["grad_norm_relative"], 1e-6)

        evaluated = self.succeeds("evaluate", run / "model.h5", WDBC_TEST, "-m", "acc", ranks=2).json
        self.assertEqual(evaluated["metrics"]["acc"], 1.0)

        labels = self.folder / "labels.csv"
        self.succeeds("predict", run / "model.h5", WDBC_TEST, "-o", labels, ranks=2)
        rows = labels.read_text().splitlines()
        with open(WDBC_TEST, encoding="ascii") as source:
            truth = [float(line.split()[0]) for line in source]
        self.assertEqual([float(row) for row in rows], truth)

        for name in "model.h5", "run.h5", "checkpoints/last.h5":
            text = self.succeeds("inspect", run / name).out
            self.assertTrue(text.strip(), name)
        self.assertIn("logistic", self.succeeds("inspect", run / "model.h5").out)
        self.assertIn("30", self.succeeds("inspect", run / "model.h5").out)

    def test_a_linear_symbol_of_mxnet_is_the_linear_model_and_another_is_refused(self):
        def symbol(name, hidden, output, **attributes):
            path = self.folder / f"{name}.json"
            layer = {"num_hidden": str(hidden), **attributes}
            path.write_text(json.dumps({"nodes": [
                {"op": "null", "name": "data", "inputs": []},
                {"op": "null", "name": "fc_weight", "inputs": []},
                {"op": "FullyConnected", "name": "fc", "attrs": layer, "inputs": [[0, 0, 0], [1, 0, 0]]},
                {"op": "null", "name": "label", "inputs": []},
                {"op": output, "name": "out", "inputs": [[2, 0, 0], [3, 0, 0]]}],
                "arg_nodes": [0, 1, 3], "heads": [[4, 0, 0]]}))
            return path

        net = symbol("net", 1, "LogisticRegressionOutput", no_bias="True")
        _, result = self.train(WDBC, "--l2", "1/n", "--symbol", net, ranks=2)
        self.assertAlmostEqual(result["objective"], 0.07490372144829, delta=1e-9)
        other = symbol("other", 1, "MAERegressionOutput", no_bias="True")
        self.fails(2, "train", WDBC, "--symbol", other, says=["other.json", "SVRGModule"], ranks=2)
        three = symbol("three", 3, "SoftmaxOutput", no_bias="True")
        self.fails(2, "train", DIGITS, "--symbol", three, says=["3 outputs", "10"])

    def test_probabilities_are_probabilities(self):
        run, _ = self.train(DIGITS)
        out = self.folder / "proba.csv"
        self.succeeds("predict", run / "model.h5", DIGITS_TEST, "--proba", "-o", out)
        rows = [[float(x) for x in line.split(",")] for line in out.read_text().splitlines()[1:]]
        self.assertEqual(len(rows), 359)
        for row in rows:
            self.assertAlmostEqual(sum(row[-10:]), 1, delta=1e-6)

    def test_digits_are_softmax_by_their_labels_alone(self):
        run, result = self.train(DIGITS, "--l2", "1/n", "--no-intercept", ranks=3)
        self.assertAlmostEqual(result["objective"], 0.22211753687091, delta=1e-9)
        evaluated = self.succeeds("evaluate", run / "model.h5", DIGITS_TEST, "-m", "acc").json
        self.assertAlmostEqual(evaluated["metrics"]["acc"], 0.9665738, delta=5e-5)

    def test_labels_of_any_two_values_are_mapped_and_remembered(self):
        renamed, words = self.folder / "renamed.svm", {"1": "7", "-1": "3.5"}
        with open(WDBC, encoding="ascii") as source:
            rows = [line.split(maxsplit=1) for line in source]
        renamed.write_text("".join(f"{words[label]} {rest}" for label, rest in rows))
        _, plain = self.train(WDBC, "--l2", "1/n", name="plain")
        run, result = self.train(renamed, "--l2", "1/n", "--model", "logistic")
        self.assertAlmostEqual(result["objective"], plain["objective"], delta=1e-10)
        out = self.folder / "labels.csv"
        self.succeeds("predict", run / "model.h5", renamed, "-o", out)
        self.assertEqual(set(map(float, out.read_text().split())), {7, 3.5})

    def test_csv_gives_what_svmlight_gives(self):
        table = self.folder / "wdbc.csv"
        with open(WDBC, encoding="ascii") as source:
            rows = [line.split() for line in source]
        header = ['"diagnosis"'] + [f'"column {i}"' for i in range(1, 31)]
        lines = [";".join(header)]
        for label, *pairs in rows:
            values = dict(pair.split(":") for pair in pairs)
            lines.append(";".join([label] + [values.get(str(i), "0") for i in range(1, 31)]))
        table.write_text("\n".join(lines) + "\n")
        _, plain = self.train(WDBC, "--l2", "1/n", name="plain")
        _, ours = self.train(table, "--l2", "1/n", "--label-column", "diagnosis", ranks=2)
        self.assertAlmostEqual(ours["objective"], plain["objective"], delta=1e-10)

    def test_mxnets_scheme_falls_linearly_to_1e_8_where_sgd_stalls_at_the_same_step(self):
        how = [WDBC, "-b", "128", "--l2", "1/n", "-e", "100000", "--tol-grad", "1e-8",
               "--checkpoint-every", "100000", "-q"]
        run, ours = self.train(*how, "--algorithm", "svrg", "--learning-rate", "auto")
        self.assertEqual(ours["stop_reason"], "tolerance")
        lines = records(run)
        first, last = lines[0]["grad_norm"], lines[-1]
        # Linear: each later quarter of the way gains its decades, none stalls.
        quarters = [lines[len(lines) * i // 4]["grad_norm"] for i in (1, 2, 3)] + [last["grad_norm"]]
        for before, after in zip(quarters, quarters[1:]):
            self.assertLess(after, before / 10)
        self.assertLessEqual(last["grad_norm"], 1e-8 * first)
        _, plain = self.train(*how, "--algorithm", "sgd", "--passes", "4000",
                              "--learning-rate", repr(last["learning_rate"]), name="sgd")
        self.assertGreater(plain["grad_norm_relative"], 1e-6)


class Output(Case):
    def test_the_last_line_is_json_with_all_fields_and_what_the_files_say(self):
        run = self.folder / "run"
        result = self.succeeds("train", WDBC, "-o", run, "-m", "acc", ranks=2)
        fields = result.json
        self.assertEqual([name for name in TRAIN_FIELDS if name not in fields], [])
        self.assertEqual(fields["ranks"], 2)
        self.assertEqual(fields["run_dir"], str(run))
        self.assertGreater(fields["allreduces"], 0)
        self.assertIn("acc", str(fields["metrics"]))
        self.assertIsInstance(fields["stop_reason"], str)
        last = records(run)[-1]
        self.assertEqual((last["epoch"], last["objective"]), (fields["epochs"], fields["objective"]))
        self.assertEqual(len(result.out.strip().splitlines()), 1, "progress belongs to stderr")

    def test_the_run_directory_holds_what_the_manual_says(self):
        run, _ = self.train(WDBC, ranks=2)
        for name in ("config.toml", "manifest.json", "log.jsonl", "run.h5", "model.h5",
                     "checkpoints/last.h5"):
            self.assertTrue((run / name).exists(), name)
        json.loads((run / "manifest.json").read_text())
        self.assertTrue((run / "checkpoints/last.h5").is_symlink())
        self.assertFalse(os.path.isabs(os.readlink(run / "checkpoints/last.h5")))

    def test_the_recorded_configuration_gives_the_same_run_again(self):
        run, first = self.train(WDBC, "--algorithm", "svrg", "-e", "3", "--l2", "0.1/n")
        _, again = self.train("-c", run / "config.toml", name="again")
        self.assertEqual(first["objective"], again["objective"])

    def test_no_json_leaves_stdout_empty(self):
        result = self.succeeds("train", WDBC, "-o", self.folder / "run", "--no-json")
        self.assertEqual(result.out.strip(), "")

    def test_a_redirected_log_has_no_carriage_return_and_no_escapes(self):
        result = self.succeeds("train", WDBC, "-o", self.folder / "run", "--algorithm", "svrg", "-e",
                               "120", "--tol-grad", "0", env={"TERM": "xterm-256color"}, ranks=2)
        for text in result.out, result.err:
            self.assertNotIn("\r", text)
            self.assertNotIn("\x1b", text)
        table = result.err.splitlines()
        self.assertGreaterEqual(sum("objective" in line and "passes" in line for line in table), 2,
                                "the header comes again every 40 lines")

    def test_a_terminal_gets_a_live_line_that_leaves_nothing_behind(self):
        try:
            leader, follower = pty.openpty()
        except OSError as error:
            self.skipTest(f"no terminal to be had here: {error}")
        process = subprocess.Popen(
            command(["train", WDBC, "-o", self.folder / "run", "--algorithm", "svrg", "-e", "3000",
                     "--tol-grad", "0", "--log-every", "1000"], 0),
            env=environment({"TERM": "xterm", "NO_COLOR": "1"}), stdin=follower, stdout=follower,
            stderr=follower)
        os.close(follower)
        said = b""
        while True:
            try:
                piece = os.read(leader, 65536)
            except OSError:  # how Linux tells that the other end is closed
                break
            if not piece:
                break
            said += piece
        os.close(leader)
        self.assertEqual(process.wait(), 0, said[-2000:])
        self.assertNotIn(b"\x1b[3", said, "colour in spite of NO_COLOR")
        self.assertIn(b"\r", said.replace(b"\r\n", b"\n"))
        self.assertIn(b"%", said)

    def test_quiet_is_quiet(self):
        result = self.succeeds("train", WDBC, "-o", self.folder / "run", "-q", ranks=2)
        self.assertEqual(result.err.strip(), "")

    def test_tolerance_not_reached_is_exit_5_only_if_required(self):
        short = ["train", WDBC, "--algorithm", "gd", "-e", "2"]
        self.assertIn("epoch", self.succeeds(*short, "-o", self.folder / "a").json["stop_reason"])
        self.assertEqual(svrg(*short, "-o", self.folder / "b", "--require-tol").code, 5)


if __name__ == "__main__":
    main()
