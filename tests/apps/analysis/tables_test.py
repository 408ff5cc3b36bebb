#!/usr/bin/env python3
"""Tables and figures say what the files say; the example and the page's examples run as they stand."""
from analysis_case import ROOT  # first: it finds the Python

import contextlib
import importlib.util
import io
import json
import os
import pathlib
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from unittest import mock
from xml.etree import ElementTree

import h5py
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import svrg_analysis as sa
from harness import MPIRUN, PROGRAM, WDBC, WDBC_TEST, Case, environment, main, records, svrg

IO_TEST = os.environ.get("SVRG_IO_TEST")
MINIBATCH = [WDBC, "--valid", WDBC_TEST, "-m", "acc", "--algorithm", "svrg", "-b", "64"]
PAGE = (ROOT / "docs/analysis.md").read_text()


def surroundings():
    """The environment for whoever calls svrg and mpirun by name."""
    folders = [str(pathlib.Path(PROGRAM).resolve().parent), str(pathlib.Path(shutil.which(MPIRUN) or MPIRUN).parent)]
    path = os.pathsep.join([*folders, os.environ["PATH"]])
    return environment({"PATH": path})


class Analysis(Case):
    def setUp(self):
        super().setUp()
        self.addCleanup(plt.close, "all")

    def minibatch(self, name="run"):
        return self.train(*MINIBATCH, "-e", "6", name=name, ranks=2)[0]


class Runs(Analysis):
    def test_the_history_is_the_record(self):
        run = self.minibatch()
        said = records(run)
        table = sa.history(run)
        pd.testing.assert_frame_equal(sa.history(run / "run.h5"), table)
        self.assertEqual((table.index.name, list(table.index)), ("epoch", [line["epoch"] for line in said]))
        for name in set(said[0]) - {"epoch", "phase_seconds", "max_rss"}:
            wanted = [np.nan if line[name] is None else line[name] for line in said]
            np.testing.assert_array_equal(table[name], wanted, name)
        self.assertEqual(list(table["max_rss"]), [max(line["max_rss"]) for line in said])
        self.assertEqual(set(table), set(said[0]) - {"epoch", "phase_seconds"})
        self.assertEqual(table.attrs["config"], tomllib.loads((run / "config.toml").read_text()))
        self.assertEqual(table.attrs["manifest"], json.loads((run / "manifest.json").read_text()))
        self.assertEqual(table.attrs["units"]["wall_seconds"], "s")

    def test_phases_are_those_of_the_ranks_there_were(self):
        run = self.minibatch()
        self.succeeds("train", *MINIBATCH, "-e", "8", "--resume", "auto", "-o", run, ranks=1)
        table = sa.phases(run)
        said = {(line["epoch"], rank): seconds for line in records(run)
                for rank, seconds in enumerate(line["phase_seconds"])}
        self.assertEqual(list(table.index), list(said))
        self.assertEqual([(6, 0), (6, 1), (8, 0)], list(table.index[-3:]))
        np.testing.assert_array_equal(table.to_numpy(), list(said.values()))
        self.assertEqual(table.columns[0], "data")
        self.assertEqual(len(table.attrs["hostname"]), 2)

    def test_convergence_is_drawn_from_the_history(self):
        a, b = self.minibatch("a"), self.train(WDBC, name="b")[0]
        for against, column in ("passes", "passes"), ("seconds", "wall_seconds"), ("bytes", "bytes_communicated"):
            lines = sa.plot_convergence([a, b / "run.h5"], against=against).lines
            self.assertEqual([line.get_label() for line in lines], ["a", "b"])
            self.assertEqual(len({line.get_color() for line in lines}), 2)
            for line, run in zip(lines, (a, b)):
                np.testing.assert_array_equal(line.get_xdata(), sa.history(run)[column])
                np.testing.assert_array_equal(line.get_ydata(), sa.history(run)["grad_norm"])
        axes = plt.subplots()[1]
        self.assertIs(sa.plot_convergence({"mine": a}, against="epoch", value="valid_acc", ax=axes), axes)
        np.testing.assert_array_equal(axes.lines[0].get_xdata(), sa.history(a).index)
        np.testing.assert_array_equal(axes.lines[0].get_ydata(), sa.history(a)["valid_acc"])
        self.assertEqual(axes.get_legend().get_texts()[0].get_text(), "mine")
        with self.assertRaisesRegex(ValueError, "passes, seconds, bytes"):
            sa.plot_convergence(a, against="time")
        with self.assertRaisesRegex(ValueError, "b has no valid_acc; it has .*objective"):
            sa.plot_convergence(b, value="valid_acc")

    def test_phases_are_stacked_to_what_an_epoch_took(self):
        run = self.minibatch()
        for rank in None, 1:
            table = sa.phases(run)
            table = table.groupby("epoch").mean() if rank is None else table.xs(rank, level="rank")
            patches = sa.plot_phases(run, rank=rank).patches
            self.assertEqual([p.get_label() for p in patches],
                             [name.replace("_", " ") for name in table if table[name].sum() > 0])
            edges = patches[0].get_data().edges
            self.assertTrue(all(edges[i] < epoch < edges[i + 1] for i, epoch in enumerate(table.index)))
            self.assertEqual(patches[0].get_data().baseline.max(), 0)
            for below, above in zip(patches, patches[1:]):
                np.testing.assert_array_equal(below.get_data().values, above.get_data().baseline)
            np.testing.assert_allclose(patches[-1].get_data().values, table.sum(axis="columns"), rtol=1e-12)
        with self.assertRaisesRegex(ValueError, "no rank 2; it has 0 to 1"):
            sa.plot_phases(run, rank=2)

    def test_what_cannot_be_read_is_refused_with_a_remedy(self):
        with self.assertRaisesRegex(FileNotFoundError, "nowhere: no such file or run directory; .svrg train"):
            sa.history(self.folder / "nowhere")
        with self.assertRaisesRegex(FileNotFoundError, r"run\.h5: there is none; svrg train"):
            sa.phases(self.folder)
        run, _ = self.train(WDBC, "-e", "1")
        with self.assertRaisesRegex(ValueError, r"model\.h5: a file of format svrg-model, not svrg-run"):
            sa.history(run / "model.h5")
        with self.assertRaisesRegex(ValueError, "log.jsonl: not an HDF5 file"):
            sa.history(run / "log.jsonl")
        with h5py.File(run / "run.h5", "r+") as file:
            file.attrs["format_version"] = "2.0"
        with self.assertRaisesRegex(ValueError, "version 2.0 .*newer than this module"):
            sa.history(run)


class Scaling(Analysis):
    def setUp(self):
        super().setUp()
        if not IO_TEST:
            self.skipTest("SVRG_IO_TEST does not name the io floor's test program, which writes the files")
        subprocess.run([IO_TEST, "--gtest_filter=Samples.of_scaling*"], check=True, stdout=subprocess.DEVNULL,
                       env=environment({"SVRG_IO_SAMPLES": str(self.folder)}))
        self.weak, self.strong, self.measured = (self.folder / f"{n}.h5" for n in ("weak", "strong", "measured"))

    def test_each_run_has_a_row(self):
        table = sa.scaling([self.weak, self.measured])
        with h5py.File(self.weak) as file:
            real, simulated = file["scaling"], file["simulated"]
            self.assertEqual(len(table), 2 * real["train_seconds"].size + simulated["train_seconds"].size)
            rows = table[table["file"] == str(self.weak)].set_index(["platform", "ranks", "repeat"])
            for p, ranks in enumerate(real["ranks"][:]):
                for r, repeat in enumerate(real["repeat"][:]):
                    row = rows.loc["", ranks, repeat]
                    self.assertFalse(row["simulated"])
                    self.assertEqual(row["rows"], real["rows"][p])
                    for name in "train_seconds", "load_seconds", "bytes_communicated", "epochs", "converged":
                        self.assertEqual(row[name], real[name][p, r], name)
            for p, platform in enumerate(simulated["platform"].asstr()[:]):
                for r, ranks in enumerate(simulated["ranks"][:]):
                    row = rows.loc[platform, ranks, 0]
                    self.assertTrue(row["simulated"])
                    for name in "train_seconds", "communication_seconds", "model_seconds", "rows", "converged":
                        self.assertEqual(row[name], simulated[name][p, r], name)
        study = table.attrs["studies"][str(self.weak)]
        self.assertEqual((study["command"][:10], study["hostname"]), ("svrg bench", ["a", "a", "b", "b"]))
        self.assertIn("latency", study["simulated"])
        self.assertNotIn("simulated", table.attrs["studies"][str(self.measured)])

    def test_speedup_and_efficiency(self):
        for path, strong in (self.strong, True), (self.weak, False):
            with h5py.File(path, "r+") as file:  # the samples' rows grow with the ranks or, simulated, do not
                for rows, ranks in (("scaling/rows", file["scaling/ranks"][:]),
                                    ("simulated/rows", file["simulated/ranks"][:])):
                    file[rows][...] = np.broadcast_to(6000 if strong else 6000 * ranks, file[rows].shape)
            table = sa.scaling(path)
            for (platform, repeat), rows in table.groupby(["platform", "repeat"]):
                seconds = dict(zip(rows["ranks"], rows["train_seconds"]))
                fewest = min(seconds)
                for _, row in rows.iterrows():
                    p = row["ranks"]
                    wanted = seconds[fewest] / seconds[p] * (fewest / p if strong else 1)
                    self.assertAlmostEqual(row["efficiency"], wanted, delta=1e-14 * wanted, msg=(platform, repeat, p))
                    self.assertAlmostEqual(row["speedup"], wanted * p / fewest, delta=1e-13 * wanted * p)
        # There the simulated time falls as 1/P: all goes well.
        ideal = sa.scaling(self.strong).query("simulated")
        np.testing.assert_allclose(ideal["efficiency"], 1, rtol=1e-14)

    def test_medians_are_those_that_the_program_prints(self):
        for mode in "strong", "weak":
            study = self.folder / f"{mode}.bench.h5"
            said = self.succeeds("bench", "--synthetic", "5000,10", "--ranks", "1,2", "--repeats", "2",
                                 "--scaling", mode, "-o", study, ranks=2).json
            table = sa.scaling(study)
            self.assertEqual(list(table["repeat"]), [0, 1, 0, 1])
            table = table.drop_duplicates("ranks")
            self.assertEqual((set(table["mode"]), set(table["simulated"])), ({mode}, {False}))
            for ours, theirs in (("ranks", "ranks"), ("median_seconds", "train_seconds"),
                                 ("median_speedup", "speedup"), ("median_efficiency", "efficiency")):
                np.testing.assert_allclose(table[ours], said[theirs], rtol=1e-12, err_msg=ours)

    def test_what_was_simulated_looks_so(self):
        for path, strong in (self.strong, True), (self.weak, False):
            axes = sa.plot_scaling(path)
            table = sa.scaling(path).drop_duplicates(["platform", "ranks"])
            ideal, *lines = axes.lines[:1] + [bars.lines[0] for bars in axes.containers]
            np.testing.assert_array_equal(ideal.get_ydata(), ideal.get_xdata() if strong else [1, 1])
            labels = [bars.get_label() for bars in axes.containers]
            self.assertEqual(labels, ["local-svrg, measured", "local-svrg, simulated: ethernet",
                                      "local-svrg, simulated: fattree"])
            for line, platform in zip(lines, ("", "ethernet", "fattree")):
                rows = table[table["platform"] == platform]
                np.testing.assert_array_equal(line.get_xdata(), rows["ranks"])
                wanted = rows["median_efficiency"] * (rows["ranks"] if strong else 1)
                np.testing.assert_allclose(line.get_ydata().astype(float), wanted, rtol=1e-14)
                self.assertEqual(line.get_linestyle(), "--" if platform else "-")
                self.assertEqual(line.get_markerfacecolor() == "none", bool(platform))
        both = sa.plot_scaling([self.strong, self.measured]).containers
        self.assertEqual([bars.get_label() for bars in both[::3]], ["strong, measured", "measured, measured"])
        self.assertEqual(len({bars.lines[0].get_color() for bars in both}), 2)
        with self.assertRaisesRegex(ValueError, "strong and weak"):
            sa.plot_scaling([self.strong, self.weak])

    def test_bars_reach_from_the_worst_to_the_best_repeat(self):
        table = sa.scaling(self.measured)
        bars, = sa.plot_scaling(self.measured).containers[0].lines[2]
        for segment, (ranks, rows) in zip(bars.get_segments(), table.groupby("ranks")):
            self.assertEqual(set(segment[:, 0]), {ranks})
            np.testing.assert_allclose(sorted(segment[:, 1]), [rows["efficiency"].min() * ranks,
                                                               rows["efficiency"].max() * ranks])

    def test_other_files_of_bench_are_refused(self):
        with h5py.File(self.measured, "r+") as file:
            del file["scaling"]
        with self.assertRaisesRegex(ValueError, "no scaling study in it; svrg bench --ranks"):
            sa.scaling(self.measured)
        with self.assertRaisesRegex(ValueError, "no files"):
            sa.scaling([])


class Examples(Analysis):
    def test_the_example_runs_and_svrg_converges_where_sgd_stalls(self):
        figures = self.folder / "figures"
        example = str(ROOT / "apps/analysis/example.py")
        with mock.patch.dict(
                os.environ, {**surroundings(), "SVRG_PROGRAM": PROGRAM}, clear=True), mock.patch.object(
                sys, "argv", [example, str(figures)]), contextlib.redirect_stdout(io.StringIO()) as said:
            names = runpy.run_path(example)
        drawn = {"convergence", "phases", "scaling"}
        self.assertEqual({file.name for file in figures.iterdir()},
                         {f"{name}.{suffix}" for name in drawn for suffix in ("png", "svg")})
        for name in drawn:
            self.assertTrue((figures / f"{name}.png").read_bytes().startswith(b"\x89PNG"))
            self.assertTrue(ElementTree.parse(figures / f"{name}.svg").getroot().tag.endswith("svg"))
        self.assertEqual(list(names["speedup"].containers[0].lines[0].get_xdata()), [1, 2])
        # Same step, same passes: the whole point of variance reduction.
        ends = {line.get_label(): (line.get_xdata()[-1], line.get_ydata()[-1]) for line in names["left"].lines}
        self.assertEqual(list(ends), ["guarded svrg", "minibatch svrg", "sgd"])
        self.assertLess(ends["minibatch svrg"][1], ends["sgd"][1] / 1000)
        self.assertLess(ends["guarded svrg"][1], ends["sgd"][1] / 1000)
        self.assertLess(ends["guarded svrg"][0], ends["sgd"][0] / 10)

    def test_the_page_names_all_of_it(self):
        for name in sa.__all__:
            self.assertIn(f"`{name}(", PAGE)

    def test_pip_installs_it(self):
        if importlib.util.find_spec("flit_core") is None or importlib.util.find_spec("pip") is None:
            self.skipTest(f"{sys.executable} has no pip with flit_core")
        there = self.folder / "there"
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index",
                        "--no-build-isolation", "--disable-pip-version-check", "--target", str(there),
                        str(ROOT / "apps/analysis")], check=True, capture_output=True, text=True)
        done = subprocess.run([sys.executable, "-c", "import svrg_analysis as s; print(s.__file__)"], cwd=self.folder,
                              env=environment({"PYTHONPATH": str(there)}), check=True, capture_output=True,
                              text=True)
        self.assertTrue(done.stdout.startswith(str(there)), done.stdout)
        project = tomllib.loads((ROOT / "apps/analysis/pyproject.toml").read_text())["project"]
        self.assertIn(f"svrg {project['version']}", svrg("--version").out)


if __name__ == "__main__":
    main()
