#!/usr/bin/env python3
"""What --dry-run says that a run will need is what the run takes: memory within a factor, passes and
bytes within the range that is named."""
import os
import pathlib
import re
import tomllib

from harness import DIGITS, WDBC, Case, main, records

SHARED = pathlib.Path(os.environ.get("SVRG_SHARED") or "/none") / "data"
FACTOR = 1.25   # of the peak memory of the rank that takes most
ROUNDED = 1.05  # what is said has two to four digits, and metrics and the record's own reductions come on top
UNITS = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}


def sizes(text):
    """'1.7 MB' and the like, in bytes."""
    return [float(n) * UNITS[unit] for n, unit in re.findall(r"([\d.]+) ?([kMG]?)B", text)]


class Needs(Case):
    def holds(self, *args, ranks):
        run = self.folder / f"run{len(list(self.folder.iterdir()))}"
        asked = ["train", *args, "-o", run]
        said = self.succeeds(*asked, "--dry-run", ranks=ranks)
        self.assertEqual(tomllib.loads(said.out)["schema"], 1)
        self.assertFalse(run.exists(), "a dry run writes nothing")
        facts = dict(line.split(maxsplit=1) for line in said.err.splitlines() if " " in line)
        result = self.succeeds(*asked, ranks=ranks).json
        lines = records(run)

        memory, peak = sizes(facts["memory"])[0], result["memory_peak"]
        self.assertLess(memory, FACTOR * peak, f"{facts}, {peak}")
        self.assertGreater(memory, peak / FACTOR, f"{facts}, {peak}")
        passes, sent = facts["cost"].split(" passes over the rows and ")
        passes = [float(n) for n in passes.split(" to ")]
        done = (lines[-1]["passes"] - lines[0]["passes"]) / result["epochs"]
        self.assertLessEqual(done, ROUNDED * passes[-1], facts)
        self.assertGreaterEqual(done, passes[0] / ROUNDED, facts)
        sent = sizes(sent)
        bytes_sent = (lines[-1]["bytes_communicated"] - lines[0]["bytes_communicated"]) / result["epochs"]
        self.assertLessEqual(bytes_sent, ROUNDED * sent[-1], facts)
        self.assertGreaterEqual(bytes_sent, sent[0] / ROUNDED, facts)

    def test_of_the_small_sets(self):
        for ranks in 1, 2:
            self.holds(WDBC, ranks=ranks)
            self.holds(DIGITS, "--engine", "row", ranks=ranks)
            self.holds(DIGITS, "--model", "linear", ranks=ranks)  # solved directly
            self.holds(DIGITS, "--algorithm", "svrg", "-e", "4", "--tol-grad", "0", ranks=ranks)
            self.holds(DIGITS, "--algorithm", "svrg", "-e", "4", "--tol-grad", "0", "--compression", "2bit", ranks=ranks)
            self.holds(DIGITS, "--model", "mlp", "--hidden", "512,256", "-f", "1", "-e", "2", ranks=ranks)
        self.holds(WDBC, "--deterministic", ranks=2)

    def test_of_a9a_and_covtype(self):
        if not (SHARED / "a9a.train.svm.gz").exists():
            self.skipTest("no a9a and covtype below SVRG_SHARED")
        for ranks in 1, 2:
            self.holds(SHARED / "a9a.train.svm.gz", ranks=ranks)
            self.holds(SHARED / "a9a.train.svm.gz", "--algorithm", "svrg", "-e", "4", ranks=ranks)
            self.holds(SHARED / "covtype7.train.svm.xz", "-e", "4", ranks=ranks)


if __name__ == "__main__":
    main()
