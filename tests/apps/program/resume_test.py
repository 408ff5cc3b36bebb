#!/usr/bin/env python3
"""A run that was stopped or killed and resumed ends with the bits of one that never was."""
import contextlib
import os
import signal
import time

from harness import (DIGITS, WDBC, Case, main, rank_pids, records, start, wait, wait_for_epochs,
                     weights)

# Enough work that a signal finds it in the middle.
EPOCHS = 200
LONG = [DIGITS, "--algorithm", "svrg", "-b", "128", "-e", str(EPOCHS), "--tol-grad", "0",
        "--learning-rate", "0.05", "--checkpoint-every", "10"]


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
