#!/usr/bin/env python3
"""Rows that stay in their file: the same answers as in memory, to the bit, for less memory."""
import os
import pathlib
import subprocess
import unittest

from harness import (DIGITS, ROOT, WDBC, WDBC_TEST, Case, main, records, start, wait, wait_for_epochs,
                     weights)

PYTHON = os.environ.get("SVRG_PYTHON") or str(ROOT / "build/venv/bin/python3")
ODD_FILES = """
import h5py, numpy as np, sys
def rows(name, x, y=None, **how):
    with h5py.File(f"{sys.argv[1]}/{name}.h5", "w") as f:
        f.create_dataset("X", data=x, **how)
        f["y"] = np.arange(len(x)) % 2 if y is None else y
x = np.arange(40.).reshape(10, 4) % 7
rows("chunked", x, chunks=(2, 4))
rows("packed", x, chunks=(2, 4), compression="gzip")
rows("bytes", x.astype("u1"))
rows("big_endian", x.astype(">f8"))
rows("nan", np.where(x == 3, np.nan, x))
with h5py.File(f"{sys.argv[1]}/unsorted.h5", "w") as f:
    g = f.create_group("X")
    g["data"], g["indices"], g["indptr"] = np.array([1., 2, 3]), np.array([2, 0, 1], "i4"), np.array([0, 2, 3])
    g.attrs["shape"] = (2, 3)
    f["y"] = np.array([0, 1])
"""


class Stream(Case):
    def file(self, source, *options, name="rows"):
        out = self.folder / f"{name}.h5"
        self.succeeds("convert", source, out, "--shuffle", *options)
        return out

    def same_bits(self, data, *options, ranks):
        kept = []
        for load in ["--row-order", "file"], ["--load", "stream"]:
            run, result = self.train(data, *load, *options, "--inner-copy", "none", "--overwrite", ranks=ranks)
            kept.append((weights(run), [r["objective"] for r in records(run)], result["metrics"]))
        self.assertEqual(*kept)

    def test_every_solver_takes_the_path_it_takes_in_memory(self):
        dense, digits = self.file(WDBC), self.file(DIGITS, name="digits")
        for options in ([], ["--engine", "row"], ["--engine", "ssn"], ["--l1", "0.01"],
                        ["--algorithm", "svrg", "-e", "5", "--learning-rate", "0.01"]):
            for ranks in 1, 3:
                with self.subTest(options=options, ranks=ranks):
                    self.same_bits(dense, *options, ranks=ranks)
        self.same_bits(digits, ranks=2)
        self.same_bits(digits, "--threads", "2", "--model", "linear", ranks=1)

    def test_single_precision_and_sparse_rows(self):
        sparse = self.folder / "sparse.svm"
        sparse.write_text("".join(f"{1 if i % 3 else -1} {1 + i % 5}:{i % 7 - 3} {7 + i % 11}:1.5 {40 + i % 90}:2\n"
                                  for i in range(3000)))
        for options in [], ["--dtype", "f32"]:
            data = self.file(sparse, *options, name="sparse" + "".join(options))
            for engine in "auto", "row":
                self.same_bits(data, "--engine", engine, "--valid", data, ranks=2)
        single = self.file(DIGITS, "--dtype", "f32", name="single")
        self.same_bits(single, "--engine", "row", ranks=2)

    def test_nets_too(self):
        data = self.file(DIGITS, "--dtype", "f32", name="digits")
        kept = []
        for load in ["--row-order", "file"], ["--load", "stream"]:
            run, _ = self.train(data, *load, "--model", "mlp", "--hidden", "8", "-e", "3", "--overwrite", ranks=2)
            kept.append(weights(run, layers=("fc1", "fc2")))
        self.assertEqual(*kept)

    def test_models_score_streams(self):
        run, _ = self.train(WDBC)
        data = self.file(WDBC_TEST, name="test")
        for command in "evaluate", "predict":
            kept = [self.succeeds(command, run / "model.h5", data, "--load", load, ranks=2) for load in
                    ("memory", "stream")]
            if command == "evaluate":
                memory, stream = (result.json["metrics"] for result in kept)
                self.assertEqual(memory.keys(), stream.keys())
                for name, value in memory.items():  # summed in another order
                    self.assertAlmostEqual(stream[name], value, places=12)
            else:
                self.assertEqual(*(sorted(result.out.splitlines()) for result in kept))

    def test_a_run_goes_on_where_it_stopped(self):
        data = self.file(DIGITS)
        args = [data, "--load", "stream", "--algorithm", "svrg", "--tol-grad", "0", "--checkpoint-every", "1"]
        whole, _ = self.train(*args, "-e", "6", name="whole", ranks=2)
        run, _ = self.train(*args, "-e", "3", ranks=2)
        self.succeeds("train", *args, "-e", "6", "-o", run, "--resume", "auto", ranks=2)
        self.assertTrue(weights(run) == weights(whole))

    def test_what_would_move_or_change_rows_is_refused(self):
        data = self.file(WDBC)
        for options, code, remedy in ((["--row-order", "shuffled"], 2, "svrg convert --shuffle"),
                                      (["--standardize", "scale"], 2, "svrg convert"),
                                      (["--x-scale", "1/255"], 2, "svrg convert"),
                                      (["--valid-fraction", "0.2"], 2, "svrg convert --valid-fraction"),
                                      (["--calibrate", "platt", "--calibrate-fraction", "0.2"], 2,
                                       "svrg convert --valid-fraction"),
                                      (["--partition", "nnz"], 2, "--load stream"),
                                      (["--dtype", "f32"], 2, "svrg convert")):
            with self.subTest(options):
                self.fails(code, "train", data, "--load", "stream", *options, ranks=2, says=[remedy])
        self.fails(2, "train", WDBC, "--load", "stream", ranks=2, says=["HDF5", "svrg convert"])
        scaled, _ = self.train(data, "--standardize", "zscore", name="scaled")
        self.fails(2, "evaluate", scaled / "model.h5", data, "--load", "stream", ranks=2, says=["svrg convert"])

    def test_a_file_cut_short_while_it_is_read(self):
        data, run = self.file(DIGITS), self.folder / "run"
        process = start("train", data, "--load", "stream", "-e", "100000", "--tol-grad", "0", "--algorithm", "svrg",
                        "-o", run, ranks=2)
        wait_for_epochs(run, 3, process)
        os.truncate(data, 4096)
        result = wait(process)
        self.assertEqual(result.code, 3, str(result))
        self.assertRegex(result.out, r"svrg: error: rank \d: .*rows.h5: cannot be read any more")

    def test_a_file_cut_short(self):
        data = self.file(WDBC)
        data.write_bytes(data.read_bytes()[:40000])
        self.fails(3, "train", data, "--load", "stream", ranks=2, says=[data.name])

    @unittest.skipUnless(pathlib.Path(PYTHON).exists(), "no environment with h5py")
    def test_files_of_others(self):
        subprocess.run([PYTHON, "-c", ODD_FILES, str(self.folder)], check=True)
        for name, code in (("chunked", 2), ("packed", 2), ("bytes", 2), ("big_endian", 2), ("nan", 3), ("unsorted", 3)):
            with self.subTest(name):
                self.fails(code, "train", self.folder / f"{name}.h5", "--load", "stream", ranks=2, says=[name])


if __name__ == "__main__":
    main(needs=["h5dump"])
