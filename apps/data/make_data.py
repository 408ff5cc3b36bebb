#!/usr/bin/env python3
"""Writes the example data sets of this folder, from the copies that scikit-learn carries.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install scikit-learn
    /tmp/venv/bin/python make_data.py [FOLDER]

Every fifth row is a test row. Nothing is downloaded and nothing is random, so the files come out the
same each time. README.md names the sources and the licence.
"""
import argparse
import csv
import pathlib

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits


def split(rows):
    """Masks of the training and of the test rows."""
    test = np.arange(rows) % 5 == 4
    return ~test, test


def write(folder, name, x, y):
    """svmlight, indices from 1, zeros left out, values with six digits."""
    train, test = split(len(y))
    for part, mask in ("train", train), ("test", test):
        with open(folder / f"{name}.{part}.svm", "w", newline="", encoding="ascii") as out:
            for label, row in zip(y[mask], x[mask]):
                entries = (f" {i}:{v:.6g}" for i, v in enumerate(row, start=1) if v != 0)
                out.write(f"{label}{''.join(entries)}\n")


def wdbc(folder):
    """Two classes, 30 features: standardised by the training rows as svmlight, raw as CSV."""
    data = load_breast_cancer()
    train, _ = split(len(data.target))
    x = np.round((data.data - data.data[train].mean(0)) / data.data[train].std(0), 5)
    write(folder, "wdbc", x, np.where(data.target == 1, 1, -1))
    with open(folder / "wdbc.csv", "w", newline="", encoding="ascii") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["label"] + [name.replace(" ", "_") for name in data.feature_names])
        for label, row in zip(data.target, data.data):
            table.writerow([label] + [f"{v:.10g}" for v in row])


def digits(folder):
    """Ten classes, 64 pixels scaled to [0, 1]."""
    data = load_digits()
    write(folder, "digits", data.data / 16, data.target)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    wdbc(folder)
    digits(folder)


if __name__ == "__main__":
    main()
