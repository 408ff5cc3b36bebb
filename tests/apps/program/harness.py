"""Runs the svrg program as a user does: by command line, under mpirun, looking only at exit code,
output and files. Standard library only."""
import array
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAM = os.environ.get("SVRG_PROGRAM") or str(ROOT / "build/bin/svrg")
MPIRUN = os.environ.get("SVRG_MPIRUN") or "mpirun"
DATA = ROOT / "apps/data"
WDBC, WDBC_TEST = str(DATA / "wdbc.train.svm"), str(DATA / "wdbc.test.svm")
DIGITS, DIGITS_TEST = str(DATA / "digits.train.svm"), str(DATA / "digits.test.svm")
TIMEOUT = 60  # seconds; nothing here takes 10, so whoever reaches it hangs


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        """The line that a command ends with."""
        return json.loads(self.out.strip().splitlines()[-1])

    @property
    def errors(self):
        """The program's own messages, without what mpirun adds about a failed job."""
        return [line for line in (self.err + self.out).splitlines() if "svrg: error" in line]

    def __str__(self):
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


def environment(extra=None):
    """What jobscripts/mpi_env.sh sets; a setting of the caller's own svrg must not reach the tests."""
    mine = {key: value for key, value in os.environ.items()
            if not key.startswith("SVRG_") and not key.startswith("SLURM_")}
    mine.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                OMPI_MCA_rmaps_base_oversubscribe="1",
                OMPI_MCA_btl_vader_single_copy_mechanism="none")
    mine.update(extra or {})
    return mine


def command(args, ranks):
    launcher = [MPIRUN, "-n", str(ranks)] if ranks else []
    return launcher + [PROGRAM] + [str(a) for a in args]


def svrg(*args, ranks=0, env=None, timeout=TIMEOUT):
    """ranks=0: without a launcher. A run that does not end in time fails the test."""
    # A session of its own: whatever hangs is ended with all it started.
    process = subprocess.Popen(command(args, ranks), env=environment(env), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               start_new_session=True)
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        end(process)
        raise AssertionError(f"hangs: {' '.join(command(args, ranks))}") from None
    return Result(process.returncode, out, err)


def start(*args, ranks):
    """A run in the background, to be interrupted. Its output goes to a file: a pipe would fill."""
    said = tempfile.TemporaryFile("w+")
    process = subprocess.Popen(command(args, ranks), env=environment(), stdin=subprocess.DEVNULL,
                               stdout=said, stderr=said, text=True, start_new_session=True)
    process.said = said
    return process


def wait(process):
    """Its exit code and all it said."""
    try:
        code = process.wait(TIMEOUT)
    except subprocess.TimeoutExpired:
        end(process)
        raise AssertionError(f"hangs: {process.args}") from None
    process.said.seek(0)
    with process.said as said:
        return Result(code, said.read(), "")


def end(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def rank_pids(launcher):
    """The processes that a launcher started."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue  # gone meanwhile
        if int(fields[1]) == launcher.pid:
            found.append(int(stat.parent.name))
    return sorted(found)


def until(condition, timeout=20):
    """Whether it came true in time."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def alive(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_for_epochs(run, count, process, timeout=30):
    """Until `count` epochs are in the run's record."""
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        if process.poll() is not None:
            raise AssertionError(f"ended by itself: {wait(process)}")
        if (run / "log.jsonl").exists() and len(records(run)) >= count:
            return
        time.sleep(0.005)
    raise AssertionError(f"no {count} epochs in {timeout} s")


def records(run):
    """log.jsonl as a list; a line still being written is left out."""
    lines = (run / "log.jsonl").read_text().split("\n")[:-1]
    return [json.loads(line) for line in lines]


def dataset(path, name):
    """The bytes of one dataset, by h5dump: what is on disk, not what some reader makes of it."""
    with tempfile.NamedTemporaryFile() as out:
        done = subprocess.run(["h5dump", "-d", name, "-b", "LE", "-o", out.name, str(path)],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"h5dump -d {name} {path}: {done.stderr}")
        return pathlib.Path(out.name).read_bytes()


def weights(run, parts=("weight", "bias"), layers=("linear",)):
    """All parameters of run/model.h5, one after the other, bit for bit."""
    return b"".join(dataset(pathlib.Path(run) / "model.h5", f"/params/{layer}/{part}")
                    for layer in layers for part in parts)


def numbers(raw):
    values = array.array("d")
    values.frombytes(raw)
    return list(values)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="svrg-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def succeeds(self, *args, **how):
        result = svrg(*args, **how)
        self.assertEqual(result.code, 0, f"{args}: {result}")
        return result

    def fails(self, code, *args, says=(), **how):
        """Ends with `code` and one line of its own that contains all of `says`."""
        result = svrg(*args, **how)
        self.assertEqual(result.code, code, f"{args}: {result}")
        self.assertEqual(len(result.errors), 1, f"{args}: {result}")
        for text in says:
            self.assertIn(text, result.errors[0])
        return result

    def train(self, *args, name="run", ranks=0, **how):
        """Trains into a folder of its own; returns the folder and the final JSON line."""
        run = self.folder / name
        result = self.succeeds("train", *args, "-o", run, ranks=ranks, **how)
        return run, result.json


def main(needs=()):
    missing = [tool for tool in needs if shutil.which(tool) is None]
    if missing:
        print(f"skipped: {', '.join(missing)} not found")
        sys.exit(77)
    if not pathlib.Path(PROGRAM).exists():
        sys.exit(f"no program at {PROGRAM}: build it first")
    unittest.main(verbosity=2)
