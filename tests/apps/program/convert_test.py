#!/usr/bin/env python3
"""svrg convert: what goes through another format comes back as it was, on any number of ranks, and
what fails leaves nothing behind."""
import csv
import gzip
import json
import os
import pathlib
import struct
import subprocess

from harness import DIGITS, ROOT, WDBC, Case, dataset, environment, main, numbers, svrg

PYTHON = os.environ.get("SVRG_PYTHON") or str(ROOT / "build/venv/bin/python3")
WDBC_CSV = str(ROOT / "apps/data/wdbc.csv")
WRITE = """
import sys, h5py, numpy as np
path = sys.argv[1]
rng = np.random.default_rng(3)
x = (rng.random((60, 7)) < 0.4) * rng.integers(1, 9, (60, 7)).astype("f4")
label = rng.integers(0, 3, 60)
with h5py.File(path, "w") as f:
    f["images"] = x.reshape(60, 7, 1)
    f["bytes"] = x.astype("u1")
    f["bytes"].attrs["scale_factor"] = 0.5
    f["truth"] = label == 1
    f["text"] = np.array(["a", "b"] * 30, dtype=object)
    f["weights"] = rng.random(60)
    f.create_dataset("packed", data=x, chunks=(16, 3), compression="gzip")
    try:
        import scipy.sparse, anndata, pandas
    except ImportError:
        sys.exit(0)
    s = scipy.sparse.csr_matrix(x)
    s.indices[:], s.data[:] = s.indices, s.data
    g = f.create_group("unsorted")
    order = np.concatenate([np.arange(a, b)[::-1] for a, b in zip(s.indptr, s.indptr[1:])])
    g["data"], g["indices"], g["indptr"] = s.data[order], s.indices[order], s.indptr
    g.attrs["shape"] = s.shape
    names = np.array(["10", "20", "30"])
    adata = anndata.AnnData(s, obs=pandas.DataFrame({"kind": pandas.Categorical(names[label])},
                                                    index=[str(i) for i in range(60)]))
    adata.write_h5ad(path + "ad")
with open(path + ".svm", "w") as f:
    for row, y in zip(x, label):
        f.write(f"{(y + 1) * 10} " + " ".join(f"{j+1}:{v:g}" for j, v in enumerate(row) if v) + "\\n")
"""
READ = """
import json, sys, h5py
out = {}
with h5py.File(sys.argv[1]) as f:
    out["rows"] = int(f.attrs["n_rows"])
    out["first"] = f["y"][:3].tolist()
    if hasattr(f["X"], "keys"):
        try:
            import anndata, scipy.sparse
            read = anndata.io.read_elem if hasattr(anndata, "io") else anndata.experimental.read_elem
            m = read(f["X"])
            assert scipy.sparse.issparse(m)
            own = scipy.sparse.csr_matrix((f["X/data"], f["X/indices"], f["X/indptr"]), f["X"].attrs["shape"])
            assert (own != m).nnz == 0
            out["sum"] = float(m.sum())
        except ImportError:
            out["sum"] = None
    else:
        out["sum"] = float(f["X"][:].sum())
json.dump(out, sys.stdout)
"""


def python(code, *args):
    """What a script says in the environment that tests/run.sh makes; None where there is none."""
    if not os.path.exists(PYTHON):
        return None
    done = subprocess.run([PYTHON, "-c", code, *map(str, args)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout


class Convert(Case):
    def convert(self, source, target, *args, ranks=2):
        path = self.folder / target
        self.succeeds("convert", source, path, *args, ranks=ranks)
        self.assertEqual([p.name for p in self.folder.iterdir() if p.name.startswith(".")], [])
        return path

    def test_text_comes_back_byte_for_byte(self):
        for source in DIGITS, WDBC:
            text = pathlib.Path(source).read_bytes()
            for ranks in 1, 3:
                stored = self.convert(source, f"{ranks}.h5", "--overwrite", ranks=ranks)
                back = self.convert(stored, f"{ranks}.svm", "--overwrite", ranks=4 - ranks)
                self.assertEqual(back.read_bytes(), text)

    def test_the_data_are_the_same_to_a_run(self):
        digits = self.succeeds("train", DIGITS, ranks=2).json["objective"]
        for name in "d.h5", "d.csv", "d.tsv", "d.libsvm":
            path = self.convert(DIGITS, name, ranks=3)
            self.assertEqual(self.succeeds("train", path, ranks=2).json["objective"], digits, name)
        by_name = self.convert(WDBC_CSV, "w.h5", "--label-column", "1")
        self.assertEqual(self.succeeds("train", by_name, ranks=2).json["objective"],
                         self.succeeds("train", WDBC_CSV, "--label-column", "1", ranks=2).json["objective"])

    def test_idx_images(self):
        pixels, labels = bytes(range(240)) * 2, bytes(i % 3 for i in range(20))
        source = self.folder / "t-images-idx3-ubyte.gz"
        source.write_bytes(gzip.compress(struct.pack(">4i", 0x803, 20, 4, 6) + pixels))
        (self.folder / "t-labels-idx1-ubyte.gz").write_bytes(gzip.compress(struct.pack(">2i", 0x801, 20) + labels))
        stored = self.convert(source, "t.h5")
        back = self.convert(stored, "back-images-idx2-ubyte", ranks=3)
        self.assertEqual(back.read_bytes(), struct.pack(">3i", 0x802, 20, 24) + pixels)
        self.assertEqual((self.folder / "back-labels-idx2-ubyte").read_bytes(), struct.pack(">2i", 0x801, 20) + labels)
        halves = self.convert(stored, "half-images-idx2-ubyte", "--x-scale", "1/2", ranks=3)
        self.assertEqual(halves.read_bytes()[12:20], struct.pack(">2f", 0, 0.5))

    def test_rows_cut_shuffled_and_split(self):
        lines = pathlib.Path(WDBC).read_text().splitlines()
        cut = self.convert(WDBC, "cut.svm", "--rows", "10:250", ranks=3)
        self.assertEqual(cut.read_text().splitlines(), lines[10:250])
        shuffled = [self.convert(WDBC, f"s{r}.svm", "--shuffle", ranks=r).read_text() for r in (1, 4)]
        self.assertEqual(shuffled[0], shuffled[1])
        self.assertNotEqual(shuffled[0].splitlines(), lines)
        self.assertEqual(sorted(shuffled[0].splitlines()), sorted(lines))
        other = self.convert(WDBC, "other.svm", "--shuffle", "--seed", "2").read_text()
        self.assertNotEqual(other, shuffled[0])
        rest = self.convert(WDBC, "part.svm", "--valid-fraction", "0.25").read_text().splitlines()
        held_out = (self.folder / "part.valid.svm").read_text().splitlines()
        self.assertEqual(len(held_out), round(0.25 * len(lines)))
        self.assertEqual(sorted(rest + held_out), sorted(lines))

    def test_a_held_out_share_of_the_training_rows(self):
        runs = [self.succeeds("train", WDBC, "--valid-fraction", "0.2", "--tol-grad", "1e-9", ranks=r) for r in (1, 2)]
        first, second = (run.json for run in runs)
        self.assertAlmostEqual(first["objective"], second["objective"], delta=1e-12)
        self.assertEqual(first["metrics"], second["metrics"])
        self.assertIn("valid_acc", first["metrics"])
        self.convert(WDBC, "p.svm", "--valid-fraction", "0.2")
        apart = self.succeeds("train", self.folder / "p.svm", "--valid", self.folder / "p.valid.svm",
                              "--tol-grad", "1e-9", ranks=2).json
        self.assertAlmostEqual(apart["objective"], first["objective"], delta=1e-12)
        self.assertEqual(apart["metrics"], first["metrics"])

    def test_standardised_rows_remember_it(self):
        path = self.convert(WDBC_CSV, "z.h5", "--label-column", "1", "--standardize", "zscore")
        x = numbers(dataset(path, "/X"))
        with open(WDBC_CSV, newline="", encoding="utf-8") as table:
            rows = [line for line in csv.reader(table) if line and line[1][0].isdigit()]
        d, column = len(x) // len(rows), 7
        values = [x[i * d + column] for i in range(len(x) // d)]
        self.assertAlmostEqual(sum(values) / len(values), 0, delta=1e-12)
        self.assertAlmostEqual(sum(v * v for v in values) / len(values), 1, delta=1e-12)
        raw = [float(line[column + 1]) for line in rows]
        mean = numbers(dataset(path, "/preprocess/mean"))[column]
        self.assertAlmostEqual(mean, sum(raw) / len(raw), delta=1e-10 * abs(mean))

    def test_weights_are_kept_or_refused(self):
        table = self.folder / "w.csv"
        table.write_text("y,a,w\n" + "".join(f"{i % 2},{i / 7!r},{1 + i % 3}\n" for i in range(30)))
        stored = self.convert(table, "w.h5", "--weight-column", "w")
        back = self.convert(stored, "back.csv")
        with open(back, newline="", encoding="utf-8") as rows:
            self.assertEqual([row["weight"] for row in csv.DictReader(rows)], [str(1 + i % 3) for i in range(30)])
        self.fails(2, "convert", stored, self.folder / "w.svm", ranks=2, says=["no place for the weights"])

    def test_what_fails_leaves_nothing(self):
        before = sorted(self.folder.iterdir())
        broken = pathlib.Path(WDBC).read_text() + "1 3:1 2:1\n"
        (self.folder / "broken.svm").write_text(broken)
        self.fails(3, "convert", self.folder / "broken.svm", self.folder / "x.h5", ranks=4, says=["broken.svm:457:"])
        self.fails(6, "convert", WDBC, self.folder / "no" / "x.h5", ranks=2, says=["cannot write", "x.h5"])
        self.fails(2, "convert", WDBC, self.folder / "x.xlsx", ranks=2, says=["no known suffix"])
        self.fails(2, "convert", WDBC, self.folder / "x.h5", "--rows", "900:", ranks=2, says=["holds no row"])
        self.fails(2, "convert", WDBC, self.folder / "x.h5", "--rows", "7", ranks=2, says=["A:B"])
        self.assertEqual([p.name for p in sorted(self.folder.iterdir())],
                         [p.name for p in before] + ["broken.svm"])
        target = self.convert(WDBC, "x.h5")
        kept = target.read_bytes()
        self.fails(2, "convert", DIGITS, target, ranks=2, says=["exists", "--overwrite"])
        self.fails(2, "convert", target, target, "--overwrite", ranks=2, says=["is what is read"])
        if os.path.exists("/dev/full"):
            self.assertNotEqual(svrg("convert", WDBC, "/dev/full/x.h5", ranks=2).code, 0)
        self.assertEqual(target.read_bytes(), kept)

    def test_hdf5_files_of_others(self):
        path = self.folder / "foreign.h5"
        if python(WRITE, path) is None:
            self.skipTest(f"no Python with h5py at {PYTHON}; tests/run.sh makes one")
        text = self.succeeds("train", f"{path}.svm", "--model", "softmax", ranks=2).json["objective"]

        def objective(*args):
            return self.succeeds("train", *args, ranks=2).json["objective"]

        chunked = objective(path, "--x-name", "packed", "--y-name", "truth")
        self.assertEqual(chunked, objective(path, "--x-name", "images", "--y-name", "truth"))
        self.assertAlmostEqual(chunked, objective(path, "--x-name", "bytes", "--y-name", "truth", "--x-scale", "2"),
                               delta=1e-12)
        weighted = objective(path, "--x-name", "packed", "--y-name", "truth", "--weight-column", "weights")
        self.assertNotAlmostEqual(weighted, chunked, delta=1e-4)
        self.fails(3, "train", path, ranks=2, says=["X, data, x, features", "--x-name"])
        self.fails(3, "train", path, "--x-name", "imagse", ranks=2, says=["did you mean 'images'"])
        self.fails(3, "train", path, "--x-name", "images", "--y-name", "text", ranks=2, says=["holds text"])
        self.fails(3, "train", path, "--x-name", "weights", "--y-name", "truth", ranks=2, says=["rows and columns"])
        self.fails(2, "train", WDBC, "--x-name", "X", ranks=2, says=["are for HDF5"])
        annotated = self.folder / "foreign.h5ad"
        if not annotated.exists():
            self.skipTest("no SciPy or AnnData: their files were not tried")
        self.assertAlmostEqual(objective(annotated, "--y-name", "obs/kind"), text, delta=1e-9)
        self.assertAlmostEqual(objective(path, "--x-name", "unsorted", "--y-name", "truth"), chunked, delta=1e-9)

    def test_python_reads_what_is_written(self):
        if python("import h5py") is None:
            self.skipTest(f"no Python with h5py at {PYTHON}; tests/run.sh makes one")
        lines = [line.split() for line in pathlib.Path(DIGITS).read_text().splitlines()]
        total = sum(float(entry.split(":")[1]) for line in lines for entry in line[1:])
        for name, args in ("sparse.h5", []), ("dense.h5", ["--format", "csv"]):
            source = DIGITS if not args else self.convert(DIGITS, "d.csv")
            out = json.loads(python(READ, self.convert(source, name, *args)))
            self.assertEqual(out["rows"], len(lines))
            self.assertEqual(out["first"], [int(line[0]) for line in lines[:3]])
            if out["sum"] is not None:
                self.assertAlmostEqual(out["sum"], total, delta=1e-9 * total)

    def test_covtype_there_and_back(self):
        shared = pathlib.Path(os.environ.get("SVRG_SHARED", "/nowhere")) / "data/covtype7.train.svm.xz"
        if not shared.exists():
            self.skipTest("no covtype7.train.svm.xz in SVRG_SHARED")
        import lzma
        stored = self.convert(shared, "covtype.h5", ranks=2)
        back = self.convert(stored, "covtype.svm", ranks=4)
        with lzma.open(shared) as original:
            self.assertTrue(original.read() == back.read_bytes(), "the numbers changed on the way")


if __name__ == "__main__":
    environment()
    main()
