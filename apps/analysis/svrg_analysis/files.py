"""Opening what svrg wrote: one place for what can be wrong with a path."""
from __future__ import annotations

import contextlib
import json
import os
import pathlib
import tomllib
from collections.abc import Iterator
from typing import Any

import h5py

Path = str | os.PathLike[str]
VERSION = 1  # of the layout, its first number


def inside(run: Path, name: str, remedy: str) -> pathlib.Path:
    """`run` itself if it is a file, else the file `name` of that run directory."""
    path = pathlib.Path(run)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or run directory; `svrg train -o` makes runs")
    if path.is_dir():
        path = path / name
        if not path.exists():
            raise FileNotFoundError(f"{path}: there is none; {remedy}")
    return path


@contextlib.contextmanager
def opened(path: pathlib.Path, *formats: str) -> Iterator[h5py.File]:
    """The file at `path`, if it is one of `formats` in a version known here.

    No lock is taken: svrg never changes a file in place but puts a whole new one there.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file; name one that svrg wrote")
    if not h5py.is_hdf5(path):
        raise ValueError(f"{path}: not an HDF5 file; of a model in another format, `svrg convert` makes one")
    with h5py.File(path, "r", locking=False) as file:
        found = file.attrs.get("format", "foreign")
        if found not in formats:
            raise ValueError(f"{path}: a file of format {found}, not {' or '.join(formats)}; "
                             "`svrg inspect` explains what is in it")
        version, needed = file.attrs["format_version"], list(file.attrs.get("required_features", []))
        if int(version.split(".")[0]) > VERSION or needed:
            raise ValueError(f"{path}: format version {version} {needed or ''} is newer than this module; "
                             "install the one that comes with that svrg")
        yield file


def text(file: h5py.File, name: str) -> str:
    """A dataset of one string; "" where there is none."""
    return file[name].asstr()[()] if name in file else ""


def settings(file: h5py.File) -> dict[str, Any]:
    """How the run came about: `config`, all its options, and `manifest`, command, host, time and so on."""
    return {"config": tomllib.loads(text(file, "config")),
            "manifest": json.loads(text(file, "manifest") or "{}")}


def plain(attributes: h5py.AttributeManager) -> dict[str, Any]:
    """Attributes as Python's own numbers, strings and lists."""
    return {name: value.tolist() if hasattr(value, "tolist") else value for name, value in attributes.items()}
