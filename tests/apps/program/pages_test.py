#!/usr/bin/env python3
"""README.md and docs/*.md are true: each page is gone through in a folder of its own, as a reader would.

A block of `sh` is run by bash, neighbouring ones of `python` are one program, so are those of `r`; `text` is what
the block before it printed (`~` stands for any word, a line `…` for any lines); `cpp` stands in a source that is
built (a line `// …` for any lines); `toml` and `json` parse. `apps/`, `jobscripts/` and `build/bin/` are where they
are in the checkout. A block that is not run says why in a comment before it: <!-- not run: WHY -->.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tomllib
import unittest
from xml.etree import ElementTree

from harness import MPIRUN, PROGRAM, ROOT, TIMEOUT, Case, environment, main

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ELSEWHERE = {"messages"}  # made by messages_page.py, and held to the program by it
PYTHON = os.environ.get("SVRG_PYTHON") or str(ROOT / "build/venv/bin/python3")
FENCE = re.compile(r"^(?:<!-- not run: (?P<why>[^\n]+) -->\n)?```(?P<kind>[^\n]*)\n(?P<text>.*?)^```$", re.M | re.S)


class Block:
    def __init__(self, page, found):
        self.kind, self.text, self.why = found["kind"], found["text"], found["why"]
        self.place = f"{page.name}:{page.read_text()[:found.start('kind')].count(chr(10)) + 1}"


def blocks(page):
    return [Block(page, found) for found in FENCE.finditer(page.read_text())]


def pieces(text, gap):
    """The stretches between lines that stand for any lines."""
    return [part for part in re.split(rf"^\s*{gap}\s*$", text, flags=re.M) if part.strip()]


def sources():
    for folder in "apps", "include", "src", "tests":
        for path in (ROOT / folder).rglob("*.[ch]pp"):
            yield " ".join(path.read_text(encoding="utf-8").split())


def has(command):
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=TIMEOUT).returncode == 0
    except OSError:
        return False


class Pages(Case):
    def setUp(self):
        super().setUp()
        for name in "apps", "jobscripts":
            (self.folder / name).symlink_to(ROOT / name)
        (self.folder / "build").mkdir()
        (self.folder / "build/bin").symlink_to(pathlib.Path(PROGRAM).resolve().parent)
        beside = [pathlib.Path(PROGRAM).resolve(), pathlib.Path(PYTHON), pathlib.Path(shutil.which(MPIRUN) or MPIRUN)]
        self.env = environment({"PATH": os.pathsep.join([*(str(file.parent) for file in beside), os.environ["PATH"]]),
                                "PYTHONPATH": str(ROOT / "apps/analysis"), "MPLBACKEND": "Agg"})

    def run_block(self, place, command, text):
        (self.folder / ".block").write_text(text)
        done = subprocess.run([*command, ".block"], stdin=subprocess.DEVNULL, cwd=self.folder, env=self.env, text=True,
                              timeout=TIMEOUT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.assertEqual(done.returncode, 0, f"{place}: exit code {done.returncode}\n{text}\n{done.stdout}")
        return done.stdout

    def assert_said(self, block, said):
        lines = "\n".join(" ".join(line.split()) for line in said.splitlines())
        wanted = r"\n(?:.*\n)*?".join(
            r"\n".join(re.escape(" ".join(line.split())).replace("\\~", "~").replace("~", r"\S+")
                       for line in piece.strip().splitlines())
            for piece in pieces(block.text, "…"))
        self.assertTrue(re.search(rf"\n{wanted}\n", f"\n{lines}\n"),
                        f"{block.place}: not what the block before it prints, which is\n{said}")

    def assert_in_a_source(self, block):
        parts = [" ".join(part.split()) for part in pieces(block.text, "// …")]
        self.assertTrue(any(re.search(".*?".join(map(re.escape, parts)), text) for text in sources()),
                        f"{block.place}: in no source as it stands here")

    def go_through(self, page):
        said, ahead = "", [block for block in blocks(page) if not block.why]
        while ahead:
            block = ahead.pop(0)
            together = [block.text]
            while block.kind in ("python", "r") and ahead and ahead[0].kind == block.kind:
                together.append(ahead.pop(0).text)
            text = "\n".join(together)
            if block.kind == "sh":
                said = self.run_block(block.place, ["bash", "-euo", "pipefail"], text)
            elif block.kind == "python":
                said = self.run_block(block.place, [PYTHON], text)
            elif block.kind == "r":
                said = ""
                if has(["Rscript", "-e", "library(hdf5r)"]):
                    said = self.run_block(block.place, ["Rscript"], text)
                else:
                    print(f"{block.place}: not run, there is no R with hdf5r here")
            elif block.kind == "text":
                if said or not text.strip():
                    self.assert_said(block, said)
            elif block.kind == "cpp":
                self.assert_in_a_source(block)
            elif block.kind == "toml":
                tomllib.loads(text)
            elif block.kind == "json":
                json.loads(text)
            else:
                self.fail(f"{block.place}: a block of '{block.kind}': mark it <!-- not run: WHY -->")


def test_of(page):
    def test(self):
        if any(block.kind == "python" and not block.why for block in blocks(page)) and not has(
                [PYTHON, "-c", "import h5netcdf, onnxruntime, sklearn"]):
            self.skipTest(f"no Python with h5netcdf, onnxruntime and scikit-learn at {PYTHON}; tests/run.sh makes one")
        self.go_through(page)
        for figure in self.folder.glob("*.svg"):
            ElementTree.parse(figure)
    return test


for each in PAGES:
    if each.stem not in ELSEWHERE:
        setattr(Pages, f"test_{each.stem.replace('-', '_')}", test_of(each))


class Marks(unittest.TestCase):
    def test_every_fence_is_a_block_that_was_seen(self):
        """One that the pattern missed would pass unseen."""
        for page in PAGES:
            fences = [line for line in page.read_text().splitlines() if line.lstrip().startswith("```")]
            self.assertEqual(len(fences), 2 * len(blocks(page)), page.name)


if __name__ == "__main__":
    main()
