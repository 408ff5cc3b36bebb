#!/usr/bin/env python3
"""Seconds to read svmlight text: svrg beside the readers of scikit-learn and XGBoost, and beside itself
on two ranks and from the HDF5 file that `svrg convert` makes; interleaved, each in a fresh process.

The text is a problem's rows with so many significant digits, repeated until the file is large enough.
svrg's seconds are `seconds_load` of its last line, which counts from its start to rows in their final,
shuffled order with checked labels; a peer's are those of the one call that returns a matrix.
Exit 0: done; 77: no NumPy, SciPy or h5py, or none of the problems.
"""
import argparse
import datetime
import json
import os
import pathlib
import shlex
import subprocess
import sys

from compare import ROOT, add_places, add_priority, builds, enter_venv, say, selected

PACKAGES = ["numpy", "scipy", "h5py", "scikit-learn", "xgboost-cpu"]
READERS = {
    "sklearn": ("import sklearn.datasets",
                "sklearn.datasets.load_svmlight_file(path)"),
    "xgboost": ("import xgboost",
                "xgboost.DMatrix(path + '?format=libsvm', nthread=1)"),
}
READ = """
import json, time, warnings
warnings.simplefilter('ignore')
{module}
path = {path!r}
before = time.perf_counter(), time.process_time()
matrix = {call}
wall, cpu = (b - a for a, b in zip(before, (time.perf_counter(), time.process_time())))
print(json.dumps({{'seconds': wall, 'waited': 1 - cpu / wall}}))
"""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--problems", default="covtype-like,rcv1-like,a9a", help="comma-separated")
    parser.add_argument("--digits", default="6,17", help="significant ones of a value, comma-separated")
    parser.add_argument("--megabytes", type=int, default=200, help="of text, at least")
    parser.add_argument("--repeats", type=int, default=5, help="rounds over all contenders")
    parser.add_argument("--svrg", action="append", metavar="[NAME=]PATH",
                        help="may be repeated: builds to be compared; default: build/bin/svrg")
    parser.add_argument("--peers", default="all", help="comma-separated, or all, or none")
    add_priority(parser)
    add_places(parser)
    parser.add_argument("--markdown", action="store_true", help="the table as Markdown")
    return parser.parse_args()


# ---- files

def lines_of(problem, digits):
    """The problem as svmlight text."""
    import scipy.sparse
    rows, labels = scipy.sparse.csr_matrix(problem.rows), problem.labels
    rows.sort_indices()
    entry = f"%d:%.{digits}g"
    for i, label in enumerate(labels):
        one = slice(rows.indptr[i], rows.indptr[i + 1])
        entries = map(entry.__mod__, zip((rows.indices[one] + 1).tolist(), rows.data[one].tolist()))
        yield " ".join([f"{label:+.{digits}g}", *entries]) + "\n"


def text_of(problem, digits, megabytes):
    """The file, made where there is none: the rows once, or so often that it has such a size."""
    path = problem.path.with_name(f"{problem.name}-{digits}-digits-{megabytes}.svm")
    if not path.exists():
        say(f"writing {path}")
        text = "".join(lines_of(problem, digits)).encode()
        unfinished = path.with_suffix(".part")
        with open(unfinished, "wb") as file:
            file.write(text)
            while file.tell() < megabytes * 10**6:
                file.write(text)
        unfinished.rename(path)
    return path


def converted(program, text):
    path = text.with_suffix(".h5")
    if not path.exists():
        subprocess.run([program, "convert", text, path, "--quiet", "--no-json"], check=True)
    return path


# ---- contenders: each a function that reads once

def child(command, options, alone=True):
    """The last line of its standard output, and the share of time it had no core for."""
    from contenders import ONE_THREAD, Failed, mpi_environment, settled
    done = subprocess.run(command, env=mpi_environment() | ONE_THREAD, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, preexec_fn=settled(options, alone))
    if done.returncode != 0:
        raise Failed((done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1])
    return json.loads(done.stdout.strip().splitlines()[-1])


def peer(name, path, options):
    module, call = READERS[name]
    code = READ.format(module=module, call=call, path=str(path))
    return lambda: child([sys.executable, "-c", code], options)


def program(binary, path, loss, ranks, options):
    launcher = [options.mpirun, "-n", str(ranks)] + (["--bind-to", "core"] if options.pin else [])
    command = (launcher if ranks > 1 else []) + [
        str(binary), "train", str(path), "--model", loss, "--epochs", "1", "--quiet"]

    def read():
        before = os.times()
        result = child(command, options, ranks == 1)
        after = os.times()
        spent = after.children_user + after.children_system
        spent -= before.children_user + before.children_system
        # Several ranks spin while they wait, so that nothing is known of them.
        waited = 0 if ranks > 1 else max(0, 1 - spent / result["seconds_total"])
        return {"seconds": result["seconds_load"], "waited": waited}
    return read


def contenders(problem, text, options, unavailable):
    """[(who, file, function)]."""
    listed = []
    for name, binary in builds(options):
        binary_file = converted(binary, text)
        listed += [(f"{name}, 1 rank", text, program(binary, text, problem.loss, 1, options)),
                   (f"{name}, 2 ranks", text, program(binary, text, problem.loss, 2, options)),
                   (f"{name}, HDF5", binary_file,
                    program(binary, binary_file, problem.loss, 1, options))]
    for name in selected(options.peers, READERS, "peer"):
        if name not in unavailable:
            listed.append((name, text, peer(name, text, options)))
    return listed


def measure(problem, digits, options, unavailable):
    from contenders import Failed, undisturbed
    text = text_of(problem, digits, options.megabytes)
    case = {"problem": problem.name, "digits": digits, "bytes": text.stat().st_size, "samples": {},
            "load_before": os.getloadavg(), "notes": {}}
    turns = contenders(problem, text, options, unavailable)
    for path in {path for _, path, _ in turns}:
        path.read_bytes()  # into the system's cache
    for number in range(options.repeats):
        first = number % len(turns)
        for who, _, read in turns[first:] + turns[:first]:
            if who in case["notes"]:
                continue
            try:
                case["samples"].setdefault(who, []).append(undisturbed(read))
            except Failed as why:
                case["notes"][who] = str(why)
                say(f"  {who}: {why}")
    case["load_after"] = os.getloadavg()
    return case


# ---- the table

def rows_of(cases):
    import tables
    for case in cases:
        times = {who: [s["seconds"] for s in samples] for who, samples in case["samples"].items()}
        own = next(iter(times))  # svrg on one rank
        for who, seconds in times.items():
            ratio = "" if who == own else tables.spread(tables.ratios(seconds, times[own]))
            yield [f"{case['problem']}, {case['digits']} digits", f"{case['bytes'] / 1e6:.0f}", who,
                   tables.spread(seconds), f"{case['bytes'] / 1e6 / tables.middle(seconds):,.0f}", ratio]


def show(result, markdown):
    import tables
    where = result["machine"]
    print(f"{result['date']}, {where['cpu']}, {where['cores']} cores; "
          f"load {where['load'][0]:.2f} at the start\n")
    print("; ".join(f"{name} {version}" for name, version in result["python"].items()) + "\n")
    print(f"`{result['command']}`\n")
    tables.table(["problem", "MB of text", "reader", "seconds", "MB of text a second",
                  "its time over that of svrg on 1 rank"], list(rows_of(result["cases"])), markdown)


def main():
    options = arguments()
    if options.nice < 0 and os.geteuid() != 0:
        sys.exit("--nice: only root may raise a priority")
    if not options.no_venv:
        enter_venv(options.venv, PACKAGES)
    try:
        import problems
    except ImportError as error:
        print(f"skipped: {error}")
        return 77
    import tables
    unavailable = {}
    for name, (module, _) in READERS.items():
        try:
            exec(module, {})  # a package built for another release fails in its own ways
        except Exception as error:
            unavailable[name] = f"{type(error).__name__}: {error}"
            say(f"skipped: {name}: {unavailable[name]}")
    result = {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
              "command": shlex.join(["tests/benchmarks/loading.py", *sys.argv[1:]]),
              "machine": tables.machine(), "python": tables.versions(PACKAGES),
              "unavailable": unavailable, "cases": []}
    for name in selected(options.problems, problems.NAMES, "problem"):
        try:
            problem = problems.find_or_make(name, options.data, options.seed)
        except LookupError as error:
            say(f"skipped: {name}: {error.args[0]}")
            continue
        short = (problem.rows.data if problem.sparse else problem.rows) % 1 == 0
        for digits in [6] if short.all() else map(int, options.digits.split(",")):
            say(f"{name}, {digits} digits")
            result["cases"].append(measure(problem, digits, options, unavailable))
            if options.json:
                options.json.write_text(json.dumps(result, indent=1))
    if not result["cases"]:
        return 77
    show(result, options.markdown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
