"""Flows over contact plans: the quickest transfer, and maximum flows.

A `Problem` says where data is, where it is wanted, and over which contacts it can go; `solve` finds by when
all can have arrived, with the `Plan` that does it and the `Cut` that proves it. `maximum_flow` is the engine:
the most that fits through a graph of whole capacities.
"""

from ..core.interrupt import Interrupted
from ..core.keywords import tell_of_slips as _tell_of_slips
from .maximum import MaximumFlow, maximum_flow
from .plan import Cut, Plan
from .problem import Problem
from .solver import METHODS, solve

__all__ = [
    "METHODS",
    "Cut",
    "Interrupted",
    "MaximumFlow",
    "Plan",
    "Problem",
    "maximum_flow",
    "solve",
]

_tell_of_slips(__name__)
