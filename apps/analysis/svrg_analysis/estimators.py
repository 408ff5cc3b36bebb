"""Trained linear models as scikit-learn estimators, which predict what `svrg predict` does."""
from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_array
from sklearn.utils.metaestimators import available_if

from .files import Path, inside, opened, plain, settings, text

PROBABILITIES = {"logistic", "softmax"}
KINDS = PROBABILITIES | {"svm-sq", "linear", "huber"}


def model(run: Path) -> SvrgClassifier | SvrgRegressor:
    """The model of a run directory, model.h5 or checkpoint: a classifier or a regressor, fitted.

    `predict`, `score`, and for classes `decision_function` and, if logistic or softmax, `predict_proba`
    take raw rows: how `--standardize` or `--x-scale` changed the columns is part of the model. Rows may be
    a sparse matrix, an array, or a DataFrame, whose columns are then found by name. `coef_` and
    `intercept_` are of raw columns, in scikit-learn's shapes, with x @ coef_.T + intercept_ the scores.
    Further attributes: `classes_`, `n_features_in_`, `feature_names_in_` (if the data had names),
    `positive_` (the labels that --positive made class 1), `calibration_` (slope and offset of the scores for
    `predict_proba`, from `--calibrate`; else None), `kind_`, `state_` (epoch, objective …),
    `config_` and `manifest_`.

    >>> clf = model("runs/a9a")
    >>> clf.predict_proba(X)[:, 1], clf.score(X, y)
    """
    path = inside(run, "model.h5", "the run has not ended: give one of its checkpoints, checkpoints/last.h5")
    with opened(path, "svrg-model", "svrg-checkpoint") as file:
        kind = file.attrs["kind"]
        if "params/linear/weight" not in file or text(file, "symbol") or kind not in KINDS:
            raise ValueError(f"{path}: a net ({kind}) is no scikit-learn estimator; `svrg predict` runs it")
        weight = file["params/linear/weight"][:]
        bias = file["params/linear/bias"][:] if file.attrs["intercept"] else np.zeros(len(weight))
        found = SvrgRegressor() if kind in ("linear", "huber") else SvrgClassifier()
        arrays = {name: file[name][:] for name in ("class", "positive", "preprocess/mean", "preprocess/scale")
                  if name in file}
        if "feature_name" in file:
            found.feature_names_in_ = file["feature_name"].asstr()[:].astype(object)
        found.state_ = plain(file["state"].attrs) if "state" in file else {}
        fitted = file["calibration"].attrs if "calibration" in file else {}
        found.calibration_ = (float(fitted.get("slope", 1.0)), float(fitted.get("offset", 0.0))) if fitted else None
        said = settings(file)
    found.path_, found.kind_, found.config_, found.manifest_ = str(path), kind, said["config"], said["manifest"]
    found.n_features_in_ = weight.shape[1]
    if kind == "softmax" and len(weight) == 2:  # of two classes scikit-learn has one score: their log odds
        weight, bias = weight[1:] - weight[:1], bias[1:] - bias[:1]
    found.mean_ = arrays.get("preprocess/mean")
    found._weight, found._bias = weight / arrays.get("preprocess/scale", 1.0), bias
    found.coef_ = found._weight
    found.intercept_ = bias if found.mean_ is None else bias - found.coef_ @ found.mean_
    if isinstance(found, SvrgClassifier):
        found.classes_, found.positive_ = arrays["class"], arrays.get("positive")
    else:
        found.coef_, found.intercept_ = found.coef_[0], found.intercept_[0]
    return found


class _Linear(BaseEstimator):
    """What classifiers and regressors share: rows in, scores out."""

    def fit(self, X, y=None):
        """Refused: `svrg train` trains. It is here as scikit-learn takes nothing for an estimator without."""
        raise NotImplementedError("a model that svrg trained is not fitted again here; use svrg train")

    def _scores(self, X) -> np.ndarray:
        """One column a score."""
        if isinstance(X, pd.DataFrame):
            X = self._by_name(X)
        X = check_array(X, accept_sparse="csr", dtype=np.float64)
        if X.shape[1] != self.n_features_in_:
            raise ValueError(f"X has {X.shape[1]} columns, {self.path_} was trained on {self.n_features_in_}"
                             + ("; load_svmlight_file takes n_features" if sparse.issparse(X) else ""))
        if self.mean_ is None or sparse.issparse(X):  # rows stay sparse: the mean is in the intercept
            return X @ self._weight.T + self.intercept_
        return (X - self.mean_) @ self._weight.T + self._bias  # as trained: loses no digits to a large mean

    def _by_name(self, X: pd.DataFrame) -> pd.DataFrame:
        if not hasattr(self, "feature_names_in_") or not all(isinstance(name, str) for name in X.columns):
            return X
        known = list(self.feature_names_in_)
        for what, names in (("lacks the columns", [name for name in known if name not in X.columns]),
                            ("has columns that the model does not know:", [n for n in X.columns if n not in known])):
            if names:
                raise ValueError(f"X {what} {', '.join(names[:5])}{', …' * (len(names) > 5)} ({self.path_})")
        return X[known]


class SvrgRegressor(RegressorMixin, _Linear):
    """A linear or huber model."""

    def predict(self, X) -> np.ndarray:
        """A number a row."""
        return self._scores(X)[:, 0]


class SvrgClassifier(ClassifierMixin, _Linear):
    """A logistic, softmax or svm-sq model."""

    def decision_function(self, X) -> np.ndarray:
        """Scores: [rows] of two classes, above 0 for the second; else [rows, classes]."""
        scores = self._scores(X)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict(self, X) -> np.ndarray:
        """A label of `classes_` a row."""
        scores = self.decision_function(X)
        return self.classes_[(scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)]

    @available_if(lambda self: self.kind_ in PROBABILITIES or self.calibration_ is not None)
    def predict_proba(self, X) -> np.ndarray:
        """[rows, classes], calibrated where the model is; of svm-sq only then."""
        slope, offset = self.calibration_ or (1.0, 0.0)
        scores = slope * self.decision_function(X) + offset
        return softmax(scores, axis=1) if scores.ndim == 2 else np.column_stack([expit(-scores), expit(scores)])

    def score(self, X, y, sample_weight=None) -> float:
        """Accuracy; with --positive, `y` has the labels of the data, as in training."""
        if self.positive_ is not None:
            y = np.isin(np.asarray(y), self.positive_).astype(float)
        return super().score(X, y, sample_weight)
