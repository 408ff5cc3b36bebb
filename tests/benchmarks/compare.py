#!/usr/bin/env python3
"""Time to 1e-3, 1e-6 and 1e-9 of relative suboptimality, (f - f*)/f*: svrg beside the programs that a
user would take instead, interleaved on the same data, with one thread or rank each.

Without --no-venv it runs itself in a virtual environment, made where there is none, with the peers
from PyPI; one that cannot be installed is named as skipped. Seconds are of training: all have the data
in memory. A peer is given a list of stopping values, and its time is that of the first one that reaches
the target; svrg's is that of a run with --epochs k, k being the first outer iteration that does.
Exit 0: done; 1: no svrg run reached a target; 77: no NumPy, SciPy or h5py, or none of the problems.
"""
import argparse
import datetime
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
QUICK = ["covtype-like", "epsilon-like", "rcv1-like", "year-like"]


def add_priority(parser):
    parser.add_argument("--pin", action="store_true", help="each contender to one core")
    parser.add_argument("--nice", type=int, default=0,
                        help="priority of all contenders, such as -10 on a machine that others use, too")


def add_places(parser):
    """Where problems and peers are, and where results go."""
    parser.add_argument("--seed", type=int, default=1, help="of the synthetic problems")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "build/bench-problems",
                        help="folder in which the problems are kept")
    parser.add_argument("--venv", type=pathlib.Path, default=ROOT / "build/bench-venv")
    parser.add_argument("--no-venv", action="store_true", help="use the Python that runs this")
    parser.add_argument("--mpirun", default="mpirun")
    parser.add_argument("--json", type=pathlib.Path, help="write everything that was measured here")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--problems", default="all", help="comma-separated, or all, or synthetic")
    parser.add_argument("--peers", default="all", help="comma-separated, or all, or none")
    parser.add_argument("--lam", default="1/n", help="comma-separated, such as 1/n,0.1/n,0.01/n")
    parser.add_argument("--ranks", default="1", help="of svrg, such as 1,2")
    parser.add_argument("--svrg", action="append", metavar="[NAME=]PATH",
                        help="may be repeated: builds to be compared; default: build/bin/svrg")
    parser.add_argument("--repeats", type=int, default=3, help="rounds over all contenders")
    parser.add_argument("--budget", type=float, default=20,
                        help="seconds in which a peer's stopping values are sought, a problem")
    parser.add_argument("--near", type=float, default=3,
                        help="peers slower than so many times the best are timed once only")
    add_priority(parser)
    add_places(parser)
    parser.add_argument("--markdown", action="store_true", help="the tables as Markdown")
    parser.add_argument("--show", type=pathlib.Path, metavar="JSON",
                        help="only print the tables of such a file")
    return parser.parse_args()


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def enter_venv(folder, packages=None):
    """Goes on in the environment's Python, with these packages or those of peers.py; returns only if
    this is it, or it cannot be made."""
    if pathlib.Path(sys.prefix).resolve() == folder.resolve():
        return
    python = folder / "bin/python"
    if not python.exists():
        say(f"making {folder}")
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    sys.path.insert(0, str(HERE))
    from peers import PACKAGES
    listed = subprocess.run([python, "-m", "pip", "list", "--format", "json"], capture_output=True,
                            check=True, text=True).stdout
    there = {package["name"] for package in json.loads(listed)}
    for package in packages or PACKAGES:
        if package in there:
            continue
        say(f"installing {package}")  # one by one, so that one that fails is the only one missing
        done = subprocess.run([python, "-m", "pip", "install", "--quiet", package],
                              capture_output=True, text=True)
        if done.returncode != 0:
            say(f"cannot install {package}: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    os.execv(python, [str(python), *sys.argv])


def builds(options):
    """[(name, path)] of --svrg."""
    listed = []
    for given in options.svrg or [str(ROOT / "build/bin/svrg")]:
        name, _, path = given.rpartition("=")
        path = pathlib.Path(path).resolve()
        if not os.access(path, os.X_OK):
            sys.exit(f"no program at {path}: build it first, or name one by --svrg")
        listed.append((name or path.name, path))
    if len({name for name, _ in listed}) < len(listed):
        sys.exit("--svrg: two builds of one name")
    return listed


def selected(given, known, what, short=None):
    if given == "none":
        return []
    names = (short or {}).get(given) or (list(known) if given == "all" else given.split(","))
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"no such {what}: {', '.join(unknown)}; there are {', '.join(known)}")
    return names


def compare(problem, lam, options, unavailable):
    """Everything measured on one problem at one lambda."""
    from contenders import TARGETS, PeerRun, Program
    from peers import PEERS
    objective, optimum = problem.objective(lam), problem.optimum(lam)
    case = {"problem": problem.name, "lam": lam, "loss": problem.loss, "rows": problem.n,
            "features": problem.d, "sparse": problem.sparse, "stored": problem.stored,
            "optimum": optimum, "load_before": os.getloadavg(), "skipped": {}}
    peers = []
    for name in selected(options.peers, PEERS, "peer"):
        if not PEERS[name].suits(problem):
            continue
        if PEERS[name].package in unavailable:
            case["skipped"][name] = unavailable[PEERS[name].package]
            continue
        peer = PeerRun(name, problem, lam, options)
        peer.search()
        say(f"  {name}: " + ", ".join(f"{peer.seconds_tried(t):.3g} s" for t in TARGETS), peer.note)
        peers.append(peer)
    best = {t: min((peer.seconds_tried(t) for peer in peers), default=0) for t in TARGETS}
    with tempfile.TemporaryDirectory(prefix="svrg-compare-") as folder:
        programs = [Program(name, path, int(ranks), problem, lam, options, folder)
                    for name, path in builds(options) for ranks in options.ranks.split(",")]
        for program in programs:
            program.search(objective, optimum["value"])
        turns = [program.round for program in programs]
        turns += [lambda p=p: rounds_of(p, best) for p in peers if p.repeated(best)]
        try:
            for number in range(options.repeats):
                # Another one begins each round, so that nobody always comes after the same.
                first = number % len(turns)
                for turn in turns[first:] + turns[:first]:
                    turn()
        finally:
            for peer in peers:
                peer.close()
    case["load_after"] = os.getloadavg()
    case["peers"] = {peer.name: peer.report() for peer in peers}
    case["svrg"] = [program.report() for program in programs]
    return case


def rounds_of(peer, best):
    from contenders import Failed
    try:
        peer.round(best)
    except Failed as why:
        peer.note = str(why)


def main():
    options = arguments()
    if options.nice < 0 and os.geteuid() != 0:
        sys.exit("--nice: only root may raise a priority")
    if not options.no_venv and not options.show:
        enter_venv(options.venv)
    import tables
    if options.show:
        tables.show(json.loads(options.show.read_text()), options.markdown)
        return 0
    try:
        import problems
        from peers import missing
    except ImportError as error:
        print(f"skipped: {error}")
        return 77
    unavailable = missing()
    for package, why in unavailable.items():
        say(f"skipped: {package}: {why}")
    result = {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
              "command": shlex.join(["tests/benchmarks/compare.py", *sys.argv[1:]]),
              "machine": tables.machine(), "python": tables.versions(),
              "builds": {name: tables.version_of(path) for name, path in builds(options)},
              "unavailable": unavailable, "skipped": {}, "cases": []}
    for name in selected(options.problems, problems.NAMES, "problem", {"synthetic": QUICK}):
        try:
            problem = problems.find_or_make(name, options.data, options.seed)
        except LookupError as error:
            say(f"skipped: {name}: {error.args[0]}")
            result["skipped"][name] = error.args[0]
            continue
        for lam in options.lam.split(","):
            say(f"{name}, lambda {lam}")
            result["cases"].append(compare(problem, lam, options, unavailable))
            if options.json:  # after each case: an interruption costs one
                options.json.write_text(json.dumps(result, indent=1))
    if not result["cases"]:
        return 77
    tables.show(result, options.markdown)
    reached = any(tables.times(program, 1e-3) for case in result["cases"] for program in case["svrg"])
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
