"""Benchmarks of the split planner by name: published planners, rules of thumb, ablations.

`METHODS` says of each where it is from, what was adapted, and by which delay model its row of a comparison
is worth what it says. All methods know memory; what else a published planner ignores (error, energy) its plan
may break, and then `solve_by_name` has no plan and `constellm.split.compare` shows what breaks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .. import _core
from .._core.split import Plan, Problem
from ..core.checks import instance
from .options import check_options

FLOW_LINE = "pipeline: Σ stages + Σ (hops + latency) + (M − 1) · longest"
SEQUENTIAL = "sequential: M · (Σ stages + Σ (hops + latency))"
TENSOR_PARALLEL = (
    "tensor parallel: hops + layers with 4 overlapped ring synchronisations each, (M − 1) · longest"
)

FIXED = "fixed:"
_CHAIN = "On a graph all simple paths are candidates."
_RULE_PATHS = "On a graph: the best of the (at most 256) simple paths with the fewest hops."
_NO_COMPRESSION = (
    "Activations go uncompressed; where the menu lists no such codec, it is added, and the row says so."
)
_LIMITS = "Knows neither error nor energy limits."


@dataclass(frozen=True)
class Method:
    """One method: `name` as `solve` and `compare` take it, and where it comes from.

    Attributes
    ----------
    name : str
        ``"fixed:<codec>"`` stands for one method for each codec of the problem.
    rule : str
        What it decides, and by which rule.
    source : str
        Paper, or ``"ablation"``, ``"rule of thumb"``.
    adapted : str
        What differs from the source, assumptions included.
    delay_model : str
        What its delay means; everything but `FLOW_LINE` is not the problem's own objective.

    Examples
    --------
    >>> from constellm import split
    >>> method = split.METHODS["pipeedge"]
    >>> method.source, method.has_plan
    ('Hu et al., PipeEdge, DSD 2022, arXiv 2110.14895', True)
    """

    name: str
    rule: str
    source: str
    adapted: str
    delay_model: str = FLOW_LINE

    @property
    def has_plan(self) -> bool:
        """Whether a plan file can express what it does."""
        return self.delay_model != TENSOR_PARALLEL


METHODS = {
    method.name: method
    for method in (
        Method(
            "ground-only",
            "Raw input goes to the sink, which hosts every layer; the best path.",
            "Benchmark of Zhang et al., arXiv 2604.04654",
            "There it stands for relays on a chain. No plan where the sink cannot compute or hold the model.",
        ),
        Method(
            "single-satellite",
            "One node hosts every layer: the source if it can compute, else the host with the fewest hops "
            "from it.",
            "Benchmark of Zhang et al., arXiv 2604.04654",
            "The sink does not count as a satellite.",
        ),
        Method(
            "single-best",
            "One node other than the sink hosts every layer: the one with the best objective.",
            "Ablation: no split",
            "Nothing.",
        ),
        Method(
            "uniform",
            "Equally many layers for each host of the path, the remainder to the first; then the best "
            "codecs for these blocks within the limits.",
            "Benchmark of Zhang et al., arXiv 2604.04654",
            "Where a block does not fit its node: the sizes that differ least in sum and do. The choice "
            f"of codecs is an assumption in the method's favour. {_RULE_PATHS}",
        ),
        Method(
            "compute-proportional",
            "As uniform, with layers in proportion to the host's speed (1 / time of the whole model), "
            "rounded by largest remainder.",
            "Benchmark 'heuristic split' of Zhang et al., arXiv 2604.04654",
            f"As uniform. {_RULE_PATHS}",
        ),
        Method(
            "no-pipeline",
            "The best plan if a micro-batch started only when the one before has arrived.",
            "Ablation: no overlap",
            "Solved exactly under its own objective and all limits of the problem.",
            SEQUENTIAL,
        ),
        Method(
            f"{FIXED}<codec>",
            "The best plan with this one codec at every cut.",
            "Ablation: no choice of compression",
            "Solved exactly.",
        ),
        Method(
            "no-compression",
            "The best plan with uncompressed activations.",
            "Ablation: no compression",
            f"Solved exactly. {_NO_COMPRESSION}",
        ),
        Method(
            "quantise-only",
            "The best plan with the menu's codecs of group 'quantise'.",
            "Ablation: quantisation alone",
            "Solved exactly.",
        ),
        Method(
            "top-k-only",
            "The best plan with the menu's codecs of group 'top-k'.",
            "Ablation: selection alone (a benchmark of Zhang et al., arXiv 2604.04654)",
            "Solved exactly.",
        ),
        Method(
            "scalar-a-star",
            "Shortest path over (node, layers done, codec in flight) with one label per state, that of "
            "the smallest Σ + (M − 1) · longest so far, within the limits.",
            "Ablation: A* as for additive weights, which the pipeline term and the accumulated error are not",
            "A* with any consistent heuristic keeps one label per state as this search does. Not exact: "
            "the label dropped at a state may have the shorter longest stage, the smaller error, or the "
            "path that stays simple.",
        ),
        Method(
            "neurosurgeon",
            "Layers up to one cut at the source, the rest at the sink; smallest latency of one micro-batch.",
            "Kang et al., Neurosurgeon, ASPLOS 2017",
            f"Device and cloud are source and sink; the nodes between relay. {_NO_COMPRESSION} {_LIMITS}",
        ),
        Method(
            "jalad",
            "Cuts and bit-widths together, smallest latency of one micro-batch within the error limit.",
            "Li et al., JALAD, ICPADS 2018, arXiv 1812.10027",
            "K cuts instead of one, their losses added by the problem's error rule; the integer programme "
            "is solved exactly as a constrained shortest path. Bit-widths are the menu's codecs "
            "of group 'quantise'; if there are none, 1 to 8 bits of FP32 are added, with the error of an "
            "optimally clipped quantiser on Laplace distributed values (an assumption), without lossless "
            "coding and without time. Knows no energy limit.",
        ),
        Method(
            "pipeedge",
            "Largest throughput: smallest longest stage or hop, memory-feasible contiguous blocks.",
            "Hu et al., PipeEdge, DSD 2022, arXiv 2110.14895",
            "Devices stand in path order; hops of raw input and result, and fixed overheads, count like "
            f"any other; ties are broken by delay. {_CHAIN} {_NO_COMPRESSION} {_LIMITS}",
        ),
        Method(
            "quantpipe",
            "PipeEdge's blocks; each hand-off in 32, 16, 8, 6, 4, 2 bits for c ≤ 1, 2, 4, 5, 8, else, "
            "where c = ⌊bytes / (target time · bandwidth)⌋ + 1.",
            "Wang et al., QuantPipe, arXiv 2211.04515",
            "Target time: the longest stage of the partition (an assumption: sending then is no "
            "bottleneck). Bandwidth: the slowest link between the two hosts. Bit-widths are the menu's "
            "codecs of the names 'quantise-16', …, 'quantise-2'; those not listed are added at ratio 32 / "
            "bits, with the error of a quantiser clipped at W(3·4^b)·√(var/2) on Laplace distributed "
            f"values, without time. {_LIMITS}",
        ),
        Method(
            "edgeshard-latency",
            "Smallest latency of one micro-batch; layer 0 at the source.",
            "Zhang et al., EdgeShard, arXiv 2405.14371",
            "The dynamic programme's optimum with exact memory, contiguous blocks and simple paths; its "
            "restriction of the first layer, for privacy, holds where the source can compute. The way of "
            f"a token back to the source is left out. {_CHAIN} {_NO_COMPRESSION} {_LIMITS}",
        ),
        Method(
            "edgeshard-throughput",
            "Smallest longest stage or hop; layer 0 at the source.",
            "Zhang et al., EdgeShard, arXiv 2405.14371",
            f"As edgeshard-latency; ties are broken by delay. {_CHAIN} {_NO_COMPRESSION} {_LIMITS}",
        ),
        Method(
            "galaxy",
            "Every layer on all hosts of a path at once, in shares by speed within memory.",
            "Ye et al., Galaxy, INFOCOM 2024, arXiv 2405.17245",
            "A layer is one transformer block. Of its time c on D hosts, each of four synchronisations "
            "overlaps a quarter: c/4D + (D − 1) · max(c/4D, x), x the slowest transfer of 1/D of the "
            "activation round the ring that the path and the shortest way back close; hosts without a way "
            "back only relay. Raw input reaches all hosts along the path. Sharing of links between input "
            f"and synchronisation costs nothing; energy is not modelled. {_RULE_PATHS}",
            TENSOR_PARALLEL,
        ),
        Method(
            "optimal",
            "The provably best plan.",
            "This package's exact search",
            "Nothing.",
        ),
    )
}
"""Every method by name: what it decides, its source, what was adapted."""


def method_of(name: str) -> Method:
    """The entry of `METHODS` for a name, ``"fixed:<codec>"`` of any codec included.

    Raises
    ------
    ValueError
        For an unknown name; the message lists the known ones.
    """
    key = f"{FIXED}<codec>" if isinstance(name, str) and name.startswith(FIXED) else name
    if key not in METHODS:
        raise ValueError(f"method: {name!r} is not one of {', '.join(METHODS)}")
    return METHODS[key]


def applicable(problem: Problem) -> list[str]:
    """Names of all methods that fit the problem's menu, ``"fixed:<codec>"`` for each codec in its place."""
    names: list[str] = []
    for name in METHODS:
        family = {"quantise-only": "quantise", "top-k-only": "top-k"}.get(name)
        if name == f"{FIXED}<codec>":
            names += [FIXED + codec.name for codec in problem.codecs]
        elif family is None or any(codec.group == family for codec in problem.codecs):
            names.append(name)
    return names


def solve_by_name(problem: Problem, method: str, *, time_limit_s: float = math.inf) -> Plan:
    """The plan of a benchmark method.

    Parameters
    ----------
    problem : Problem
        What is to be run where.
    method : str
        A benchmark of `METHODS` that a plan can express: neither ``"galaxy"`` nor ``"optimal"``.
    time_limit_s : float
        Stop after this time [s].

    Returns
    -------
    Plan
        Of status ``"feasible"``, its figures those of the evaluator under the problem's own objective,
        ``lower_bound_s`` NaN. ``"no_plan_found"`` where the method finds none or its plan breaks a limit;
        ``broken_limits`` lists these. Codecs that the method brought along are the plan's ``codecs``, and
        stand at the end of the menu of ``plan.problem``; `evaluate` and `check` take such a plan with the
        problem that was asked as well.

    Raises
    ------
    ValueError
        For an unknown method, or one that does not fit the menu.
    """
    instance("problem", problem, Problem)
    if not method_of(method).has_plan:
        raise ValueError(f"method: no plan can express what {method!r} does; `compare` shows its delay")
    limit_s = check_options({"time_limit_s": time_limit_s})["time_limit_s"]
    return _core.split.solve_by(problem, method, time_limit_s=limit_s)


def methods_markdown() -> str:
    """The content of ``docs/methods.md``: every method, its source, what was adapted."""
    parts = [
        "# Methods of comparison\n",
        "Generated by `constellm.split.methods.methods_markdown`; a test compares. Every plan's figures "
        "are those of the one evaluator. Delay models:\n",
        *(f"* {model}" for model in (FLOW_LINE, SEQUENTIAL, TENSOR_PARALLEL)),
        "\nM is the number of micro-batches.",
    ]
    for method in METHODS.values():
        parts += [
            f"\n## `{method.name}`\n",
            f"{method.rule}\n",
            f"* Source: {method.source}.",
            f"* Adapted: {method.adapted}",
            f"* Delay model: {method.delay_model.split(':')[0]}.",
        ]
    return "\n".join(parts) + "\n"
