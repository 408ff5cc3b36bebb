#!/usr/bin/env python3
"""Scaling studies: the trainings of a study are those of svrg train, and its figures fit together."""
import os

from harness import DIGITS, WDBC, Case, dataset, main, numbers

PHASES = 8


class Bench(Case):
    def study(self, *args, ranks, **how):
        path = self.folder / "scaling.h5"
        done = self.succeeds("bench", *args, "-o", path, "--overwrite", ranks=ranks, **how)
        return done, path

    def test_trains_as_train_does_on_each_number_of_ranks(self):
        for options in [], ["--algorithm", "svrg", "-e", "4", "--tol-grad", "0"], ["--l1", "0.1/n"]:
            done, _ = self.study(WDBC, "--ranks", "1,2", "--repeats", "2", *options, ranks=2)
            self.assertEqual(done.json["ranks"], [1, 2])
            for ranks, epochs in zip((1, 2), done.json["epochs"]):
                alone = self.succeeds("train", WDBC, *options, ranks=ranks)
                self.assertEqual(epochs, alone.json["epochs"])

    def test_the_file_holds_every_training(self):
        done, path = self.study(DIGITS, "--repeats", "3", ranks=3)
        shape = 3 * 3  # 1, 2 and 3 ranks, three repeats
        read = {name: numbers(dataset(path, f"/scaling/{name}"))
                for name in ("train_seconds", "epoch_seconds", "load_seconds", "phase_seconds",
                             "phase_seconds_by_rank")}
        self.assertEqual(len(read["train_seconds"]), shape)
        self.assertEqual(len(read["phase_seconds_by_rank"]), shape * 3 * PHASES)
        for i in range(shape):
            phases = read["phase_seconds"][i * PHASES:(i + 1) * PHASES]
            whole = read["train_seconds"][i] + read["load_seconds"][i]
            self.assertLessEqual(sum(phases), whole * 1.001)
            self.assertGreater(sum(phases), 0.5 * whole, "most of a training is in some phase")
            self.assertGreater(phases[6], 0, "a checkpoint was written")
        alone = read["phase_seconds"][:3 * PHASES]
        self.assertEqual(alone[3] + alone[4], 0, "a lone rank waits for nobody")
        both = read["phase_seconds"][3 * PHASES:4 * PHASES]
        self.assertGreater(both[3], 0)
        self.assertGreater(both[4], 0)
        middle = sorted(read["train_seconds"][:3])[1]
        self.assertEqual(done.json["train_seconds"][0], middle)
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["scaling.h5"],
                         "what the trainings kept is gone")

    def test_ratios_are_against_the_fewest_ranks(self):
        done, _ = self.study(DIGITS, "--ranks", "2,4", "--repeats", "1", ranks=4)
        seconds, speedup = done.json["train_seconds"], done.json["speedup"]
        self.assertEqual(speedup[0], 1)
        self.assertAlmostEqual(speedup[1], seconds[0] / seconds[1])
        self.assertAlmostEqual(done.json["efficiency"][1], speedup[1] / 2)
        if len(os.sched_getaffinity(0)) < 4:
            self.assertIn("4 ranks are more than a node has cores", done.err)

    def test_weak_scaling_gives_ranks_rows_in_proportion(self):
        done, path = self.study("--synthetic", "4000,20", "--scaling", "weak", "--repeats", "1", ranks=4)
        rows = dataset(path, "/scaling/rows")
        self.assertEqual([int.from_bytes(rows[i:i + 8], "little") for i in range(0, 24, 8)],
                         [1000, 2000, 4000])
        self.assertEqual(done.json["mode"], "weak")
        done, path = self.study(DIGITS, "--scaling", "weak", "--repeats", "1", "-e", "2", ranks=2)
        rows = dataset(path, "/scaling/rows")
        whole, half = int.from_bytes(rows[8:16], "little"), int.from_bytes(rows[:8], "little")
        self.assertIn(half, (whole // 2, whole // 2 + 1))

    def test_made_up_rows_are_the_same_on_any_number_of_ranks(self):
        for problem in "3000,30", "2000,500,0.02":
            done, _ = self.study("--synthetic", problem, "--chains", "4", "--repeats", "1", ranks=4)
            self.assertEqual(len(set(done.json["epochs"])), 1, "one path")

    def test_a_study_is_explained(self):
        _, path = self.study(WDBC, "--repeats", "1", ranks=2)
        said = self.succeeds("inspect", path).out
        for text in "svrg-bench", "strong", "wdbc", "2 ranks":
            self.assertIn(text, said)

    def test_nets_too(self):
        done, _ = self.study(DIGITS, "--model", "mlp", "-e", "2", "--repeats", "1", ranks=2)
        self.assertEqual(done.json["algorithm"], "sgd")

    def test_faults_end_it_on_all_ranks(self):
        self.fails(2, "bench", WDBC, "--ranks", "1,8", ranks=2, says=("--ranks", "8", "mpirun -n 8"))
        self.fails(2, "bench", WDBC, "--ranks", "two", ranks=2, says=("--ranks", "two"))
        self.fails(2, "bench", "--synthetic", "100", ranks=2, says=("--synthetic", "ROWS,COLUMNS"))
        self.fails(2, "bench", WDBC, "--synthetic", "100,5", ranks=2, says=("DATA",))
        self.fails(2, "bench", "-q", "--synthetic", "100,5", "-o", self.folder / "no/x.h5", ranks=2,
                   says=("no folder",))
        self.fails(3, "bench", "-q", self.folder / "none.svm", "--ranks", "1", ranks=3, says=("none.svm",))
        self.fails(4, "bench", "-q", WDBC, "--ranks", "2", "--algorithm", "svrg", "--learning-rate",
                   "1e9", ranks=3, says=("rate",))
        self.fails(71, "bench", "-q", "--synthetic", "1e6,1000", "--max-memory", "10M", ranks=2,
                   says=("--max-memory",))


if __name__ == "__main__":
    main()
