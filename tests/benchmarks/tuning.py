#!/usr/bin/env python3
"""svrg tune beside scikit-learn's LogisticRegressionCV: the same grid, the same folds, one core; seconds
of processor, how far the worst of all trainings is above its minimum, and what was chosen.

usage: tuning.py DATA.svm[.gz] [--x-scale C] [--grid C=A:B:N] [--tols T,T] [--solvers S,S]
Seconds of svrg are those of its process, with reading and files; scikit-learn's are those of fit().
Minima are svrg's at --tol-grad 1e-11. Exit 0: done; 77: no scikit-learn or h5py."""
import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
import warnings

for threads in "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS":
    os.environ[threads] = "1"  # before NumPy is there
try:
    import h5py
    import numpy as np
    from sklearn.datasets import load_svmlight_file
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.model_selection import PredefinedSplit
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

PROGRAM = os.environ.get("SVRG_PROGRAM") or str(
    pathlib.Path(__file__).resolve().parents[2] / "build/bin/svrg")


class Ours:
    """One run of svrg tune and its file."""

    def __init__(self, data, scale, grid, *more):
        def used():
            now = resource.getrusage(resource.RUSAGE_CHILDREN)
            return now.ru_utime + now.ru_stime
        with tempfile.TemporaryDirectory() as folder:
            before = used()
            done = subprocess.run([PROGRAM, "tune", data, "--x-scale", str(scale), "--grid", grid, "-o",
                                   f"{folder}/run", "--save-folds", *more],
                                  capture_output=True, text=True, check=True)
            self.seconds = used() - before
            self.results = json.loads(done.stdout)
            with h5py.File(f"{folder}/run/tuning.h5") as f:
                self.folds = f["tuning/fold_of_row"][:]
                self.scores = f["tuning/score_acc"][:]
                self.objectives = f["tuning/objective"][:]


def objective(x, y, classes, weights, C):
    """Mean logistic loss + |w|^2/(2 C n), the last column of the weights being the intercept."""
    z = x @ weights[:, :-1].T + weights[:, -1]
    if len(weights) == 1:
        loss = np.logaddexp(0, -np.where(y == classes[1], 1, -1) * z[:, 0]).mean()
    else:
        own = z[np.arange(len(y)), np.searchsorted(classes, y)]
        loss = (np.logaddexp.reduce(z, axis=1) - own).mean()
    return loss + (weights[:, :-1] ** 2).sum() / (2 * C * len(y))


def weights_at(model, fold, point, features):
    """Of a path, whatever the version keeps it in."""
    paths = model.coefs_paths_
    if isinstance(paths, dict):
        at = [paths[label][fold][point] for label in sorted(paths)]
        return np.array(at).reshape(-1, features + 1)
    return np.atleast_2d(paths[fold][point])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--x-scale", type=float, default=1)
    parser.add_argument("--grid", default="C=1e-4:1e4:10")
    parser.add_argument("--tols", default="1e-4,1e-6")
    parser.add_argument("--solvers", default="lbfgs,newton-cholesky")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    exact = Ours(args.data, args.x_scale, args.grid, "--tol-grad", "1e-11")
    print(f"{'program':<30} {'tol':>7} {'seconds':>8} {'error':>8}  chosen, its accuracy; scores differ by")
    for tol in "1e-4", "1e-6", "1e-8":
        run = Ours(args.data, args.x_scale, args.grid, "--tol-grad", tol)
        chosen = run.results["chosen"]
        print(f"{'svrg tune':<30} {tol:>7} {run.seconds:8.2f} {(run.objectives - exact.objectives).max():8.0e}"
              f"  {chosen['setting']}, {chosen['mean_acc']:.5f}; {abs(run.scores - exact.scores).max():.1g}",
              flush=True)
    x, y = load_svmlight_file(args.data)
    x *= args.x_scale
    if x.nnz > 0.2 * x.shape[0] * x.shape[1]:
        x = x.toarray()
    values = [float(point["setting"][2:]) for point in exact.results["points"]]
    for solver in args.solvers.split(","):
        for tol in args.tols.split(","):
            before = time.process_time()
            model = LogisticRegressionCV(Cs=values, cv=PredefinedSplit(exact.folds), scoring="accuracy",
                                         solver=solver, tol=float(tol), max_iter=10000).fit(x, y)
            seconds = time.process_time() - before
            scores = model.scores_
            if isinstance(scores, dict):
                scores = scores[max(scores)]
            scores = np.asarray(scores).reshape(exact.scores.shape)
            error = max(objective(x[exact.folds != fold], y[exact.folds != fold], model.classes_,
                                  weights_at(model, fold, point, x.shape[1]), C)
                        - exact.objectives[fold, point]
                        for fold in range(len(scores)) for point, C in enumerate(values))
            print(f"{'scikit-learn ' + solver:<30} {tol:>7} {seconds:8.2f} {error:8.0e}"
                  f"  C={np.ravel(model.C_)[0]:g}, {scores.mean(0).max():.5f};"
                  f" {abs(scores - exact.scores).max():.1g}", flush=True)


if __name__ == "__main__":
    main()
