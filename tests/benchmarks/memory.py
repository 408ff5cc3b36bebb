#!/usr/bin/env python3
"""Peak memory of `svrg train`, beside what its rows and vectors may take.

What a run takes is the largest resident set of each rank, `max_rss` of its record, less that of the
same run on 50 rows of 2 features: programs, libraries and MPI. What it may take is
  1.6 times its rows, or 1.3 times with --inner-copy none,
  + 8 doubles a row and class + 8 vectors of weights + one square of their number where the solver keeps
  a factor, that is where the engine is ssn, newton or direct.
Rows are what is stored of them: values, or values, columns and where each begins.
Exit 0: all within; 1: one is not; 77: no NumPy, SciPy or h5py, or none of the problems.
"""
import argparse
import datetime
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

from compare import ROOT, add_places, enter_venv, say, selected
from loading import PACKAGES, text_of

FACTORED = ("ssn", "newton", "direct")
ROW = ["--engine", "row"]  # chains on a copy of the rows in single precision
NO_COPY = [*ROW, "--inner-copy", "none"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--problems", default="covtype-like,epsilon-like,rcv1-like,year-like,news20b",
                        help="comma-separated")
    parser.add_argument("--ranks", default="1,2")
    parser.add_argument("--svrg", type=pathlib.Path, default=ROOT / "build/bin/svrg")
    add_places(parser)
    parser.add_argument("--markdown", action="store_true", help="the table as Markdown")
    return parser.parse_args()


def train(options, data, loss, ranks, more, folder):
    """Largest resident set of any rank in bytes, all files written, and the engine's name."""
    from contenders import ONE_THREAD, mpi_environment
    run = pathlib.Path(folder) / "run"
    launcher = [options.mpirun, "-n", str(ranks)] if ranks > 1 else []
    command = launcher + [str(options.svrg), "train", str(data), "--model", loss, "--no-intercept",
                          "--epochs", "8", "--overwrite", "-o", str(run), *more]
    # A process that takes the place of another's child begins with the size that the parent had: the
    # shell is a small parent.
    done = subprocess.run(["sh", "-c", '"$@"; exit $?', "sh", *command], stdin=subprocess.DEVNULL,
                          env=mpi_environment() | ONE_THREAD, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{shlex.join(command)}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
    named = re.search(r"inner engine (\w+)", done.stderr)
    solver = re.search(r"^solver\s+(\w+)", done.stderr, re.MULTILINE)
    return json.loads(done.stdout.splitlines()[-1])["memory_peak"], named[1] if named else solver[1] if solver else "?"


def rows_bytes(problem, ranks, text):
    """Of the largest rank, whose share is even to a row."""
    import numpy as np
    # Text is stored dense where half of it is there, HDF5 as it is in the file.
    stored = np.count_nonzero(problem.rows) if text and not problem.sparse else problem.stored
    if problem.sparse or stored < 0.5 * problem.n * problem.d:
        return (12 * stored + 8 * problem.n) / ranks
    return 8 * problem.n * problem.d / ranks


def allowed(problem, rows, ranks, more, engine):
    import numpy as np
    classes = len(np.unique(problem.labels)) if problem.loss == "softmax" else 1
    weights = problem.d * classes
    return ((1.3 if more == NO_COPY else 1.6) * rows + 8 * 8 * classes * problem.n / ranks +
            8 * 8 * weights + (8 * weights**2 if engine in FACTORED else 0))


def measure(problem, options, folder):
    tiny = pathlib.Path(folder) / "tiny.svm"
    tiny.write_text("".join(f"{'+-'[i % 2]}1 1:{i} 2:{50 - i}\n" for i in range(1, 51)))
    text = text_of(problem, 6, 0)
    for ranks in map(int, options.ranks.split(",")):
        first_engine = ""
        for more in [], ROW, NO_COPY:
            if more == ROW and first_engine == "row":
                continue
            case = {"problem": problem.name, "ranks": ranks, "options": more, "sources": {}}
            empty, _ = train(options, tiny, "linear" if problem.loss == "linear" else "logistic",
                             ranks, more, folder)
            case["empty"] = empty
            for source, data in ("HDF5", problem.path), ("text", text):
                taken, case["engine"] = train(options, data, problem.loss, ranks, more, folder)
                rows = rows_bytes(problem, ranks, source == "text")
                case["sources"][source] = {
                    "used": taken - case["empty"], "rows": rows,
                    "allowed": allowed(problem, rows, ranks, more, case["engine"])}
            first_engine = first_engine or case["engine"]
            yield case


def rows_of(cases):
    def megabytes(case, what):
        return " / ".join(f"{source[what] / 1e6:.1f}" for source in case["sources"].values())

    def ratio(case, what):
        return max(source["used"] / source[what] for source in case["sources"].values())
    for case in cases:
        yield [case["problem"], case["ranks"], case["engine"], " ".join(case["options"]) or "–",
               *(megabytes(case, what) for what in ("rows", "allowed", "used")),
               f"{ratio(case, 'allowed'):.2f}", f"{ratio(case, 'rows'):.2f}"]


def main():
    options = arguments()
    if not options.no_venv:
        enter_venv(options.venv, PACKAGES)
    try:
        import problems
    except ImportError as error:
        print(f"skipped: {error}")
        return 77
    import tables
    result = {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
              "command": shlex.join(["tests/benchmarks/memory.py", *sys.argv[1:]]),
              "machine": tables.machine(), "cases": []}
    for name in selected(options.problems, problems.NAMES, "problem"):
        try:
            problem = problems.find_or_make(name, options.data, options.seed)
        except LookupError as error:
            say(f"skipped: {name}: {error.args[0]}")
            continue
        with tempfile.TemporaryDirectory(prefix="svrg-memory-") as folder:
            for case in measure(problem, options, folder):
                say(*next(iter(rows_of([case]))))
                result["cases"].append(case)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))
    if not result["cases"]:
        return 77
    print(f"{result['date']}, {result['machine']['cpu']}\n\n`{result['command']}`\n")
    tables.table(["problem", "ranks", "engine", "options", "rows, MB: HDF5 / text", "allowed, MB",
                  "used, MB", "used : allowed", "used : rows"], list(rows_of(result["cases"])),
                 options.markdown)
    return 0 if all(source["used"] <= source["allowed"] for case in result["cases"]
                    for source in case["sources"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
