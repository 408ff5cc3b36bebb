"""Figures of runs and scaling studies, in colours that the colour-blind tell apart (Okabe and Ito's)."""
from __future__ import annotations

import os
import pathlib
from collections.abc import Iterable, Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, MaxNLocator, ScalarFormatter

from .files import Path
from .tables import history, phases, scaling

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
MARKERS = "osD^vPX"
PHASES = {"data": "#999999", "full_gradient": "#0072B2", "inner": "#56B4E9", "allreduce": "#D55E00",
          "wait": "#E69F00", "evaluate": "#009E73", "checkpoint": "#CC79A7", "other": "#DDDDDD"}
AGAINST = {"epoch": ("epoch", "epoch"), "passes": ("passes", "passes over the data"),
           "seconds": ("wall_seconds", "seconds"), "bytes": ("bytes_communicated", "bytes sent by a rank")}
LOGARITHMIC = {"grad_norm": "gradient norm", "duality_gap": "distance to the minimum, at most"}


def plot_convergence(runs: Path | Iterable[Path] | Mapping[str, Path], against: str = "passes",
                     value: str = "grad_norm", ax: Axes | None = None) -> Axes:
    """A line a run: `value`, any column of `history`, against "epoch", "passes", "seconds" or "bytes".

    `runs` is one, a list, or {label: run}. Markers are snapshots. Epochs at which `value` was not
    measured are left out.

    >>> plot_convergence({"svrg": "runs/a", "sgd": "runs/b"}, against="bytes", value="valid_acc")
    """
    if against not in AGAINST:
        raise ValueError(f"against={against!r}: it is one of {', '.join(AGAINST)}")
    named = runs if isinstance(runs, Mapping) else {_name(run): run for run in _listed(runs)}
    ax = _axes(ax)
    column, label = AGAINST[against]
    for i, (name, run) in enumerate(named.items()):
        table = history(run)
        if value not in table:
            raise ValueError(f"{run} has no {value}; it has {', '.join(table.columns)}")
        table = table.dropna(subset=[value]).reset_index()
        ax.plot(table[column], table[value], label=name, color=COLOURS[i % len(COLOURS)], linewidth=1.6,
                marker=MARKERS[i % len(MARKERS)], markersize=4, markevery=_thinned(table["is_snapshot"]))
    if value in LOGARITHMIC:
        ax.set_yscale("log")
    ax.xaxis.set_major_locator(MaxNLocator(integer=against == "epoch"))
    if against == "bytes":
        ax.xaxis.set_major_formatter(EngFormatter())
    ax.set_xlabel(label)
    ax.set_ylabel(LOGARITHMIC.get(value, value.replace("_", " ")))
    ax.legend(frameon=False)
    return ax


def plot_scaling(files: Path | Iterable[Path], ax: Axes | None = None) -> Axes:
    """Speed-up over ranks of strong, efficiency of weak scaling studies, beside what is ideal.

    Medians of the repeats, with bars from the worst to the best. A line that begins at several ranks
    begins at that speed-up. What was simulated is dashed, with hollow markers, and its label says so.

    >>> plot_scaling(["strong.h5", "strong-chains.h5"])
    """
    table = scaling(files)
    if table["mode"].nunique() > 1:
        raise ValueError("strong and weak scaling do not go into one figure; draw one of each")
    strong = table["mode"].iloc[0] == "strong"
    table["drawn"] = table["efficiency"] * (table["ranks"] if strong else 1)
    ax = _axes(ax)
    ends = np.array([table["ranks"].min(), table["ranks"].max()])
    ax.plot(ends, ends if strong else [1, 1], color="#999999", linewidth=1, label="ideal")
    for f, (file, rows) in enumerate(table.groupby("file", sort=False)):
        colour = COLOURS[f % len(COLOURS)]
        name = rows["algorithm"].iloc[0] if table["file"].nunique() == 1 else _name(file)
        for p, ((simulated, platform), runs) in enumerate(rows.groupby(["simulated", "platform"])):
            line = runs.groupby("ranks")["drawn"].agg(["min", "median", "max"])
            bars = None if simulated else [line["median"] - line["min"], line["max"] - line["median"]]
            ax.errorbar(line.index, line["median"], bars, color=colour, linestyle="--" if simulated else "-",
                        linewidth=1.6, marker=MARKERS[(f + p) % len(MARKERS)], markersize=5, capsize=3,
                        markerfacecolor="none" if simulated else colour,
                        label=f"{name}, simulated: {platform}" if simulated else f"{name}, measured")
    ax.set_xscale("log", base=2)
    if strong:
        ax.set_yscale("log", base=2)
        ax.yaxis.set_major_formatter(ScalarFormatter())
    else:
        ax.set_ylim(bottom=0)
    ax.xaxis.set_major_formatter(ScalarFormatter())
    ax.set_xlabel("ranks")
    ax.set_ylabel("speed-up" if strong else "efficiency")
    ax.legend(frameon=False)
    return ax


def plot_phases(run: Path, rank: int | None = None, ax: Axes | None = None) -> Axes:
    """What the epochs of a run were spent on, stacked: the mean of all ranks, or that of `rank`.

    >>> plot_phases("runs/a9a", rank=0)
    """
    table = phases(run)
    ranks = table.index.unique("rank")
    if rank is not None and rank not in ranks:
        raise ValueError(f"{run} has no rank {rank}; it has {ranks.min()} to {ranks.max()}")
    seconds = table.groupby("epoch").mean() if rank is None else table.xs(rank, level="rank")
    if seconds.empty:
        raise ValueError(f"{run} has no epoch yet")
    ax = _axes(ax)
    epochs = seconds.index.to_numpy(dtype=float)
    middles = (epochs[1:] + epochs[:-1]) / 2
    width = middles[0] - epochs[0] if len(middles) else 0.5
    edges = [epochs[0] - width, *middles, epochs[-1] + (epochs[-1] - middles[-1] if len(middles) else width)]
    below = np.zeros(len(epochs))
    for name, spent in seconds.items():
        if (spent > 0).any():
            top = below + spent.to_numpy()
            ax.stairs(top, edges, baseline=below, fill=True, label=name.replace("_", " "),
                      facecolor=PHASES.get(name), edgecolor="white", linewidth=0.4)
            below = top
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_formatter(EngFormatter("s"))
    ax.set_xlabel("epoch")
    ax.set_ylabel("time of an epoch, mean of the ranks" if rank is None else f"time of an epoch on rank {rank}")
    handles, labels = ax.get_legend_handles_labels()
    ax.legend(handles[::-1], labels[::-1], frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return ax


def _axes(ax: Axes | None) -> Axes:
    ax = ax or plt.subplots(figsize=(6, 4), layout="constrained")[1]
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(color="#DDDDDD", linewidth=0.6)
    ax.set_axisbelow(True)
    return ax


def _listed(runs: Path | Iterable[Path]) -> list[Path]:
    return [runs] if isinstance(runs, str | os.PathLike) else list(runs)


def _name(run: Path) -> str:
    """runs/a9a, runs/a9a/run.h5 and a9a.h5 are a9a."""
    path = pathlib.Path(run)
    return path.parent.name if path.name == "run.h5" else path.name.removesuffix(".h5")


def _thinned(flags, most: int = 15) -> list[int]:
    """Where markers go: at the snapshots, but not so many that they hide the line."""
    at = np.flatnonzero(flags)
    return at[::-(-len(at) // most) or 1].tolist()
