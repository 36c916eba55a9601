"""Figures of plans, fronts, sweeps, networks and constellations.

Every ``plot_x(obj, *, ax=None)`` draws on `ax`, or on a new figure, and returns the axes; `plot_globe` alone
gives a figure of plotly. matplotlib and plotly are imported when the first figure is drawn.
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
from .contacts import plot_contacts
from .front import plot_comparison, plot_pareto
from .globe import plot_globe
from .grid import plot_heat_map, plot_sweep_curves
from .network import plot_network
from .plan import plot_gantt, plot_plan
from .save import save_figure
from .services import plot_placement, plot_price_of_robustness
from .sky import plot_sky
from .training import plot_training
from .tuning import plot_contest, plot_ladder, plot_phases
from .world_map import plot_world_map

__all__ = [
    "plot_calibration",
    "plot_comparison",
    "plot_contacts",
    "plot_contest",
    "plot_curves",
    "plot_gantt",
    "plot_globe",
    "plot_heat_map",
    "plot_ladder",
    "plot_network",
    "plot_pareto",
    "plot_phases",
    "plot_placement",
    "plot_plan",
    "plot_predictions",
    "plot_price_of_robustness",
    "plot_propagation",
    "plot_rounds",
    "plot_sky",
    "plot_strips",
    "plot_training",
    "plot_world_map",
    "plot_sweep_curves",
    "save_figure",
]

_tell_of_slips(__name__)

old_modules(__name__)
