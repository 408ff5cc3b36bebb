#!/usr/bin/env python3
"""train --calibrate: probabilities that agree with rows held out, kept in the model and used by all who
ask for probabilities."""
import math

from harness import DIGITS, DIGITS_TEST, WDBC, WDBC_TEST, Case, main


class Calibrate(Case):
    def calibrated(self, data, *args, ranks=0, name="c.h5"):
        path = self.folder / name
        done = self.succeeds("train", data, *args, "--export", path, "--overwrite", ranks=ranks)
        return path, done.json

    def predicted(self, model, data, *args):
        lines = self.succeeds("predict", model, data, *args).out.splitlines()
        return [[float(x) for x in line.split(",")] for line in lines[1:]]

    def test_probabilities_are_those_of_slope_and_offset_and_labels_stay(self):
        args = ["--standardize", "scale", "--calibrate-fraction", "0.3"]
        model, said = self.calibrated(WDBC, *args, "--calibrate", "platt", ranks=2)
        plain, _ = self.calibrated(WDBC, *args, name="plain.h5", ranks=2)
        c = said["calibration"]
        self.assertEqual(c["rows"], round(0.3 * 456))
        for label, low, high, z in self.predicted(model, WDBC_TEST, "--proba", "--scores"):
            self.assertAlmostEqual(high, 1 / (1 + math.exp(-c["slope"] * z - c["offset"])), delta=1e-8)
            self.assertAlmostEqual(low + high, 1, delta=1e-8)
            self.assertEqual(label, 1 if z > 0 else -1)
        scores = [row[-1] for row in self.predicted(model, WDBC_TEST, "--scores")]
        self.assertEqual(scores, [row[-1] for row in self.predicted(plain, WDBC_TEST, "--scores")],
                         "the same model but for its probabilities")

    def test_the_error_falls_where_training_weighed_classes(self):
        # Balanced weights make the rarer class likelier than it is.
        args = ["--positive", "3", "--class-weight", "balanced", "--x-scale", "1/16", "--l2", "10/n",
                "--valid-fraction", "0.3"]
        errors = {}
        for name, more in ("plain", []), ("platt", ["--calibrate", "platt"]):
            model, _ = self.calibrated(DIGITS, *args, *more, name=f"{name}.h5", ranks=2)
            errors[name] = self.succeeds("evaluate", model, DIGITS_TEST).json["metrics"]
        self.assertLess(errors["platt"]["ece"], 0.5 * errors["plain"]["ece"])
        self.assertLess(errors["platt"]["ce"], errors["plain"]["ce"])
        self.assertEqual(errors["platt"]["acc"], errors["plain"]["acc"])
        self.assertEqual(errors["platt"]["auc"], errors["plain"]["auc"])

    def test_the_same_on_any_number_of_ranks(self):
        for args in (["--model", "svm-sq", "--calibrate", "platt"],), (["--calibrate", "temperature"],):
            found = [self.calibrated(WDBC, "--standardize", "scale", "--calibrate-fraction", "0.3",
                                     "--deterministic", *args[0], ranks=ranks)[1]["calibration"]
                     for ranks in (1, 2, 4)]
            self.assertEqual(found[1:], found[:-1])

    def test_every_format_keeps_it_but_liblinears(self):
        model, _ = self.calibrated(DIGITS, "--x-scale", "1/16", "--valid", DIGITS_TEST, "--calibrate",
                                   "temperature")
        first = self.succeeds("evaluate", model, DIGITS_TEST).json["metrics"]
        self.assertEqual(sorted(first), ["acc", "ce", "ece"])
        for suffix in "npz", "json":
            other = self.folder / f"m.{suffix}"
            self.succeeds("convert", model, other)
            self.assertEqual(self.succeeds("evaluate", other, DIGITS_TEST).json["metrics"], first)
        self.assertIn("by temperature", self.succeeds("inspect", model).out)
        self.fails(2, "convert", model, self.folder / "m.model", says=("calibration", ".npz"))
        self.fails(2, "train", WDBC, "--calibrate", "platt", "--calibrate-fraction", "0.2", "--export",
                   self.folder / "m.model", says=("liblinear", ".npz"))

    def test_a_support_vector_machine_gets_probabilities(self):
        model, _ = self.calibrated(WDBC, "--standardize", "scale", "--model", "svm-sq", "--calibrate",
                                   "platt", "--valid", WDBC_TEST)
        for row in self.predicted(model, WDBC_TEST, "--proba"):
            self.assertTrue(0 <= row[1] <= 1)
        plain, _ = self.calibrated(WDBC, "--standardize", "scale", "--model", "svm-sq", name="plain.h5")
        self.fails(2, "predict", plain, WDBC_TEST, "--proba", says=("--calibrate platt",))

    def test_what_cannot_be_is_refused_with_a_remedy(self):
        self.fails(2, "train", WDBC, "--calibrate", "platt", says=("--calibrate", "--calibrate-fraction"))
        self.fails(2, "train", DIGITS, "-q", "--calibrate", "platt", "--valid", DIGITS_TEST, ranks=2,
                   says=("--calibrate", "use temperature"))
        self.fails(2, "train", WDBC, "-q", "--model", "linear", "--calibrate", "platt", "--valid", WDBC_TEST,
                   says=("no probabilities",))


if __name__ == "__main__":
    main()
