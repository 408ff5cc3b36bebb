#!/usr/bin/env python3
"""Draws nets.svg beside this script and prints its table: cross-entropy on the training digits
against passes over the rows, SVRG beside SGD with the same step from the same weights, for softmax
regression, a multilayer perceptron and a small LeNet. Runs the sample programs.

usage: nets.py [FOLDER WITH THE PROGRAMS]
"""
import math
import pathlib
import re
import subprocess
import sys

from variance_reduction import COLOURS, GAP, HEIGHT, LEFT, ROOT, TOP, BOTTOM, WIDTH, ticks

HERE = pathlib.Path(__file__).resolve().parent
EPOCHS = 40
LINE = re.compile(r"(svrg|sgd) +epoch +(\d+) +train ce (\S+) acc (\S+) +valid ce (\S+) acc (\S+)")
NETS = [("softmax regression", "softmax_digits"), ("MLP 64-128-64-10", "mlp_mnist"),
        ("LeNet", "lenet_digits")]


def passes(name, epoch):
    """Evaluations of a row's gradient per row by the end of an epoch."""
    done = epoch + 1
    return 2 * done + (done + 1) // 2 if name == "svrg" else done


def run(program):
    data = [str(ROOT / "apps/data" / f"digits.{part}.svm") for part in ("train", "test")]
    text = subprocess.run([str(program), *data, str(EPOCHS)], check=True, capture_output=True,
                          text=True).stdout
    series = {"svrg": [], "sgd": []}
    for name, epoch, ce, _, valid_ce, acc in LINE.findall(text):
        series[name].append((passes(name, int(epoch)), float(ce), float(valid_ce), float(acc)))
    return series


def panel(left, title, series):
    limit = max(points[-1][0] for points in series.values())
    low = math.floor(math.log10(min(p[1] for points in series.values() for p in points)))

    def x(value):
        return left + WIDTH * value / limit

    def y(value):
        return TOP + HEIGHT * (math.log10(value) - 0.5) / (low - 0.5)

    out = [f'<text x="{left}" y="{TOP - 16}" class="title">{title}</text>',
           f'<rect x="{left}" y="{TOP}" width="{WIDTH}" height="{HEIGHT}" class="frame"/>']
    for exponent in range(low, 1):
        out.append(f'<text x="{left - 6}" y="{y(10 ** exponent) + 4:.1f}" class="y">1e{exponent}</text>')
    for tick in ticks(limit):
        out.append(f'<text x="{x(tick):.1f}" y="{TOP + HEIGHT + 16}" class="x">{tick:g}</text>')
    for k, (name, points) in enumerate(series.items()):
        line = " ".join(f"{x(p[0]):.1f},{y(p[1]):.1f}" for p in points)
        out.append(f'<polyline points="{line}" fill="none" stroke-width="1.5" stroke="{COLOURS[name]}"/>')
        out.append(f'<text x="{left + WIDTH - 44}" y="{TOP + 18 + 16 * k}" fill="{COLOURS[name]}">'
                   f'{name}</text>')
    out.append(f'<text x="{left + WIDTH / 2}" y="{TOP + HEIGHT + 36}" class="x">passes over the rows'
               '</text>')
    return "\n".join(out)


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/bin")
    panels = []
    print("| net | passes | train ce svrg / sgd | valid ce svrg / sgd | valid acc svrg / sgd |")
    print("|---|---|---|---|---|")
    for k, (title, program) in enumerate(NETS):
        series = run(folder / program)
        panels.append(panel(LEFT + k * (WIDTH + LEFT + GAP), title, series))
        for at in (25, 100):
            rows = [next(p for p in reversed(series[name]) if p[0] <= at) for name in ("svrg", "sgd")]
            print(f"| {title} | {at} | {rows[0][1]:.4f} / {rows[1][1]:.4f} | "
                  f"{rows[0][2]:.4f} / {rows[1][2]:.4f} | {rows[0][3]:.4f} / {rows[1][3]:.4f} |")
    width = len(NETS) * (WIDTH + LEFT + GAP)
    (HERE / "nets.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{TOP + HEIGHT + BOTTOM}" '
        'font-family="sans-serif" font-size="12">\n<style>.frame{fill:none;stroke:#888}'
        '.y{text-anchor:end}.x{text-anchor:middle}.title{font-weight:bold}text{fill:#444}</style>\n'
        '<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(panels) + "\n</svg>\n",
        encoding="utf-8")


if __name__ == "__main__":
    main()
