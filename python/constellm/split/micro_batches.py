"""How many micro-batches to cut a fixed batch into."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .._core import Plan, Problem
from ..core.checks import count, instance
from .solver import solve


def with_micro_batches(problem: Problem, micro_batches: int) -> Problem:
    """The same batch, cut into another number of micro-batches.

    FLOP, bytes and measured layer times go with the size of a micro-batch; fixed overheads, latencies and
    resident memory do not (a file's `memory_bytes` does not say which part of it is workspace).
    """
    instance("problem", problem, Problem)
    micro_batches = count("micro_batches", micro_batches, most=2**53)
    share = problem.micro_batches / micro_batches
    layers = [
        layer.replace(flop=layer.flop * share, output_bytes=layer.output_bytes * share)
        for layer in problem.layers
    ]
    nodes = [
        node
        if node.layer_time_s is None
        else node.replace(layer_time_s=[t * share for t in node.layer_time_s])
        for node in problem.nodes
    ]
    return problem.replace(
        layers=layers, input_bytes=problem.input_bytes * share, nodes=nodes, micro_batches=micro_batches
    )


def best_micro_batches(
    problem: Problem,
    *,
    batch: int | None = None,
    counts: Sequence[int] | None = None,
    time_limit_s: float = math.inf,
) -> list[Plan]:
    """Plans for every way to cut the problem's batch into equal micro-batches, best first.

    Parameters
    ----------
    batch
        Samples in the whole batch; every divisor of it is tried. Give this or `counts`.
    counts
        Numbers of micro-batches to try.
    time_limit_s
        For each of them.

    Returns
    -------
    list of Plan
        One a count, by the objective; ``plan.problem.micro_batches`` is the count. Infeasible ones last.
        Ctrl-C ends the list early: its last plan has status ``"interrupted"``.
    """
    if (batch is None) == (counts is None):
        raise TypeError("give either batch or counts")
    if counts is not None:
        tried = [count(f"counts[{i}]", number) for i, number in enumerate(counts)]
    else:
        batch = count("batch", batch, most=1_000_000)
        tried = [number for number in range(1, batch + 1) if batch % number == 0]
    plans = []
    for number in tried:
        plans.append(solve(with_micro_batches(problem, number), time_limit_s=time_limit_s))
        if plans[-1].status == "interrupted":
            break
    return sorted(plans, key=_rank)


def _rank(plan: Plan) -> float:
    # Bottlenecks of unequal micro-batches do not compare; the time of a whole batch in steady flow does.
    if not plan.path:
        return math.inf
    return (
        plan.delay_s if plan.problem.objective == "delay" else plan.bottleneck_s * plan.problem.micro_batches
    )
