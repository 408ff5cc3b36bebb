# What svrg_analysis is for, from training to figures. Open it as a notebook (Jupyter, VS Code, Spyder know
# the cells), or run it: python3 apps/analysis/example.py [FOLDER FOR THE FIGURES]
# The program is taken from $SVRG_PROGRAM, the PATH or build/bin, and mpirun from the PATH.
# %%
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import matplotlib.pyplot as plt
from sklearn.datasets import load_svmlight_file

import svrg_analysis as sa

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.pop("SVRG_PROGRAM", None) or shutil.which("svrg") or str(ROOT / "build/bin/svrg")
TRAIN, TEST = (str(ROOT / f"apps/data/wdbc.{part}.svm") for part in ("train", "test"))
asked = sys.argv[1:] if sys.argv[0].endswith("example.py") else []  # a notebook's arguments are not ours
figures = pathlib.Path(asked[0] if asked else "runs/analysis")
figures.mkdir(parents=True, exist_ok=True)
runs = pathlib.Path(tempfile.mkdtemp(prefix="svrg-analysis-"))


def svrg(*arguments, ranks=2):
    """Runs the program under mpirun; what it says is shown only if it fails."""
    done = subprocess.run(["mpirun", "-n", str(ranks), PROGRAM, *map(str, arguments)], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        sys.exit(f"svrg {' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stdout}")


def save(axes, name):
    for suffix in "png", "svg":
        axes.figure.savefig(figures / f"{name}.{suffix}", dpi=150)


# %% Three ways to the same optimum, two ranks each
common = ["train", TRAIN, "--valid", TEST, "-m", "acc,ce", "--l2", "0.05", "--tol-grad", "1e-8"]
svrg(*common, "-o", runs / "guarded svrg")
svrg(*common, "--algorithm", "svrg", "-b", "16", "-e", "400", "-o", runs / "minibatch svrg")
# SGD with the step that svrg found and as many passes
last = sa.history(runs / "minibatch svrg").iloc[-1]
svrg(*common, "--algorithm", "sgd", "-b", "16", "--learning-rate", last["learning_rate"],
     "--passes", last["passes"], "-e", "100000", "-o", runs / "sgd")
algorithms = ["guarded svrg", "minibatch svrg", "sgd"]
print(sa.history(runs / "guarded svrg")[["passes", "objective", "grad_norm", "valid_acc"]])

# %% How fast they come near it: by passes over the data, and by what is sent between the ranks
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
for axes, against in (left, "passes"), (right, "bytes"):
    sa.plot_convergence([runs / a for a in algorithms], against=against, ax=axes)
    axes.set_xscale("log", nonpositive="mask")  # sgd starts with no pass at all
save(left, "convergence")

# %% What an epoch is spent on
spent = sa.plot_phases(runs / "minibatch svrg")
save(spent, "phases")

# %% The model, as a scikit-learn estimator
classifier = sa.model(runs / "guarded svrg")
X, y = load_svmlight_file(TEST, n_features=classifier.n_features_in_)
print(f"test accuracy {classifier.score(X, y):.4f}, {classifier}, classes {classifier.classes_}")

# %% Strong scaling on this machine, on made-up rows
svrg("bench", "--synthetic", "1e5,50", "--ranks", "1,2", "--repeats", "3", "-o", runs / "scaling.h5")
table = sa.scaling(runs / "scaling.h5")
print(table[["ranks", "repeat", "train_seconds", "speedup", "efficiency", "median_efficiency"]])
speedup = sa.plot_scaling(runs / "scaling.h5")
save(speedup, "scaling")

# %%
shutil.rmtree(runs)
print("figures are in", figures)
