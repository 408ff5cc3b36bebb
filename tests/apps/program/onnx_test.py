#!/usr/bin/env python3
"""Models written as ONNX say under onnxruntime what svrg predict says."""
import os
import subprocess
import sys

from harness import DATA, DIGITS, DIGITS_TEST, ROOT, WDBC, WDBC_TEST, Case, main

PYTHON = os.environ.get("SVRG_PYTHON") or str(ROOT / "build/venv/bin/python3")
# usage: (MODEL.onnx ROWS.svm WHAT-PREDICT-SAID.h5)…: one program for many, as it takes a second to begin.
COMPARE = """
import sys
import h5py, numpy as np, onnxruntime
from sklearn.datasets import load_svmlight_file

def compare(model, rows, out):
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    data, = session.get_inputs()
    single = data.type == "tensor(float)"
    X, _ = load_svmlight_file(rows, n_features=data.shape[1])
    X = X.toarray().astype("f4" if single else "f8")
    outputs = [output.name for output in session.get_outputs()]
    found = dict(zip(outputs, session.run(None, {"data": X})))
    with h5py.File(out) as said:
        assert ("proba" in said) == ("proba" in found), (list(said), outputs)
        assert {"label", "score"} <= set(outputs) & set(said), list(said)
        for name, values in found.items():
            wanted = said[name][:].reshape(values.shape)
            scale = max(1, np.abs(wanted).max())
            np.testing.assert_allclose(values / scale, wanted / scale, rtol=0, atol=1e-6 if single else 1e-12)
    one = session.run(["label"], {"data": X[:1]})[0]  # a row by itself
    np.testing.assert_array_equal(one, found["label"][:1])

for i in range(1, len(sys.argv), 3):
    try:
        compare(*sys.argv[i:i + 3])
    except Exception as error:
        raise SystemExit(f"{sys.argv[i]}: {error!r}")
"""


class Onnx(Case):
    def setUp(self):
        super().setUp()
        self.compared = []

    def trained(self, train, rows, *how, proba=True):
        run, _ = self.train(train, *how, name="-".join(how).replace("/", "_") or "plain")
        model, out = run / "m.onnx", run / "out.h5"
        self.succeeds("convert", run / "model.h5", model)
        self.succeeds("predict", run / "model.h5", rows, "--scores", *["--proba"] * proba, "-o", out)
        self.compared += [str(model), rows, str(out)]

    def all_say_the_same(self):
        done = subprocess.run([PYTHON, "-c", COMPARE, *self.compared], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_linear_models(self):
        self.trained(WDBC, WDBC_TEST, "--standardize", "zscore")
        self.trained(WDBC, WDBC_TEST, "--no-intercept", "--standardize", "scale")
        self.trained(DIGITS, DIGITS_TEST, "--x-scale", "1/4")
        self.trained(DIGITS, DIGITS_TEST, "--positive", "3,5")
        self.trained(WDBC, WDBC_TEST, "--model", "softmax")
        self.trained(WDBC, WDBC_TEST, "--model", "svm-sq", proba=False)
        self.trained(DIGITS, DIGITS_TEST, "--model", "huber", proba=False)
        self.all_say_the_same()

    def test_nets(self):
        self.trained(DIGITS, DIGITS_TEST, "--model", "mlp", "--hidden", "16,8", "-e", "3", "--standardize", "scale")
        for activation in "tanh", "sigmoid", "softrelu", "softsign":
            self.trained(WDBC, WDBC_TEST, "--model", "mlp", "--hidden", "4", "--activation", activation, "-e", "2")
        self.all_say_the_same()

    def test_what_training_exports_is_what_convert_writes(self):
        run, _ = self.train(WDBC, "--export", self.folder / "a.onnx", ranks=2)
        self.succeeds("convert", run / "model.h5", self.folder / "b.onnx")
        self.assertEqual((self.folder / "a.onnx").read_bytes(), (self.folder / "b.onnx").read_bytes())

    def test_what_has_no_place_is_refused(self):
        net = ["--symbol", DATA / "lenet.symbol.json", "--input-shape", "1,8,8"]
        run, _ = self.train(DIGITS, *net, "-e", "1")
        self.fails(2, "convert", run / "model.h5", self.folder / "n.onnx", ranks=2, says=["conv1", "Convolution", "ONNX"])
        self.assertFalse((self.folder / "n.onnx").exists())
        run, _ = self.train(WDBC, name="linear")
        self.succeeds("convert", run / "model.h5", self.folder / "m.onnx")
        self.fails(3, "evaluate", self.folder / "m.onnx", WDBC, says=["ONNX is only written"])


if __name__ == "__main__":
    probe = [PYTHON, "-c", "import h5py, onnxruntime, sklearn"]
    if not os.path.exists(PYTHON) or subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        print(f"skipped: no Python with onnxruntime at {PYTHON}; tests/run.sh makes one")
        sys.exit(77)
    main()
