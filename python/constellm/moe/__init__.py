"""Mixture-of-experts models over a constellation: which satellite hosts which expert.

`Problem` says how far every satellite is for every layer in every slot, and how often experts are picked;
`solve` finds the placement under which a token waits the least, with a bound, and `evaluate` says what a
placement costs.

`ring` lays the layers of a model around the orbits of a shell, `ring_problem` makes a problem of the path
latencies over a constellation; `arrange` places experts by the schemes of Space-XNet.
"""

from ..core.keywords import tell_of_slips as _tell_of_slips
from .files import load_plan, load_problem, plan_from_dict, problem_from_dict, save_plan, save_problem
from .gateways import Gateways, best_gateways
from .paths import path_latencies, ring_problem
from .problem import Layer, Problem
from .ring import Ring, ring
from .schemes import SCHEMES, Arrangement, arrange, nearest_placement, random_placement
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
    "SCHEMES",
    "Arrangement",
    "Evaluation",
    "Gateways",
    "Layer",
    "Plan",
    "Problem",
    "Ring",
    "activation_shares",
    "arrange",
    "best_gateways",
    "evaluate",
    "expected_latency_s",
    "load_plan",
    "load_problem",
    "nearest_placement",
    "path_latencies",
    "plan_from_dict",
    "problem_from_dict",
    "random_placement",
    "ring",
    "ring_problem",
    "sampling_weights",
    "save_plan",
    "save_problem",
    "solve",
]

_tell_of_slips(__name__)
