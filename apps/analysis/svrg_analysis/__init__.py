"""What svrg wrote, for people who work in Python: tables, figures and estimators.

    import svrg_analysis as sa

    sa.history("runs/a9a")                  # a DataFrame, a row an epoch
    sa.phases("runs/a9a")                   # seconds in each phase, by epoch and rank
    sa.scaling("scaling.h5")                # a row a measured or simulated run
    sa.model("runs/a9a").predict(X)         # a scikit-learn estimator
    sa.plot_convergence(["runs/a9a", "runs/sgd"], against="bytes").figure.savefig("convergence.svg")

All of it reads files and needs neither MPI nor the program.
"""
from .plots import plot_convergence, plot_phases, plot_scaling
from .tables import history, phases, scaling

__all__ = ["history", "model", "phases", "plot_convergence", "plot_phases", "plot_scaling", "scaling"]


def model(run):
    """A trained linear model as a scikit-learn estimator: see `svrg_analysis.estimators.model`."""
    try:
        from .estimators import model as read  # the rest does without scikit-learn
    except ModuleNotFoundError as error:
        raise ImportError(f"model() needs {error.name}: pip install scikit-learn") from error
    return read(run)
