#!/usr/bin/env python3
"""Does the default solver reach the known optimum of every data set, with no option but the data's?

For each set of $SVRG_SHARED/data/reference.json and each number of ranks:
    mpirun -n P svrg train FILE --model M --l2 1/n --no-intercept --tol-grad 1e-9 --n-features D
    svrg evaluate model.h5 TEST
A row passes if F - f* <= 1e-9 max(1, |f*|) and the test metric agrees with the reference to 4 digits.
Exit 0: all pass; 1: a miss; 77: the data is not here. Needs Python's standard library only.
"""
import argparse
import gzip
import json
import math
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODELS = {"logistic": "logistic", "squared": "linear", "softmax": "softmax"}
METRICS = {"accuracy": "acc", "rmse": "rmse"}  # the reference's name: ours
# Options that say what the file means, as its description does.
DATA_OPTIONS = {"covtype2": ["--positive", "1"], "mnist2k": ["--x-scale", "1/255"]}
# Rows of a set's one IDX file that are for training and for testing.
IDX_ROWS = {"mnist2k": {"train": (0, 2000), "test": (2000, 10000)}}
HEADER = ["set", "loss", "P", "F - f*", "passes", "epochs", "seconds", "allreduces", "test",
          "reference", ""]
WIDTHS = [13, 8, 2, 9, 8, 6, 8, 10, 12, 9, 4]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sets", default="", help="comma-separated; default: all")
    parser.add_argument("--ranks", default="1,2,4")
    parser.add_argument("--intercept", action="store_true",
                        help="with a penalised intercept, as a feature that is always 1")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--program", default=ROOT / "build/bin/svrg", type=pathlib.Path)
    parser.add_argument("--mpirun", default="mpirun")
    parser.add_argument("--timeout", default=900, type=float, help="seconds for one run")
    return parser.parse_args()


def mpi_environment():
    """What jobscripts/mpi_env.sh sets: root, more ranks than cores, containers."""
    defaults = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                "OMPI_MCA_rmaps_base_oversubscribe": "1",
                "OMPI_MCA_btl_vader_single_copy_mechanism": "none"}
    mine = {key: value for key, value in os.environ.items() if not key.startswith("SVRG_")}
    return defaults | mine


def is_text(name):
    return name is not None and ".svm" in pathlib.Path(name).suffixes


def idx_rows(path, rows, folder):
    """An IDX pair of some rows of another one; the path of its images."""
    for kind in "labels", "images":
        source = path.with_name(path.name.replace("images", kind))
        if kind == "labels":
            source = source.with_name(source.name.replace("idx3", "idx1"))
        raw = gzip.decompress(source.read_bytes())
        axes = struct.unpack_from(f">{raw[3]}i", raw, 4)
        header, size = 4 + 4 * len(axes), math.prod(axes[1:])
        made = folder / f"{rows[0]}-{source.name}"
        made.write_bytes(gzip.compress(
            raw[:4] + struct.pack(">i", rows[1] - rows[0]) + raw[8:header] +
            raw[header + rows[0] * size:header + rows[1] * size], 1))
    return made


def file_of(name, entry, part, data, folder):
    """The file of a set's training or test rows; None where there is none to be read."""
    if name in IDX_ROWS:
        return str(idx_rows(data / entry["train"], IDX_ROWS[name][part], folder))
    return str(data / entry[part]) if is_text(entry[part]) else None


def last_json(command, timeout):
    """The JSON line a command ends with; raises RuntimeError with what it said instead."""
    try:
        done = subprocess.run(command, env=mpi_environment(), timeout=timeout, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"no end within {timeout:g} s") from None
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()
        said = next((line for line in said if "svrg: error" in line), said[-1])
        raise RuntimeError(f"exit {done.returncode}: {said}")
    return json.loads(lines[-1])


def measure(options, name, entry, data, folder, ranks):
    """One row of the table, and whether it passes."""
    reference = entry["bias" if options.intercept else "plain"]
    run = folder / "run"
    program = str(options.program)
    train = last_json([options.mpirun, "-n", str(ranks), program, "train",
                       file_of(name, entry, "train", data, folder),
                       "--model", MODELS[entry["loss"]], "--l2", "1/n",
                       "--intercept", "penalised" if options.intercept else "no",
                       "--tol-grad", "1e-9", "--n-features", str(entry["d"]),
                       *DATA_OPTIONS.get(name, []), "-o", str(run), "--overwrite"], options.timeout)
    excess = train["objective"] - reference["f_star"]
    # Below the optimum by more than rounding is a wrong objective, not a good solver.
    passes = abs(excess) <= 1e-9 * max(1.0, abs(reference["f_star"]))
    ours = theirs = "-"
    for key, metric in METRICS.items():
        expected = (reference.get("test") or {}).get(key)
        test = file_of(name, entry, "test", data, folder)
        if expected is None or test is None:
            continue
        result = last_json([program, "evaluate", str(run / "model.h5"),
                            test, "-m", metric],
                           options.timeout)["metrics"][metric]
        passes = passes and abs(result - expected) <= 0.5e-4 * max(1.0, abs(expected))
        ours, theirs = f"{metric} {result:.5f}", f"{expected:.5f}"
    row = [name, entry["loss"], ranks, f"{excess:.1e}", f"{train['passes']:.1f}", train["epochs"],
           f"{train['seconds_train']:.3f}", train["allreduces"], ours, theirs]
    return row + ["ok" if passes else "MISS"], passes


def show(cells, markdown):
    if markdown:
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)
    else:
        print("  ".join(str(c).ljust(w) if i < 2 else str(c).rjust(w)
                        for i, (c, w) in enumerate(zip(cells, WIDTHS))).rstrip(), flush=True)


def main():
    options = arguments()
    data = pathlib.Path(os.environ.get("SVRG_SHARED") or "/nonexistent") / "data"
    if not (data / "reference.json").is_file():
        print("skipped: SVRG_SHARED does not name a folder with data/reference.json")
        return 77
    everything = json.loads((data / "reference.json").read_text())["datasets"]
    sets = {name: entry for name, entry in everything.items()
            if (is_text(entry["train"]) or name in IDX_ROWS) and "f_star" in entry.get("plain", {})}
    by_size = sorted(sets, key=lambda name: sets[name]["nnz_train"])
    wanted = options.sets.split(",") if options.sets else by_size
    unknown = [name for name in wanted if name not in sets]
    if unknown:
        print(f"no such set: {', '.join(unknown)}; there are {', '.join(sets)}")
        return 1
    misses = []
    show(HEADER, options.markdown)
    if options.markdown:
        show(["---"] * len(HEADER), True)
    for name in wanted:
        with tempfile.TemporaryDirectory(prefix="svrg-reference-") as folder:
            for ranks in options.ranks.split(","):
                entry, passes = sets[name], False
                try:
                    row, passes = measure(options, name, entry, data, pathlib.Path(folder), ranks)
                except (RuntimeError, KeyError, ValueError) as error:
                    row = [name, entry["loss"], ranks, "MISS", f"{type(error).__name__}: {error}"]
                show(row, options.markdown)
                if not passes:
                    misses.append(f"{name} on {ranks}")
    print(f"\nmissed: {', '.join(misses)}" if misses else "\nevery row reaches the reference")
    return 1 if misses else 0


if __name__ == "__main__":
    sys.exit(main())
