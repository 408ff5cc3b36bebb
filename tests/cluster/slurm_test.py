#!/usr/bin/env python3
"""Batch jobs on a private Slurm: the project's own batch scripts with the real program, on one rank a
node. Whatever interrupts a run, it ends with the bits of one that nothing interrupted.

usage: SVRG_SLURM=FOLDER slurm_test.py [Slurm.test_…]     FOLDER as slurm_up.sh left it
"""
import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "apps/program"))
from cluster import processes  # noqa: E402
from harness import DIGITS, PROGRAM, ROOT, Case, main, records, weights  # noqa: E402

FOLDER = pathlib.Path(os.environ.get("SVRG_SLURM", "/nonexistent"))
JOBS = ROOT / "jobscripts"
# Seconds of work in which something can happen; a checkpoint every few tenths of a second.
EPOCHS = 160
LONG = [DIGITS, "--algorithm", "svrg", "-b", "128", "-e", str(EPOCHS), "--tol-grad", "0",
        "--learning-rate", "0.05", "--checkpoint-every", "10"]


def environment():
    mine = {key: value for key, value in os.environ.items()
            if not key.startswith("SVRG_") and not key.startswith("SLURM_")}
    # The nodes count their cores and bind nothing.
    mine.update(SVRG_JOB_PROGRAM=PROGRAM, SVRG_JOB_ROOT=str(ROOT), SVRG_JOB_BIND="none")
    return mine


def ask(*command, check=True):
    return subprocess.run([FOLDER / "run", *[str(c) for c in command]], env=environment(), check=check,
                          capture_output=True, text=True, timeout=30).stdout.strip()


def facts(job):
    """What scontrol says of it, by name. Of an array: of its first task."""
    text = ask("scontrol", "-o", "show", "job", job, check=False)
    return dict(re.findall(r"(\S+?)=(\S*)", text.split("\n")[0]))


def states(job):
    text = ask("scontrol", "-o", "show", "job", job, check=False)
    return set(re.findall(r"\bJobState=(\S+)", text))


def until(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.2)
    raise AssertionError(f"not in {seconds} s: {what() if callable(what) else what}")


class Slurm(Case):
    def setUp(self):
        super().setUp()
        self.jobs = []
        self.addCleanup(self.clear)

    def clear(self):
        for job in self.jobs:
            if states(job) & {"RUNNING", "PENDING", "COMPLETING", "REQUEUED"}:
                ask("scancel", job, check=False)
        until(lambda: not ask("squeue", "-h"), "the queue is empty")

    def submit(self, script, *arguments, flags=("-N4", "--ntasks-per-node=1"), env=None):
        """The job's number. Its output goes to `log`."""
        command = ["sbatch", "--parsable", *flags, "-D", str(self.folder), script, *arguments]
        if not any(f == "-o" for f in flags):
            command[2:2] = ["-o", str(self.folder / "log")]
        done = subprocess.run([FOLDER / "run", *[str(c) for c in command]], check=False, timeout=30,
                              env=environment() | (env or {}), capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.jobs.append(done.stdout.strip())
        return self.jobs[-1]

    def wrapped(self, text, *flags):
        script = self.folder / f"wrapped{len(self.jobs)}"
        script.write_text(f"#!/bin/bash\n{text}\n")
        return self.submit(script, flags=flags)

    def log(self):
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""

    def ends(self, job, state, seconds=90):
        seen = set()

        def over():
            seen.clear()
            seen.update(states(job))
            return seen and not seen & {"RUNNING", "PENDING", "COMPLETING", "CONFIGURING", "REQUEUED",
                                        "SUSPENDED"}
        until(over, lambda: f"job {job} is {seen}: {self.log()[-3000:]}", seconds)
        self.assertEqual(seen, {state}, self.log()[-3000:])

    def reaches(self, epochs, run="run", seconds=60):
        def there():
            self.assertFalse(states(self.jobs[0]) & {"FAILED", "TIMEOUT", "CANCELLED"}, self.log())
            return (self.folder / run / "log.jsonl").exists() and \
                len(records(self.folder / run)) >= epochs
        until(there, lambda: f"{epochs} epochs: {self.log()[-2000:]}", seconds)

    def attempts(self, run="run"):
        return (self.folder / run / "attempts.txt").read_text().splitlines()

    def unbroken(self):
        """The weights of the same layout without interruption, made once for all tests."""
        kept = FOLDER / "unbroken"
        if not (kept / "done").exists():
            job = self.submit(JOBS / "train.sbatch", *LONG, "-o", kept, "--overwrite")
            self.ends(job, "COMPLETED")
            (kept / "done").touch()
        return weights(kept)

    def begin(self, *flags, **how):
        """A run in restart.sbatch that has come some way, and is held there until something happens."""
        self.whole = self.unbroken()
        self.jobs.clear()
        (self.folder / "log").unlink(missing_ok=True)
        job = self.submit(JOBS / "restart.sbatch", *LONG, "-o", "run",
                          flags=("-N4", "--ntasks-per-node=1", *flags), **how)
        self.hold()
        self.assertEqual(states(job), {"RUNNING"}, self.log())
        return job

    def hold(self):
        """Stops a rank when there are some epochs: so nothing is over before it can be disturbed."""
        self.reaches(15)
        self.held = processes(FOLDER, "host4", "svrg")
        for pid in self.held:
            os.kill(pid, signal.SIGSTOP)
        self.assertTrue(self.held, self.log())

    def let_go(self):
        for pid in self.held:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def is_signalled(self):
        until(lambda: "signalled: asking" in self.log(), self.log, 55)
        time.sleep(0.5)  # for its way through the launcher

    def finishes_alike(self, job, restarts=1):
        self.let_go()
        until(lambda: len(self.attempts()) == restarts + 1, lambda: self.log()[-2000:], 60)
        self.ends(job, "COMPLETED")
        self.assertEqual(facts(job)["Restarts"], str(restarts), self.log())
        self.assertEqual(len(self.attempts()), restarts + 1)
        self.assertNotIn(" none ", self.attempts()[-1])
        epochs = [line["epoch"] for line in records(self.folder / "run")]
        self.assertEqual(epochs, sorted(set(epochs)), "no epoch twice in the record")
        self.assertEqual(epochs[-1], EPOCHS)
        self.assertTrue(weights(self.folder / "run") == self.whole, "other bits")

    def test_chain_of_jobs(self):
        """Training, then its evaluation; and what follows a failure."""
        first = self.submit(JOBS / "train.sbatch", *LONG[:-8], "-e", "20", "-o", "run")
        second = self.wrapped(f"{PROGRAM} evaluate run/model.h5 {DIGITS}", "-d", f"afterok:{first}",
                              "-o", str(self.folder / "evaluated"))
        broken = self.submit(JOBS / "train.sbatch", "absent.svm", "-o", "other",
                             flags=("-N1", "--ntasks-per-node=1", "-d", f"afterok:{second}"))
        never = self.wrapped("echo never", "-d", f"afterok:{broken}", "--kill-on-invalid-dep=yes",
                             "-o", str(self.folder / "never"))
        instead = self.wrapped("echo instead", "-d", f"afternotok:{broken}",
                               "-o", str(self.folder / "instead"))
        self.ends(instead, "COMPLETED")
        self.assertIn('"acc"', (self.folder / "evaluated").read_text())
        self.assertEqual(facts(broken)["ExitCode"], "3:0", self.log())
        self.ends(never, "CANCELLED")
        about = (self.folder / "run/env.txt").read_text()
        for name in "hosts", "binding", "modules", "revision", "command":
            self.assertRegex(about, rf"(?m)^{name} +\S")
        self.assertIn("host1 host2 host3 host4", about)

    def test_signal_and_requeue(self):
        job = self.begin()
        ask("scancel", "--signal=USR1", "--batch", job)
        self.is_signalled()
        self.finishes_alike(job)
        self.assertIn("ended with exit code 75", self.log())

    def test_launched_by_mpirun(self):
        """Where srun has no PMIx."""
        job = self.begin(env={"SVRG_JOB_LAUNCHER": "mpirun"})
        ask("scancel", "--signal=USR1", "--batch", job)
        self.is_signalled()
        self.finishes_alike(job)
        self.assertRegex((self.folder / "run/env.txt").read_text(), r"(?m)^binding +mpirun")

    def test_requeued_by_hand(self):
        job = self.begin()
        ask("scontrol", "requeue", job)
        self.finishes_alike(job)

    def test_preemption(self):
        job = self.begin("--exclusive")
        urgent = self.wrapped("sleep 1", "-p", "urgent", "-N4", "--exclusive",
                              "-o", str(self.folder / "urgent"))
        self.ends(urgent, "COMPLETED")
        self.finishes_alike(job)

    def test_a_node_set_down(self):
        job = self.begin()
        node = facts(job)["NodeList"].replace("host[1-4]", "host4")
        ask("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
        try:
            until(lambda: states(job) & {"PENDING"}, "queued again")
        finally:
            ask("scontrol", "update", f"nodename={node}", "state=resume", check=False)  # or it is back
        self.finishes_alike(job)

    def test_a_node_lost(self):
        job = self.begin()
        # Its first process: slurmd, step daemons and ranks go with it.
        os.kill(int((FOLDER / "host3.pid").read_text()), signal.SIGKILL)
        try:
            lost = time.monotonic()
            until(lambda: states(job) & {"PENDING", "REQUEUED"} or len(self.attempts()) > 1,
                  lambda: f"queued again: {states(job)}", 60)
            print(f"queued again {time.monotonic() - lost:.1f} s after the loss")
        finally:
            subprocess.run(["bash", HERE / "slurm_up.sh", FOLDER, os.environ["SVRG_SWITCH"]], check=True, timeout=60,
                           stdout=subprocess.DEVNULL)
        self.finishes_alike(job)

    def test_a_rank_killed(self):
        """Not resubmitted, since nobody says that it would fare better; ends at once, resumes by hand."""
        job = self.begin()
        rank = processes(FOLDER, "host2", "svrg")[0]
        killed = time.monotonic()
        os.kill(rank, signal.SIGKILL)
        self.ends(job, "FAILED", 20)
        print(f"the job ended {time.monotonic() - killed:.1f} s after the rank")
        self.assertLess(time.monotonic() - killed, 10)
        self.assertEqual(len(self.attempts()), 1)
        again = self.submit(JOBS / "restart.sbatch", *LONG, "-o", "run")
        self.ends(again, "COMPLETED")
        self.assertTrue(weights(self.folder / "run") == self.whole, "other bits")

    def test_time_limit(self):
        """One minute is the shortest limit there is; the signal comes early in it."""
        job = self.begin("-t", "1", "--signal=B:USR1@50")
        self.is_signalled()  # Slurm looks every half minute
        self.finishes_alike(job)
        self.assertIn("ended with exit code 75", self.log())

    def test_time_limit_auto(self):
        """Without a signal the program stops by itself, 20 s before the minute is over."""
        endless = [*LONG, "-e", "1000000", "-q"]
        job = self.submit(JOBS / "train.sbatch", *endless, "-o", "run",
                          flags=("-N1", "--ntasks-per-node=2", "-t", "1", "--signal=B:CONT@1"))
        self.ends(job, "FAILED", 75)
        self.assertEqual(facts(job)["ExitCode"], "75:0", self.log())
        self.assertIn('"stop_reason":"time"', self.log())

    def test_one_job_at_a_time_in_a_run_directory(self):
        first = self.submit(JOBS / "restart.sbatch", *LONG, "-e", "1000000", "-o", "run", "-q",
                            flags=("-N1", "--ntasks-per-node=1"))
        self.reaches(15)
        about = (self.folder / "run/env.txt").read_text()
        second = self.submit(JOBS / "restart.sbatch", *LONG, "-o", "run",
                             flags=("-N1", "--ntasks-per-node=1"))
        self.ends(second, "FAILED")
        self.assertEqual(facts(second)["ExitCode"], "73:0", self.log())
        self.assertEqual(states(first), {"RUNNING"})
        self.assertEqual((self.folder / "run/env.txt").read_text(), about)
        ask("scancel", first)  # saves and ends with 75, but is not to come back
        self.ends(first, "CANCELLED")
        until(lambda: "cancelled: not submitted again" in self.log(), lambda: self.log()[-500:])
        time.sleep(2)
        self.assertEqual(states(first), {"CANCELLED"})

    def test_other_number_of_nodes(self):
        """Stopped on four nodes, ended on two."""
        args = [*LONG, "--deterministic"]
        whole, _ = self.train(*args, name="whole", ranks=2)
        first = self.submit(JOBS / "train.sbatch", *args, "-o", "run")
        self.hold()
        ask("scancel", "--signal=USR1", "--batch", first)
        self.is_signalled()
        self.let_go()
        self.ends(first, "FAILED")
        self.assertEqual(facts(first)["ExitCode"], "75:0", self.log())
        second = self.submit(JOBS / "restart.sbatch", *args, "-o", "run",
                             flags=("-N2", "--ntasks-per-node=1"))
        self.ends(second, "COMPLETED")
        self.assertTrue(weights(self.folder / "run") == weights(whole), "other bits")

    def test_array(self):
        """Tasks at the same time on different nodes, each with results of its own."""
        job = self.submit(JOBS / "sweep.sbatch", DIGITS, "-e", "5",
                          flags=("-N1", "--ntasks-per-node=1", "--array=0-3", "-o",
                                 str(self.folder / "log")))
        self.ends(job, "COMPLETED")
        found = sorted(self.folder.glob("runs/sweep-*/*/model.h5"))
        self.assertEqual(len(found), 4, self.log())
        self.assertEqual(len({weights(path.parent) for path in found}), 4)
        self.assertTrue(all((path.parent / "env.txt").exists() for path in found))

    def test_scaling(self):
        """Both arrays make their tables; they differ in the rows alone."""
        few = {"SVRG_JOB_REPEATS": "1", "SVRG_JOB_EPOCHS": "3"}
        tables = {}
        for kind in "strong", "weak":
            job = self.submit(JOBS / f"scaling_{kind}.sbatch", DIGITS, env=few,
                              flags=("-N4", "--ntasks-per-node=1", "--array=0-2%1"))
            self.ends(job, "COMPLETED")
            folder = self.folder / f"runs/scaling-{kind}-{job}"
            lines = [line.split("\t") for line in (folder / "scaling.tsv").read_text().splitlines()]
            tables[kind] = [dict(zip(lines[0], line)) for line in lines[1:]]
            self.assertTrue((folder / "2/env.txt").exists())
        for kind, rows in ("strong", [1438, 1438, 1438]), ("weak", [359, 719, 1438]):
            self.assertEqual([int(t["nodes"]) for t in tables[kind]], [1, 2, 4])
            self.assertEqual([int(t["rows"]) for t in tables[kind]], rows)
            self.assertTrue(all(float(t["seconds_per_epoch"]) > 0 for t in tables[kind]))
        self.assertGreater(float(tables["strong"][2]["bytes_per_epoch"]), 0)

    def test_gives_up(self):
        """A run that comes no further is not resumed for ever."""
        job = self.submit(JOBS / "restart.sbatch", *LONG, "-e", "1000000", "-o", "run",
                          flags=("-N1", "--ntasks-per-node=1"))
        for attempt in range(4):
            until(lambda: len(self.attempts()) == attempt + 1 and states(job) == {"RUNNING"}
                  if (self.folder / "run/attempts.txt").exists() else False,
                  lambda: self.log()[-2000:])
            ask("scontrol", "requeue", job)
            until(lambda: states(job) & {"PENDING", "REQUEUED"}, "queued again")
            # As if there had been no time for any.
            for path in (self.folder / "run/checkpoints").glob("step-*.h5"):
                path.unlink()
        self.ends(job, "FAILED")
        self.assertIn("giving up", self.log())


if __name__ == "__main__":
    if not (FOLDER / "slurm/slurm.conf").exists():
        print("skipped: no private Slurm; slurm_up.sh says why")
        sys.exit(77)
    main(needs=["h5dump", "sbatch"])
