"""Runs and scaling studies as pandas tables."""
from __future__ import annotations

import os
import pathlib
from collections.abc import Iterable

import h5py
import pandas as pd

from .files import Path, inside, opened, plain, settings

RUN = "svrg train -o makes one after its first epoch"


def history(run: Path) -> pd.DataFrame:
    """The epochs of a run, finished or not: a row each, index `epoch`.

    `run` is a run directory or its run.h5. Counts, `passes` and `wall_seconds` are since the start of
    the run; NaN stands where a figure was not measured. `max_rss` is that of the rank with most, bytes.
    `attrs` has `path`, `config` (all options, as in the TOML file), `manifest` (command, host, ranks …)
    and `units`, of the columns that have one.

    >>> h = history("runs/a9a")
    >>> h.objective.iloc[-1], h.attrs["config"]["train"]["algorithm"]
    """
    path = inside(run, "run.h5", RUN)
    with opened(path, "svrg-run") as file:
        group = file["history"]
        epochs = len(group["epoch"])
        columns = {name: data[:] for name, data in group.items() if data.shape == (epochs,)
                   and data.dims[0] and data.dims[0][0] == group["epoch"]}
        units = {name: group[name].attrs["units"] for name in columns if group[name].attrs["units"] != "1"}
        columns["is_snapshot"] = columns["is_snapshot"].astype(bool)
        table = pd.DataFrame(columns, index=pd.Index(group["epoch"][:], name="epoch"))
        table["max_rss"] = pd.DataFrame(group["max_rss"][:]).max(axis="columns").to_numpy()
        table.attrs = {"path": str(run), "units": units | {"max_rss": "byte"}, **settings(file)}
    return table


def phases(run: Path) -> pd.DataFrame:
    """Seconds that each rank spent in each phase of each epoch: index (`epoch`, `rank`), a column a phase.

    `run` is as in `history`. A rank that took no part in an epoch, as after going on with fewer, has no
    row in it. Waiting is told from allreduce in runs with --profile only. `attrs` has those of `history`
    and `hostname`, by rank.

    >>> phases("runs/a9a").groupby("epoch").max()          # the slowest rank of each
    >>> phases("runs/a9a")["wait"].groupby("rank").sum()   # whom the others wait for waits least
    """
    path = inside(run, "run.h5", RUN)
    with opened(path, "svrg-run") as file:
        group = file["history"]
        seconds = group["phase_seconds"][:]
        index = pd.MultiIndex.from_product([group["epoch"][:], range(seconds.shape[1])], names=["epoch", "rank"])
        names = pd.Index(group["phase"].asstr()[:], name="phase")
        table = pd.DataFrame(seconds.reshape(len(index), len(names)), index, names).dropna(how="all")
        table.attrs = {"path": str(run), "units": {name: "s" for name in names}, **settings(file),
                       "hostname": list(group["hostname"].asstr()[:])}
    return table


def scaling(files: Path | Iterable[Path]) -> pd.DataFrame:
    """One or several files of `svrg bench --ranks`: a row for each run, measured or simulated.

    Columns: `file`, `mode`, `data`, `algorithm`, `simulated`, `platform` ("" if measured), `ranks`,
    `repeat` (0 if simulated), what the run took (`train_seconds`, `epochs`, `bytes_communicated` …),
    `speedup`, `efficiency`, and the medians of these three over the repeats, as `svrg bench` prints them.
    Speedup is how many times as many rows a second a run trained on as the one with the fewest ranks, P₀,
    of the same file, platform and repeat; efficiency is that per rank. So with T for seconds efficiency is
    T(P₀)·P₀ / (P·T(P)) in strong and T(P₀) / T(P) in weak scaling, 1 if all goes well.
    `attrs["studies"][file]` has solver, command, hosts and, if something was simulated, the fitted costs.

    >>> t = scaling(["strong.h5", "other.h5"])
    >>> t[~t.simulated].groupby(["file", "ranks"])["efficiency"].agg(["min", "median", "max"])
    """
    paths = [files] if isinstance(files, str | os.PathLike) else list(files)
    if not paths:
        raise ValueError("scaling: no files; give one or several that svrg bench wrote")
    tables, studies = [], {}
    for path in map(str, paths):
        with opened(pathlib.Path(path), "svrg-bench") as file:
            if "scaling" not in file:
                raise ValueError(f"{path}: there is no scaling study in it; svrg bench --ranks 1,2,4 makes one")
            study = plain(file["scaling"].attrs)
            parts = [_runs(file["scaling"], ["ranks", "repeat"]).assign(simulated=False, platform="")]
            if "simulated" in file:
                parts.append(_runs(file["simulated"], ["platform", "ranks"]).assign(simulated=True, repeat=0))
                study["simulated"] = plain(file["simulated"].attrs)
            study["hostname"] = list(file["scaling/hostname"].asstr()[:])
        said = {name: study[name] for name in ("mode", "data", "algorithm")}
        tables.append(_compared(pd.concat(parts, ignore_index=True).assign(file=path, **said)))
        studies[path] = study
    table = pd.concat(tables, ignore_index=True)
    first = ["file", "mode", "data", "algorithm", "simulated", "platform", "ranks", "repeat",
             "train_seconds", "speedup", "efficiency", "median_seconds", "median_speedup", "median_efficiency"]
    table = table[first + [name for name in table if name not in first]]
    table.attrs = {"studies": studies}
    return table


def _runs(group: h5py.Group, axes: list[str]) -> pd.DataFrame:
    """A row for each cell of the tables along both `axes`; what belongs to one axis is repeated."""
    scales = [_values(group[axis]) for axis in axes]
    index = pd.MultiIndex.from_product(scales, names=axes)
    table = index.to_frame(index=False)
    for name, data in group.items():
        if isinstance(data, h5py.Dataset) and name not in axes and data.shape == tuple(map(len, scales)):
            table[name] = _values(data).ravel()
    if "rows" not in table:
        table["rows"] = table["ranks"].map(dict(zip(_values(group["ranks"]), _values(group["rows"]))))
    table["converged"] = table["converged"].astype(bool)
    return table


def _values(data: h5py.Dataset):
    return data.asstr()[:] if h5py.check_string_dtype(data.dtype) else data[:]


def _compared(table: pd.DataFrame) -> pd.DataFrame:
    """With what each run did relative to one on the fewest ranks."""
    series = ["platform", "repeat"]
    base = table.sort_values("ranks").drop_duplicates(series)[[*series, "ranks", "rows", "train_seconds"]]
    base = table[series].merge(base, "left", on=series)
    speedup = table["rows"] / base["rows"] * base["train_seconds"] / table["train_seconds"]
    table = table.assign(speedup=speedup, efficiency=speedup * base["ranks"] / table["ranks"])
    repeats = table.groupby(["platform", "ranks"])
    return table.assign(**{f"median_{name.removeprefix('train_')}": repeats[name].transform("median")
                           for name in ("train_seconds", "speedup", "efficiency")})
