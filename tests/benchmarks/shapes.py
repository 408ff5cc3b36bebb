#!/usr/bin/env python3
"""Does "no tuning" hold on data that nobody tuned on? Problems of drawn shape, density, condition and
penalty; svrg with its own choice of an engine against each engine chosen by hand: seconds of training
to 1e-6 of relative suboptimality, (f - f*)/f*, f* being the least objective that any of them reached.

Exit 0: the choice was never worse than --allowed times the best engine; 1: it was; 77: no NumPy or h5py.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

from compare import ROOT, add_priority, enter_venv, say

ENGINES = ("auto", "row", "ssn", "newton")
TARGET = 1e-6
LARGEST_FACTOR = 2048  # parameters; beyond, there are rows only
SECONDS = 30  # that one run may take
TOO_SHORT = 2e-3  # seconds that make no difference to anybody


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--count", type=int, default=40, help="problems")
    parser.add_argument("--first", type=int, default=1, help="number of the first one, its seed")
    parser.add_argument("--repeats", type=int, default=3, help="rounds over the engines")
    parser.add_argument("--most-values", type=float, default=1e7, help="stored in a problem")
    parser.add_argument("--allowed", type=float, default=1.5)
    add_priority(parser)
    parser.add_argument("--program", default=str(ROOT / "build/bin/svrg"))
    parser.add_argument("--venv", type=pathlib.Path, default=ROOT / "build/bench-venv")
    parser.add_argument("--no-venv", action="store_true")
    parser.add_argument("--json", type=pathlib.Path, help="write what was measured here")
    return parser.parse_args()


def drawn(number, most_values):
    """Rows, labels and what they are like: rows of correlated features, or sparse ones whose columns
    differ in frequency and scale."""
    import numpy as np
    import scipy.sparse
    from problems import correlated_rows, signs
    draw = np.random.default_rng(number)
    while True:
        n, d = int(10 ** draw.uniform(3, 6)), int(10 ** draw.uniform(np.log10(5), np.log10(50_000)))
        density = 1.0 if draw.random() < 0.5 else 10 ** draw.uniform(-3, -0.3)
        if 2e4 <= n * d * density <= most_values and density * d >= 3 and (density < 1 or d <= 2000):
            break
    condition, loss = 10 ** draw.uniform(0, 8), str(draw.choice(["logistic", "logistic", "linear"]))
    lam = str(draw.choice(["1/n", "0.1/n", "10/n"]))
    if density == 1.0:
        rows, independent = correlated_rows(draw, n, d, condition)
        scores = independent @ draw.normal(0, 2 / np.sqrt(d), d)
    else:
        per_row = np.maximum(1, draw.poisson(density * d, n))
        frequency = 1 / (1.0 + np.arange(d) * draw.uniform(0, 1))
        columns = draw.choice(d, size=per_row.sum(), p=frequency / frequency.sum())
        scale = condition ** -draw.uniform(0, 0.5, d)  # of a column: its square spans the condition
        values = draw.standard_normal(len(columns)) * scale[columns]
        rows = scipy.sparse.csr_matrix((values, columns, np.concatenate([[0], np.cumsum(per_row)])),
                                       shape=(n, d))
        rows.sum_duplicates()
        rows.data /= np.sqrt((rows.data ** 2).sum() / n)
        scores = rows @ (draw.normal(0, 2, d) / scale.mean())
    labels = signs(draw, scores) if loss == "logistic" else scores + draw.standard_normal(n)
    about = {"rows": n, "features": d, "density": density, "condition": condition, "loss": loss, "l2": lam}
    return rows, labels, about


class Runner:
    def __init__(self, options, file, about, folder):
        self.options, self.file, self.about, self.folder = options, file, about, folder

    def path(self, engine):
        """[(seconds, objective)] of a run's outer iterations, and the engine it began with."""
        from contenders import ONE_THREAD, mpi_environment, settled
        run = self.folder / engine
        command = [self.options.program, "train", str(self.file), "--model", self.about["loss"], "--l2",
                   self.about["l2"], "--no-intercept", "--engine", engine, "--tol-grad", "1e-11", "-e", "200",
                   "--time-limit", f"{SECONDS}s", "--overwrite", "-o", str(run)]
        done = subprocess.run(command, env=mpi_environment() | ONE_THREAD, capture_output=True, text=True,
                              preexec_fn=settled(self.options), check=False)
        if done.returncode not in (0, 75):
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
        chosen = next((line.split("inner engine ")[1].split(",")[0] for line in done.stderr.splitlines()
                       if "inner engine " in line and line.startswith("solver")), "?")
        return [(line["wall_seconds"], line["objective"]) for line in lines], chosen


def time_to(path, wanted):
    return next((seconds for seconds, objective in path if objective <= wanted), None)


def measured(number, options):
    from problems import write
    rows, labels, about = drawn(number, options.most_values)
    engines = ENGINES if about["features"] <= LARGEST_FACTOR else ENGINES[:2]
    with tempfile.TemporaryDirectory(prefix="svrg-shapes-") as folder:
        folder = pathlib.Path(folder)
        write(folder / "rows.h5", about["loss"], rows, labels)
        runner = Runner(options, folder / "rows.h5", about, folder)
        runs = {engine: [] for engine in engines}
        for repeat in range(options.repeats):
            for engine in engines[repeat % len(engines):] + engines[:repeat % len(engines)]:
                path, chosen = runner.path(engine)
                runs[engine].append(path)
                if engine == "auto":
                    about["chosen"] = chosen
    least = min(objective for paths in runs.values() for path in paths for _, objective in path)
    wanted = least + TARGET * abs(least)
    about["seconds"] = {}
    for engine, paths in runs.items():
        times = [time_to(path, wanted) for path in paths]
        about["seconds"][engine] = None if None in times else min(times)  # others only add
    by_hand = [s for engine, s in about["seconds"].items() if engine != "auto" and s is not None]
    own = about["seconds"]["auto"]
    about["ratio"] = (own or float("inf")) / max(min(by_hand), TOO_SHORT) if by_hand else 1.0
    return about


def line_of(number, about):
    seconds = "  ".join(f"{engine} {'-' if s is None else f'{s:.4f}'}"
                        for engine, s in about["seconds"].items())
    return (f"{number:4} {about['loss']:8} {about['rows']:7} x {about['features']:5} density "
            f"{about['density']:.3f} condition {about['condition']:.0e} l2 {about['l2']:6} "
            f"{about['chosen']:6} ratio {about['ratio']:.2f}   {seconds}")


def main():
    options = arguments()
    if not options.no_venv:
        enter_venv(options.venv)
    try:
        import h5py  # noqa: F401
        import numpy  # noqa: F401
    except ImportError as error:
        print(f"skipped: {error}")
        return 77
    results = []
    for number in range(options.first, options.first + options.count):
        about = measured(number, options)
        results.append(dict(about, number=number))
        print(line_of(number, about), flush=True)
        if options.json:
            options.json.write_text(json.dumps(results, indent=1))
    ratios = sorted(about["ratio"] for about in results)
    over = [about["number"] for about in results if about["ratio"] > options.allowed]
    print(f"{len(ratios)} problems: median ratio {statistics.median(ratios):.2f}, worst {ratios[-1]:.2f}, "
          f"{len(over)} over {options.allowed}: {over}")
    say(f"load {os.getloadavg()}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
