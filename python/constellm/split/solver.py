"""Solving and checking: thin faces of the compiled solver and evaluator."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .. import _core
from .._core.codec import Codec
from .._core.network import Node
from .._core.split import Evaluation, Plan, Problem, Stage
from ..core.checks import count, instance
from ..core.interrupt import check_on_interrupt, handed_over
from ..core.progress import waiting
from .evaluation import objective_figure
from .files import PlanClaims, check_plan_dict
from .interrupt import was_interrupted
from .options import check_options

_FIGURES = _core.split.figures


def solve(problem: Problem, *, method: str = "optimal", on_interrupt: str = "return", **options: Any) -> Plan:
    """Find a plan for `problem`.

    Parameters
    ----------
    problem : Problem
        What is to be run where.
    method : str
        ``"optimal"`` for the exact search, or the name of a benchmark of `METHODS`.
    on_interrupt : str
        What Ctrl-C does: ``"return"`` the best plan so far, of status ``"interrupted"``, or ``"raise"``
        `Interrupted` with that plan as its `result`, so that it also ends a loop of solves.
    **options
        Of the exact search; `constellm.split.OPTIONS` lists them. ``time_limit_s`` is the one to know.

    Returns
    -------
    Plan
        With `status`, the evaluator's figures and, from the exact search, a bound that no plan beats. Of an
        infeasible problem `Plan.infeasibility` says why, as far as that was worked out in a second or, if
        longer, the time that the search took.

    Raises
    ------
    TypeError, ValueError
        For what is no problem, an unknown method, or an unknown or wrong option; names them.
    Interrupted
        A `KeyboardInterrupt`; see `on_interrupt`.

    Examples
    --------
    >>> import constellm as clm
    >>> problem = clm.paper.collaborative.problem(relays=0)
    >>> plan = clm.split.solve(problem)
    >>> plan.status, round(plan.delay_s, 3), plan.lower_bound_s <= plan.delay_s
    ('optimal', 5.826, True)
    """
    instance("problem", problem, Problem)
    check_on_interrupt(on_interrupt)
    if method != "optimal":
        if options.keys() - {"time_limit_s"}:
            raise TypeError(
                f"options {sorted(options)} belong to method 'optimal'; others take time_limit_s alone"
            )
        from .methods import solve_by_name

        plan = solve_by_name(problem, method, **options)
    else:
        checked = check_options(options, more=("method", "on_interrupt"))
        with waiting("solve", limit_s=checked["time_limit_s"]):
            plan = _core.split.solve(problem, **checked)
    return handed_over(plan, interrupted=was_interrupted(plan), on_interrupt=on_interrupt)


def k_best(
    problem: Problem, k: int, *, time_limit_s: float = math.inf, on_interrupt: str = "return"
) -> list[Plan]:
    """The `k` best distinct plans, best first; fewer where there are not as many.

    Two plans are distinct when path, blocks or codecs differ.

    Parameters
    ----------
    problem : Problem
        What is to be run where.
    k : int
        In [1, 100,000].
    time_limit_s : float
        Stop after this time [s], with the best so far.
    on_interrupt : str
        As of `solve`; `Interrupted` then carries the list.

    Returns
    -------
    list of Plan
        ``status`` is ``"optimal"`` when the list is proven to be the k best.

    Raises
    ------
    TypeError, ValueError
        For what is no problem, or an argument out of range; names it.
    Interrupted
        See `on_interrupt`.

    Examples
    --------
    >>> import constellm as clm
    >>> problem = clm.paper.collaborative.problem(relays=0)
    >>> [round(plan.delay_s, 4) for plan in clm.split.k_best(problem, 3)]
    [5.8255, 5.8255, 5.8258]
    """
    instance("problem", problem, Problem)
    k = count("k", k, most=100_000)
    check_on_interrupt(on_interrupt)
    time_limit_s = check_options({"time_limit_s": time_limit_s})["time_limit_s"]
    with waiting("k best", limit_s=time_limit_s):
        plans, interrupted = _core.split.k_best(problem, k, time_limit_s=time_limit_s)
    return handed_over(plans, interrupted=interrupted, on_interrupt=on_interrupt)


def evaluate(problem: Problem, plan: Plan | Mapping[str, Any]) -> Evaluation:
    """Every term of a plan's worth by the one evaluator.

    Parameters
    ----------
    problem : Problem
        What is to be run where. Codecs that the plan carries need not be in its menu.
    plan : Plan or mapping
        A `Plan`, or the content of a plan file.

    Returns
    -------
    Evaluation
        ``delay_s``, ``bottleneck_s``, ``error``, ``energy_j``, ``bytes`` and ``objective_s``; ``stages`` and
        ``hops`` with their times in path order; ``broken_limits``, a text each.

    Raises
    ------
    ValueError
        If it is no plan of the problem: what is wrong with path, blocks or the codecs that it carries.

    Examples
    --------
    >>> import constellm as clm
    >>> problem = clm.paper.collaborative.problem(relays=0)
    >>> worth = clm.split.evaluate(problem, clm.split.solve(problem))
    >>> round(sum(stage.time_s for stage in worth.stages), 3), len(worth.hops)
    (2.014, 5)
    """
    instance("problem", problem, Problem)
    decision: tuple[Sequence[str], Sequence[Stage]] | None
    codecs: Sequence[Codec]
    if isinstance(plan, Plan):
        status, codecs = plan.status, plan.codecs
        decision = (plan.path, plan.stages) if plan.path else None
    else:
        claims = check_plan_dict(plan)
        status, codecs, decision = claims.status, claims.codecs, claims.decision
    if decision is None:
        raise ValueError(f"plan of status {status!r} holds nothing to evaluate")
    return _core.split.evaluate(with_codecs(problem, codecs), *decision)


def check(problem: Problem, plan: Plan | Mapping[str, Any]) -> list[str]:
    """Every rule that a plan breaks: form, limits, and claims that are not so. Empty for a good plan.

    Parameters
    ----------
    problem : Problem
        What is to be run where. Codecs that the plan carries need not be in its menu.
    plan : Plan or mapping
        A `Plan`, or the content of a plan file.

    Returns
    -------
    list of str
        A text for each rule, which starts with the place.

    Raises
    ------
    TypeError, ValueError
        For content that is not even of the form of a plan file.

    Examples
    --------
    >>> import constellm as clm
    >>> problem = clm.paper.collaborative.problem(relays=0)
    >>> plan = clm.split.solve(problem)
    >>> clm.split.check(problem, plan)
    []
    >>> clm.split.check(problem.replace(max_error=0.5), plan)
    ['error: 1.0598... is over the limit of 0.5']
    """
    instance("problem", problem, Problem)
    claims = check_plan_dict(plan.to_dict() if isinstance(plan, Plan) else plan)
    broken = []
    if claims.problem != problem.name:
        broken.append(f"problem: the plan is for {claims.problem!r}, the problem is {problem.name!r}")
    if claims.decision is None:
        if claims.status in ("optimal", "feasible"):
            broken.append(f"status: {claims.status!r} without a plan")
        broken += [f"{key}: a figure without a plan" for key in _FIGURES if key in claims.figures]
        return broken
    if claims.status in ("infeasible", "no_plan_found"):
        broken.append(f"status: {claims.status!r} with a plan")
    try:
        problem = with_codecs(problem, claims.codecs)
    except ValueError as error:
        broken.append(str(error))
    faults = _faults(problem, *claims.decision)
    if faults:
        return broken + faults
    terms = _core.split.evaluate(problem, *claims.decision)
    broken += terms.broken_limits
    for key in _FIGURES:
        claimed = claims.figures.get(key)
        if claimed is not None and not math.isclose(
            claimed, getattr(terms, key), rel_tol=_core.split.optimal_gap, abs_tol=1e-300
        ):
            broken.append(f"{key}: claimed {claimed!r}, is {getattr(terms, key)!r}")
    broken += _bound_faults(problem, claims, terms)
    return broken


def with_codecs(problem: Problem, codecs: Sequence[Codec]) -> Problem:
    """`problem` with the codecs in its menu that a plan carries.

    Raises
    ------
    ValueError
        Where one has the name of another codec of the problem, or does not fit its layers.
    """
    own = {codec.name: codec for codec in problem.codecs}
    added = []
    for i, codec in enumerate(codecs):
        if codec.name not in own:
            added.append(codec)
        elif codec != own[codec.name]:
            raise ValueError(f"codecs[{i}]: {codec.name!r} is not the problem's own codec of that name")
    if not added:
        return problem
    try:
        return problem.replace(codecs=[*problem.codecs, *added])
    except ValueError as error:
        raise ValueError(f"the problem with the plan's codecs: {error}") from None


def as_plan(plan: Any) -> Plan:
    """`plan` where it is a `Plan`; TypeError, with the way to one, for the content of a plan file."""
    if isinstance(plan, Mapping):
        raise TypeError(
            "plan: expected a Plan, got the content of a plan file; constellm.split.load_plan and "
            "plan_from_dict make a Plan of it"
        )
    return instance("plan", plan, Plan)


def _faults(problem: Problem, path: list[str], stages: list[Stage]) -> list[str]:
    """Names that the problem does not know, and what else path and stages break if it knew them."""
    nodes = {node.id for node in problem.nodes}
    codecs = {codec.name for codec in problem.codecs}
    faults = [f"path[{i}]: the problem has no node {id!r}" for i, id in enumerate(path) if id not in nodes]
    for i, stage in enumerate(stages):
        if stage.node not in nodes:
            faults.append(f"stages[{i}].node: the problem has no node {stage.node!r}")
        if stage.codec is not None and stage.codec not in codecs:
            faults.append(f"stages[{i}].codec: the problem has no codec {stage.codec!r}")
    if not faults:
        return _core.split.structural_faults(problem, path, stages)
    new_nodes = {*path, *(stage.node for stage in stages)} - nodes
    new_codecs = {stage.codec for stage in stages if stage.codec is not None} - codecs
    if "" in new_nodes | new_codecs:  # no problem can know an empty name
        return faults
    wider = problem.replace(
        nodes=[*problem.nodes, *(Node(id=id, flop_per_s=1.0, memory_bytes=0.0) for id in sorted(new_nodes))],
        codecs=[*problem.codecs, *(Codec(name=name, ratio=1.0, error=0.0) for name in sorted(new_codecs))],
    )
    return faults + _core.split.structural_faults(wider, path, stages)


def _bound_faults(problem: Problem, claims: PlanClaims, terms: Evaluation) -> list[str]:
    objective = objective_figure(problem)
    value, bound = terms.objective_s, claims.figures.get("lower_bound_s")
    if bound is None:
        return []
    if bound > value * (1 + _core.split.optimal_gap):
        return [f"lower_bound_s: {bound!r} is above the plan's own {objective} of {value!r}"]
    if claims.status == "optimal" and value - bound > _core.split.optimal_gap * value:
        gap = f"{(value - bound) / value:.3g}" if value > 0 else f"{value - bound:.3g} s"
        return [f"status: 'optimal' with a gap of {gap} between {objective} and lower_bound_s"]
    return []
