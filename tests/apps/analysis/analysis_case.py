"""What the tests of apps/analysis share: a Python that has what the module needs, and the harness of the
program's tests."""
import importlib.util
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(ROOT / "apps/analysis"), str(HERE.parent / "program")]


def enter_python_with(*modules):
    """Goes on in the Python of tests/run.sh if this one lacks a module; exits with 77 if that one does, too."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if not missing:
        return
    other = os.environ.get("SVRG_PYTHON") or str(ROOT / "build/venv/bin/python3")
    if sys.executable != other and os.path.exists(other):
        os.execv(other, [other, *sys.argv])
    print(f"skipped: {sys.executable} has no {', '.join(missing)}; tests/run.sh makes a Python that has")
    sys.exit(77)


enter_python_with("h5netcdf", "h5py", "matplotlib", "pandas", "sklearn", "xarray")
import matplotlib

matplotlib.use("Agg")  # no screen is needed
