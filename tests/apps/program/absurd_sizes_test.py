"""Files whose headers promise what they do not hold, or what no machine has: refused at once, with the
memory of a small file."""
import gzip
import io
import json
import lzma
import os
import pathlib
import struct
import subprocess
import time
import unittest
import zipfile

from harness import ROOT, WDBC, WDBC_TEST, Case, command, environment, main

PYTHON = os.environ.get("SVRG_PYTHON") or str(ROOT / "build/venv/bin/python3")
SECONDS, MEBIBYTES = 1.0, 256
LENGTHS = (1 << 31, (1 << 32) - 1, 1 << 30)


def idx(dims, payload=b"", kind=0x08, zeros=0):
    return struct.pack(f">HBB{len(dims)}I", zeros, kind, len(dims), *dims) + payload


def npy(shape, dtype="<f8", payload=b""):
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + payload


def npz(**arrays):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, raw in arrays.items():
            archive.writestr(f"{name}.npy", raw)
    return out.getvalue()


ROWS = {
    "one_dim.idx": idx([LENGTHS[0]]),
    "most.idx": idx([LENGTHS[1]] * 2),
    "overflow.idx": idx([1 << 16] * 4),
    "overflow_exactly_to_zero.idx": idx([1 << 31, 1 << 31, 4], b"x" * 64),
    "short.idx": idx([100, 28, 28], b"x" * 99),
    "long.idx": idx([2, 2], b"x" * 5),
    "no_rows.idx": idx([0, 784]),
    "no_columns.idx": idx([5, 0]),
    "no_dims.idx": idx([]),
    "many_dims.idx": idx([1] * 200, b"x"),
    "unknown_type.idx": idx([1, 1], b"x", kind=0x77),
    "bad_magic.idx": idx([1, 1], b"x", zeros=7),
    "only_magic.idx": b"\0\0\x08\x03",
    "rows.npz": npz(X=npy((LENGTHS[0], 1 << 31)), y=npy((LENGTHS[0],))),
    "overflow.npz": npz(X=npy((1 << 32, 1 << 32)), y=npy((1,))),
    "negative.npz": npz(X=npy((-1, 4)), y=npy((1,))),
    "short.npz": npz(X=npy((10, 10), payload=b"x" * 8), y=npy((10,), payload=b"x" * 80)),
    "huge_index.svm": f"1 1:1\n-1 {(1 << 31)}:1\n".encode(),
    "index_beyond_64_bits.svm": f"1 1:1\n-1 {1 << 64}:1\n".encode(),
    "long_line.svm": b"1 " + b"1" * (1 << 20) + b":1\n",
    "many_columns.csv": b"1," * (1 << 20) + b"1\n1,2\n",
    "cut.svm.gz": gzip.compress(b"1 1:1\n-1 2:1\n" * 1000)[:-20],
    "cut.svm.xz": lzma.compress(b"1 1:1\n-1 2:1\n" * 1000)[:-20],
    "bytes_after.svm.gz": gzip.compress(b"1 1:1\n-1 2:1\n") + b"rest",
    "nothing.svm": b"",
    "nothing.svm.gz": b"",
    "nothing.idx": b"",
    "zeros.h5": b"\0" * 4096,
    "only_signature.h5": b"\x89HDF\r\n\x1a\n" + b"\xff" * 512,
}


def liblinear(features, classes=2, rows=1):
    return (f"solver_type L2R_LR\nnr_class {classes}\nlabel 1 -1\nnr_feature {features}\nbias -1\nw\n"
            + "0.5\n" * rows).encode()


def json_model(features, weights):
    return json.dumps({"format": "svrg-model", "format_version": "1.0", "kind": "logistic", "features": features,
                       "classes": ["-1", "1"], "params": {"linear": {"weight": [weights], "bias": [0]}}}).encode()


MODELS = {
    "features.model": liblinear(1 << 31),
    "classes.model": liblinear(2, classes=1 << 31),
    "product.model": liblinear(1 << 62, classes=4),
    "negative.model": liblinear(-3),
    "features.json": json_model(1 << 40, [1.0]),
    "fewer.json": json_model(3, [1.0]),
    "deep.json": b"[" * (1 << 20),
    "weight.npz": npz(**{"params/linear/weight": npy((1 << 31, 1 << 31))}),
}

SETS_BY_H5PY = """
import h5py, sys
def rows(name, n, d, **how):
    with h5py.File(f"{sys.argv[1]}/{name}.h5", "w") as f:
        f.attrs["format"], f.attrs["format_version"] = "svrg-data", "1.0"
        f.create_dataset("X", (n, d), "f8", **how)
        f.create_dataset("y", (min(n, 1 << 40),), "f8", chunks=(1024,))
rows("chunked", 1 << 40, 1 << 20, chunks=(1, 1024))
rows("overflow", 1 << 34, 1 << 34, chunks=(1, 1024))
rows("filled", 1 << 24, 1 << 10, chunks=(1, 1024), fillvalue=1.0)
rows("zipped", 1 << 40, 784, chunks=(1024, 784), compression="gzip")
"""


class AbsurdSizes(Case):
    def refused(self, *args):
        out = self.folder / "said"
        begin = time.monotonic()
        with open(out, "w", encoding="utf-8") as said:
            process = subprocess.Popen(command(args, 0), env=environment(), stdin=subprocess.DEVNULL, stdout=said,
                                       stderr=said)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        seconds, text = time.monotonic() - begin, out.read_text(encoding="utf-8")
        self.assertIn(process.returncode, (3, 71), text)
        lines = [line for line in text.splitlines() if "svrg: error" in line]
        self.assertEqual(len(lines), 1, text)
        self.assertLess(len(lines[0]), 500)
        self.assertLess(used.ru_maxrss >> 10, MEBIBYTES)
        self.assertLess(used.ru_utime + used.ru_stime, SECONDS)
        self.assertLess(seconds, 20 * SECONDS, "waits for something")
        self.assertFalse((self.folder / "out.csv").exists())

    def write(self, name, raw):
        path = self.folder / name
        path.write_bytes(raw)
        return path

    def test_rows(self):
        for name, raw in ROWS.items():
            with self.subTest(name):
                path = self.write(name, raw)
                self.refused("train", path)
                if path.suffix != ".npz":  # which are models, to convert
                    self.refused("convert", path, self.folder / "out.csv")

    def test_models(self):
        for name, raw in MODELS.items():
            with self.subTest(name):
                path = self.write(name, raw)
                self.refused("predict", path, WDBC_TEST, "-o", self.folder / "out.csv")
                self.refused("inspect", path)

    @unittest.skipUnless(pathlib.Path(PYTHON).exists(), "no environment with h5py")
    def test_hdf5(self):
        subprocess.run([PYTHON, "-c", SETS_BY_H5PY, str(self.folder)], check=True)
        for path in sorted(self.folder.glob("*.h5")):
            with self.subTest(path.name):
                self.refused("train", path)

    def test_a_regular_set_needs_little(self):
        """The bounds are of use: they hold for a set that is read."""
        with self.assertRaises(AssertionError):
            self.refused("train", WDBC)


if __name__ == "__main__":
    main()
