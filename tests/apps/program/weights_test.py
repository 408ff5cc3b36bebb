#!/usr/bin/env python3
"""A row of weight 2 is the row twice, for linear models and nets; class weights are weights of rows that
metrics do not see."""
import os
import pathlib
import re
import subprocess

from harness import DIGITS, ROOT, WDBC, WDBC_TEST, Case, main

PYTHON = os.environ.get("SVRG_PYTHON") or str(ROOT / "build/venv/bin/python3")
# scikit-learn's optimum under weights of rows and balanced classes, as our objective has it.
SKLEARN = """
import sys, numpy as np
from scipy.special import logsumexp
from sklearn.datasets import load_svmlight_file
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_class_weight
path, l2 = sys.argv[1], float(sys.argv[2])
x, y = load_svmlight_file(path)
weight = np.loadtxt(sys.argv[3])
classes = np.unique(y)
repeated = np.repeat(y, weight.astype(int))  # so that a row of weight 2 is two rows to them as well
factor = dict(zip(classes, compute_class_weight("balanced", classes=classes, y=repeated)))
sigma = weight * np.array([factor[label] for label in y])
total = sigma.sum()
fit = LogisticRegression(C=1 / (total * l2), solver="newton-cg", tol=1e-10, max_iter=1000)
fit.fit(x, y, sample_weight=sigma)
w, b = fit.coef_, fit.intercept_
z = x @ w.T + b
if len(classes) == 2:
    terms = np.logaddexp(0, -np.where(y == classes[1], 1, -1) * z[:, 0])
else:
    terms = logsumexp(z, axis=1) - z[np.arange(len(y)), np.searchsorted(classes, y)]
print(repr(float((sigma * terms).sum() / total + l2 / 2 * (w ** 2).sum())))
"""

TIGHT = ["--tol-grad", "1e-9"]


class Weights(Case):
    def weighted_twins(self, source, weight_of):
        """The rows with weights beside them, and the rows as often as they weigh."""
        lines = pathlib.Path(source).read_text().splitlines()
        weights = [weight_of(i, line) for i, line in enumerate(lines)]
        beside, repeated = self.folder / "weights.txt", self.folder / "repeated.svm"
        beside.write_text("".join(f"{w}\n" for w in weights))
        repeated.write_text("".join(f"{line}\n" * w for line, w in zip(lines, weights)))
        return beside, repeated

    def run_json(self, *args, ranks=2):
        return self.succeeds("train", *args, *TIGHT, ranks=ranks).json

    def test_a_row_of_weight_two_is_the_row_twice(self):
        for args in ([], ["--l1", "0.003"], ["--model", "svm-sq"], ["--standardize", "scale"],
                     ["--intercept", "penalised"], ["--class-weight", "balanced"]):
            beside, repeated = self.weighted_twins(WDBC, lambda i, _: i % 3)
            # The penalty is said as a number: 1/n differs.
            args = [*args, "--l2", "0.01", "-m", "acc,ce,auc" if args != ["--model", "svm-sq"] else "acc,auc"]
            a = self.run_json(WDBC, "--weights", beside, *args)
            b = self.run_json(repeated, *args)
            self.assertAlmostEqual(a["objective"], b["objective"], delta=1e-10, msg=str(args))
            for name, value in a["metrics"].items():
                self.assertAlmostEqual(value, b["metrics"][name], delta=1e-8, msg=f"{args} {name}")

    def test_of_a_net_too(self):
        beside, repeated = self.weighted_twins(WDBC, lambda i, _: 1 + i % 2)
        # Whole gradients, so that the order of rows does not matter.
        args = ["--model", "mlp", "--hidden", "5", "--algorithm", "gd", "--optimizer", "sgd", "--learning-rate", "0.1",
                "-e", "20", "--l2", "0.01", "--dtype", "f64"]
        a = self.succeeds("train", WDBC, "--weights", beside, *args, ranks=2).json
        b = self.succeeds("train", repeated, *args, ranks=2).json
        self.assertAlmostEqual(a["objective"], b["objective"], delta=1e-9)

    def test_class_weights_are_weights_of_rows(self):
        for source, weights in (WDBC, {"-1": 3, "1": 1}), (DIGITS, {"3": 4, "7": 2}):
            first = pathlib.Path(source).read_text().split(maxsplit=1)[0]
            self.assertIn(first, [str(k) for k in range(-1, 10)])
            beside, _ = self.weighted_twins(source, lambda _, line: weights.get(line.split()[0], 1))
            a = self.run_json(source, "--weights", beside, "--l2", "0.01")
            text = ",".join(f"{label}:{w}" for label, w in weights.items())
            b = self.run_json(source, "--class-weight", text, "--l2", "0.01")
            self.assertAlmostEqual(a["objective"], b["objective"], delta=1e-10)
            # The same model, but its accuracy is that of the rows as they are.
            self.assertNotEqual(a["metrics"], b["metrics"])

    def test_metrics_do_not_see_class_weights(self):
        run, result = self.train(WDBC, "--class-weight", "-1:50,1:1", "-m", "acc", ranks=2)
        again = self.succeeds("evaluate", run / "model.h5", WDBC, "-m", "acc", ranks=1).json
        self.assertEqual(result["metrics"]["train_acc"], again["metrics"]["acc"])
        plain = self.succeeds("train", WDBC, "-m", "acc").json["metrics"]["train_acc"]
        self.assertLess(result["metrics"]["train_acc"], plain)

    def test_scikit_learn_finds_the_same_optimum(self):
        if not os.path.exists(PYTHON) or subprocess.run([PYTHON, "-c", "import sklearn"], capture_output=True,
                                                        check=False).returncode != 0:
            self.skipTest(f"no Python with scikit-learn at {PYTHON}; tests/run.sh makes one")
        sources = [WDBC, DIGITS]
        packed = pathlib.Path(os.environ.get("SVRG_SHARED", "/nowhere")) / "data/a9a.train.svm.gz"
        if packed.exists():
            sources.append(self.folder / "a9a.svm")
            self.succeeds("convert", packed, sources[-1])
        for source in sources:
            beside, _ = self.weighted_twins(source, lambda i, _: 1 + i % 3)
            done = subprocess.run([PYTHON, "-c", SKLEARN, str(source), "0.001", str(beside)], capture_output=True,
                                  text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            ours = self.run_json(source, "--weights", beside, "--class-weight", "balanced", "--l2", "0.001")
            self.assertAlmostEqual(ours["objective"], float(done.stdout.splitlines()[-1]), delta=1e-6, msg=source)

    def test_ranks_make_no_difference(self):
        beside, _ = self.weighted_twins(WDBC, lambda i, _: 1 + i % 5)
        values = [self.run_json(WDBC, "--weights", beside, "--class-weight", "balanced", ranks=r)["objective"]
                  for r in (1, 2, 4)]
        self.assertLess(max(values) - min(values), 1e-11)

    def test_what_does_not_fit_is_refused(self):
        short = self.folder / "short.txt"
        short.write_text("1\n2\n")
        self.fails(3, "train", WDBC, "--weights", short, ranks=2, says=["2 weights for the 456 rows"])
        self.fails(3, "train", WDBC, "--weights", self.folder / "none.txt", ranks=2, says=["none.txt"])
        self.fails(2, "train", WDBC, "--class-weight", "5:2", ranks=2, says=["there is no label 5", "-1, 1"])
        self.fails(2, "train", WDBC, "--class-weight", "half", ranks=2, says=["balanced or LABEL:WEIGHT"])
        self.fails(2, "train", WDBC, "--class-weight", "balanced", "--model", "linear", ranks=2,
                   says=["for classes, not for numbers"])

    def test_a_resumed_run_has_the_same_weights(self):
        beside, _ = self.weighted_twins(WDBC, lambda i, _: 1 + i % 3)
        run, _ = self.train(WDBC, "--weights", beside, "-e", "2", ranks=2)
        again = self.fails(2, "train", WDBC, "-e", "9", "-o", run, "--resume", "auto", ranks=2, says=["data"])
        self.assertTrue(re.search(r"fingerprint", str(again)), again)
        self.succeeds("train", WDBC, "--weights", beside, "-e", "9", "-o", run, "--resume", "auto", ranks=2)
        self.succeeds("evaluate", run / "model.h5", WDBC_TEST)


if __name__ == "__main__":
    main()
