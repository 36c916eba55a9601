"""Figures of federated training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..core.checks import hint_for
from ..tune import FederatedRun
from . import palette, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_training(
    runs: FederatedRun | Mapping[str, FederatedRun],
    *,
    x: str = "time_s",
    y: str = "accuracy",
    log: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """How good the global model was when, or after how many bytes or joules.

    A version holds until the next one: lines are steps.

    Parameters
    ----------
    runs : FederatedRun, or mapping of str to FederatedRun
        By name, for the legend.
    x, y : str
        Columns of the history: ``time_s``, ``sent_bytes`` or ``energy_j``, say; ``accuracy`` or
        ``cross_entropy``.
    log : bool
        Whether `x` is logarithmic, from the first version on: the start is at 0.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    ValueError
        If there is no run, or a run has no such column.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import plot, tune
    >>> x, labels = np.array([[0.0], [1.0]]), [0, 1]
    >>> spread = tune.Partition([0, 1], labels=labels, satellites=2)
    >>> task = tune.HeadTask(x, spread, test_features=x, test_labels=labels)
    >>> run = tune.federate(task, tune.ConstantTiming(2, up_s=30.0), rounds=5)
    >>> ax = plot.plot_training({"rounds": run})
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('time (s)', 'accuracy (%)')
    """
    named = {"": runs} if isinstance(runs, FederatedRun) else dict(runs)
    if not named:
        raise ValueError("runs: expected at least one")
    for axis, column in (("x", x), ("y", y)):
        for run in named.values():
            if column not in run.history.columns:
                hint = hint_for(column, run.history.columns)
                raise ValueError(f"{axis}: {column!r} is no column of the history{hint}")
    with style.drawing(ax, (5.6, 3.6)) as ax:
        for i, (name, run) in enumerate(named.items()):
            color = palette.CYCLE[i % len(palette.CYCLE)]
            line = "-" if i < len(palette.CYCLE) else "--"
            across, up = run.column(x), run.column(y)
            ax.step(across, up, where="post", color=color, linestyle=line, label=name, linewidth=1.4)
            ax.plot(across[-1], up[-1], "o", color=color, markersize=3)
        if log:
            ax.set_xscale("log")
        everywhere = np.concatenate([run.column(x) for run in named.values()])
        style.label_axis(ax.xaxis, x, everywhere, log=log)
        style.label_axis(ax.yaxis, y, np.concatenate([run.column(y) for run in named.values()]))
        if any(named):
            ax.legend(loc="best", fontsize=8)
    return ax
