#!/usr/bin/env python3
"""Draws variance_reduction.svg beside this script: MXNet's scheme (--algorithm svrg -b 128) against
plain sgd with the same step, relative gradient norm over passes. Runs the program (build/bin/svrg)
on the data that ships and, where SVRG_SHARED names the larger sets, on diabetes too.

usage: variance_reduction.py [PROGRAM]
"""
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TOLERANCE, DECADES = 1e-8, 9
WIDTH, HEIGHT, LEFT, TOP, BOTTOM, GAP = 360, 240, 58, 44, 48, 40
COLOURS = {"svrg": "#1b6ca8", "sgd": "#c8553d"}


def run(program, data, algorithm, *options):
    """The run's record: lists of passes and of |g|/|g0|, and its constant step."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "train", str(data), "--algorithm", algorithm, "-b", "128",
                        "--l2", "1/n", "--tol-grad", str(TOLERANCE), "-e", "1000000",
                        "--checkpoint-every", "1000000", "-q", "--no-json",
                        "-o", f"{folder}/run", *options], check=True)
        lines = [json.loads(line) for line in open(f"{folder}/run/log.jsonl", encoding="utf-8")]
    lines = [line for line in lines if line["grad_norm"] is not None]
    first = lines[0]["grad_norm"]
    points = [(line["passes"], line["grad_norm"] / first) for line in lines]
    return points, lines[-1]["learning_rate"]


def thinned(points, most=240):
    """Evenly spaced points and the last one: what the eye can tell apart at this size."""
    step = max(1, len(points) // most)
    kept = points[::step]
    return kept if kept[-1] == points[-1] else kept + [points[-1]]


def ticks(limit):
    step = 10 ** math.floor(math.log10(limit / 2))
    step *= next(f for f in (1, 2, 5, 10) if limit / (step * f) <= 5)
    return [i * step for i in range(int(limit / step) + 1)]


def panel(left, title, series):
    """One pair of axes at x = left; `series` is {name: points}."""
    limit = max(points[-1][0] for points in series.values())

    def x(passes):
        return left + WIDTH * passes / limit

    def y(value):
        return TOP + HEIGHT * min(DECADES, max(0.0, -math.log10(value))) / DECADES

    out = [f'<text x="{left}" y="{TOP - 16}" class="title">{title}</text>']
    for decade in range(0, DECADES + 1, 2):
        level = TOP + HEIGHT * decade / DECADES
        out.append(f'<path d="M{left} {level:.1f}h{WIDTH}" class="grid"/>')
        label = "1" if decade == 0 else f"1e−{decade}"
        out.append(f'<text x="{left - 8}" y="{level + 4:.1f}" text-anchor="end">{label}</text>')
    for tick in ticks(limit):
        out.append(f'<text x="{x(tick):.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">'
                   f"{tick:,.0f}</text>")
    out.append(f'<path d="M{left} {TOP}v{HEIGHT}h{WIDTH}" class="axis"/>')
    out.append(f'<text x="{left + WIDTH / 2}" y="{TOP + HEIGHT + 38}" text-anchor="middle">'
               "passes over the data</text>")
    for name, points in series.items():
        path = " ".join(f"{x(p):.1f},{y(v):.1f}" for p, v in thinned(points))
        out.append(f'<polyline points="{path}" stroke="{COLOURS[name]}" class="line"/>')
        p, v = points[int(len(points) * 0.6)]
        out.append(f'<text x="{x(p) + 6:.1f}" y="{y(v) - 12:.1f}" '
                   f'style="fill:{COLOURS[name]};font-weight:bold">{name}</text>')
    return out


def picture(panels):
    width = LEFT + len(panels) * (WIDTH + GAP) + (len(panels) - 1) * LEFT
    height = TOP + HEIGHT + BOTTOM
    body = [line for i, (title, series) in enumerate(panels)
            for line in panel(LEFT + i * (WIDTH + GAP + LEFT), title, series)]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}">',
        "<title>Relative gradient norm over passes: svrg and sgd at the same step</title>",
        "<style>text{font:12px sans-serif;fill:#333}.title{font-weight:bold}"
        ".grid{stroke:#ddd}.axis{stroke:#333;fill:none}"
        ".line{fill:none;stroke-width:1.6;stroke-linejoin:round}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>', *body, "</svg>", ""])


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "build/bin/svrg")
    sets = {"wdbc, logistic": ROOT / "apps/data/wdbc.train.svm"}
    shared = os.environ.pop("SVRG_SHARED", "")
    if shared:
        sets["diabetes, squared loss"] = pathlib.Path(shared) / "data/diabetes.train.svm"
    panels = []
    for title, data in sets.items():
        ours, step = run(program, data, "svrg", "--learning-rate", "auto")
        passes, reached = ours[-1]
        plain, _ = run(program, data, "sgd", "--learning-rate", repr(step), "--passes", repr(passes))
        panels.append((f"{title}: |∇F| / |∇F₀|, step {step:.3g}", {"svrg": ours, "sgd": plain}))
        print(f"{title}: step {step:.4g}, {passes:.0f} passes: svrg {reached:.1e}, "
              f"sgd {plain[-1][1]:.1e}")
    (HERE / "variance_reduction.svg").write_text(picture(panels), encoding="utf-8")


if __name__ == "__main__":
    main()
