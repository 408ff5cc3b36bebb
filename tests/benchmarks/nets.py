#!/usr/bin/env python3
"""Training of small nets: svrg beside PyTorch, and with --mxnet beside the original's SVRGModule.fit.

Each peer lives in a virtual environment, made where there is none, from PyPI (PyTorch is some gigabytes;
mxnet 1.9.1 needs Python 3.11 or older). Rounds go over all of them, on one core and one thread; ratios
are made round by round. CPU time throughout. Exit 0: done; 77: no peer can be had.
"""
import argparse
import datetime
import json
import os
import pathlib
import shlex
import shutil
import statistics
import subprocess
import sys

import tables

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
MXNET = ["numpy<1.24", "mxnet==1.9.1"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--bench", type=pathlib.Path, default=ROOT / "build/bin/nets_bench")
    parser.add_argument("--mxnet", action="store_true", help="the original instead of PyTorch")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--venv", type=pathlib.Path, default=ROOT / "build/bench-venv")
    parser.add_argument("--mxnet-venv", type=pathlib.Path, default=ROOT / "build/mxnet-venv")
    parser.add_argument("--markdown", action="store_true", help="the table as Markdown")
    return parser.parse_args()


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def python_in(folder, packages, newest=(99, 0)):
    """The Python of an environment with the packages. Raises LookupError saying why there is none."""
    python = folder / "bin/python"
    if not python.exists():
        names = [sys.executable] + [f"python3.{minor}" for minor in range(newest[1], 7, -1)]
        able = [name for name in names if shutil.which(name) and version_of(name) <= newest]
        if not able:
            raise LookupError(f"no Python {newest[0]}.{newest[1]} or older")
        say(f"making {folder}")
        subprocess.run([able[0], "-m", "venv", str(folder)], check=True)
    name = packages[-1].partition("=")[0]
    if subprocess.run([python, "-c", f"import {name}"], capture_output=True).returncode != 0:
        say(f"installing {name}")
        done = subprocess.run([python, "-m", "pip", "install", "--quiet", *packages],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise LookupError(f"cannot install {name}: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    return python


def version_of(python):
    code = "import sys; print(*sys.version_info[:2])"
    said = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, said.split()))


class Peer:
    """A peer in its warmed-up process. Raises LookupError where it cannot start."""

    def __init__(self, name, python):
        self.process = subprocess.Popen([python, str(HERE / "nets_peers.py"), name], text=True,
                                        env=dict(os.environ, **ONE_THREAD), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.process.stdout.readline().strip() != "ready":
            said = self.process.communicate()[1].strip().splitlines() or ["?"]
            raise LookupError(f"{name} does not start: {said[-1]}")

    def ask(self, *words):
        print(*words, file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())


def ours(bench, name, seconds=0.5):
    """The counters of a benchmark."""
    said = subprocess.run([bench, f"--benchmark_filter=^{name}$", f"--benchmark_min_time={seconds}",
                           "--benchmark_format=json"], env=dict(os.environ, **ONE_THREAD), check=True,
                          capture_output=True, text=True).stdout
    return json.loads(said)["benchmarks"][0]


def steps(options, peer):
    header = ["net", "step", "batch", "svrg", "PyTorch", "ratio", "share of the products' speed"]
    cases = [(net, step, batch) for net in ("mlp", "lenet") for step in ("sgd", "svrg") for batch in (64, 256)]
    samples = {case: [] for case in cases}
    for number in range(options.rounds):
        for net, step, batch in cases:
            # Another one comes first in every second round.
            turns = [lambda: ours(options.bench, f"step/{net}/{step}/{batch}")["samples"],
                     lambda: peer.ask(net, step, batch),
                     lambda: ours(options.bench, f"gemm/{net}/{batch}")["samples"]]
            taken = [turn() for turn in turns] if number % 2 else [turn() for turn in turns[::-1]][::-1]
            samples[net, step, batch].append(taken)
    rows = []
    for (net, step, batch), taken in samples.items():
        evaluations = 2 if step == "svrg" else 1
        mine, theirs, limit = (statistics.median(column) for column in zip(*taken))
        rows.append([net, step, batch, f"{mine:,.0f}", f"{theirs:,.0f}",
                     tables.spread([a / b for a, b, _ in taken]),
                     f"{100 * mine * evaluations / limit:.0f} %"])
    return "samples a second", header, rows


def epochs(options, peer):
    header = ["net", "batch", "svrg", "MXNet", "ratio"]
    rows, count = [], 60000
    for batch in (64, 256):
        taken = [(ours(options.bench, f"fit/mlp/{batch}")["epoch"], peer.ask(count, batch))
                 for _ in range(options.rounds)]
        mine, theirs = (statistics.median(column) for column in zip(*taken))
        rows.append(["mlp", batch, f"{mine:.2f}", f"{theirs:.1f}",
                     tables.spread([a / b for a, b in taken])])
    return f"seconds an epoch of {count:,} samples, a full gradient every other epoch", header, rows


def main():
    options = arguments()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # and all children
    try:
        if options.mxnet:
            peer = Peer("mxnet", python_in(options.mxnet_venv, MXNET, (3, 11)))
        else:
            peer = Peer("torch", python_in(options.venv, ["torch"]))
    except LookupError as why:
        print(f"skipped: {why}")
        return 77
    what, header, rows = (epochs if options.mxnet else steps)(options, peer)
    where = tables.machine()
    print(f"{datetime.date.today()}, {where['cpu']}, {where['cores']} cores; "
          f"{', '.join(where['instruction_sets'])}; load {where['load'][0]:.2f} at the end\n")
    print(f"`{shlex.join(['tests/benchmarks/nets.py', *sys.argv[1:]])}`, {what}, median [least–most]\n")
    tables.table(header, rows, options.markdown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
