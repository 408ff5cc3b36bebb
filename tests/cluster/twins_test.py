#!/usr/bin/env python3
"""The batch scripts for PBS and LSF with this test in place of the queue: what they are given by one, what
they ask of it, and that they end with the bits of an undisturbed run. No PBS or LSF is involved."""
import os
import pathlib
import signal
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "apps/program"))
from harness import (DIGITS, PROGRAM, ROOT, Case, environment, main, records, wait_for_epochs,  # noqa: E402
                     weights)

EPOCHS = 3000  # more than a second of work, in few messages
YIELD = {"OMPI_MCA_mpi_yield_when_idle": "1"}  # other tests may run beside this one
LONG = [DIGITS, "--algorithm", "svrg", "-b", "1438", "-e", str(EPOCHS), "--tol-grad", "0",
        "--learning-rate", "0.05", "--checkpoint-every", "10"]


class Twins(Case):
    def setUp(self):
        super().setUp()
        self.hosts = self.folder / "nodes"
        self.hosts.write_text(f"{socket.gethostname()}\n" * 2)
        self.tools = self.folder / "tools"
        self.tools.mkdir()

    def tool(self, name, text):
        path = self.tools / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def start(self, script, **variables):
        said = (self.folder / "said").open("a+")
        process = subprocess.Popen(
            ["bash", str(ROOT / "jobscripts" / script)], cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=said, stderr=said, start_new_session=True,
            env=environment(variables | YIELD | {
                "SVRG_JOB_ROOT": str(ROOT), "SVRG_JOB_PROGRAM": PROGRAM, "SVRG_JOB_BIND": "none",
                "SVRG_JOB_ARGS": " ".join([*LONG, "-o", "run"]),
                "PATH": f"{self.tools}:{os.environ['PATH']}"}))
        said.close()
        return process

    def ended(self, process):
        try:
            return process.wait(90), (self.folder / "said").read_text()
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)

    def pbs(self, script, number, walltime):
        self.tool("qstat", f"[ \"$*\" = '-f {number}.queue' ] && echo '    Resource_List.walltime = {walltime}'")
        self.tool("qsub", f"echo \"$*\" >>{self.folder}/submitted; echo \"origin $SVRG_JOB_ORIGIN\" "
                          f">>{self.folder}/submitted; echo 2.queue")
        return self.start(script, PBS_O_WORKDIR=str(self.folder), PBS_NODEFILE=str(self.hosts),
                          PBS_JOBID=f"{number}.queue", **getattr(self, "inherited", {}))

    def lsf(self, script):
        return self.start(script, LS_SUBCWD=str(self.folder), LSB_JOBID="7",
                          LSB_DJOB_HOSTFILE=str(self.hosts))

    def whole(self):
        run, _ = self.train(*LONG, name="whole", ranks=2, env=YIELD)
        return weights(run)

    def test_pbs_restart(self):
        whole = self.whole()
        # A second beyond the two minutes that are kept for the end.
        code, said = self.ended(self.pbs("pbs/restart.pbs", 1, "00:02:01"))
        self.assertEqual(code, 75, said)
        self.assertLess(records(self.folder / "run")[-1]["epoch"], EPOCHS)
        submitted = (self.folder / "submitted").read_text()
        self.assertIn("-V -W depend=afterany:1.queue", submitted)
        self.assertIn("pbs/restart.pbs", submitted)
        self.assertIn("origin 1\n", submitted)
        self.inherited = {"SVRG_JOB_ORIGIN": "1"}
        code, said = self.ended(self.pbs("pbs/restart.pbs", 2, "10:08:09"))
        self.assertEqual(code, 0, said)
        self.assertIn("attempt 1 of job 1 ", said)
        self.assertEqual((self.folder / "submitted").read_text(), submitted, "submitted although done")
        self.assertTrue(weights(self.folder / "run") == whole)

    def test_pbs_train(self):
        code, said = self.ended(self.pbs("pbs/train.pbs", 1, "00:02:01"))
        self.assertEqual(code, 75, said)
        self.assertFalse((self.folder / "submitted").exists())
        self.assertRegex((self.folder / "run/env.txt").read_text(), r"(?m)^binding +mpirun, to none")

    def test_lsf_restart(self):
        whole = self.whole()
        job = self.lsf("lsf/restart.lsf")
        wait_for_epochs(self.folder / "run", 20, job, timeout=60)
        job.send_signal(signal.SIGUSR1)
        code, said = self.ended(job)
        self.assertEqual(code, 75, said)
        code, said = self.ended(self.lsf("lsf/restart.lsf"))
        self.assertEqual(code, 0, said)
        self.assertIn("attempt 1 of job 7 ", said)
        self.assertTrue(weights(self.folder / "run") == whole)

    def test_lsf_train(self):
        job = self.lsf("lsf/train.lsf")
        wait_for_epochs(self.folder / "run", 20, job, timeout=60)
        job.send_signal(signal.SIGTERM)
        code, said = self.ended(job)
        self.assertEqual(code, 75, said)
        self.assertTrue((self.folder / "run/env.txt").exists())


if __name__ == "__main__":
    main(needs=["h5dump", "mpirun"])
