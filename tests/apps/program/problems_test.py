#!/usr/bin/env python3
"""What data and problems may be: compressed, IDX, standardised, other losses and intercepts. Each is
compared with the same problem said in another way."""
import bz2
import csv
import gzip
import lzma
import math
import pathlib
import shutil
import struct
import subprocess

from harness import DATA, DIGITS, WDBC, WDBC_TEST, Case, main

TIGHT = ["--tol-grad", "1e-9"]


def svmlight(path):
    """Labels and dense rows of a file of digits or wdbc."""
    labels, rows = [], []
    for line in pathlib.Path(path).read_text().splitlines():
        label, *entries = line.split()
        labels.append(label)
        rows.append({int(j): float(v) for j, v in (e.split(":") for e in entries)})
    return labels, rows


class Problems(Case):
    def objective(self, *args, ranks=2):
        return self.succeeds("train", *args, *TIGHT, ranks=ranks).json["objective"]

    def assertSame(self, a, b, digits=1e-10):
        self.assertAlmostEqual(a, b, delta=digits * max(1, abs(b)))

    def test_compressed_files_are_what_they_hold(self):
        plain, text = self.objective(WDBC), pathlib.Path(WDBC).read_bytes()
        for suffix, pack in (".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress):
            path = self.folder / f"data.svm{suffix}"
            path.write_bytes(pack(text))
            self.assertEqual(self.objective(path), plain)
            path.write_bytes(pack(text)[:-20])
            self.fails(3, "train", path, ranks=2, says=[path.name, "compressed file"])

    def test_idx_images_are_the_rows_of_text(self):
        labels, rows = svmlight(DIGITS)
        pixels = bytes(round(row.get(j, 0) * 16) for row in rows for j in range(1, 65))
        images = self.folder / "train-images-idx3-ubyte.gz"
        images.write_bytes(gzip.compress(struct.pack(">4i", 0x803, len(rows), 8, 8) + pixels))
        self.fails(3, "train", images, ranks=2, says=["labels", "train-labels-idx1-ubyte.gz"])
        beside = self.folder / "train-labels-idx1-ubyte.gz"
        beside.write_bytes(gzip.compress(struct.pack(">2i", 0x801, len(labels)) +
                                         bytes(map(int, labels))))
        expected = self.objective(DIGITS)
        for ranks in 1, 3:
            self.assertSame(self.objective(images, "--x-scale", "1/16", ranks=ranks), expected)
        run, result = self.train(images, "--x-scale", "1/16", "--model", "softmax", ranks=2)
        again = self.succeeds("evaluate", run / "model.h5", images).json["metrics"]
        self.assertEqual(again["acc"], result["metrics"]["train_acc"])
        self.fails(2, "train", images, "--weight-column", "w", says=["IDX", "--weight-column"])
        self.fails(71, "train", images, "--max-memory", "20K", ranks=2, says=["--max-memory"])
        alone = self.folder / "pictures.idx"
        alone.write_bytes(gzip.decompress(images.read_bytes()))
        self.fails(3, "train", alone, "--format", "idx", says=["'images'"])
        guessed = self.succeeds("predict", run / "model.h5", alone, "--format", "idx", ranks=2)
        self.assertEqual(len(guessed.out.splitlines()), len(rows))
        beside.write_bytes(gzip.compress(struct.pack(">2i", 0x801, 3) + b"\0\1\2"))
        self.fails(3, "train", images, says=["one label for each"])

    def test_standardised_columns_are_those_made_by_hand(self):
        raw = DATA / "wdbc.csv"
        with open(raw, encoding="ascii") as file:
            header, *rows = list(csv.reader(file))
        columns = [[float(v) for v in column] for column in zip(*rows)]
        for kind in "zscore", "scale":
            made = [columns[0]]
            for column in columns[1:]:
                mean = math.fsum(column) / len(column)
                deviation = math.sqrt(math.fsum((v - mean) ** 2 for v in column) / len(column))
                shift = mean if kind == "zscore" else 0
                made.append([(v - shift) / deviation for v in column])
            by_hand = self.folder / f"{kind}.csv"
            with open(by_hand, "w", encoding="ascii") as file:
                csv.writer(file).writerows([header, *zip(*made)])
            run, result = self.train(raw, "--standardize", kind, *TIGHT, name=kind, ranks=2)
            self.assertSame(result["objective"], self.objective(by_hand))
            # The model takes raw rows: it keeps what was done to them; a lone sparse one, too.
            one = self.folder / "one.svm"
            one.write_text("1 3:100\n")
            self.succeeds("predict", run / "model.h5", one)
            for ranks in 1, 3:
                scored = self.succeeds("evaluate", run / "model.h5", raw, "-m", "acc", ranks=ranks)
                self.assertEqual(scored.json["metrics"]["acc"], result["metrics"]["train_acc"])

    def test_a_penalised_intercept_is_a_column_of_ones(self):
        labels, rows = svmlight(WDBC)
        ones = self.folder / "ones.svm"
        ones.write_text("".join(
            f"{label} {' '.join(f'{j}:{v!r}' for j, v in row.items())} 31:1\n"
            for label, row in zip(labels, rows)))
        for how in [], ["--engine", "row"], ["--model", "svm-sq"], ["--model", "linear"]:
            self.assertSame(self.objective(WDBC, "--intercept", "penalised", *how),
                            self.objective(ones, "--no-intercept", *how))

    def test_a_support_vector_machine_fulfils_its_optimality_conditions(self):
        run, result = self.train(WDBC, "--model", "svm-sq", "--no-intercept", "--l2", "0.01", *TIGHT,
                                 ranks=2)
        lines = self.succeeds("predict", run / "model.h5", WDBC, "--scores").out.splitlines()[1:]
        scores = [float(line.split(",")[1]) for line in lines]
        labels, rows = svmlight(WDBC)
        # At the optimum l2 w = (2/n) sum of y x max(0, 1 - y z): so |w|^2 follows, and F with it.
        slack = [max(0, 1 - float(y) * z) for y, z in zip(labels, scores, strict=True)]
        w = [2 / (0.01 * len(rows)) * math.fsum(float(y) * s * row.get(j, 0)
                                                for y, s, row in zip(labels, slack, rows))
             for j in range(1, 31)]
        for row, z in list(zip(rows, scores))[:50]:
            self.assertSame(math.fsum(w[j - 1] * v for j, v in row.items()), z, 1e-5)
        self.assertSame(result["objective"], math.fsum(s * s for s in slack) / len(rows)
                        + 0.005 * math.fsum(v * v for v in w), 1e-7)
        self.fails(2, "predict", run / "model.h5", WDBC_TEST, "--proba", says=["probabilities"])

    def test_huber_is_least_squares_near_and_robust_far(self):
        near, far = self.folder / "near.csv", self.folder / "far.csv"
        line = [(i / 50, 3 + 0.01 * i + (0.3 if i % 2 else -0.3)) for i in range(200)]
        near.write_text("y,x\n" + "".join(f"{y},{x}\n" for x, y in line))
        far.write_text("y,x\n" + "".join(f"{y + (5000 if i % 20 == 0 else 0)},{x}\n"
                                         for i, (x, y) in enumerate(line)))
        options = ["--l2", "1e-6"]
        self.assertSame(self.objective(near, "--model", "huber", *options),
                        self.objective(near, "--model", "linear", *options))
        run, _ = self.train(far, "--model", "huber", *options, *TIGHT, ranks=2)
        fitted = self.succeeds("predict", run / "model.h5", near).out.split()
        for (_, y), z in zip(line, fitted, strict=True):
            self.assertLess(abs(float(z) - y), 0.5, "5 % of outliers of 5000 move it little")

    def test_stops_where_the_error_is_known_to_be_small_enough(self):
        best = self.objective(WDBC)
        passes = []
        for gap in "1e-2", "1e-5", "1e-12":
            result = self.succeeds("train", WDBC, "--tol-gap", gap, "--require-tol", ranks=2).json
            self.assertLessEqual(result["objective"] - best, float(gap) + 1e-14)
            self.assertLessEqual(result["gap"], float(gap))
            passes.append(result["passes"])
        self.assertEqual(passes, sorted(passes), "the less is asked for, the sooner")
        self.assertLess(passes[0], passes[-1])
        self.assertIn("--l2", self.succeeds("train", WDBC, "--l2", "0", "-e", "2", "--tol-gap",
                                            "1").err)

    def test_liblinear_predicts_the_same_from_an_exported_model(self):
        if shutil.which("liblinear-predict") is None:
            self.skipTest("liblinear-predict (liblinear-tools) is not here")

        def liblinear(model, rows):
            out = self.folder / "liblinear.out"
            subprocess.run(["liblinear-predict", "-q", str(rows), str(model), str(out)], check=True,
                           capture_output=True)
            return [float(line) for line in out.read_text().split()]
        raw = self.folder / "raw.svm"  # columns of very different size
        with open(DATA / "wdbc.csv", encoding="ascii") as file:
            raw.write_text("".join(
                f"{row[0]} " + " ".join(f"{j}:{v}" for j, v in enumerate(row[1:], 1)) + "\n"
                for row in list(csv.reader(file))[1:]))
        for name, data, how in (("logistic", WDBC, []), ("svm", WDBC, ["--model", "svm-sq"]),
                                ("softmax", DIGITS, []), ("bare", DIGITS, ["--no-intercept"]),
                                ("zscore", raw, ["--standardize", "zscore"]),
                                ("positive", DIGITS, ["--positive", "3,5"]),
                                ("linear", DIGITS, ["--model", "linear"])):
            exported = self.folder / f"{name}.model"
            run, _ = self.train(data, *how, "--export", exported, name=name, ranks=2)
            ours = [float(v) for v in self.succeeds("predict", run / "model.h5", data).out.split()]
            theirs = liblinear(exported, data)
            self.assertEqual(len(ours), len(theirs))
            for a, b in zip(ours, theirs):
                self.assertAlmostEqual(a, b, delta=1e-4 if name == "linear" else 0)

    def test_say_what_does_not_go_together(self):
        self.fails(2, "train", WDBC, "--standardize", "scale", "--x-scale", "2", says=["--x-scale"])
        self.fails(2, "train", WDBC, "--x-scale", "1/0", says=["--x-scale", "1/255"])
        self.fails(2, "train", DIGITS, "--model", "svm-sq", says=["10 label values", "--positive"])
        self.fails(2, "train", WDBC, "--model", "svm-sq", "-m", "ce", says=["probabilities"])
        self.fails(2, "train", WDBC, "--model", "mlp", "--intercept", "penalised",
                   says=["--intercept", "nets"])


if __name__ == "__main__":
    main(needs=("mpirun",))
