"""Opens run.h5, model.h5 and a checkpoint as users do: h5py, pandas and xarray, without options.

    open_with_python.py IO_TEST    the test program of the io floor, which writes the files

Exits with 77 (ctest: skipped) where a module is missing. xarray finds a backend by the first bytes of a
file, which are the seal's in a checkpoint: only there the engine is named.
"""
import importlib
import os
import subprocess
import sys
import tempfile

missing = []
for module in ("h5py", "numpy", "pandas", "xarray", "h5netcdf", "netCDF4"):
    try:
        importlib.import_module(module)
    except ImportError:
        missing.append(module)
if missing:
    print("SKIPPED: this Python has no", ", ".join(missing))
    sys.exit(77)

import h5py
import numpy as np
import pandas as pd
import xarray as xr

ENGINES = (None, "h5netcdf", "netcdf4")
PHASES = ["data", "full_gradient", "inner", "allreduce", "wait", "evaluate", "checkpoint", "other"]
COUNTERS = ["step", "samples", "bytes_communicated", "messages"]
REALS = ["passes", "wall_seconds", "objective", "grad_norm", "duality_gap", "learning_rate",
         "train_acc", "valid_acc"]


def check_every_dataset(file):
    """long_name, units and a scale on each axis; bare dimensions take no space."""
    def check(path, thing):
        if not isinstance(thing, h5py.Dataset):
            return
        name = thing.attrs.get("NAME", b"")
        if name.startswith(b"This is a netCDF dimension but not a netCDF variable."):
            assert thing.id.get_storage_size() == 0, path
            assert name.endswith(b"%10d" % len(thing)), (path, name)
            return
        assert isinstance(thing.attrs["long_name"], str) and thing.attrs["long_name"], path
        assert isinstance(thing.attrs["units"], str) and thing.attrs["units"], path
        for axis, dimension in enumerate(thing.dims):
            assert thing.is_scale or len(dimension) == 1, (path, axis)
    file.visititems(check)


def check_root(file, kind):
    assert file.attrs["format"] == kind
    assert file.attrs["format_version"] == "1.0"
    assert file.attrs["Conventions"] == "SVRG-1.0"
    assert file.attrs["required_features"].shape == (0,)
    assert file.attrs["creator"].startswith("svrg ")
    pd.Timestamp(file.attrs["created"])
    check_every_dataset(file)


def open_run(path, epochs):
    with h5py.File(path) as file:
        check_root(file, "svrg-run")
        history = file["history"]
        assert history["epoch"].maxshape == (None,)
        objective = history["objective"]
        assert objective.chunks == (256,) and objective.shuffle and objective.fletcher32
        assert objective.compression == "gzip" and objective.compression_opts == 4
        assert list(history["phase"].asstr()[:]) == PHASES
        assert list(history["hostname"].asstr()[:]) == ["node1", "node2"]
        assert list(history["is_snapshot"].attrs["flag_values"]) == [0, 1]
        assert history["is_snapshot"].attrs["flag_values"].dtype == np.uint8
        assert history["wall_seconds"].attrs["units"] == "s"
        assert history["bytes_communicated"].attrs["units"] == "byte"
        table = pd.DataFrame({name: history[name][:] for name in COUNTERS}, index=history["epoch"][:])
        assert len(table) == epochs
        config = file["config"].asstr()[()]
    for engine in ENGINES:
        with xr.open_dataset(path, group="history", engine=engine) as history:
            history.load()
        assert dict(history.sizes) == {"epoch": epochs, "rank": 2, "phase": 8}, history.sizes
        assert history.phase_seconds.dims == ("epoch", "rank", "phase")
        assert history.max_rss.dims == ("epoch", "rank")
        assert history.wall_seconds.dtype == np.float64
        assert list(history.phase.values) == PHASES
        for name in COUNTERS:
            assert history[name].dtype == np.int64 and history[name].dims == ("epoch",)
        if epochs == 0:
            continue
        for name in REALS:
            assert history[name].dtype == np.float64 and history[name].dims == ("epoch",)
        assert history.epoch.values.tolist() == list(range(epochs))
        assert history.step.values.tolist() == [10 * e for e in range(epochs)]
        assert history.is_snapshot.values.tolist() == [e % 2 == 0 for e in range(epochs)]
        assert np.isnan(history.duality_gap.values).all()
        frame = history[["objective", "valid_acc"]].to_dataframe()
        assert frame.loc[1, "objective"] == 0.5 and frame.loc[1, "valid_acc"] == 0.75
        assert np.isnan(frame.loc[0, "valid_acc"])
        phases = history.phase_seconds.max("rank").to_pandas()
        assert list(phases.columns) == PHASES and phases.loc[2, "full_gradient"] == 2.5
        assert history.phase_seconds.sel(phase="data", rank=0).values.tolist() == \
            [0.5 + e for e in range(epochs)]
        assert config == "seed = 1\n"


def open_model(path, kind, engines, shape):
    with h5py.File(path) as file:
        check_root(file, kind)
        weight = file["params/linear/weight"]
        assert weight.shape == shape and weight.dtype == np.float64
        assert weight.dims[0][0] == file["class"]
        assert weight.dims[1][0] == file["feature"]
        assert file["params/linear/bias"].shape == shape[:1]
        assert file.attrs["intercept"] == 1 and file.attrs["n_features"] == shape[1]
        assert isinstance(file.attrs["kind"], str) and file.attrs["l2"] == 1e-4
        assert file["config"].asstr()[()] == "seed = 1\n"
        labels, names = file["class"][:], file["feature_name"].asstr()[:]
        table = pd.DataFrame(weight[:], index=labels, columns=names)
        assert table.shape == shape
        state = dict(file["state"].attrs)
    for engine in engines:
        with xr.open_dataset(path, engine=engine) as root:
            root.load()
        assert dict(root.sizes) == {"class": shape[0], "feature": shape[1]}, root.sizes
        assert list(root.feature_name.values) == list(names)
        with xr.open_dataset(path, group="params/linear", engine=engine) as layer:
            layer.load()
        assert layer.weight.dims == ("class", "feature") and layer.bias.dims == ("class",)
        np.testing.assert_array_equal(layer.weight.values, table.values)
    return table, state


def open_all(folder):
    open_run(f"{folder}/empty_run.h5", 0)
    open_run(f"{folder}/run.h5", 5)
    log = pd.read_json(f"{folder}/log.jsonl", lines=True)
    assert log.objective[1] == 0.5 and log.step.tolist() == [0, 10, 20, 30, 40]

    table, state = open_model(f"{folder}/model.h5", "svrg-model", ENGINES, (3, 4))
    np.testing.assert_allclose(table.values.T.ravel(), np.linspace(0.1, 7.7, 15)[:12], rtol=1e-15)
    assert state["epoch"] == 12 and state["status"] == "converged" and state["objective"] == 0.25

    checkpoint = f"{folder}/checkpoints/last.h5"
    table, state = open_model(checkpoint, "svrg-checkpoint", ENGINES[1:], (2, 3))
    assert state["epoch"] == 7 and state["rng_algorithm"] == "philox4x32-10"
    with h5py.File(checkpoint) as file:
        assert file.userblock_size == 512
        assert list(file["feature_name"].asstr()[:]) == ["", "größe", "a b"]
        assert file["solver"].attrs["eta"] == 1e-3
        assert file["solver/order"][1] == np.iinfo(np.int64).max
        assert file["solver/no_rows"].shape == (0, 3)
    with open(checkpoint, "rb") as file:
        assert file.read().startswith(b"SVRG-CHECKPOINT 1\nbytes ")


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ, SVRG_IO_SAMPLES=folder)
        subprocess.run([program, "--gtest_filter=Samples.*"], env=environment, check=True,
                       stdout=subprocess.DEVNULL)
        open_all(folder)
    versions = {m: importlib.import_module(m).__version__ for m in ("h5py", "pandas", "xarray", "netCDF4")}
    print("opened everything with", ", ".join(f"{m} {v}" for m, v in versions.items()))


if __name__ == "__main__":
    main()
