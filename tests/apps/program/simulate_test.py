#!/usr/bin/env python3
"""Scaling on platforms that are not there: simulated by SimGrid from a training on one rank."""
import os
import shutil
import sys
from pathlib import Path

from harness import DIGITS, PROGRAM, WDBC, Case, environment, main

ROWS = [DIGITS, "--engine", "row", "-e", "4", "--tol-grad", "0"]


class Simulation(Case):
    def study(self, *args, **how):
        how.setdefault("ranks", 1)
        return self.succeeds("bench", *args, "--repeats", "1", timeout=120, **how)

    def runs(self, *args, **how):
        """By platform, a dictionary of runs by ranks."""
        found = {}
        for run in self.study(*args, **how).json["simulated"]:
            found.setdefault(run["platform"], {})[run["ranks"]] = run
        return found

    def test_two_to_sixteen_ranks_on_two_networks(self):
        found = self.runs(*ROWS, "--ranks", "2..16", "--simulate", "ethernet,fattree")
        self.assertEqual(list(found), ["ethernet", "fattree"])
        for runs in found.values():
            self.assertEqual(list(runs), [1, 2, 4, 8, 16])
            self.assertAlmostEqual(runs[1]["communication_seconds"], 0, delta=1e-3 * runs[1]["train_seconds"])
            self.assertEqual(runs[1]["efficiency"], 1)
            for ranks, run in runs.items():
                self.assertEqual(run["epochs"], 4)
                if ranks > 1:
                    self.assertGreater(run["communication_seconds"], 0)
        for ranks in 2, 4, 8, 16:
            slow, fast = found["ethernet"][ranks], found["fattree"][ranks]
            self.assertEqual(slow["messages"], fast["messages"])
            self.assertGreater(slow["communication_seconds"], fast["communication_seconds"])

    def test_messages_and_epochs_are_those_of_real_ranks(self):
        for args in ROWS, [WDBC], [WDBC, "--algorithm", "svrg", "-e", "6"]:
            simulated = self.runs(*args, "--ranks", "2,4", "--simulate", "fattree")["fattree"]
            for ranks in 2, 4:
                real = self.succeeds("train", *args, ranks=ranks).json
                self.assertEqual(simulated[ranks]["epochs"], real["epochs"])
                # Two more: the agreements on files, before svrg train begins to count and after its end.
                self.assertEqual(simulated[ranks]["messages"], real["allreduces"] + 2)

    def test_ranks_of_the_launcher_are_measured_and_all_are_simulated(self):
        done = self.study(*ROWS, "--ranks", "1..8", "--simulate", "fattree", ranks=2).json
        self.assertEqual(done["ranks"], [1, 2])
        self.assertEqual([r["ranks"] for r in done["simulated"]], [1, 2, 4, 8])
        for run in done["simulated"]:
            self.assertGreater(run["model_seconds"], 0)

    def test_slower_lines_are_slower(self):
        names = [f"ethernet:bandwidth={b}:latency={l}" for b, l in
                 (("10Gbit", "20us"), ("1Gbit", "20us"), ("1Gbit", "1ms"), ("10Mbit", "1ms"))]
        found = self.runs(*ROWS, "--ranks", "8", "--simulate", ",".join(names))
        seconds = [found[name][8]["train_seconds"] for name in names]
        self.assertEqual(seconds, sorted(seconds))

    def test_a_platform_of_the_users_own(self):
        platform = self.folder / "two.xml"
        platform.write_text("""<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <zone id="site" routing="Full">
    <host id="here" speed="3Gf"/>
    <host id="there" speed="3Gf"/>
    <link id="line" bandwidth="10MBps" latency="5ms"/>
    <route src="here" dst="there"><link_ctn id="line"/></route>
  </zone>
</platform>
""")
        run = self.runs(*ROWS, "--ranks", "2", "--simulate", platform)[str(platform)][2]
        self.assertGreaterEqual(run["communication_seconds"], 0.005 * run["messages"])
        self.assertIsNone(run["model_seconds"])

    def test_the_study_is_kept(self):
        path = self.folder / "study.h5"
        self.study(*ROWS, "--ranks", "2", "--simulate", "ethernet", "-o", path)
        said = self.succeeds("inspect", path).out
        self.assertIn("ethernet", said)

    def test_refusals(self):
        def refused(*args, says):
            self.fails(2, "bench", "-q", *ROWS, *args, ranks=1, says=says)
        refused("--simulate", "carrier-pigeon", says=("--simulate", "ethernet", "carrier-pigeon"))
        refused("--simulate", "ethernet", "--ranks", "3", says=("--ranks", "powers of two", "3"))
        refused("--simulate", "ethernet", "--scaling", "weak", says=("--simulate", "strong"))
        refused("--simulate", "ethernet", "--chains", "4", says=("--simulate", "--chains"))
        refused("--simulate", str(self.folder / "none.xml"), "--ranks", "2",
                says=("--simulate", "none.xml", "cannot be read"))

    def test_more_ranks_than_rows_are_left_out(self):
        few = self.folder / "few.svm"
        few.write_text("".join(f"{(-1) ** i} 1:{i % 7} 2:{i % 3}\n" for i in range(20)))
        done = self.study(few, "--engine", "row", "--ranks", "1..64", "--simulate", "fattree")
        self.assertEqual([r["ranks"] for r in done.json["simulated"]], [1, 2, 4, 8, 16])
        self.assertIn("32 ranks are more than there are rows", done.err)

    def test_without_simgrid_it_says_what_to_install(self):
        others = self.folder / "bin"
        others.mkdir()
        for folder in environment()["PATH"].split(os.pathsep):
            for program in Path(folder).glob("*"):
                if program.name != "smpirun" and not (others / program.name).exists():
                    (others / program.name).symlink_to(program)
        self.fails(2, "bench", "-q", *ROWS, "--simulate", "ethernet", env={"PATH": str(others)},
                   says=("--simulate", "smpirun", "setup.sh simulation"))


if __name__ == "__main__":
    if not shutil.which("smpirun") or not (Path(PROGRAM).parent / "svrg_replay").exists():
        print("skipped: SimGrid is not here (jobscripts/setup.sh simulation) or svrg was built without it")
        sys.exit(77)
    main()
