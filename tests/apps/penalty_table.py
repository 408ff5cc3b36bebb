#!/usr/bin/env python3
"""What L1 costs: outer iterations, passes and the bound reached with --tol-gap 1e-6 on 1, 2 and 4 ranks,
and the time that scikit-learn takes for an objective as good, as a multiple of ours.

    mpirun -n P svrg train FILE --l1 L1 --l2 0 --tol-gap 1e-6
Seconds are of training alone: `seconds_train` of one rank against that of fit(), taken in turn, the median
of --runs ratios. saga has the same intercept; liblinear, which penalises its own, has none, and so has the
run it is compared with; coordinate descent is Lasso's. Each gets the loosest tolerance of 1e-1 to 1e-9
with which it comes within 1e-6 of the minimum. Needs $SVRG_SHARED, and for the ratios a Python with
scikit-learn, as tests/run.sh makes one. Exit 0: all within 1e-6; 1: a miss; 77: the data is not here.
"""
import argparse
import os
import pathlib
import statistics
import sys
import tempfile
import time
import warnings

import numpy as np
from sklearn.datasets import load_svmlight_file
from sklearn.linear_model import Lasso, LogisticRegression

from reference_table import ROOT, last_json

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "program"))
os.environ.setdefault("SVRG_PYTHON", sys.executable)
from penalties_test import HALF_OF_NEWS, Problem, read, weights  # noqa: E402

WITHIN = 1e-6
SETS = {  # file, loss, options, values of l1, whom to compare with
    "a9a": ("a9a.train.svm.gz", "logistic", ["--n-features", "123"], ["1e-2", "1e-3", "1e-4"],
            ["saga", "liblinear"]),
    "casp": ("casp.train.svm.gz", "linear", [], ["1e-1", "1e-2", "1e-3"], ["cd"]),
    "news20": ("news20.train.svm.gz", "logistic", HALF_OF_NEWS,
               ["1e-3", "1e-4"], ["saga", "liblinear"]),  # half of its classes against the other half
    "covtype7": ("covtype7.train.svm.xz", "softmax", [], ["1e-3", "1e-4"], []),
}
HEADER = ["set", "l1", "non-zeros", "outers", "passes", "gap", "saga", "liblinear", "coordinate descent"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sets", default=",".join(SETS), help="comma-separated; default: all")
    parser.add_argument("--ranks", default="1,2,4")
    parser.add_argument("--runs", default=5, type=int, help="of each ratio")
    parser.add_argument("--no-ratios", action="store_true")
    parser.add_argument("--program", default=ROOT / "build/bin/svrg", type=pathlib.Path)
    parser.add_argument("--mpirun", default="mpirun")
    parser.add_argument("--timeout", default=900, type=float, help="seconds for one run")
    return parser.parse_args()


class Row:
    """One set at one l1."""

    def __init__(self, options, folder, path, loss, args, l1):
        self.options, self.run, self.path, self.loss = options, folder / "run", path, loss
        self.args = ["--model", loss, *args, "--l1", l1, "--l2", "0"]
        self.l1 = float(l1)

    def train(self, *more, ranks=1):
        return last_json([self.options.mpirun, "-n", str(ranks), str(self.options.program), "train",
                          str(self.path), *self.args, *more, "-o", str(self.run), "--overwrite"],
                         self.options.timeout)

    def rival(self, who, tolerance):
        if who == "cd":
            return Lasso(alpha=self.l1, tol=tolerance, max_iter=100000)
        return LogisticRegression(solver=who, C=1 / (len(self.problem.labels) * self.l1), tol=tolerance,
                                  l1_ratio=1, max_iter=10000, fit_intercept=who != "liblinear",
                                  random_state=1)

    def fit(self, who, tolerance):
        """Its seconds and how far above the minimum it ends."""
        rival = self.rival(who, tolerance)
        begin = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rival.fit(self.problem.rows, self.problem.labels)
        seconds = time.perf_counter() - begin
        ends = self.problem.objective(np.atleast_2d(rival.coef_), np.atleast_1d(rival.intercept_))
        return seconds, ends - self.best

    def ratio(self, who, problem):
        """Its time over ours."""
        bare = ["--no-intercept"] if who == "liblinear" else []
        self.problem = problem
        self.train(*bare, "--tol-gap", "1e-9")
        self.best = problem.objective(*weights(self.run))
        for exponent in range(1, 10):
            if self.fit(who, 10.0 ** -exponent)[1] <= WITHIN:
                break
        else:
            return "> limit"
        ratios = []
        for _ in range(self.options.runs):
            ours = self.train(*bare, "--tol-gap", str(WITHIN))["seconds_train"]
            theirs, above = self.fit(who, 10.0 ** -exponent)
            if above > WITHIN:
                return "> limit"
            ratios.append(theirs / ours)
        return f"{statistics.median(ratios):.2g}"


def binary(name, labels):
    return np.where((labels >= 1) & (labels <= 10), 1, -1) if name.startswith("news20") else labels


def main():
    options = arguments()
    data = pathlib.Path(os.environ.get("SVRG_SHARED") or "/nonexistent") / "data"
    if not data.is_dir():
        print("skipped: SVRG_SHARED does not name a folder with data")
        return 77
    missed = False
    for cells in HEADER, ["---"] * len(HEADER):
        print("| " + " | ".join(cells) + " |", flush=True)
    for name in options.sets.split(","):
        file, loss, args, values, rivals = SETS[name]
        rows = labels = None
        if rivals and not options.no_ratios:
            rows, labels = load_svmlight_file(str(data / file)) if loss != "linear" else read(data / file)
            if loss != "linear":
                rows.indices, rows.indptr = rows.indices.astype("int32"), rows.indptr.astype("int32")
        for l1 in values:
            with tempfile.TemporaryDirectory(prefix="svrg-penalties-") as folder:
                row = Row(options, pathlib.Path(folder), data / file, loss, args, l1)
                results = [row.train("--tol-gap", str(WITHIN), ranks=ranks)
                           for ranks in options.ranks.split(",")]
                missed |= any(not result["gap"] <= WITHIN for result in results)
                weight, _ = weights(row.run)
                ratios = {who: row.ratio(who, Problem(rows, binary(name, labels), loss, row.l1, 0))
                          for who in rivals if rows is not None}
                cells = [name, l1, f"{np.count_nonzero(weight):,} of {weight.size:,}",
                         " / ".join(str(result["epochs"]) for result in results),
                         " / ".join(f"{result['passes']:.1f}" for result in results),
                         f"{max(result['gap'] for result in results):.0e}",
                         *(ratios.get(who, "-") for who in ("saga", "liblinear", "cd"))]
                print("| " + " | ".join(cells) + " |", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
