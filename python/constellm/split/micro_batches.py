"""How many micro-batches to cut a fixed batch into."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .._core import Plan, Problem
from .solver import solve


def with_micro_batches(problem: Problem, micro_batches: int) -> Problem:
    """The same batch, cut into another number of micro-batches.

    FLOP, bytes and measured layer times go with the size of a micro-batch; fixed overheads, latencies and
    resident memory do not (a file's `memory_bytes` does not say which part of it is workspace).
    """
    if isinstance(micro_batches, bool) or not isinstance(micro_batches, int) or micro_batches < 1:
        raise ValueError(f"micro_batches: {micro_batches!r} is not an integer >= 1")
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
    """
    if (batch is None) == (counts is None):
        raise TypeError("give either batch or counts")
    if batch is not None:
        if isinstance(batch, bool) or not isinstance(batch, int) or not 1 <= batch <= 1_000_000:
            raise ValueError(f"batch: {batch!r} is not an integer in [1, 1000000]")
        counts = [count for count in range(1, batch + 1) if batch % count == 0]
    plans = [solve(with_micro_batches(problem, count), time_limit_s=time_limit_s) for count in counts or ()]
    return sorted(plans, key=_rank)


def _rank(plan: Plan) -> float:
    # Bottlenecks of unequal micro-batches do not compare; the time of a whole batch in steady flow does.
    if not plan.path:
        return math.inf
    return (
        plan.delay_s if plan.problem.objective == "delay" else plan.bottleneck_s * plan.problem.micro_batches
    )
