#!/usr/bin/env python3
"""The layouts of svrg predict: the same numbers in each, and liblinear's own in its."""
import gzip
import json
import os
import pathlib
import shutil
import subprocess

from harness import DIGITS, DIGITS_TEST, WDBC, WDBC_TEST, Case, dataset, main, numbers

SHARED = pathlib.Path(os.environ.get("SVRG_SHARED") or "/none") / "data"


class Layouts(Case):
    def predict(self, model, data, name, *args, ranks=2):
        out = self.folder / name
        result = self.succeeds("predict", model, data, *args, "-o", out, ranks=ranks)
        self.assertEqual(result.json["rows"], len(pathlib.Path(data).read_text().splitlines()))
        return out

    def test_all_say_the_same(self):
        for name, train, test, classes in (("wdbc", WDBC, WDBC_TEST, 2), ("digits", DIGITS, DIGITS_TEST, 10)):
            run, _ = self.train(train, name=name)
            model, both = run / "model.h5", ["--proba", "--scores"]
            rows = self.predict(model, test, f"{name}.csv", *both).read_text().splitlines()[1:]
            rows = [[float(cell) for cell in row.split(",")] for row in rows]
            for ranks in 1, 2:
                lines = self.predict(model, test, f"{name}{ranks}.jsonl", *both, ranks=ranks)
                objects = [json.loads(line) for line in lines.read_text().splitlines()]
                file = self.predict(model, test, f"{name}{ranks}.h5", *both, ranks=ranks)
                label, proba, score = (numbers(dataset(file, f"/{part}")) for part in ("label", "proba", "score"))
                self.assertEqual(len(objects), len(rows))
                self.assertEqual([o["label"] for o in objects], label)
                self.assertEqual([row[0] for row in rows], label)
                self.assertEqual([p for o in objects for p in o["proba"]], proba)
                scores = [o["score"] if classes > 2 else [o["score"]] for o in objects]
                self.assertEqual([s for row in scores for s in row], score)
                for row, p, s in zip(rows, (o["proba"] for o in objects), scores):
                    self.assertEqual(row[1 + classes:], s)
                    for a, b in zip(row[1:], p):
                        self.assertAlmostEqual(a, b, delta=1e-8)

    def liblinear(self, model, rows, proba):
        out = self.folder / "theirs.txt"
        subprocess.run(["liblinear-predict", "-q", "-b", str(int(proba)), str(rows), str(model), str(out)],
                       check=True, capture_output=True)
        return out.read_text()

    def same_as_liblinear(self, train, test, *how, proba=(False, True)):
        exported = self.folder / "exported.model"
        run, _ = self.train(train, *how, "--export", exported, "--overwrite", ranks=2)
        for wanted in proba:
            ours = self.predict(run / "model.h5", test, "ours.txt", "--layout", "liblinear", "--overwrite",
                                *(["--proba"] if wanted else [])).read_text().splitlines()
            theirs = self.liblinear(exported, test, wanted).splitlines()
            self.assertEqual(len(ours), len(theirs))
            if wanted:
                self.assertEqual(ours.pop(0), theirs.pop(0))
            for a, b in zip(ours, theirs):
                a, b = ([float(v) for v in line.split()] for line in (a, b))
                self.assertEqual(a[0], b[0])
                self.assertEqual(len(a), len(b))
                for x, y in zip(a, b):  # six digits are written
                    self.assertAlmostEqual(x, y, delta=2e-6 * abs(y))

    def test_liblinears_is_what_liblinear_predict_writes(self):
        if shutil.which("liblinear-predict") is None:
            self.skipTest("liblinear-predict (liblinear-tools) is not here")
        self.same_as_liblinear(WDBC, WDBC_TEST)
        self.same_as_liblinear(WDBC, WDBC_TEST, "--model", "svm-sq", proba=[False])
        self.same_as_liblinear(DIGITS, DIGITS_TEST, proba=[False])  # it has no softmax probabilities
        self.same_as_liblinear(DIGITS, DIGITS_TEST, "--positive", "3,5")

    def test_on_a9a_too(self):
        if shutil.which("liblinear-predict") is None or not (SHARED / "a9a.train.svm.gz").exists():
            self.skipTest("no liblinear-predict, or no a9a below SVRG_SHARED")
        rows = self.folder / "a9a.t.svm"
        rows.write_bytes(gzip.decompress((SHARED / "a9a.test.svm.gz").read_bytes()))
        self.same_as_liblinear(SHARED / "a9a.train.svm.gz", rows)

    def test_refuse_what_cannot_be_written_and_leave_what_is_there(self):
        run, _ = self.train(WDBC, "-e", "2")
        model = run / "model.h5"
        self.fails(2, "predict", model, WDBC, "--layout", "h5", says=["--layout", "--out"], ranks=2)
        self.fails(2, "predict", model, WDBC, "--layout", "liblinear", "--scores", says=["--scores", "csv"])
        self.fails(2, "predict", model, WDBC, "--layout", "xml", says=["--layout", "jsonl"])
        kept = self.folder / "kept.jsonl"
        kept.write_text("mine")
        self.fails(2, "predict", model, WDBC, "-o", kept, says=["--overwrite"], ranks=2)
        self.assertEqual(kept.read_text(), "mine")
        self.fails(6, "predict", model, WDBC, "-o", self.folder / "none/out.jsonl", says=["none"], ranks=2)
        # Without a file too, and the suffix does not matter where a layout is asked for.
        text = self.succeeds("predict", model, WDBC_TEST, "--layout", "jsonl", ranks=2).out
        self.assertEqual(len([json.loads(line) for line in text.splitlines()]), 113)
        out = self.predict(model, WDBC_TEST, "labels.h5", "--layout", "csv")
        self.assertEqual(len(out.read_text().splitlines()), 113)


if __name__ == "__main__":
    main(needs=["h5dump"])
