#!/usr/bin/env python3
"""Models in every format: the same labels from each, also by liblinear's own program and from models of
its own training, and numpy opens and makes .npz files."""
import gzip
import json
import math
import os
import pathlib
import shutil
import subprocess
import unittest

from harness import DIGITS, DIGITS_TEST, ROOT, WDBC, WDBC_TEST, Case, main, records

PYTHON = os.environ.get("SVRG_PYTHON") or str(ROOT / "build/venv/bin/python3")
SHARED = pathlib.Path(os.environ.get("SVRG_SHARED") or "/none") / "data"
FORMATS = ["h5", "hdf5", "npz", "json"]
OPEN = """
import json, sys, numpy as np
with np.load(sys.argv[1], allow_pickle=False) as z:
    w = z["params/linear/weight"]
    assert w.dtype == np.float64 and w.shape == (z["class"].size, int(z["n_features"])), w.shape
    assert z["kind"][()] == "softmax" and z["format"][()] == "svrg-model"
    everything = {name: z[name] for name in z.files}
    labels = []
    for line in open(sys.argv[2]):
        row = np.zeros(w.shape[1])
        for entry in line.split()[1:]:
            j, v = entry.split(":")
            row[int(j) - 1] = float(v)
        row = row / z["preprocess/scale"]
        labels.append(float(z["class"][np.argmax(w @ row + z["params/linear/bias"])]))
np.savez(sys.argv[3], **everything)
np.savez_compressed(sys.argv[4], **everything)
bare = {k: everything[k] for k in ("params/linear/weight", "params/linear/bias", "class", "preprocess/scale")}
np.savez(sys.argv[5], kind="softmax", intercept=True, n_features=w.shape[1], l2=0, **bare)
json.dump(labels, sys.stdout)
"""


def has_numpy():
    try:
        return subprocess.run([PYTHON, "-c", "import numpy"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


class Models(Case):
    def convert(self, model, name, *args, ranks=0):
        out = self.folder / name
        result = self.succeeds("convert", model, out, *args, ranks=ranks).json
        self.assertEqual((result["in"], result["out"]), (str(model), str(out)))
        return out

    def labels(self, model, rows, ranks=0):
        out = self.folder / "labels.txt"
        self.succeeds("predict", model, rows, "-o", out, "--layout", "liblinear", "--overwrite", ranks=ranks)
        return [float(line) for line in out.read_text().split()]

    def theirs(self, model, rows):
        if shutil.which("liblinear-predict") is None:
            self.skipTest("no liblinear-predict: install liblinear-tools")
        out = self.folder / "theirs.txt"
        subprocess.run(["liblinear-predict", "-q", str(rows), str(model), str(out)], check=True, capture_output=True)
        return [float(line) for line in out.read_text().split()]

    def trained_by_liblinear(self, rows, *how):
        if shutil.which("liblinear-train") is None:
            self.skipTest("no liblinear-train: install liblinear-tools")
        model = self.folder / "their.model"
        subprocess.run(["liblinear-train", "-q", *how, str(rows), str(model)], check=True, capture_output=True)
        return model

    def unpacked(self, name):
        if not (SHARED / name).exists():
            self.skipTest(f"no {name} in SVRG_SHARED")
        out = self.folder / name.removesuffix(".gz")
        out.write_bytes(gzip.decompress((SHARED / name).read_bytes()))
        return out

    def every_format_says_the_same(self, train, test, *how, every_way=False):
        run, _ = self.train(train, *how, ranks=2)
        wanted = self.labels(run / "model.h5", test)
        text = self.convert(run / "model.h5", "m.model")
        self.assertEqual(self.theirs(text, test), wanted)
        self.assertEqual(self.labels(text, test, ranks=2), wanted)
        whole = self.convert(run / "model.h5", "whole.json", ranks=2)
        for first in FORMATS if every_way else FORMATS[1:]:
            one = self.convert(run / "model.h5", f"a.{first}")
            self.assertEqual(self.labels(one, test), wanted)
            self.assertEqual(self.convert(one, "again.model", "--overwrite").read_bytes(), text.read_bytes())
            for second in FORMATS if every_way else []:
                two = self.convert(one, f"b.{second}", "--overwrite")
                # Nothing is lost or rounded on any way.
                self.assertEqual(self.convert(two, "c.json", "--overwrite").read_bytes(), whole.read_bytes())
            back = self.convert(text, f"back.{first}")
            self.assertEqual(self.convert(back, "again.model", "--overwrite").read_bytes(), text.read_bytes())

    def test_wdbc(self):
        self.every_format_says_the_same(WDBC, WDBC_TEST, "--standardize", "zscore", every_way=True)

    def test_digits(self):
        self.every_format_says_the_same(DIGITS, DIGITS_TEST, "--standardize", "scale", "--no-intercept")

    def test_squared_hinge(self):
        self.every_format_says_the_same(WDBC, WDBC_TEST, "--model", "svm-sq", "--intercept", "penalised")

    def test_softmax_of_two_classes(self):
        self.every_format_says_the_same(WDBC, WDBC_TEST, "--model", "softmax")

    @unittest.skipUnless(os.environ.get("SVRG_NIGHTLY"), "by night")
    def test_a9a(self):
        train, test = self.unpacked("a9a.train.svm.gz"), self.unpacked("a9a.test.svm.gz")
        self.every_format_says_the_same(train, test)

    def test_a_net(self):
        run, _ = self.train(DIGITS, "--model", "mlp", "--hidden", "16", "-e", "2")
        wanted = self.labels(run / "model.h5", DIGITS_TEST)
        for suffix in FORMATS:
            one = self.convert(run / "model.h5", f"net.{suffix}")
            self.assertEqual(self.labels(one, DIGITS_TEST), wanted)
            self.assertIn("a net of 4 parameters", self.succeeds("inspect", one).out)
        self.fails(2, "convert", run / "model.h5", self.folder / "net.model", ranks=2, says=["no nets"])
        self.fails(2, "convert", run / "model.h5", self.folder / "n.npz", "--fold-scaling", says=["a net"])

    def test_models_of_liblinear_predict_as_they_do(self):
        for train, test in (WDBC, WDBC_TEST), (DIGITS, DIGITS_TEST):
            for i, solver in enumerate(["0", "1", "2", "3", "4", "5", "6", "7", "0", "2"]):
                bias = [[], ["-B", "1"], ["-B", "2.5"]][i % 3]
                model = self.trained_by_liblinear(train, "-s", solver, *bias)
                self.assertEqual(self.labels(model, test), self.theirs(model, test), (train, solver, bias))
        for solver in "11", "12", "13":
            model = self.trained_by_liblinear(WDBC, "-s", solver, "-B", "1")
            for ours, theirs in zip(self.labels(model, WDBC_TEST), self.theirs(model, WDBC_TEST)):
                self.assertAlmostEqual(ours, theirs, delta=1e-5 * max(1, abs(theirs)))  # it prints six digits
        model.write_text(model.read_text().replace("L2R_L1LOSS_SVR_DUAL", "ONECLASS_SVM"))
        self.fails(3, "predict", model, WDBC_TEST, ranks=2, says=["their.model:1: ", "ONECLASS_SVM"])

    def objective(self, model, rows, C, loss):
        """liblinear's, over C times the number of rows, from the text of its model."""
        lines = model.read_text().split("\n")
        head = dict(line.split(" ", 1) for line in lines[:lines.index("w")])
        w = [float(line) for line in lines[lines.index("w") + 1:] if line]
        positive, bias = int(head["label"].split()[0]), float(head["bias"])
        total, count = 0.0, 0
        for line in pathlib.Path(rows).read_text().splitlines():
            label, *entries = line.split()
            z = w[-1] * bias if bias >= 0 else 0.0
            for entry in entries:
                j, value = entry.split(":")
                z += w[int(j) - 1] * float(value)
            total += loss(z if int(label) == positive else -z)
            count += 1
        return total / count, sum(v * v for v in w) / (2 * C * count)

    def starts_at_liblinears_objective(self, train, C="0.5"):
        def logistic(z):
            return math.log1p(math.exp(-abs(z))) + max(-z, 0)

        def squared_hinge(z):
            return max(0, 1 - z) ** 2

        for solver, kind, loss in ("0", "logistic", logistic), ("2", "svm-sq", squared_hinge):
            for bias, intercept in (["-B", "1"], ["--intercept", "penalised"]), ([], ["--no-intercept"]):
                model = self.trained_by_liblinear(train, "-s", solver, "-c", C, "-e", "1e-6", *bias)
                data, penalty = self.objective(model, train, float(C), loss)
                if kind == "logistic":
                    ce = self.succeeds("evaluate", model, train, "-m", "ce", ranks=2).json["metrics"]["ce"]
                    self.assertAlmostEqual(ce, data, delta=1e-11 * data)
                run, result = self.train(train, "--model", kind, "--C", C, *intercept, "--warm-start", model,
                                         "--tol-grad", "1e-9", "--overwrite", ranks=2)
                start = records(run)[0]["objective"]
                self.assertAlmostEqual(start, data + penalty, delta=1e-11 * start)
                # It is their optimum, as near as they go, and no better one is found but ours.
                self.assertLessEqual(result["objective"], start * (1 + 1e-12))
                self.assertAlmostEqual(result["objective"], start, delta=1e-5 * start)

    def test_a_warm_start_is_at_liblinears_objective(self):
        self.starts_at_liblinears_objective(WDBC)

    def test_a_warm_start_is_at_liblinears_objective_on_a9a(self):
        self.starts_at_liblinears_objective(self.unpacked("a9a.train.svm.gz"))

    def test_a_warm_start_says_that_the_intercept_was_penalised(self):
        run, _ = self.train(WDBC, "--intercept", "penalised")
        self.assertIn("with penalised intercept", self.succeeds("inspect", run / "model.h5").out)
        for how, said in ([], True), (["--intercept", "penalised"], False):
            result = self.succeeds("train", WDBC, "--warm-start", run / "model.h5", *how, ranks=2)
            self.assertEqual("was penalised" in result.err, said, result)

    def test_numpy_opens_and_makes_them(self):
        if not has_numpy():
            self.skipTest(f"no Python with numpy at {PYTHON}; tests/run.sh makes one")
        run, _ = self.train(DIGITS, "--standardize", "scale")
        wanted = self.labels(run / "model.h5", DIGITS_TEST)
        npz = self.convert(run / "model.h5", "m.npz")
        made = [self.folder / f"{name}.npz" for name in ("plain", "packed", "bare")]
        done = subprocess.run([PYTHON, "-c", OPEN, str(npz), DIGITS_TEST, *map(str, made)], capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout), wanted)
        for path in made:
            self.assertEqual(self.labels(path, DIGITS_TEST, ranks=2), wanted, path)
            self.assertIn("softmax, 64 features, 10 classes", self.succeeds("inspect", path).out)
        for path in made[:2]:
            self.assertEqual(self.convert(path, "back.json", "--overwrite").read_bytes(),
                             self.convert(npz, "first.json", "--overwrite").read_bytes())

    def test_scaling_is_folded(self):
        for name, how in ("zscore", ["--standardize", "zscore"]), ("x", ["--x-scale", "1/255", "--no-intercept"]):
            folded, kept = self.folder / f"{name}.json", self.folder / f"{name}.npz"
            run, _ = self.train(WDBC, *how, "--export", folded, "--fold-scaling", name=name, ranks=2)
            self.assertFalse([path for path in json.loads(folded.read_text())["arrays"] if "preprocess" in path])
            self.succeeds("convert", run / "model.h5", kept)
            again = self.convert(kept, f"{name}2.json", "--fold-scaling", ranks=2)
            self.assertEqual(again.read_bytes(), folded.read_bytes())
            ours, theirs = (self.succeeds("evaluate", model, WDBC_TEST, "-m", "ce").json["metrics"]["ce"]
                            for model in (run / "model.h5", folded))
            self.assertAlmostEqual(ours, theirs, delta=1e-9 * ours)
        out = self.folder / "no.npz"
        self.fails(2, "train", WDBC, "--standardize", "zscore", "--no-intercept", "--export", out, "--fold-scaling",
                   ranks=2, says=["--fold-scaling", "intercept"])
        run, _ = self.train(WDBC, "--standardize", "zscore", "--no-intercept", name="centred")
        for target, how in (out, ["--fold-scaling"]), (self.folder / "no.model", []):
            self.fails(2, "convert", run / "model.h5", target, *how, ranks=2, says=["model.h5", "intercept"])
            self.assertFalse(target.exists())

    def test_what_does_not_fit_is_refused_by_name(self):
        run, _ = self.train(WDBC)
        model, out = run / "model.h5", self.folder / "m.npz"
        for option in ["--shuffle"], ["--rows", ":9"], ["--n-features", "30"], ["--standardize", "scale"], ["--seed", "2"]:
            self.fails(2, "convert", model, out, *option, ranks=2, says=[option[0], "rows"])
        self.fails(2, "convert", WDBC, self.folder / "d.h5", "--fold-scaling", ranks=2, says=["--fold-scaling", "rows"])
        self.fails(2, "convert", model, self.folder / "m.svm", ranks=2, says=["m.svm", ".npz", ".json", ".model"])
        self.fails(3, "convert", WDBC, out, ranks=2, says=["no model"])
        self.fails(3, "convert", self.folder / "none.h5", out, ranks=2, says=["none.h5"])
        self.fails(2, "train", WDBC, "--export", self.folder / "m.pkl", ranks=2, says=["--export", ".npz", ".json"])
        self.assertFalse(out.exists())
        # A seed in the environment was meant for another command.
        self.succeeds("convert", model, out, env={"SVRG_SEED": "7"})
        self.fails(2, "convert", model, out, ranks=2, says=["--overwrite"])
        self.fails(2, "convert", out, out, "--overwrite", ranks=2, says=["what is read"])
        whole = out.read_bytes()
        out.write_bytes(whole[:-5])
        for command in ["evaluate", out, WDBC], ["convert", out, self.folder / "x.h5"]:
            self.fails(3, *command, ranks=2, says=["m.npz", "zip"])
        self.assertFalse((self.folder / "x.h5").exists())


if __name__ == "__main__":
    main()
