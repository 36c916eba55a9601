"""Collaborative inference over a chain or graph of satellites: the problem, its plans, their worth.

`Problem` says what is to be run where under which limits; `solve` finds the provably best plan, `evaluate`
and `check` say what a plan is worth and which rule it breaks.
"""

from .._core import Plan, Problem, Stage
from .display import attach as _attach_displays
from .files import load_problem, problem_from_dict, save_problem
from .options import OPTIONS
from .schedule import Schedule, schedule
from .solver import check, evaluate, k_best, solve

__all__ = [
    "OPTIONS",
    "Plan",
    "Problem",
    "Schedule",
    "Stage",
    "check",
    "evaluate",
    "k_best",
    "load_problem",
    "problem_from_dict",
    "save_problem",
    "schedule",
    "solve",
]

_attach_displays()
