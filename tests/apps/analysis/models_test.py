#!/usr/bin/env python3
"""A model that svrg_analysis reads predicts what svrg predict does, to rounding, and is an estimator as
scikit-learn knows them."""
from analysis_case import ROOT  # first: it finds the Python

import h5py
import numpy as np
import pandas as pd
import svrg_analysis as sa
from harness import DIGITS, DIGITS_TEST, WDBC, WDBC_TEST, Case, main
from scipy import sparse
from sklearn.base import is_classifier, is_regressor
from sklearn.datasets import load_svmlight_file
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

CSV = str(ROOT / "apps/data/wdbc.csv")
CLASSES = {  # name: training rows, others, options
    "logistic": (WDBC, WDBC_TEST, []),
    "no_intercept": (WDBC, WDBC_TEST, ["--intercept", "no"]),
    "lasso": (WDBC, WDBC_TEST, ["--l1", "0.01", "--intercept", "penalised"]),
    "positive": (DIGITS, DIGITS_TEST, ["--positive", "3,5", "--intercept", "penalised"]),
    "softmax": (DIGITS, DIGITS_TEST, ["--x-scale", "1/4"]),
    "softmax_standardised": (DIGITS, DIGITS_TEST, ["--standardize", "scale"]),
    "softmax_of_two": (WDBC, WDBC_TEST, ["--model", "softmax"]),
    "platt": (WDBC, WDBC_TEST, ["--calibrate", "platt"]),
    "temperature": (DIGITS, DIGITS_TEST, ["--x-scale", "1/16", "--calibrate", "temperature"]),
    "hinge_platt": (WDBC, WDBC_TEST, ["--model", "svm-sq", "--x-scale", "0.01", "--calibrate", "platt"]),
    "hinge": (WDBC, WDBC_TEST, ["--model", "svm-sq", "--standardize", "zscore"]),
}
NUMBERS = {
    "linear": (WDBC, WDBC_TEST, ["--model", "linear"]),
    "linear_without": (DIGITS, DIGITS_TEST, ["--model", "linear", "--no-intercept"]),
    "huber": (WDBC, WDBC_TEST, ["--model", "huber", "--huber-delta", "0.5", "--standardize", "zscore"]),
}
TO_ROUNDING = 1e-12


class Models(Case):
    def predicted(self, model, data, *args):
        """What the program says of the rows: label, score and, where there are some, proba."""
        out = self.folder / "out.h5"
        self.succeeds("predict", model, data, "--scores", "-o", out, "--overwrite", *args)
        with h5py.File(out) as file:
            return {name: file[name][:] for name in ("label", "score", "proba") if name in file}

    def assert_close(self, ours, theirs, why):
        ours, theirs = np.asarray(ours), np.asarray(theirs)
        self.assertEqual(ours.shape, theirs.shape, why)
        off = np.abs(ours - theirs).max() / np.abs(theirs).max()
        self.assertLess(off, TO_ROUNDING, why)

    def rows(self, path, model):
        return load_svmlight_file(path, n_features=model.n_features_in_)

    def test_classes(self):
        for name, (data, others, options) in CLASSES.items():
            run, said = self.train(data, "--valid", others, *options, "-m", "acc", name=name, ranks=2)
            clf = sa.model(run)
            self.assertTrue(is_classifier(clf))
            X, y = self.rows(others, clf)
            has_proba = name != "hinge"
            theirs = self.predicted(run / "model.h5", others, *["--proba"] * has_proba)
            scores = np.squeeze(theirs["score"])
            if name == "softmax_of_two":
                scores = scores[:, 1] - scores[:, 0]
            for rows in X, X.toarray(), sparse.csc_matrix(X), pd.DataFrame(X.toarray()):
                np.testing.assert_array_equal(clf.predict(rows), theirs["label"], name)
                self.assert_close(clf.decision_function(rows), scores, name)
                self.assertEqual(hasattr(clf, "predict_proba"), has_proba, name)
                if has_proba:
                    self.assert_close(clf.predict_proba(rows), theirs["proba"], name)
            self.assert_close(np.squeeze(X @ clf.coef_.T + clf.intercept_), scores, name)
            self.assertAlmostEqual(clf.score(X, y), said["metrics"]["valid_acc"], delta=TO_ROUNDING, msg=name)
            self.assertEqual(clf.state_["objective"], said["objective"])

    def test_numbers(self):
        for name, (data, others, options) in NUMBERS.items():
            run, said = self.train(data, "--valid", others, *options, "-m", "r2", name=name, ranks=2)
            found = sa.model(run)
            self.assertTrue(is_regressor(found))
            X, y = self.rows(others, found)
            theirs = self.predicted(run / "model.h5", others)["label"]
            for rows in X, X.toarray():
                self.assert_close(found.predict(rows), theirs, name)
            self.assert_close(X @ found.coef_ + found.intercept_, theirs, name)
            self.assertAlmostEqual(found.score(X, y), said["metrics"]["valid_r2"], delta=TO_ROUNDING, msg=name)
            self.assertFalse(hasattr(found, "predict_proba"))

    def test_columns_are_found_by_name(self):
        run, _ = self.train(CSV, "--label-column", "label", "--standardize", "zscore", ranks=2)
        clf = sa.model(run)
        table = pd.read_csv(CSV)
        X = table.drop(columns="label")
        self.assertEqual(list(clf.feature_names_in_), list(X.columns))
        theirs = self.predicted(run / "model.h5", CSV, "--label-column", "label", "--proba")
        self.assert_close(clf.predict_proba(X), theirs["proba"], "named")
        # Standardised here as it was there, digit by digit: not only to the size of the mean.
        np.testing.assert_array_equal(clf.predict_proba(X[X.columns[::-1]]), clf.predict_proba(X))
        np.testing.assert_array_equal(clf.predict_proba(X.to_numpy()), clf.predict_proba(X))
        with self.assertRaisesRegex(ValueError, "lacks the columns mean_area"):
            clf.predict(X.drop(columns="mean_area"))
        with self.assertRaisesRegex(ValueError, "does not know: label"):
            clf.predict(table)

    def test_a_run_its_model_and_its_last_checkpoint_are_the_same(self):
        run, _ = self.train(WDBC, "--standardize", "scale", ranks=2)
        X, _ = load_svmlight_file(WDBC_TEST)
        scores = sa.model(run).decision_function(X)
        for path in run / "model.h5", run / "checkpoints/last.h5":
            np.testing.assert_array_equal(sa.model(path).decision_function(X), scores)
        self.assertEqual(sa.model(run).manifest_["ranks"], 2)
        self.assertEqual(sa.model(run / "checkpoints/last.h5").config_["data"]["standardize"], "scale")

    def test_work_in_scikit_learn(self):
        run, _ = self.train(WDBC)
        clf = sa.model(run)
        X, y = load_svmlight_file(WDBC_TEST)
        chain = make_pipeline(FunctionTransformer(accept_sparse=True), clf)
        self.assertEqual(chain.score(X, y), clf.score(X, y))
        self.assertEqual(roc_auc_score(y, clf.decision_function(X)), roc_auc_score(y, clf.predict_proba(X)[:, 1]))
        with self.assertRaisesRegex(NotImplementedError, "svrg train"):
            clf.fit(X, y)

    def test_what_cannot_be_read_is_refused_with_a_remedy(self):
        net, _ = self.train(DIGITS, "--model", "mlp", "--hidden", "5", "-e", "1", name="net")
        with self.assertRaisesRegex(ValueError, r"net.model\.h5: a net .*svrg predict"):
            sa.model(net)
        run, _ = self.train(WDBC, "-e", "2")
        with self.assertRaisesRegex(ValueError, r"run\.h5: a file of format svrg-run, not svrg-model"):
            sa.model(run / "run.h5")
        with self.assertRaisesRegex(ValueError, "X has 29 columns, .* was trained on 30"):
            sa.model(run).predict(np.zeros((1, 29)))
        (run / "model.h5").unlink()
        with self.assertRaisesRegex(FileNotFoundError, r"checkpoints/last\.h5"):
            sa.model(run)
        with self.assertRaisesRegex(FileNotFoundError, "nowhere: no such file or run"):
            sa.model(self.folder / "nowhere")
        with self.assertRaisesRegex(ValueError, "wdbc.csv: not an HDF5 file"):
            sa.model(CSV)


if __name__ == "__main__":
    main()
