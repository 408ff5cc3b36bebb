#!/usr/bin/env python3
"""The files of a real run open in h5py, pandas and xarray without options, and say what the run said."""
import json
import os
import subprocess
import sys

from harness import DIGITS, ROOT, WDBC, Case, environment, main, records

PYTHON = os.environ.get("SVRG_PYTHON") or str(ROOT / "build/venv/bin/python3")
OPEN = """
import json, sys
import h5py, pandas, xarray
run = sys.argv[1]
out = {}
with h5py.File(run + "/run.h5") as f:
    out["h5py"] = f["history/objective"][:].tolist()
with h5py.File(run + "/model.h5") as f:
    out["weights"] = list(f["params/linear/weight"].shape)
    out["format"] = f.attrs["format"]
for engine in "h5netcdf", "netcdf4":
    with xarray.open_dataset(run + "/run.h5", group="history", engine=engine) as h:
        out[engine] = h["objective"].values.tolist()
        h.phase_seconds.max("rank").to_pandas()
        assert h.phase_seconds.dims == ("epoch", "rank", "phase"), h.phase_seconds.dims
    with xarray.open_dataset(run + "/run.h5", group="evaluation", engine=engine) as e:
        assert e.confusion.dims == ("class", "predicted_class"), e.confusion.dims
        assert (e.confusion.sum("predicted_class") == e.support).all()
        assert (e.true_positive_rate.diff("threshold") >= 0).all()
        assert e.attrs["rows_of"] == "training", e.attrs
with xarray.open_dataset(run + "/run.h5", group="history") as h:
    frame = h[["objective", "grad_norm"]].to_dataframe()
    assert isinstance(frame, pandas.DataFrame) and frame.index.name == "epoch"
    out["pandas"] = frame["objective"].tolist()
xarray.open_dataset(run + "/model.h5").close()
with h5py.File(run + "/checkpoints/last.h5") as f:  # sealed: netCDF's readers do not know user blocks
    assert f["params/linear/weight"].shape == (1, 30)
json.dump(out, sys.stdout)
"""

PREDICTIONS = """
import sys
import xarray
for engine in "h5netcdf", "netcdf4":
    with xarray.open_dataset(sys.argv[1], engine=engine) as p:
        assert p.proba.dims == p.score.dims == ("row", "class") and p.label.dims == ("row",), p
        assert p["class"].values.tolist() == list(range(10))
        assert abs(p.proba.sum("class") - 1).max() < 1e-12
        assert (p.proba.idxmax("class") == p.label).all()
"""

TUNING = """
import sys
import xarray
for engine in "h5netcdf", "netcdf4":
    with xarray.open_dataset(sys.argv[1], group="tuning", engine=engine) as t:
        assert t.score_acc.dims == ("fold", "point") and t.weight.dims == ("point", "output", "feature"), t
        assert abs(t.score_acc.mean("fold") - t.mean_acc).max() < 1e-15
        error = t.score_acc.std("fold", ddof=1) / t.sizes["fold"] ** 0.5
        assert abs(error - t.standard_error_acc).max() < 1e-15
        assert t.mean_acc[t.attrs["best"]] == t.mean_acc.max() and t.attrs["chosen"] == t.attrs["best"]
        assert (t.l2.diff("point") < 0).all() and t.setting.values.tolist() == ["C=0.1", "C=1", "C=10"]
        assert t.held_out.sum() == t.sizes["row"] == t.attrs["rows"]
        assert (t.fold_of_row.to_series().value_counts().sort_index().values == t.held_out.values).all()
"""


class PythonOpens(Case):
    def test_the_files_of_a_real_run(self):
        run, _ = self.train(WDBC, "-m", "acc", ranks=2)
        done = subprocess.run([PYTHON, "-c", OPEN, str(run)], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        out = json.loads(done.stdout)
        recorded = [line["objective"] for line in records(run)]
        for reader in "h5py", "h5netcdf", "netcdf4", "pandas":
            self.assertEqual(out[reader], recorded, reader)
        self.assertEqual(out["weights"], [1, 30])
        self.assertEqual(out["format"], "svrg-model")

    def test_predictions(self):
        run, _ = self.train(DIGITS, "-e", "2", ranks=2)
        out = self.folder / "out.h5"
        self.succeeds("predict", run / "model.h5", DIGITS, "--proba", "--scores", "-o", out, ranks=2)
        done = subprocess.run([PYTHON, "-c", PREDICTIONS, str(out)], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_cross_validation(self):
        run = self.folder / "tuned"
        self.succeeds("tune", WDBC, "--standardize", "scale", "--grid", "C=0.1,1,10", "--folds", "4",
                      "--save-folds", "-o", run, ranks=2)
        done = subprocess.run([PYTHON, "-c", TUNING, str(run / "tuning.h5")], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_files_of_the_io_tests(self):
        program = os.environ.get("SVRG_IO_TEST")
        if not program:
            self.skipTest("SVRG_IO_TEST does not name the io floor's test program")
        done = subprocess.run([PYTHON, str(ROOT / "tests/io/open_with_python.py"), program],
                              env=environment(), capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    probe = subprocess.run([PYTHON, "-c", "import h5py, netCDF4, h5netcdf, pandas, xarray"],
                           capture_output=True, text=True, check=False) if os.path.exists(PYTHON) else None
    if probe is None or probe.returncode != 0:
        print(f"skipped: no Python with h5py, pandas and xarray at {PYTHON}; tests/run.sh makes one")
        sys.exit(77)
    main()
