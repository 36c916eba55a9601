"""The best number of micro-batches of a fixed batch."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .._core.split import Plan, Problem
from ..core.checks import count, instance
from ..core.interrupt import check_on_interrupt, handed_over
from .interrupt import was_interrupted
from .solver import solve


def with_micro_batches(problem: Problem, micro_batches: int) -> Problem:
    """The same batch, cut into another number of micro-batches.

    FLOP, bytes and measured layer times go with the size of a micro-batch; fixed overheads, latencies and
    resident memory do not (a file's `memory_bytes` does not say which part of it is workspace).

    Parameters
    ----------
    problem : Problem
        What is to be run where.
    micro_batches : int
        In [1, 2^53].

    Returns
    -------
    Problem

    Raises
    ------
    TypeError, ValueError
        For what is no problem, or a number out of range.

    Examples
    --------
    >>> import constellm as clm
    >>> problem = clm.paper.collaborative.problem()
    >>> halves = clm.split.with_micro_batches(problem, 16)
    >>> halves.micro_batches, halves.layers[0].flop / problem.layers[0].flop
    (16, 0.5)
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
    on_interrupt: str = "return",
) -> list[Plan]:
    """Plans for every way to cut the problem's batch into equal micro-batches, best first.

    Parameters
    ----------
    problem : Problem
        What is to be run where; its batch is cut anew.
    batch : int, optional
        Samples in the whole batch; every divisor of it is tried. Either this or `counts` is required.
    counts : sequence of int, optional
        Numbers of micro-batches to try.
    time_limit_s : float
        For each of them [s].
    on_interrupt : str
        As of `constellm.split.solve`; `Interrupted` then carries the list.

    Returns
    -------
    list of Plan
        One a count, by the objective; ``plan.problem.micro_batches`` is the count. Infeasible ones last.
        Ctrl-C ends the list early: one of its plans has status ``"interrupted"``.

    Raises
    ------
    TypeError, ValueError
        For neither or both of `batch` and `counts`, or one out of range.
    Interrupted
        See `on_interrupt`.

    Examples
    --------
    >>> import constellm as clm
    >>> problem = clm.split.Problem(
    ...     model=clm.model.vit("vit-large/16", image_px=224, batch=32),
    ...     network=clm.network.chain(
    ...         3, flop_per_s=3e12, memory_bytes=8e9, rate_bps=0.3e9, node_overhead_s=0.05
    ...     ),
    ...     codecs=clm.codec.menu("quantise"),
    ... )
    >>> [plan.problem.micro_batches for plan in clm.split.best_micro_batches(problem, counts=[1, 4, 16])]
    [4, 1, 16]
    """
    check_on_interrupt(on_interrupt)
    if (batch is None) == (counts is None):
        both = "neither was given" if batch is None else "both were given"
        raise TypeError(f"best_micro_batches needs batch=..., the whole batch, or counts=[...]; {both}")
    if counts is not None:
        tried = [count(f"counts[{i}]", number) for i, number in enumerate(counts)]
    else:
        batch = count("batch", batch, most=1_000_000)
        tried = [number for number in range(1, batch + 1) if batch % number == 0]
    plans: list[Plan] = []
    for number in tried:
        plans.append(solve(with_micro_batches(problem, number), time_limit_s=time_limit_s))
        if was_interrupted(plans[-1]):
            break
    interrupted = bool(plans) and was_interrupted(plans[-1])
    return handed_over(sorted(plans, key=_rank), interrupted=interrupted, on_interrupt=on_interrupt)


def _rank(plan: Plan) -> float:
    # Bottlenecks of unequal micro-batches do not compare; the time of a whole batch in steady flow does.
    if not plan.path:
        return math.inf
    return (
        plan.delay_s if plan.problem.objective == "delay" else plan.bottleneck_s * plan.problem.micro_batches
    )
