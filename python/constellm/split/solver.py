"""Solving and checking: thin faces of the compiled solver and evaluator."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .. import _core
from .._core import Plan, Problem
from .files import check_plan_dict
from .options import check_options

# A figure that a plan file claims may differ from the evaluator's by this share (rounding).
_CLAIM_TOLERANCE = 1e-9


def solve(problem: Problem, *, method: str = "optimal", **options: Any) -> Plan:
    """Find a plan for `problem`.

    Parameters
    ----------
    problem
        What is to be run where.
    method
        ``"optimal"`` for the exact search, or the name of a benchmark (`constellm.split.methods`).
    **options
        Of the exact search; `constellm.split.OPTIONS` lists them. ``time_limit_s`` is the one to know.

    Returns
    -------
    Plan
        With `status`, the evaluator's figures and, from the exact search, a bound that no plan beats.
        Ctrl-C ends the search early: status ``"interrupted"``, with the best plan so far.
    """
    if method != "optimal":
        if options.keys() - {"time_limit_s"}:
            raise TypeError(
                f"options {sorted(options)} belong to method 'optimal'; others take time_limit_s alone"
            )
        from .methods import solve_by_name

        return solve_by_name(problem, method, **options)
    return _core.solve(problem, **check_options(options))


def k_best(problem: Problem, k: int, *, time_limit_s: float = math.inf) -> list[Plan]:
    """The `k` best distinct plans, best first; fewer where there are not as many.

    Two plans are distinct when path, blocks or codecs differ. ``status`` is ``"optimal"`` when the list
    is proven to be the k best.
    """
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= 100_000:
        raise ValueError(f"k: {k!r} is not an integer in [1, 100000]")
    time_limit_s = check_options({"time_limit_s": time_limit_s})["time_limit_s"]
    return _core.k_best(problem, k, time_limit_s=time_limit_s)


def evaluate(problem: Problem, plan: Plan | Mapping[str, Any]) -> dict[str, Any]:
    """Every term of a plan's worth by the one evaluator.

    Parameters
    ----------
    plan
        A `Plan`, or the content of a plan file.

    Returns
    -------
    dict
        ``delay_s``, ``bottleneck_s``, ``error``, ``energy_j``, ``bytes``; ``stages`` and ``hops``, a dict each
        with its times in path order; ``broken_limits``, a text each.

    Raises
    ------
    ValueError
        If it is no plan of the problem: what is wrong with path or blocks.
    """
    if isinstance(plan, Plan):
        if plan.status in ("infeasible", "no_plan_found") or not plan.path:
            raise ValueError(f"plan of status {plan.status!r} holds nothing to evaluate")
        return _core.evaluate(problem, plan.path, plan.stages)
    decision = check_plan_dict(plan)
    if decision is None:
        raise ValueError(f"plan of status {plan['status']!r} holds nothing to evaluate")
    return _core.evaluate(problem, *decision)


def check(problem: Problem, plan: Plan | Mapping[str, Any]) -> list[str]:
    """Every rule that a plan breaks: form, limits, and claims that are not so. Empty for a good plan."""
    data = plan.to_dict() if isinstance(plan, Plan) else plan
    decision = check_plan_dict(data)
    broken = []
    if data["problem"] != problem.name:
        broken.append(f"problem: the plan is for {data['problem']!r}, the problem is {problem.name!r}")
    if decision is None:
        if data["status"] in ("optimal", "feasible"):
            broken.append(f"status: {data['status']!r} without a plan")
        return broken
    if data["status"] in ("infeasible", "no_plan_found"):
        broken.append(f"status: {data['status']!r} with a plan")
    faults = _core.structural_faults(problem, *decision)
    if faults:
        return broken + faults
    terms = _core.evaluate(problem, *decision)
    broken += terms["broken_limits"]
    for key in ("delay_s", "bottleneck_s", "error", "energy_j", "bytes"):
        if key in data and not math.isclose(data[key], terms[key], rel_tol=_CLAIM_TOLERANCE, abs_tol=1e-300):
            broken.append(f"{key}: claimed {data[key]!r}, is {terms[key]!r}")
    broken += _bound_faults(problem, data, terms)
    return broken


def _bound_faults(problem: Problem, data: Mapping[str, Any], terms: Mapping[str, Any]) -> list[str]:
    objective = "delay_s" if problem.objective == "delay" else "bottleneck_s"
    value, bound = terms[objective], data.get("lower_bound_s")
    if bound is None:
        return []
    if bound > value * (1 + _CLAIM_TOLERANCE):
        return [f"lower_bound_s: {bound!r} is above the plan's own {objective} of {value!r}"]
    if data["status"] == "optimal" and value - bound > _CLAIM_TOLERANCE * abs(value):
        return [
            f"status: 'optimal' with a gap of {(value - bound) / value:.3g} between {objective} and lower_bound_s"
        ]
    return []
