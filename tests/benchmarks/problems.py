"""The problems that compare.py times: seeded synthetic ones and real sets, each an HDF5 file that svrg
and its peers read alike, with the optimum of the objective beside it.

The objective has no intercept: f(w) = 1/n sum loss(w; x_i, y_i) + lambda/2 |w|^2, with the loss
log(1 + exp(-y x.w)) for y = -1 or +1, (x.w - y)^2 / 2, or the cross entropy of K scores x.W_k. With
lambda > 0 it is strongly convex, so that f(w) - f* <= |grad f(w)|^2 / (2 lambda): an optimum is taken
only with that proof.
"""
import gzip
import json
import lzma
import os
import pathlib
import struct

import h5py
import numpy as np
import scipy.linalg
import scipy.sparse
from scipy.special import expit, logsumexp

PROVEN = 1e-13  # relative error of an optimum, at most
CHOLESKY_FEATURES = 1000  # up to here a Hessian is formed


# ---- synthetic ones: what they are like is in their name; sizes are those of the README's table

def correlated_rows(draw, n, d, condition):
    """Normal rows with mean square 1/d a feature whose covariance has this condition number, and the
    independent ones they are made of: scores of these make every direction matter for the labels."""
    basis, _ = np.linalg.qr(draw.standard_normal((d, d)))
    spectrum = np.geomspace(1, 1 / condition, d)
    independent = draw.standard_normal((n, d))
    return independent @ (np.sqrt(spectrum / spectrum.sum())[:, None] * basis.T), independent


def signs(draw, scores):
    """Labels by the logistic model of these scores."""
    return np.where(draw.random(len(scores)) < expit(scores), 1.0, -1.0)


def covtype_like(draw):
    rows, independent = correlated_rows(draw, 200_000, 54, 1e4)
    return "logistic", rows, signs(draw, independent @ draw.normal(0, 2 / np.sqrt(54), 54))


def epsilon_like(draw):
    rows, independent = correlated_rows(draw, 50_000, 500, 1e2)
    rows /= np.linalg.norm(rows, axis=1)[:, None]
    return "logistic", rows, signs(draw, independent @ draw.normal(0, 2 / np.sqrt(500), 500))


def rcv1_like(draw):
    """Documents of words whose frequencies fall as in a language, tf-idf, every row of length 1."""
    n, d = 100_000, 47_000
    frequency = 1 / (30.0 + np.arange(d))
    lengths = np.clip(draw.lognormal(np.log(76), 0.55, n).astype(np.int64), 8, 900)
    words = draw.choice(d, size=lengths.sum(), p=frequency / frequency.sum())
    words = draw.permutation(d)[words]
    ends = np.concatenate([[0], np.cumsum(lengths)])
    rows = scipy.sparse.csr_matrix((np.ones(len(words)), words, ends), shape=(n, d))
    rows.sum_duplicates()
    documents = np.bincount(rows.indices, minlength=d)
    rows.data = (1 + np.log(rows.data)) * np.log(n / documents[rows.indices])
    per_row = np.diff(rows.indptr)
    rows.data /= np.repeat(np.sqrt(np.add.reduceat(rows.data**2, rows.indptr[:-1])), per_row)
    return "logistic", rows, signs(draw, rows @ draw.normal(0, 5, d))


def year_like(draw):
    rows, independent = correlated_rows(draw, 463_715, 90, 1e3)
    targets = independent @ draw.normal(0, 0.5 / np.sqrt(90), 90) + draw.standard_normal(len(rows))
    return "linear", rows, (targets - targets.mean()) / targets.std()


SYNTHETIC = {"covtype-like": covtype_like, "epsilon-like": epsilon_like, "rcv1-like": rcv1_like,
             "year-like": year_like}


# ---- real sets of $SVRG_SHARED/data

def read_svmlight(path, features):
    from sklearn.datasets import load_svmlight_file
    opener = {".gz": gzip.open, ".xz": lzma.open}.get(path.suffix, open)
    with opener(path, "rb") as file:
        rows, labels = load_svmlight_file(file, n_features=features)
    return scipy.sparse.csr_matrix(rows), labels


def binary(file, features, positive):
    def read(data):
        rows, labels = read_svmlight(data / file, features)
        return "logistic", rows, np.where(np.isin(labels, positive), 1.0, -1.0)
    return read


def digits(data):
    rows, labels = read_svmlight(data / "digits.train.svm", 64)
    return "softmax", rows.toarray(), labels


def mnist2k(data):
    """The first 2000 rows, pixels from 0 to 1."""
    def array(name):
        raw = gzip.decompress((data / name).read_bytes())
        axes = struct.unpack_from(f">{raw[3]}i", raw, 4)
        return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(axes[0], -1)[:2000] * 1.0
    return "softmax", array("mnist-t10k-images-idx3-ubyte.gz") / 255, array(
        "mnist-t10k-labels-idx1-ubyte.gz").ravel()


REAL = {"a9a": binary("a9a.train.svm.gz", 123, [1]),
        "covtype2": binary("covtype7.train.svm.xz", 54, [1]),
        "w8a": binary("w8a.train.svm.gz", 300, [1]),
        "digits": digits, "mnist2k": mnist2k,
        # half of its 20 classes against the other half
        "news20b": binary("news20.train.svm.gz", None, range(10))}
NAMES = [*SYNTHETIC, *REAL]


# ---- the objective

class Objective:
    """Weights are one flat vector; those of softmax are K rows of d."""

    def __init__(self, loss, rows, labels, l2):
        self.loss, self.rows, self.l2, self.n = loss, rows, l2, len(labels)
        self.labels = labels
        self.shape = (rows.shape[1],)
        if loss == "softmax":
            classes = np.unique(labels)
            self.labels = np.searchsorted(classes, labels)
            self.shape = (len(classes), rows.shape[1])
        self.size = int(np.prod(self.shape))

    def scores(self, w):
        return self.rows @ w.reshape(self.shape).T

    def value(self, w, scores=None):
        z = self.scores(w) if scores is None else scores
        if self.loss == "logistic":
            losses = np.logaddexp(0, -self.labels * z)
        elif self.loss == "softmax":
            losses = logsumexp(z, axis=1) - z[np.arange(self.n), self.labels]
        else:
            losses = (z - self.labels)**2 / 2
        return losses.mean() + self.l2 / 2 * (w @ w)

    def value_and_gradient(self, w):
        z = self.scores(w)
        value = self.value(w, z)
        if self.loss == "logistic":
            slopes = -self.labels * expit(-self.labels * z)
        elif self.loss == "softmax":
            slopes = self.probabilities(z)
            slopes[np.arange(self.n), self.labels] -= 1
        else:
            slopes = z - self.labels
        return value, self.back(slopes) + self.l2 * w

    def probabilities(self, z):
        return np.exp(z - logsumexp(z, axis=1)[:, None])

    def back(self, slopes):
        """The mean of slopes times rows, flat."""
        return np.ascontiguousarray((self.rows.T @ slopes).T).ravel() / self.n

    def curvatures(self, z):
        if self.loss == "logistic":
            return expit(z) * expit(-z)
        return np.ones(self.n)

    def hessian(self, w):
        weights, total = self.curvatures(self.scores(w)), np.diag(np.full(self.size, self.l2))
        for first in range(0, self.n, 20_000):  # a block at a time: no weighted copy of all rows
            some = self.rows[first:first + 20_000]
            weighted = weights[first:first + 20_000] / self.n
            if scipy.sparse.issparse(some):
                total += (some.T @ some.multiply(weighted[:, None])).toarray()
            else:
                total += some.T @ (some * weighted[:, None])
        return total

    def curvature_product(self, w):
        """The function v -> H v at w."""
        z = self.scores(w)
        if self.loss == "softmax":
            p = self.probabilities(z)

            def product(v):
                change = p * self.scores(v)
                return self.back(change - p * change.sum(axis=1)[:, None]) + self.l2 * v
        else:
            weights = self.curvatures(z)

            def product(v):
                return self.back(weights * self.scores(v)) + self.l2 * v
        return product

    def newton_step(self, w, gradient, accuracy):
        if self.loss != "softmax" and self.size <= CHOLESKY_FEATURES:
            return -scipy.linalg.solve(self.hessian(w), gradient, assume_a="pos")
        return -conjugate_gradients(self.curvature_product(w), gradient, accuracy)


def conjugate_gradients(product, b, accuracy):
    x, residual = np.zeros_like(b), b.copy()
    direction, square = residual.copy(), b @ b
    wanted = accuracy**2 * square
    for _ in range(5000):
        if square <= wanted:
            break
        image = product(direction)
        length = square / (direction @ image)
        x += length * direction
        residual -= length * image
        square, before = residual @ residual, square
        direction = residual + square / before * direction
    return x


def minimise(objective):
    """f* and the proven bound of its relative error, by Newton's method with halved steps."""
    w = np.zeros(objective.size)
    value, gradient = objective.value_and_gradient(w)
    first = norm = np.linalg.norm(gradient)
    for _ in range(100):
        step = objective.newton_step(w, gradient, min(1e-2, max(1e-8, norm / first)))
        length = 1.0
        while True:
            trial = w + length * step
            new_value, new_gradient = objective.value_and_gradient(trial)
            new_norm = np.linalg.norm(new_gradient)
            # Near the optimum differences of values are rounding: there the gradient decides.
            if new_value <= value + 1e-4 * length * (gradient @ step) or new_norm < norm / 2:
                break
            length /= 2
            if length < 1e-4:
                break
        if length < 1e-4 or (new_norm > norm / 2 and new_norm < 1e-10 * first):
            break  # as far as rounding allows
        w, value, gradient, norm = trial, new_value, new_gradient, new_norm
        if norm <= 1e-15 * first:
            break
    return value, norm**2 / (2 * objective.l2) / value


# ---- files

def write(path, loss, rows, labels):
    """The layout of svrg's data files, with the loss as one more attribute."""
    part = path.with_suffix(".part")
    sparse = scipy.sparse.issparse(rows)
    with h5py.File(part, "w") as file:
        file.attrs.update({"format": "svrg-data", "format_version": "1.0", "loss": loss,
                           "n_rows": rows.shape[0], "n_features": rows.shape[1],
                           "storage": "csr" if sparse else "dense"})
        file["y"] = np.asarray(labels, np.float64)
        if sparse:
            rows.sort_indices()
            file["X/data"] = rows.data
            file["X/indices"] = rows.indices.astype(np.int32)
            file["X/indptr"] = rows.indptr.astype(np.int64)
            file["X"].attrs.update({"shape": np.array(rows.shape, np.int64),
                                    "encoding-type": "csr_matrix", "encoding-version": "0.1.0"})
        else:
            file["X"] = rows
    part.rename(path)


class Problem:
    """One that is on disk; `rows` and `labels` are in memory from their first use on."""

    def __init__(self, name, folder):
        self.name, self.path = name, pathlib.Path(folder) / f"{name}.h5"
        with h5py.File(self.path) as file:
            self.loss = file.attrs["loss"]
            self.n, self.d = int(file.attrs["n_rows"]), int(file.attrs["n_features"])
            self.sparse = file.attrs["storage"] == "csr"
            self.stored = int(file["X/data"].size) if self.sparse else self.n * self.d
        self._rows = self._labels = None

    def _load(self):
        if self._rows is not None:
            return
        with h5py.File(self.path) as file:
            self._labels = file["y"][:]
            if self.sparse:  # SciPy's products are quickest, and some peers content, with int32
                parts = [file["X/" + part][:] for part in ("data", "indices", "indptr")]
                self._rows = scipy.sparse.csr_matrix(
                    (parts[0], parts[1], parts[2].astype(np.int32)), shape=(self.n, self.d))
            else:
                self._rows = file["X"][:]

    @property
    def rows(self):
        self._load()
        return self._rows

    @property
    def labels(self):
        self._load()
        return self._labels

    def l2(self, lam):
        """The number that `c/n` means."""
        return float(lam.split("/")[0]) / self.n

    def objective(self, lam):
        return Objective(self.loss, self.rows, self.labels, self.l2(lam))

    def optimum(self, lam):
        """{"value": f*, "proven": bound of its relative error}, kept beside the data."""
        cache = self.path.with_suffix(".optimum.json")
        known = json.loads(cache.read_text()) if cache.exists() else {}
        if lam not in known:
            value, bound = minimise(self.objective(lam))
            if not bound <= PROVEN:
                raise RuntimeError(f"{self.name}: the optimum is known to {bound:.1e} only")
            known[lam] = {"value": float(value), "proven": float(bound)}
            cache.write_text(json.dumps(known, indent=1))
        return known[lam]


def find_or_make(name, folder, seed):
    """The problem; LookupError where its data is not here. Synthetic ones of another seed than 1 have
    it in their file's name."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if name in SYNTHETIC:
        file = name if seed == 1 else f"{name}-seed{seed}"
        if not (folder / f"{file}.h5").exists():
            draw = np.random.default_rng([seed, NAMES.index(name)])
            write(folder / f"{file}.h5", *SYNTHETIC[name](draw))
        return Problem(file, folder)
    if not (folder / f"{name}.h5").exists():
        if not os.environ.get("SVRG_SHARED"):
            raise LookupError("SVRG_SHARED does not name a folder with data")
        try:
            write(folder / f"{name}.h5", *REAL[name](pathlib.Path(os.environ["SVRG_SHARED"]) / "data"))
        except FileNotFoundError as error:
            raise LookupError(f"no {error.filename}") from None
    return Problem(name, folder)
