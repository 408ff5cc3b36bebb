#!/usr/bin/env python3
"""A run that was stopped or killed and resumed ends with the bits of one that never was.
SVRG_NIGHTLY=1 for 207 kills at random times, on 1, 2 and 4 ranks, instead of 3."""
import contextlib
import os
import random
import signal
import time

from harness import (DIGITS, WDBC, Case, main, rank_pids, records, start, until, wait, wait_for_epochs,
                     weights)

# Enough work that a signal finds it in the middle.
EPOCHS = 200
LONG = [DIGITS, "--algorithm", "svrg", "-b", "128", "-e", str(EPOCHS), "--tol-grad", "0",
        "--learning-rate", "0.05", "--checkpoint-every", "10"]


NIGHTLY = os.environ.get("SVRG_NIGHTLY") == "1"
KILLS = 23 if NIGHTLY else 1  # of each kind of run on each number of ranks
KINDS = {
    "minibatch": [DIGITS, "--algorithm", "svrg", "-e", "120", "--tol-grad", "0", "--checkpoint-every", "3"],
    "local epochs": [DIGITS, "--engine", "row", "-e", "150", "--tol-grad", "0", "--checkpoint-every", "5"],
    "net": [DIGITS, "--model", "mlp", "--hidden", "16", "--algorithm", "svrg", "-e", "60", "--tol-grad", "0",
            "--checkpoint-every", "2"],
}


class RandomKills(Case):
    def test_any_rank_at_any_time(self):
        dice = random.Random(4)
        killed = 0
        for kind, args in KINDS.items():
            layers = ("fc1", "fc2") if kind == "net" else ("linear",)
            for ranks in (1, 2, 4) if NIGHTLY else (2,):
                whole, result = self.train(*args, name=f"{kind}-{ranks}", ranks=ranks)
                span = result["seconds_total"]
                kills, broken = 0, 0
                while kills < KILLS:
                    run = self.folder / f"{kind}-{ranks}-{broken}"
                    broken += 1
                    code = None
                    while code != 0:  # until it ends by itself
                        resume = ["--resume", "auto"] if run.exists() else []
                        process = start("train", *args, "-o", run, *resume, ranks=ranks)
                        if kills < KILLS and self.kill_one(process, dice, span, ranks):
                            kills += 1
                        code = wait(process).code
                        self.assertIn(code, (0, 137))
                    with self.subTest(kind=kind, ranks=ranks, kills=kills):
                        self.assertTrue(weights(run, layers=layers) == weights(whole, layers=layers))
                killed += kills
        print(f"{killed} kills", flush=True)

    def kill_one(self, process, dice, span, ranks):
        """Whether a rank was there to be killed at a time within the run."""
        if not until(lambda: len(rank_pids(process)) == ranks or process.poll() is not None):
            return False
        time.sleep(dice.uniform(0, span))
        pids = rank_pids(process)
        if len(pids) < ranks:
            return False
        try:
            os.kill(dice.choice(pids), signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True


class Resume(Case):
    whole = None

    def unbroken(self):
        """The weights of the run nobody touched; made once."""
        if Resume.whole is None:
            run, _ = self.train(*LONG, name="whole", ranks=2)
            Resume.whole = weights(run)
        return Resume.whole

    def resumed(self, run, ranks=2):
        before = records(run)[0]
        result = self.succeeds("train", *LONG, "-o", run, "--resume", "auto", ranks=ranks)
        self.assertEqual(records(run)[0], before, "it began anew")
        epochs = [line["epoch"] for line in records(run)]
        self.assertEqual(epochs, sorted(set(epochs)), "no epoch twice in the record")
        self.assertEqual(result.json["epochs"], EPOCHS)
        return weights(run)

    def test_stopped_by_usr1_to_mpirun(self):
        whole, run = self.unbroken(), self.folder / "run"
        process = start("train", *LONG, "-o", run, ranks=2)
        wait_for_epochs(run, 20, process)
        process.send_signal(signal.SIGUSR1)
        stopped = wait(process)
        self.assertEqual(stopped.code, 75, str(stopped))
        self.assertLess(records(run)[-1]["epoch"], EPOCHS)
        self.assertTrue(self.resumed(run) == whole)

    def test_one_wish_of_several_signals(self):
        """What a scheduler does at preemption: its TERM to every rank, the batch script's USR1 as well."""
        whole, run = self.unbroken(), self.folder / "run"
        process = start("train", *LONG, "-o", run, ranks=2)
        wait_for_epochs(run, 20, process)
        ranks = rank_pids(process)
        for number in signal.SIGUSR1, signal.SIGTERM, signal.SIGTERM, signal.SIGUSR1:
            for pid in ranks:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        stopped = wait(process)
        self.assertEqual(stopped.code, 75, str(stopped))
        self.assertTrue(self.resumed(run) == whole)

    def test_the_same_signal_seconds_later_ends_it_at_once(self):
        run = self.folder / "run"
        process = start("train", *LONG, "-o", run, ranks=2)
        wait_for_epochs(run, 5, process)
        waiting, held = rank_pids(process)
        os.kill(held, signal.SIGSTOP)  # so that the other one cannot get on with stopping
        os.kill(waiting, signal.SIGUSR1)
        time.sleep(3.1)
        self.assertIsNone(process.poll())
        os.kill(waiting, signal.SIGUSR1)
        self.assertEqual(wait(process).code, 128 + signal.SIGUSR1)

    def test_a_rank_killed_at_once(self):
        whole, run = self.unbroken(), self.folder / "run"
        for victim, epochs in (0, 15), (1, 40):
            how = ["--resume", "auto"] if run.exists() else []
            process = start("train", *LONG, "-o", run, *how, ranks=2)
            wait_for_epochs(run, epochs, process)
            os.kill(rank_pids(process)[victim], signal.SIGKILL)
            self.assertEqual(wait(process).code, 137)
        self.assertTrue(self.resumed(run) == whole)

    def test_usr2_saves_and_goes_on(self):
        run = self.folder / "run"
        process = start("train", *LONG, "-o", run, "--checkpoint-every", "100000", ranks=2)
        wait_for_epochs(run, 20, process)
        process.send_signal(signal.SIGUSR2)
        self.assertEqual(wait(process).code, 0)
        self.assertEqual(weights(run), self.unbroken())
        self.assertGreaterEqual(len(list((run / "checkpoints").glob("step-*.h5"))), 1)

    def test_the_default_solver_too(self):
        full = [WDBC, "--tol-grad", "1e-12", "--checkpoint-every", "1"]
        whole, result = self.train(*full, name="whole", ranks=2)
        self.assertGreater(result["epochs"], 2)
        run, _ = self.train(*full, "-e", "2", ranks=2)
        before = records(run)
        self.succeeds("train", *full, "-o", run, "--resume", "auto", ranks=2)
        self.assertEqual(records(run)[:len(before)], before)
        self.assertTrue(weights(run) == weights(whole))

    def test_deterministic_runs_resume_on_another_number_of_ranks(self):
        short = [DIGITS, "--algorithm", "svrg", "--tol-grad", "0", "--deterministic",
                 "--checkpoint-every", "1"]
        whole, _ = self.train(*short, "-e", "8", name="whole", ranks=2)
        run, _ = self.train(*short, "-e", "3", ranks=2)
        for ranks, epochs in (1, "5"), (3, "8"):
            self.succeeds("train", *short, "-e", epochs, "-o", run, "--resume", "auto", ranks=ranks)
        self.assertTrue(weights(run) == weights(whole))

    def test_other_data_are_refused(self):
        run, _ = self.train(WDBC, "-e", "2")
        other = self.folder / "other.svm"
        with open(WDBC, encoding="ascii") as source:
            other.write_text("".join(source.readlines()[1:]))
        self.fails(2, "train", other, "-o", run, "--resume", "auto", says=["data"])

    def test_a_finished_run_resumed_is_finished(self):
        run, first = self.train(WDBC, ranks=2)
        kept = weights(run)
        again = self.succeeds("train", WDBC, "-o", run, "--resume", "auto", ranks=2).json
        self.assertTrue(weights(run) == kept)
        self.assertEqual(again["epochs"], first["epochs"])


if __name__ == "__main__":
    main(needs=["h5dump"])
