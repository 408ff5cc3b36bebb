#!/usr/bin/env python3
"""Training over several hosts with a network between them: the same weights as on one, and an end with an
error, soon, when one of them is lost, from where the batch script comes to the same weights.

usage: SVRG_HOSTS=FOLDER hosts_test.py [Hosts.test_…]     FOLDER as hosts_up.sh left it
"""
import os
import pathlib
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "apps/program"))
from cluster import processes  # noqa: E402
from harness import (DIGITS, PROGRAM, ROOT, WDBC, Case, main, numbers, records,  # noqa: E402
                     weights)

FOLDER = pathlib.Path(os.environ.get("SVRG_HOSTS", "/nonexistent"))
SCHEME = [DIGITS, "--algorithm", "svrg", "-b", "128", "--tol-grad", "0", "--learning-rate", "0.05"]
LONG = SCHEME + ["-e", "60", "--checkpoint-every", "5"]


def on_hosts(*command, **how):
    """A command on the first host."""
    return subprocess.Popen([FOLDER / "run", *[str(c) for c in command]], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            env=os.environ | how.pop("env", {}), **how)


class Hosts(Case):
    def on_hosts(self, *args, name):
        """Trains on one rank a host; the run's folder."""
        run = self.folder / name
        process = on_hosts("mpirun", "--map-by", "node", "--hostfile", FOLDER / "hosts", "-n", "4",
                           PROGRAM, "train", *args, "-o", run)
        said, _ = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, said)
        return run

    def here(self, *args, name, ranks=4):
        return self.train(*args, name=name, ranks=ranks)[0]

    def nearly(self, a, b, tolerance=1e-12):
        a, b = numbers(weights(a)), numbers(weights(b))
        largest = max(abs(x) for x in a)
        self.assertEqual(len(a), len(b))
        self.assertLessEqual(max(abs(x - y) for x, y in zip(a, b)), tolerance * largest)

    def test_same_weights_as_on_one_host(self):
        self.nearly(self.here(*SCHEME, "-e", "4", name="one"),
                    self.on_hosts(*SCHEME, "-e", "4", name="four"))

    def test_local_epochs_too(self):
        args = [WDBC, "--engine", "row", "-e", "10", "--tol-grad", "0"]
        self.nearly(self.here(*args, name="one"), self.on_hosts(*args, name="four"))

    def test_same_bits_if_deterministic(self):
        for name, args in (("svrg", [*SCHEME, "-e", "4", "--deterministic"]),
                           ("local", [WDBC, "--deterministic", "-e", "10"])):
            one = self.here(*args, name=name + "1", ranks=2)
            self.assertTrue(weights(one) == weights(self.on_hosts(*args, name=name + "4")), name)

    def unbroken(self):
        kept = FOLDER / "unbroken"
        if not kept.exists():
            self.on_hosts(*LONG, name=kept)
        return weights(kept)

    def batch_job(self):
        """The script for PBS, whose queue is the test: it hands out the hosts, and starts the job again
        as PBS does after the loss of a node."""
        return on_hosts("bash", ROOT / "jobscripts/pbs/restart.pbs", cwd=self.folder, start_new_session=True,
                        env={"PBS_O_WORKDIR": str(self.folder), "PBS_NODEFILE": str(FOLDER / "hosts"),
                             "PBS_JOBID": "1.queue", "SVRG_JOB_ROOT": str(ROOT),
                             "SVRG_JOB_PROGRAM": PROGRAM, "SVRG_JOB_BIND": "none",
                             "SVRG_JOB_ARGS": " ".join([*LONG, "-o", "run"])})

    def lost(self, destroy, repair=lambda: None):
        """A run in the midst of which something is lost ends soon; its next attempt comes to the end."""
        whole, run = self.unbroken(), self.folder / "run"
        job = self.batch_job()
        until = time.monotonic() + 60
        while not ((run / "log.jsonl").exists() and len(records(run)) >= 8):
            self.assertIsNone(job.poll())
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)
        moment = time.monotonic()
        destroy()
        try:
            said, _ = job.communicate(timeout=60)
        finally:
            if job.poll() is None:
                os.killpg(job.pid, signal.SIGKILL)
            took = time.monotonic() - moment
            repair()
        print(f"ended {took:.1f} s after the loss with exit code {job.returncode}")
        self.assertNotIn(job.returncode, (0, 75), said)
        self.assertLess(took, 10)
        self.assertLess(records(run)[-1]["epoch"], 60)
        again = self.batch_job()
        said, _ = again.communicate(timeout=120)
        self.assertEqual(again.returncode, 0, said)
        self.assertRegex(said, r"attempt 1 of job 1 .*from checkpoint: step-")
        self.assertTrue(weights(run) == whole, "other bits")

    def test_a_rank_killed(self):
        self.lost(lambda: os.kill(processes(FOLDER, "host2", "svrg")[0], signal.SIGKILL))

    def test_a_host_lost(self):
        """With its processes and its connections."""
        def destroy():
            os.kill(int((FOLDER / "host3.pid").read_text()), signal.SIGKILL)
        self.lost(destroy, bring_up)

    def test_a_line_cut(self):
        """The host lives on, but nobody hears of it any more."""
        def line(state):
            pid = (FOLDER / "host1.pid").read_text().strip()
            subprocess.run(["nsenter", "--target", pid, "--net", "ip", "link", "set", "eth0", state],
                           check=True)
        def repair():
            line("up")
            for name in "svrg", "orted":
                for pid in processes(FOLDER, "host1", name):
                    os.kill(pid, signal.SIGKILL)
        self.lost(lambda: line("down"), repair)


def bring_up():
    subprocess.run(["bash", HERE / "hosts_up.sh", FOLDER, os.environ["SVRG_SWITCH"]],
                   check=True, timeout=60, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    if not (FOLDER / "run").exists():
        print("skipped: no hosts; hosts_up.sh says why")
        sys.exit(77)
    main(needs=["h5dump", "ip"])
