"""Mixture-of-experts models over a constellation: which satellite hosts which expert.

`Problem` says how far every satellite is for every layer in every slot, and how often experts are picked;
`solve` finds the placement under which a token waits the least, with a bound, and `evaluate` says what a
placement costs. A `Hosting` has satellites with places for several experts, and copies of experts: `host`
places them, `evaluate_hosting` says what that costs and how it loads the satellites.

`ring` lays the layers of a model around the orbits of a shell, `ring_problem` makes a problem of the path
latencies over a constellation, `best_gateways` chooses gateways and experts together, `gateway_schedule`
window by window with the moves between; `arrange` places experts by the schemes of Space-XNet.

`Chain` is a model without gateways, whose experts hand tokens on to each other: `solve_chain` puts those near
each other that follow each other often. `evaluate_trace` says what a placement costs the tokens of a trace.

`Activations` are counts of a table or a trace, with the shares of experts; `sample_activations` has those of
five models. An `ActivationTrace` knows the experts of every token, from which come how they repeat from
token to token and which go together from layer to layer. `read_esft`, `read_vllm` and `read_megatron` read
other programs' traces; `lognormal_weights` and `zipf_weights` make up sampling weights, `draw_trace` a trace
of them.
"""

from ..core.interrupt import Interrupted
from ..core.keywords import tell_of_slips as _tell_of_slips
from .activation_files import load_trace, read_esft, read_expert_counts, save_trace
from .activation_trace import ActivationTrace
from .activations import Activations
from .chain import Chain
from .chain_solver import ChainEvaluation, ChainPlan, evaluate_chain, solve_chain
from .correlations import Coactivations, Repeats
from .distances import mean_latencies
from .files import load_plan, load_problem, plan_from_dict, problem_from_dict, save_plan, save_problem
from .gateways import Gateways, best_gateways
from .hosting import Hosting, HostingEvaluation, activations_within
from .hosting_solver import HostingPlan, evaluate_hosting, host
from .paths import path_latencies, ring_problem
from .problem import Layer, Problem
from .random_activations import draw_trace, lognormal_weights, zipf_weights
from .ring import Ring, ring
from .routed_experts import from_routed_experts, read_megatron, read_vllm
from .sample_activations import SAMPLE_ACTIVATIONS, sample_activations, sample_trace
from .schedules import GatewaySchedule, gateway_schedule
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
from .trace_evaluation import TraceEvaluation, evaluate_trace

__all__ = [
    "METHODS",
    "SAMPLE_ACTIVATIONS",
    "SCHEMES",
    "ActivationTrace",
    "Activations",
    "Arrangement",
    "Chain",
    "ChainEvaluation",
    "ChainPlan",
    "Coactivations",
    "Evaluation",
    "GatewaySchedule",
    "Gateways",
    "Hosting",
    "HostingEvaluation",
    "HostingPlan",
    "Interrupted",
    "Layer",
    "Plan",
    "Problem",
    "Repeats",
    "Ring",
    "TraceEvaluation",
    "activation_shares",
    "activations_within",
    "arrange",
    "best_gateways",
    "draw_trace",
    "evaluate",
    "evaluate_chain",
    "evaluate_hosting",
    "evaluate_trace",
    "expected_latency_s",
    "from_routed_experts",
    "gateway_schedule",
    "host",
    "load_plan",
    "load_problem",
    "load_trace",
    "lognormal_weights",
    "mean_latencies",
    "nearest_placement",
    "path_latencies",
    "plan_from_dict",
    "problem_from_dict",
    "random_placement",
    "read_esft",
    "read_expert_counts",
    "read_megatron",
    "read_vllm",
    "ring",
    "ring_problem",
    "sample_activations",
    "sample_trace",
    "sampling_weights",
    "save_plan",
    "save_problem",
    "save_trace",
    "solve",
    "solve_chain",
    "zipf_weights",
]

_tell_of_slips(__name__)
