#!/usr/bin/env python3
"""The examples of every --help work as they stand, with small data under their files' names."""
import csv
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from harness import DATA, DIGITS, MPIRUN, PROGRAM, TIMEOUT, WDBC, WDBC_TEST, Case, environment, main, svrg

# What an example means for a machine that is not here, as small as it runs here.
SMALLER = {"64e6,100": "6400,100", "--ranks 8..64": "--ranks 1..2", "--ranks 1..1024": "--ranks 1..4"}
COMMANDS = re.findall(r"^  (\w+) ", svrg("--help").out.split("Commands:")[1].split("Examples:")[0], re.M)


def examples(command):
    text = svrg(*command, "--help").out.split("Examples:\n")[1].split("\n\n")[0]
    return [line for line in map(str.strip, text.splitlines()) if not line.startswith("#")]


def numbers(path, rows):
    """A regression by its first column, which has a name."""
    with open(DATA / "wdbc.csv", encoding="ascii") as source, open(path, "w", encoding="ascii") as out:
        table = [row[1:] for row in csv.reader(source)]
        csv.writer(out, lineterminator="\n").writerows([table[0], *table[1:][rows]])


class Examples(Case):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="svrg-test-")
        cls.addClassCleanup(folder.cleanup)
        cls.whole = pathlib.Path(folder.name) / "whole"
        for name in "bin", ".config/fish/completions":
            (cls.whole / name).mkdir(parents=True)
        launch = f'#!/bin/sh\nif [ "$1" = -n ]; then shift 2; fi\nexec "{shutil.which(MPIRUN) or MPIRUN}" -n 2 "$@"\n'
        for name, text in ("srun", launch), ("jq", "#!/bin/sh\ncat\n"):
            (cls.whole / "bin" / name).write_text(text)
            (cls.whole / "bin" / name).chmod(0o755)
        shutil.copy(WDBC, cls.whole / "a9a.svm")
        shutil.copy(WDBC_TEST, cls.whole / "a9a.t.svm")
        (cls.whole / "covtype.svm.xz").write_bytes(lzma.compress(pathlib.Path(DIGITS).read_bytes()))
        numbers(cls.whole / "year.csv", slice(0, 400))
        numbers(cls.whole / "year.t.csv", slice(400, None))
        cls.env = environment({"HOME": ".", "PATH": os.pathsep.join(
            [str(cls.whole / "bin"), str(pathlib.Path(PROGRAM).resolve().parent), os.environ["PATH"]])})
        # What earlier examples would have left.
        year = "svrg train year.csv --label-column 1 --valid year.t.csv -q --no-json"
        cls.run_line(cls.whole, f"{year} -o runs/year && cp runs/year/config.toml run.toml && sed -i /^run_dir/d run.toml")
        cls.run_line(cls.whole, "svrg convert year.csv year.h5 --label-column 1 && svrg convert covtype.svm.xz covtype.h5")
        cls.run_line(cls.whole, "svrg train a9a.svm -o runs/a9a --export theirs.model -q")
        cls.run_line(cls.whole, "for how in svrg sgd local; do svrg train a9a.svm -e 2 -q -o runs/$how; done")
        cls.run_line(cls.whole, "mpirun -n 2 svrg bench --synthetic 500,5 --repeats 1 -o strong.h5")

    @classmethod
    def run_line(cls, folder, line):
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", line], cwd=folder, env=cls.env, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=TIMEOUT, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{line}: exit code {done.returncode}\n{done.stdout}")

    def go_through(self, *command, without=()):
        here = self.folder / "here"
        shutil.copytree(self.whole, here)
        for name in without:
            (shutil.rmtree if (here / name).is_dir() else os.remove)(here / name)
        lines = examples(command)
        self.assertGreaterEqual(len(lines), 3, command)
        for line in lines:
            if "--simulate" in line and not (pathlib.Path(PROGRAM).parent / "svrg_replay").exists():
                continue  # built without SimGrid
            for large, small in SMALLER.items():
                line = line.replace(large, small)
            with self.subTest(line):
                self.run_line(here, line)

    def test_those_of_the_program(self):
        self.go_through(without=["runs"])

    def test_the_commands_are_known(self):
        self.assertIn("train", COMMANDS)
        self.assertIn("config", COMMANDS)


MADE = {"train": ["runs"], "convert": ["covtype.h5", "year.h5"]}  # by the examples themselves


def test_of(command):
    return lambda self: self.go_through(command, without=MADE.get(command, ()))


for each in COMMANDS:
    setattr(Examples, f"test_those_of_{each}", test_of(each))


if __name__ == "__main__":
    main()
