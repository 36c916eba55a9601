"""Mixture-of-experts models over a constellation: which satellite hosts which expert.

`Problem` says how far every satellite is for every layer in every slot, and how often experts are picked;
`solve` finds the placement under which a token waits the least, with a bound, and `evaluate` says what a
placement costs.
"""

from ..core.keywords import tell_of_slips as _tell_of_slips
from .files import load_plan, load_problem, plan_from_dict, problem_from_dict, save_plan, save_problem
from .problem import Layer, Problem
from .solver import (
    METHODS,
    Evaluation,
    Plan,
    activation_shares,
    evaluate,
    expected_latency_s,
    sampling_weights,
    solve,
)

__all__ = [
    "METHODS",
    "Evaluation",
    "Layer",
    "Plan",
    "Problem",
    "activation_shares",
    "evaluate",
    "expected_latency_s",
    "load_plan",
    "load_problem",
    "plan_from_dict",
    "problem_from_dict",
    "sampling_weights",
    "save_plan",
    "save_problem",
    "solve",
]

_tell_of_slips(__name__)
