"""Figures of plans, fronts, sweeps and networks. matplotlib is imported when the first one is drawn.

Every ``plot_x(obj, *, ax=None)`` draws on `ax`, or on a new figure, and returns the axes.
"""

from .._moved import old_modules
from ..core.keywords import tell_of_slips as _tell_of_slips
from .accuracy import (
    plot_calibration,
    plot_curves,
    plot_predictions,
    plot_propagation,
    plot_rounds,
    plot_strips,
)
from .front import plot_comparison, plot_pareto
from .grid import plot_heat_map, plot_sweep_curves
from .network import plot_network
from .plan import plot_gantt, plot_plan
from .save import save_figure

__all__ = [
    "plot_calibration",
    "plot_comparison",
    "plot_curves",
    "plot_gantt",
    "plot_heat_map",
    "plot_network",
    "plot_pareto",
    "plot_plan",
    "plot_predictions",
    "plot_propagation",
    "plot_rounds",
    "plot_strips",
    "plot_sweep_curves",
    "save_figure",
]

_tell_of_slips(__name__)

old_modules(__name__)
