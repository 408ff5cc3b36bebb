#!/usr/bin/env python3
"""docs/messages.md: what the program prints where something is amiss, and its help, as it prints them.

usage: messages_page.py [--check]
Without --check the page is written anew. With it nothing is written; exit 1 and the difference where
the page is not what the program prints now. SVRG_PROGRAM and SVRG_MPIRUN as for the tests beside it.
"""
import difflib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "program"))
from harness import MPIRUN, PROGRAM, ROOT, TIMEOUT, WDBC, environment  # noqa: E402

PAGE = ROOT / "docs/messages.md"
REMEDY = "python3 tests/apps/messages_page.py"
HEAD = f"""# What the program prints

Commands and what they print, both streams together, with the exit code where it is not 0. Made by
`{REMEDY}`; a test holds the page to the program. Versions, times, rates
and ids are shown as `~`. Of a message on several ranks only one is printed, and `mpirun` adds its own,
left out here.
"""
FILES = {
    "broken.svm": "1 1:0.5 3:1\n-1 2:x\n1 1:1\n",
    "unsorted.svm": "1 1:0.5\n-1 5:1 3:1\n",
    "broken.csv": "y,a,b\n1,0.5,3\n-1,0.25\n",
    "run.toml": "[train]\nepochz = 3\n",
    "value.toml": "[train]\nepochs = \"many\"\n",
}
# Heading, sentence, command lines. Each starts in the folder as the ones before have left it.
SECTIONS = [
    ("A typo", "Whatever is unknown is told with the nearest word that is known.", [
        "svrg trian wdbc.train.svm",
        "svrg train wdbc.train.svm --epocs 5",
        "svrg train wdbc.train.svm --epochs many",
        "svrg train wdbc.train.svm --algorithm newton",
        "svrg train wdbc.train.svm --set train.epochz=5"]),
    ("A config", "Messages on a config file start with its line and column.", [
        "cat run.toml",
        "svrg train wdbc.train.svm -c run.toml",
        "svrg config check -c run.toml",
        "cat value.toml",
        "svrg train wdbc.train.svm -c value.toml"]),
    ("Data that cannot be read", "Messages on text start with its line and, where it is known, column.", [
        "svrg train nothing.svm -q",
        "mpirun -n 2 svrg train nothing.svm -q",
        "cat broken.svm",
        "svrg train broken.svm -q",
        "cat unsorted.svm",
        "svrg train unsorted.svm -q",
        "cat broken.csv",
        "svrg train broken.csv -q"]),
    ("An output that cannot be written", "A file appears whole or not at all.", [
        "svrg train wdbc.train.svm -q --no-json -o wdbc.train.svm/run",
        "svrg train wdbc.train.svm -q --no-json -o run",
        "svrg train wdbc.train.svm -q --no-json -o run",
        "svrg predict run/model.h5 wdbc.train.svm -q --no-json -o nowhere/out.csv"]),
    ("Nothing to report", "A report is made of what runs and svrg bench have left.", [
        "svrg report nothing",
        "svrg report wdbc.train.svm",
        "svrg report run/model.h5",
        "svrg report run -o run/config.toml",
        "svrg report run -o nowhere/report.html"]),
    ("A learning rate that is too large", "A run whose objective grows without end is stopped.", [
        "svrg train wdbc.train.svm --model linear --algorithm gd --learning-rate 100"]),
    ("Not converged", "The tolerance was not reached in time: a warning, or with --require-tol exit code 5.", [
        "svrg train wdbc.train.svm -e 2 --no-json",
        "svrg train wdbc.train.svm -e 2 --no-json -q --require-tol",
        "svrg train wdbc.train.svm --l1 1e-3 --l2 0 -e 3 --no-json",
        "svrg train wdbc.train.svm --l2 0 -e 2 --tol-gap 1e-6 --no-json -q"]),
    ("Options that do not go together", "Told before any data is read, where that is possible.", [
        "svrg train wdbc.train.svm --l2 0.1 --C 1",
        "svrg train wdbc.train.svm --model mlp --intercept penalised",
        "svrg train wdbc.train.svm --model svm-sq -m ce -q"]),
    ("Help", "", ["svrg --help", *(f"svrg {command} --help" for command in
                                   ("train", "evaluate", "predict", "inspect", "report", "tune", "convert",
                                    "config", "bench"))]),
]


def masked(text):
    """What differs from run to run, or from release to release, taken out."""
    text = re.sub(r"^svrg \d+\.\d+\.\d+\S*", "svrg ~", text, flags=re.M)
    text = re.sub(r"loaded in [\d.]+ s", "loaded in ~", text)
    # A line of an epoch: its time, and at the end the rate and the share of communication.
    text = re.sub(r"^( +\d+ +[\d.]+ ) *[\d.]+ [smh] ( .*?) +(?:[\d.]+ [kMG]|\d+) +\d+ %$",
                  r"\1      ~ \2       ~     ~", text, flags=re.M)
    # The machine's instructions, and what the table says of them.
    text = re.sub(r", (?:avx512|avx2|plain), seed", ", ~, seed", text)
    text = re.sub(r"((?:row|ssn|newton) \d+ x) [\d.e+-]+ ms", r"\1 ~ ms", text)
    # mpirun's own words, in rules of dashes.
    return re.sub(r"^-{50,}\n.*?^-{50,}\n", "", text, flags=re.M | re.S)


def shown(line, folder):
    """A command line and what it printed."""
    words = line.split()
    if words[0] == "mpirun":
        words[0] = MPIRUN
    words = [os.path.abspath(PROGRAM) if word == "svrg" else word for word in words]
    done = subprocess.run(words, cwd=folder, env=environment(), stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT, check=False)
    said = masked(done.stdout).rstrip("\n")
    parts = [f"$ {line}", said, f"(exit code {done.returncode})" if done.returncode else ""]
    return "\n".join(part.rstrip() for part in parts if part)


def page():
    with tempfile.TemporaryDirectory(prefix="svrg-messages-") as name:
        folder = pathlib.Path(name)
        shutil.copy(WDBC, folder)
        for file, text in FILES.items():
            (folder / file).write_text(text, encoding="utf-8")
        text = HEAD
        for title, sentence, lines in SECTIONS:
            text += f"\n## {title}\n" + (f"\n{sentence}\n" if sentence else "")
            text += "".join(f"\n```text\n{shown(line, folder)}\n```\n" for line in lines)
        assert name not in text, "a path of this machine is on the page"
    return text


def main():
    if not pathlib.Path(PROGRAM).exists():
        sys.exit(f"no program at {PROGRAM}: build it first")
    now = page()
    if sys.argv[1:] != ["--check"]:
        PAGE.write_text(now, encoding="utf-8")
        return 0
    kept = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    if kept == now:
        return 0
    sys.stdout.writelines(difflib.unified_diff(kept.splitlines(True), now.splitlines(True),
                                               "docs/messages.md", "what the program prints"))
    print(f"\ndocs/messages.md is not what the program prints; remedy: {REMEDY}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
