"""The programs that a user would take instead of svrg, each timed in a process of its own that has the
data in memory and is warmed up: this file is that process, too.

    peers.py PEER FOLDER PROBLEM LAMBDA

It answers each line on stdin, a JSON value of the peer's stopping list, with one JSON line: seconds of
training alone (wall and CPU), the share of them spent waiting for a core, and (f - f*)/f*.
"""
import dataclasses
import importlib
import json
import os
import pathlib
import sys
import time
import types
import typing
import warnings

TWO_CLASSES, CLASSES, NUMBERS = ("logistic",), ("logistic", "softmax"), ("linear",)
ANY = (*CLASSES, *NUMBERS)
# Stopping values from coarse to fine. A gap in a list would make a peer look slow, as it is asked for
# more than the target.
TOLERANCES = [1, 0.3, 0.1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 3e-7, 1e-7, 1e-8,
              1e-9, 1e-10]
DUAL_TOLERANCES = [1000, 300, 100, 30, 10, 7, 5, 3, 2, *TOLERANCES]
EPOCHS = [2, 3, 4, 5, 6, 8, 10, 12, 14, 17, 20, 25, 30, 40, 50, 70, 100, 150, 250, 400, 700, 1000]
MOST_ITERATIONS = 100_000


# Each maker gets the data and returns a function of the stopping value that trains and returns the
# weights. What a maker does itself, such as filling a library's own structure, is not timed.

def scikit_logistic(solver, dense=False):
    def make(data):
        from sklearn.linear_model import LogisticRegression
        rows = data.rows.toarray() if dense else data.rows

        def train(tolerance):
            model = LogisticRegression(C=1 / (data.l2 * data.n), solver=solver, tol=tolerance,
                                       fit_intercept=False, max_iter=MOST_ITERATIONS, random_state=1)
            return model.fit(rows, data.labels).coef_
        return train
    return make


def scikit_ridge(solver):
    def make(data):
        from sklearn.linear_model import Ridge

        def train(tolerance):
            model = Ridge(alpha=data.l2 * data.n, solver=solver, tol=tolerance, fit_intercept=False,
                          max_iter=MOST_ITERATIONS, random_state=1)
            return model.fit(data.rows, data.labels).coef_
        return train
    return make


def liblinear(solver):
    def make(data):
        import scipy.sparse
        from liblinear.liblinearutil import parameter, problem
        from liblinear.liblinearutil import train as fit
        filled = problem(data.labels, scipy.sparse.csr_matrix(data.rows))
        cost = 1 / (data.l2 * data.n)

        def train(tolerance):
            model = fit(filled, parameter(f"-s {solver} -c {cost:.17g} -e {tolerance:g} -B -1 -q"))
            sign = 1 if model.get_labels()[0] == 1 else -1
            return [sign * weight for weight in model.get_decfun()[0]]
        return train
    return make


def cyanure(solver):
    """Its user gives a number of epochs here, and no duality gap is computed on the way: its best case."""
    def make(data):
        from cyanure.estimators import Classifier, Regression
        losses = {"logistic": "logistic", "softmax": "multiclass-logistic"}
        kind, loss = Regression, {}  # its one loss is the square
        if data.loss != "linear":
            kind, loss = Classifier, {"loss": losses[data.loss]}

        def train(epochs):
            model = kind(**loss, penalty="l2", lambda_1=data.l2, solver=solver, tol=1e-15,
                         max_iter=epochs, duality_gap_interval=max(10, epochs), fit_intercept=False,
                         n_threads=1, verbose=False, random_state=1)
            coefficients = model.fit(data.rows, data.labels).coef_
            # K x d or d x K, by version
            return coefficients if coefficients.shape[-1] == data.d else coefficients.T
        return train
    return make


def scipy_lbfgs(data):
    import numpy as np
    from scipy.optimize import minimize

    def train(tolerance):
        return minimize(data.objective.value_and_gradient, np.zeros(data.objective.size), jac=True,
                        method="L-BFGS-B",
                        options={"maxiter": MOST_ITERATIONS, "maxfun": MOST_ITERATIONS, "ftol": 0,
                                 "gtol": tolerance, "maxcor": 20}).x
    return train


def normal_equations(data):
    import numpy as np
    from scipy.linalg import cho_factor, cho_solve

    def train(_):
        gram = data.rows.T @ data.rows
        gram[np.diag_indices_from(gram)] += data.l2 * data.n
        return cho_solve(cho_factor(gram), data.rows.T @ data.labels)
    return train


@dataclasses.dataclass
class Peer:
    package: str  # as PyPI calls it
    module: str  # as Python does
    losses: tuple
    stops: list
    make: typing.Callable
    storage: str = "any"  # or dense, sparse: for data stored so
    most_features: float = float("inf")  # beyond it forms a Hessian of gigabytes

    def suits(self, problem):
        return (problem.loss in self.losses and problem.d <= self.most_features and
                self.storage in ("any", "sparse" if problem.sparse else "dense"))


def scikit(losses, make, stops=None, **how):
    return Peer("scikit-learn", "sklearn", losses, stops or TOLERANCES, make, **how)


PEERS = {
    "sklearn lbfgs": scikit(CLASSES, scikit_logistic("lbfgs")),
    "sklearn newton-cholesky": scikit(CLASSES, scikit_logistic("newton-cholesky"), most_features=1000),
    "sklearn newton-cholesky, dense copy": scikit(
        TWO_CLASSES, scikit_logistic("newton-cholesky", dense=True), storage="sparse",
        most_features=1000),
    "sklearn newton-cg": scikit(CLASSES, scikit_logistic("newton-cg")),
    "sklearn saga": scikit(CLASSES, scikit_logistic("saga")),
    "liblinear tron": Peer("liblinear-official", "liblinear", TWO_CLASSES, TOLERANCES, liblinear(0)),
    "liblinear dual": Peer("liblinear-official", "liblinear", TWO_CLASSES, DUAL_TOLERANCES,
                           liblinear(7)),
    "cyanure qning-svrg": Peer("cyanure", "cyanure", ANY, EPOCHS, cyanure("qning-svrg")),
    "cyanure svrg": Peer("cyanure", "cyanure", ANY, EPOCHS, cyanure("svrg")),
    "scipy lbfgs": Peer("scipy", "scipy", ANY, TOLERANCES, scipy_lbfgs),
    "numpy normal equations": Peer("numpy", "numpy", NUMBERS, [0], normal_equations, storage="dense"),
    "sklearn ridge cholesky": scikit(NUMBERS, scikit_ridge("cholesky"), [0], storage="dense"),
    "sklearn ridge lsqr": scikit(NUMBERS, scikit_ridge("lsqr")),
    "sklearn ridge sparse_cg": scikit(NUMBERS, scikit_ridge("sparse_cg")),
}
PACKAGES = ["numpy", "scipy", "h5py", "scikit-learn", "liblinear-official", "cyanure"]


def missing():
    """{package: why} of the peers' packages that this Python cannot import."""
    failed = {}
    for package, module in {(peer.package, peer.module) for peer in PEERS.values()}:
        try:
            importlib.import_module(module)
        except Exception as error:  # a package built for another release fails in its own ways
            failed[package] = f"{type(error).__name__}: {error}"
    return failed


# ---- the process

def data_of(rows, labels, loss, l2):
    from problems import Objective
    return types.SimpleNamespace(rows=rows, labels=labels, loss=loss, l2=l2, n=len(labels),
                                 d=rows.shape[1], objective=Objective(loss, rows, labels, l2))


def waited():
    """Seconds that this thread was ready to run and did not."""
    try:
        return int(pathlib.Path("/proc/thread-self/schedstat").read_text().split()[1]) * 1e-9
    except (OSError, IndexError, ValueError):
        return 0.0


def main(name, folder, file, lam):
    # What libraries print must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    import numpy as np
    from problems import Problem
    peer, problem = PEERS[name], Problem(file, folder)
    data = data_of(problem.rows, problem.labels, problem.loss, problem.l2(lam))
    best = problem.optimum(lam)["value"]
    # First calls load libraries: not of the rows themselves, which no peer has seen before either.
    some = slice(None, None, max(1, problem.n // 2000))
    small = data_of(problem.rows[some], problem.labels[some], problem.loss, 1e-3)
    peer.make(small)(peer.stops[min(2, len(peer.stops) - 1)])
    train = peer.make(data)
    print(json.dumps("ready"), file=answers, flush=True)
    for line in sys.stdin:
        stop = json.loads(line)
        before = time.perf_counter(), time.process_time(), waited()
        weights = train(stop)
        after = time.perf_counter(), time.process_time(), waited()
        wall, cpu, wait = (b - a for a, b in zip(before, after))
        value = data.objective.value(np.asarray(weights, np.float64).ravel())
        print(json.dumps({"seconds": wall, "cpu_seconds": cpu, "waited": wait / wall,
                          "excess": float((value - best) / best)}), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
