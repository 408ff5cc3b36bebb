#!/usr/bin/env python3
"""Lasso, elastic net and their logistic and softmax kin reach scikit-learn's minima or better, and the
reported gap bounds what is left. Run with SVRG_NIGHTLY=1 for the larger sets of $SVRG_SHARED/data."""
import os
import pathlib
import signal
import subprocess
import sys
import warnings

from harness import (DATA, DIGITS, ROOT, WDBC, Case, main, rank_pids, records, start, wait,
                     wait_for_epochs)

PYTHON = os.environ.get("SVRG_PYTHON") or str(ROOT / "build/venv/bin/python3")
if __name__ == "__main__" and os.path.abspath(sys.executable) != os.path.abspath(PYTHON):
    probe = subprocess.run([PYTHON, "-c", "import h5py, scipy, sklearn"], capture_output=True,
                           check=False) if os.path.exists(PYTHON) else None
    if probe is None or probe.returncode != 0:
        print(f"skipped: no Python with scikit-learn and h5py at {PYTHON}; tests/run.sh makes one")
        sys.exit(77)
    os.execv(PYTHON, [PYTHON, *sys.argv])

import h5py  # noqa: E402
import numpy as np  # noqa: E402
import sklearn  # noqa: E402
from scipy.special import logsumexp  # noqa: E402
from sklearn.datasets import load_svmlight_file  # noqa: E402
from sklearn.linear_model import ElasticNet, LogisticRegression  # noqa: E402

SHARED = pathlib.Path(os.environ.get("SVRG_SHARED") or "/nonexistent") / "data"
NIGHTLY = bool(os.environ.get("SVRG_NIGHTLY"))
HALF_OF_NEWS = ["--positive", ",".join(map(str, range(1, 11)))]
TOLERANCE = 1e-6


def read(path, features=None):
    """Rows and labels; dense where few columns make it small."""
    rows, labels = load_svmlight_file(str(path), n_features=features)
    if rows.shape[1] <= 200:
        return rows.toarray(), labels
    rows.indices, rows.indptr = rows.indices.astype(np.int32), rows.indptr.astype(np.int32)
    return rows, labels


class Problem:
    """A data term and its penalty, said once more, in numpy."""

    def __init__(self, rows, labels, loss, l1, l2):
        self.rows, self.labels, self.loss, self.l1, self.l2 = rows, labels, loss, l1, l2

    def _margins(self, weight, bias):
        return np.asarray(self.rows @ weight.T) + bias

    def objective(self, weight, bias):
        z = self._margins(weight, bias)
        if self.loss == "linear":
            terms = 0.5 * (z[:, 0] - self.labels) ** 2
        elif self.loss == "logistic":
            terms = np.logaddexp(0, -self.labels * z[:, 0])
        else:
            terms = logsumexp(z, axis=1) - z[np.arange(len(z)), self.labels.astype(int)]
        return terms.mean() + self.l1 * np.abs(weight).sum() + 0.5 * self.l2 * (weight ** 2).sum()

    def slopes(self, weight, bias):
        """Of the smooth part, [weights], [intercepts]."""
        z = self._margins(weight, bias)
        if self.loss == "linear":
            r = z - self.labels[:, None]
        elif self.loss == "logistic":
            y = self.labels[:, None]
            r = -y * np.exp(-np.logaddexp(0, y * z))
        else:
            r = np.exp(z - logsumexp(z, axis=1, keepdims=True))
            r[np.arange(len(r)), self.labels.astype(int)] -= 1
        return np.asarray((self.rows.T @ r).T) / len(z) + self.l2 * weight, r.mean(axis=0)

    def theirs(self, intercept=True):
        """scikit-learn's weights and intercept, and whether it says that it has converged."""
        n, total = len(self.labels), self.l1 + self.l2
        common = {"l1_ratio": self.l1 / total, "fit_intercept": intercept}
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            if self.loss == "linear":
                fit = ElasticNet(alpha=total, tol=1e-10, max_iter=200000, precompute=True,
                                 **common)
                fit.fit(self.rows, self.labels)
                return fit.coef_[None, :], np.atleast_1d(fit.intercept_), True
            if tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 8):
                common["penalty"] = "elasticnet"
            fit = LogisticRegression(solver="saga", C=1 / (n * total), tol=1e-6, max_iter=5000,
                                     random_state=1, **common).fit(self.rows, self.labels)
        converged = not any("converge" in str(warning.message) for warning in said)
        return fit.coef_, fit.intercept_, converged


def weights(run):
    with h5py.File(run / "model.h5") as file:
        parts = file["params/linear"]
        weight = parts["weight"][:]
        return weight, parts["bias"][:] if "bias" in parts else np.zeros(len(weight))


class Penalties(Case):
    def options(self, problem):
        return ["--l1", f"{problem.l1:.17g}", "--l2", f"{problem.l2:.17g}", "--model", problem.loss]

    def ours(self, problem, path, *args, name="run", ranks=0):
        run, result = self.train(path, *self.options(problem), *args, name=name, ranks=ranks)
        return *weights(run), result

    def agrees(self, path, loss, l1, l2, *args, features=None, relabel=None):
        rows, labels = read(path, features)
        problem = Problem(rows, labels if relabel is None else relabel(labels), loss, l1, l2)
        kind = f"{pathlib.Path(path).name}-{loss}-{l1:g}-{l2:g}"
        with self.subTest(kind):
            weight, bias, result = self.ours(problem, path, "--tol-gap", "1e-10", *args,
                                             name=f"tight-{kind}")
            best = problem.objective(weight, bias)
            self.assertAlmostEqual(result["objective"], best, delta=1e-12 * max(1, best))
            their_weight, their_bias, converged = problem.theirs()
            theirs = problem.objective(their_weight, their_bias)
            self.assertLessEqual(best, theirs + TOLERANCE)
            if converged:
                self.assertGreaterEqual(best, theirs - TOLERANCE * (1 + abs(theirs)))
                self.same_zeros(problem, weight, bias, their_weight)
            self.optimal(problem, weight, bias, result["gap"])
            self.bounded(problem, path, min(best, theirs), *args, name=kind)

    def same_zeros(self, problem, weight, bias, theirs):
        """Where a slope is far from l1 every minimiser is 0; where a weight is large none is."""
        slopes, _ = problem.slopes(weight, bias)
        resting = (weight == 0) & (np.abs(slopes) < 0.98 * problem.l1)
        self.assertEqual(np.abs(theirs[resting]).max(initial=0), 0)
        if problem.loss != "softmax":  # whose minimiser need not be the only one
            large = np.abs(weight) > 0.02 * np.abs(weight).max()
            self.assertTrue((np.sign(theirs[large]) == np.sign(weight[large])).all())

    def optimal(self, problem, weight, bias, gap):
        """0 is a subgradient, to what the gap allows: by g^2/2L <= gap with L of the largest column."""
        slopes, intercepts = problem.slopes(weight, bias)
        rest = np.where(weight != 0, slopes + np.sign(weight) * problem.l1,
                        np.sign(slopes) * np.maximum(0, np.abs(slopes) - problem.l1))
        columns = np.asarray(abs(problem.rows).power(2).mean(axis=0) if hasattr(problem.rows, "power")
                             else (problem.rows ** 2).mean(axis=0)).ravel()
        most = np.sqrt(2 * gap * (columns.max() + problem.l2)) + 1e-12
        self.assertLessEqual(np.abs(rest).max(), most)
        self.assertLessEqual(np.abs(intercepts).max(), np.sqrt(2 * gap) + 1e-12)

    def bounded(self, problem, path, best, *args, name):
        """Wherever it stops the gap holds: exactly without intercept; with one, whose curvature is
        taken as at the point reached, exactly near the minimum and nearly so far from it."""
        def excess(how, least):
            weight, bias, result = self.ours(problem, path, *how, *args,
                                             name="-".join([name, *how]).replace("/", "-"))
            self.assertGreaterEqual(result["gap"], 0)
            return problem.objective(weight, bias) - least, result["gap"] + 1e-12
        self.assertLessEqual(*excess(["--tol-gap", "1e-6", "--require-tol"], best))
        bare, _ = excess(["--no-intercept", "--tol-gap", "1e-11"], 0)
        for epochs in "1", "3":
            self.assertLessEqual(*excess(["--no-intercept", "-e", epochs], bare), f"epoch {epochs}")
            over, gap = excess(["-e", epochs], best)
            self.assertLessEqual(over, 1.5 * gap, f"epoch {epochs}")

    def test_logistic_on_wdbc(self):
        for l1, l2 in (1e-2, 0), (1e-2, 1e-2), (1e-3, 0):
            self.agrees(WDBC, "logistic", l1, l2)

    def test_softmax_on_digits(self):
        for l1, l2 in (1e-2, 0), (1e-3, 1e-2):
            self.agrees(DIGITS, "softmax", l1, l2)

    def test_lasso_and_elastic_net(self):
        for l1, l2 in (0.05, 0), (0.01, 0.1):
            self.agrees(DIGITS, "linear", l1, l2)
            if SHARED.exists():
                self.agrees(SHARED / "diabetes.train.svm", "linear", l1, l2)
                self.agrees(SHARED / "casp.train.svm.gz", "linear", l1, l2)

    def test_larger_sets(self):
        if not NIGHTLY or not SHARED.exists():
            self.skipTest("for the nightly run, with SVRG_SHARED")
        for l1, l2 in (1e-3, 0), (1e-3, 1e-3), (1e-4, 0):
            self.agrees(SHARED / "a9a.train.svm.gz", "logistic", l1, l2, "--n-features", "123",
                        features=123)
            self.agrees(SHARED / "news20.train.svm.gz", "logistic", l1, l2, *HALF_OF_NEWS,
                        relabel=lambda y: np.where((y >= 1) & (y <= 10), 1, -1))
        self.agrees(DIGITS, "softmax", 1e-3, 0)
        # Rare classes and rare columns, of which a sample shows little.
        for l1 in "1e-4", "1e-5":
            gap = self.succeeds("train", SHARED / "covtype7.train.svm.xz", "--l1", l1, "--l2", "0",
                                "--tol-gap", "1e-6", ranks=2, timeout=300).json["gap"]
            self.assertLessEqual(gap, 1e-6)

    def test_a_gap_of_1e_6_needs_no_other_option(self):
        if not SHARED.exists():
            self.skipTest("SVRG_SHARED has no data folder")
        for name, args in (("a9a.train.svm.gz", []), ("casp.train.svm.gz", []), ("casp.csv.gz", []),
                           ("news20.train.svm.gz", HALF_OF_NEWS)):
            for l1, l2 in ("1e-3", "0"), ("1e-4", "1/n"):
                result = self.succeeds("train", SHARED / name, *args, "--l1", l1, "--l2", l2,
                                       "--tol-gap", "1e-6", "--require-tol", ranks=2).json
                self.assertLessEqual(result["gap"], 1e-6)
                self.assertGreaterEqual(result["gap"], 0)

    def test_any_number_of_ranks_finds_the_same_objective(self):
        for path, l2 in (WDBC, "0"), (WDBC, "1e-3"), (DIGITS, "0"):
            found = [self.succeeds("train", path, "--l1", "1e-3", "--l2", l2, "--tol-gap", "1e-11",
                                   ranks=ranks).json["objective"] for ranks in (1, 2, 4)]
            self.assertLess(max(found) - min(found), 1e-9 * max(1, found[0]))

    def test_deterministic_gives_the_same_bits_on_any_number_of_ranks(self):
        for path, everywhere in (WDBC, (1, 2, 3, 4)), (DIGITS, (1, 3)):
            kept = []
            for ranks in everywhere:
                run, _ = self.train(path, "--l1", "1e-3", "--l2", "0", "--deterministic",
                                    name=f"{pathlib.Path(path).name}{ranks}", ranks=ranks)
                kept.append(b"".join(part.tobytes() for part in weights(run)))
            self.assertEqual(len(set(kept)), 1, path)

    def test_a_run_stopped_or_killed_and_resumed_ends_with_the_same_bits(self):
        how = [DIGITS, "--l1", "1e-4", "--l2", "0", "--tol-grad", "1e-12", "--checkpoint-every", "1"]
        whole, result = self.train(*how, name="whole", ranks=2)
        self.assertGreater(result["epochs"], 6, "something to interrupt")
        for sign, code in (signal.SIGKILL, 137), (signal.SIGUSR1, 75):
            run = self.folder / sign.name
            process = start("train", *how, "-o", run, ranks=2)
            wait_for_epochs(run, 3, process)
            if sign == signal.SIGKILL:
                os.kill(rank_pids(process)[1], sign)
            else:
                process.send_signal(sign)
            self.assertEqual(wait(process).code, code)
            self.assertLess(records(run)[-1]["epoch"], result["epochs"])
            self.succeeds("train", *how, "-o", run, "--resume", "auto", ranks=2)
            for a, b in zip(weights(run), weights(whole)):
                self.assertEqual(a.tobytes(), b.tobytes(), sign)

    def test_a_penalty_beyond_the_largest_slope_leaves_the_intercept(self):
        for loss, path in ("logistic", WDBC), ("softmax", DIGITS), ("linear", DIGITS):
            rows, labels = read(path)
            at_zero = Problem(rows, labels, loss, 10, 0)
            weight, bias, result = self.ours(at_zero, path, "--tol-grad", "1e-9", name=loss)
            self.assertEqual(np.count_nonzero(weight), 0)
            slopes, intercepts = at_zero.slopes(weight, bias)
            self.assertLess(np.abs(intercepts).max(), 1e-8)
            self.assertLessEqual(result["gap"], 1e-10)
            # And a little below the largest slope the first weight appears.
            largest = np.abs(slopes).max()
            for part, appear in (1.001, False), (0.98, True):
                weight, _, _ = self.ours(Problem(rows, labels, loss, part * largest, 0), path,
                                         "--tol-grad", "1e-9", name=f"{loss}-{part}")
                self.assertEqual(np.count_nonzero(weight) > 0, appear, f"{loss} {part}")

    def test_separable_data_hardly_penalised(self):
        # The bound's rounding is that of the intercept's gradient over l1: 1e-8 leaves less of it.
        for l1, gap in ("1e-6", "1e-6"), ("1e-8", "1e-5"):
            for path in WDBC, DATA / "wdbc.csv":  # and columns from 1e-3 to 1e3
                result = self.succeeds("train", path, "--l1", l1, "--l2", "0", "--tol-gap", gap,
                                       "--require-tol", ranks=2).json
                self.assertLess(result["objective"], 0.1)

    def test_more_columns_than_rows(self):
        wide = self.folder / "wide.svm"
        random = np.random.default_rng(3)
        rows = np.where(random.random((40, 300)) < 0.3, random.normal(size=(40, 300)), 0)
        labels = np.where(rows[:, :5].sum(axis=1) + 0.1 * random.normal(size=40) > 0, 1, -1)
        with open(wide, "w", encoding="ascii") as file:
            for label, row in zip(labels, rows):
                entries = (f"{j + 1}:{row[j]:.17g}" for j in np.flatnonzero(row))
                file.write(f"{label} {' '.join(entries)}\n")
        for loss, l1 in ("logistic", 0.03), ("linear", 0.02), ("logistic", 1e-3):
            self.agrees(wide, loss, l1, 0, "--n-features", "300", features=300)

    def test_a_class_that_only_one_rank_has(self):
        lines = pathlib.Path(DIGITS).read_text(encoding="ascii").splitlines()
        few = [line for line in lines if not line.startswith("9 ")]
        path = self.folder / "few.svm"
        path.write_text("\n".join(few[:400] + [line for line in lines if line.startswith("9 ")][:3])
                        + "\n", encoding="ascii")
        problem = Problem(*read(path, 64), "softmax", 1e-3, 0)
        found = []
        for ranks in 1, 4:
            weight, bias, result = self.ours(problem, path, "--row-order", "file", "--tol-gap",
                                             "1e-11", "--n-features", "64", name=f"on{ranks}",
                                             ranks=ranks)
            found.append(problem.objective(weight, bias))
            self.optimal(problem, weight, bias, result["gap"])
        self.assertAlmostEqual(*found, delta=1e-9)

    def test_the_minibatch_schemes_take_proximal_steps(self):
        problem = Problem(*read(WDBC), "logistic", 1e-2, 1e-2)
        weight, bias, _ = self.ours(problem, WDBC, "--tol-gap", "1e-11", name="best")
        best = problem.objective(weight, bias)
        for algorithm, epochs, near in ("svrg", "400", 1e-4), ("sgd", "100", 0.05), ("gd", "2000", 1e-3):
            weight, bias, result = self.ours(problem, WDBC, "--algorithm", algorithm, "-e", epochs,
                                             name=algorithm)
            self.assertAlmostEqual(result["objective"], problem.objective(weight, bias), delta=1e-12)
            self.assertLess(result["objective"] - best, near, algorithm)
            self.assertGreater(np.count_nonzero(weight == 0), 0, algorithm)


if __name__ == "__main__":
    main(needs=("mpirun",))
