"""Data at the edge of what numbers can do: a right answer or a clear message, for every loss, dense
and sparse, on one rank and on three; never a hang, never a model that is not finite."""
import math
import os

from harness import Case, main, numbers, svrg, weights

LOSSES = ("linear", "huber", "logistic", "svm-sq")
NIGHT = os.environ.get("SVRG_NIGHTLY") == "1"


def text(rows, dense=True):
    """svmlight of (label, values); sparse ones leave zeros out and have many columns."""
    lines = []
    for label, values in rows:
        entries = [f"{j + 1}:{v!r}" for j, v in enumerate(values) if dense or v != 0]
        lines.append(" ".join([str(label)] + entries + ([] if dense else ["40:1"])))
    return "\n".join(lines) + "\n"


def plain(n=12):
    return [(1 if i % 3 else -1, [float(i % 5), float(i * i % 7), 1.0 - i % 2]) for i in range(n)]


CASES = {
    "huge": [(y, [1e300 * (x[0] - 2), x[1], x[2]]) for y, x in plain()],
    "tiny": [(y, [1e-300 * x[0], x[1], x[2]]) for y, x in plain()],
    "zero_rows": plain(6) + [(1, [0.0, 0.0, 0.0]), (-1, [0.0, 0.0, 0.0])] * 3,
    "constant_column": [(y, [x[0], 7.0, x[2]]) for y, x in plain()],
    "all_zero": [(y, [0.0, 0.0, 0.0]) for y, _ in plain()],
    "fewer_rows_than_ranks": plain(2),
    "one_row": plain(1),
    "wide": [(y, x + [float((i * j) % 13) for j in range(60)]) for i, (y, x) in enumerate(plain(4))],
    "class_on_one_rank": [(-1 if i == 0 else 1, x) for i, (_, x) in enumerate(plain())],
    "one_class": [(1, x) for _, x in plain()],
}


class Numerics(Case):
    def outcome(self, path, *options, ranks, loss):
        """The objective of a run that ended well, or the one line of one that did not."""
        run = self.folder / f"run-{ranks}"
        result = svrg("train", path, "--model", loss, *options, "-o", run, "--overwrite", ranks=ranks, timeout=30)
        if result.code != 0:
            self.assertIn(result.code, (2, 3, 4), str(result))
            self.assertEqual(len(result.errors), 1, str(result))
            return result.errors[0].split("; ")[0]
        self.assertTrue(math.isfinite(result.json["objective"]), str(result))
        trained = numbers(weights(run))
        self.assertTrue(all(map(math.isfinite, trained)), str(trained))
        return result.json["objective"]

    def same_on_three(self, name, dense, loss, *options):
        path = self.folder / f"{name}-{loss}-{dense}.svm"
        path.write_text(text(CASES[name], dense))
        with self.subTest(case=name, dense=dense, loss=loss):
            alone = self.outcome(path, *options, ranks=0, loss=loss)
            if isinstance(alone, str):
                self.assertEqual(self.outcome(path, *options, ranks=3, loss=loss), alone)
            else:
                three = self.outcome(path, *options, ranks=3, loss=loss)
                self.assertIsInstance(three, float, three)
                self.assertLessEqual(abs(three - alone), 1e-5 * max(1, abs(alone)))
            return alone

    def test_every_case(self):
        """By day two losses each, dense or sparse in turn; SVRG_NIGHTLY=1 crosses them all."""
        for turn, name in enumerate(CASES):
            for loss in LOSSES if NIGHT else (LOSSES[turn % 4], LOSSES[(turn + 2) % 4]):
                for dense in (True, False) if NIGHT else (turn % 2 == 0,):
                    self.same_on_three(name, dense, loss, "-e", "60")

    def test_zero_rows_alone_give_the_mean(self):
        """With nothing but an intercept the optimum is known: log-odds, or the mean."""
        rows = CASES["all_zero"]
        mean = sum(y for y, _ in rows) / len(rows)
        variance = sum((y - mean) ** 2 for y, _ in rows) / len(rows)
        self.assertAlmostEqual(self.same_on_three("all_zero", True, "linear", "-e", "60"), variance / 2, delta=1e-6)
        p = sum(y > 0 for y, _ in rows) / len(rows)
        entropy = -p * math.log(p) - (1 - p) * math.log(1 - p)
        self.assertAlmostEqual(self.same_on_three("all_zero", True, "logistic", "-e", "60"), entropy, delta=1e-6)

    def test_separable_without_a_penalty_ends(self):
        """The optimum is at infinity: the objective falls towards 0 and the run ends."""
        CASES["separable"] = [(1 if i > 5 else -1, [i - 5.5, float(i % 3)]) for i in range(12)]
        reached = self.same_on_three("separable", True, "svm-sq", "--l2", "0", "-e", "40")
        self.assertLess(reached, 1e-6)
        run = svrg("train", self.folder / "separable-svm-sq-True.svm", "--model", "logistic", "--l2", "0", "-e", "40",
                   "--no-intercept", timeout=30)
        self.assertEqual(run.code, 0, str(run))
        self.assertLess(run.json["objective"], 0.1)


if __name__ == "__main__":
    main(needs=["h5dump"])
