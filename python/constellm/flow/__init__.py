"""Flows over contact plans: the quickest transfer, and maximum flows.

A `Problem` says where data is, where it is wanted, and over which contacts it can go; `solve` finds by when
all can have arrived, with the `Plan` that does it and the `Cut` that proves it, and what greedy methods take;
`check` names every rule that a plan breaks. `with_antennas` caps what stations receive and send.
`load_problem`, `save_plan` and their like read and write files. `maximum_flow` is the engine: the most that
fits through a graph of whole capacities.
"""

from ..core.interrupt import Interrupted
from ..core.keywords import tell_of_slips as _tell_of_slips
from .antennas import with_antennas
from .checking import check
from .files import (
    load_plan,
    load_problem,
    plan_from_dict,
    plan_to_dict,
    problem_from_dict,
    problem_to_dict,
    save_plan,
    save_problem,
)
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
    "check",
    "load_plan",
    "load_problem",
    "maximum_flow",
    "plan_from_dict",
    "plan_to_dict",
    "problem_from_dict",
    "problem_to_dict",
    "save_plan",
    "save_problem",
    "solve",
    "with_antennas",
]

_tell_of_slips(__name__)
