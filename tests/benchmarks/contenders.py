"""Whoever is timed: a peer in its warmed-up process, and a build of svrg on some ranks."""
import json
import os
import pathlib
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np

from peers import PEERS

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "apps"))
from reference_table import mpi_environment  # noqa: E402

TARGETS = (1e-3, 1e-6, 1e-9)
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
                                     "BLIS_NUM_THREADS")}
DISTURBED = 0.05  # of its time without a core: a run that was is taken again,
ATTEMPTS = 3      # up to so often in all
LOADING = 120     # seconds a process may take before it trains


class Failed(Exception):
    """A contender cannot go on; the message says why."""


def undisturbed(take):
    """The first sample that had its core, else the one that missed it least."""
    samples = []
    for _ in range(ATTEMPTS):
        samples.append(take())
        if samples[-1]["waited"] <= DISTURBED:
            break
    return min(samples, key=lambda sample: sample["waited"])


def settled(options, alone=True):
    """What a child does first: to its priority, and alone to the last core, as the first one serves the
    machine's interrupts; several ranks are bound by their launcher."""
    core = max(os.sched_getaffinity(0))

    def settle():
        if options.nice:
            os.setpriority(os.PRIO_PROCESS, 0, options.nice)
            group = pathlib.Path("/proc/self/autogroup")  # where there are such, it is theirs that counts
            if group.exists():
                group.write_text(str(options.nice))
        if options.pin and alone:
            os.sched_setaffinity(0, {core})
    return settle


def end(process):
    """With all it started: it leads a session of its own."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


class PeerRun:
    """A peer on a problem. `samples` are those of the rounds, by index of the stopping value."""

    def __init__(self, name, problem, lam, options):
        self.name, self.problem, self.lam, self.options = name, problem, lam, options
        self.stops = PEERS[name].stops
        self.process, self.said, self.note = None, None, ""
        self.tried, self.found, self.samples = {}, {}, {}

    def start(self):
        folder, file = str(self.problem.path.parent), self.problem.path.stem
        self.said = tempfile.TemporaryFile()  # a pipe that nobody reads would fill
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "peers.py"), self.name, folder, file, self.lam],
            env=dict(os.environ, **ONE_THREAD), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.said, start_new_session=True, preexec_fn=settled(self.options))
        self.answer(LOADING)

    def answer(self, seconds):
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        line = self.process.stdout.readline() if ready else b""
        if line:
            return json.loads(line)
        process, self.process = self.process, None
        end(process)
        if not ready:
            raise Failed(f"stopped after {seconds:.0f} s")
        self.said.seek(0)
        said = self.said.read().decode(errors="replace").strip().splitlines()
        raise Failed(said[-1] if said else f"exit {process.returncode}")

    def ask(self, index, seconds):
        if self.process is None:
            self.start()
        self.process.stdin.write(json.dumps(self.stops[index]).encode() + b"\n")
        self.process.stdin.flush()
        return self.answer(seconds)

    def search(self):
        """Which stopping values are the first to reach each target, within the budget of seconds."""
        left = self.options.budget
        try:
            self.start()
            for target in TARGETS:
                for index in iter(lambda: self.next_to_try(target), None):
                    before = time.monotonic()
                    # One run may be as long as the budget: of a peer that slow, only one is wanted.
                    self.tried[index] = self.ask(index, self.options.budget)
                    left -= time.monotonic() - before
                    if left < 0:
                        raise Failed("stopped: its budget is spent")
                if self.best_known(target) is None:
                    self.note = f"its last stopping value gives {self.best_excess():.0e}"
                    break
        except Failed as why:
            self.note = str(why)
        self.found = {t: i for t in TARGETS if (i := self.best_known(t)) is not None}

    def best_excess(self):
        return max(0.0, min(sample["excess"] for sample in self.tried.values()))

    def best_known(self, target):
        return min((i for i, sample in self.tried.items() if sample["excess"] <= target), default=None)

    def next_to_try(self, target):
        """Two values on from the finest that falls short; then between it and what reaches."""
        high, last = self.best_known(target), len(self.stops) - 1
        low = max((i for i, sample in self.tried.items()
                   if sample["excess"] > target and (high is None or i < high)), default=-1)
        if high is None:
            return None if low == last else min(low + 2, last)
        return None if high - low <= 1 else (low + high) // 2

    def seconds_tried(self, target):
        index = self.found.get(target)
        return float("inf") if index is None else self.tried[index]["seconds"]

    def repeated(self, best):
        """Which values the rounds time again: those with which it is among the quickest."""
        return sorted({i for t, i in self.found.items()
                       if self.tried[i]["seconds"] <= self.options.near * best[t]})

    def round(self, best):
        for index in self.repeated(best):
            self.samples.setdefault(index, []).append(
                undisturbed(lambda i=index: self.ask(i, 4 * self.options.budget)))

    def close(self):
        if self.process is not None:
            self.process.stdin.close()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                end(self.process)
            self.process = None

    def report(self):
        values = {str(t): self.stops[i] for t, i in self.found.items()}
        taken = {str(t): self.samples.get(i, [self.tried[i]]) for t, i in self.found.items()}
        tried = [dict(self.tried[i], stop=self.stops[i]) for i in sorted(self.tried)]
        return {"stops": values, "samples": taken, "search": tried, "note": self.note}


class Program:
    """A build of svrg on a problem and some ranks. One run that keeps its record gives the curve of the
    objective; as the same build, seed and ranks give the same bits, the rounds only have to time runs
    that end, by --epochs, at the first outer iteration below a target."""

    def __init__(self, name, path, ranks, problem, lam, options, folder):
        self.name, self.ranks, self.problem, self.lam, self.options = name, ranks, problem, lam, options
        self.run = pathlib.Path(folder) / "run"
        launcher = [options.mpirun, "-n", str(ranks)] + (["--bind-to", "core"] if options.pin else [])
        self.command = (launcher if ranks > 1 else []) + [
            str(path), "train", str(problem.path), "--model", problem.loss, "--l2", lam,
            "--no-intercept", "--tol-grad", "1e-10"]
        self.curve, self.found, self.samples, self.solver, self.note = [], {}, {}, "", ""

    def search(self, objective, best):
        self.best = best
        try:
            self.record(objective)
        except Failed as why:
            self.note = str(why)
        for target in TARGETS:
            reaching = [point["outer"] for point in self.curve if point["excess"] <= target]
            if reaching:
                self.found[target] = max(1, reaching[0])

    def record(self, objective):
        shutil.rmtree(self.run, ignore_errors=True)
        result, said, _ = self.execute(["-o", str(self.run)])
        self.solver = next((line[6:].strip() for line in said if line.startswith("solver")), "")
        for line in (self.run / "log.jsonl").read_text().splitlines():
            at = json.loads(line)
            self.curve.append({"outer": at["epoch"], "passes": at["passes"],
                               "seconds": at["wall_seconds"], "allreduces": at["messages"],
                               "excess": (at["objective"] - self.best) / self.best,
                               "bytes": at["bytes_communicated"]})
        # The record is believed because the weights in the model, evaluated here, say the same.
        with h5py.File(self.run / "model.h5") as model:
            weights = np.asarray(model["params/linear/weight"], np.float64).ravel()
        off = abs(objective.value(weights) - result["objective"]) / self.best
        if off > 1e-12:
            self.curve = []
            raise Failed(f"its objective is off by {off:.0e} of what its weights give")

    def round(self):
        try:
            for outer in sorted(set(self.found.values())):
                self.samples.setdefault(outer, []).append(undisturbed(lambda k=outer: self.timed(k)))
        except Failed as why:
            self.note, self.found = str(why), {}

    def timed(self, outer):
        result, _, waited = self.execute(["--epochs", str(outer)])
        excess = (result["objective"] - self.best) / self.best
        if excess > max(target for target, at in self.found.items() if at == outer):
            raise Failed(f"ends elsewhere with --epochs {outer}: {excess:.0e} above the optimum")
        return {"seconds": result["seconds_train"], "waited": waited, "excess": excess}

    def execute(self, more):
        """JSON line, lines said, and the share of time without a core (0 for several ranks: unknown)."""
        started = time.perf_counter()
        with open(f"{self.run}.out", "w+") as out, open(f"{self.run}.err", "w+") as err:
            process = subprocess.Popen(self.command + more, env=mpi_environment() | ONE_THREAD,
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                       start_new_session=True,
                                       preexec_fn=settled(self.options, self.ranks == 1))
            handle = os.pidfd_open(process.pid)
            ended, _, _ = select.select([handle], [], [], LOADING + 4 * self.options.budget)
            os.close(handle)
            if not ended:
                end(process)
                raise Failed("no end in time")
            waited, lasted = 0.0, time.perf_counter() - started
            if self.ranks == 1:  # it has ended and is not reaped: its counters can still be read
                try:
                    text = pathlib.Path(f"/proc/{process.pid}/schedstat").read_text()
                    waited = int(text.split()[1]) * 1e-9 / lasted
                except (OSError, IndexError, ValueError):
                    pass
            code = process.wait()
            out.seek(0), err.seek(0)
            lines, said = out.read().strip().splitlines(), err.read().splitlines()
        if code != 0:
            errors = [line for line in said if "error" in line] or said[-1:] or [f"exit {code}"]
            raise Failed(errors[0])
        return json.loads(lines[-1]), said, waited

    def engine(self):
        """In one word, from the line of the screen that says how it trains."""
        inner = re.search(r"inner engine (\w+)", self.solver)
        return inner[1] if inner else re.split(r"[,(;]", self.solver)[0].strip() or "?"

    def report(self):
        return {"name": self.name, "ranks": self.ranks, "command": shlex.join(self.command),
                "solver": self.solver, "engine": self.engine(), "curve": self.curve,
                "outers": {str(t): k for t, k in self.found.items()},
                "samples": {str(t): self.samples[k] for t, k in self.found.items()}, "note": self.note}
