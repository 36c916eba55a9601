"""``constellm services``: solve and evaluate files of services."""

from __future__ import annotations

import argparse
import json
import math

from .. import services
from ..core.quantity import printable
from ..services.plan_files import broken_rules, placement_from_dict
from .solving import add_checker, add_solver, problem_and_plan, solve_files, tell_broken


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``services solve`` and ``services evaluate``."""
    area = commands.add_parser("services", help="placements of shared services: solve, evaluate")
    actions = area.add_subparsers(dest="action", required=True)

    add_solver(actions, "solve", services.METHODS, _solve)

    add_checker(actions, "evaluate", "print the terms of a plan and", _evaluate)


def _solve(arguments: argparse.Namespace) -> int:
    return solve_files(
        arguments, services, worth=_worth, interrupted=lambda plan: bool(plan.status == "interrupted")
    )


def _worth(plan: services.Plan) -> str:
    if plan.placement is None:
        return ""
    return f", cost {plan.cost:.6g}, mean delay {plan.delay_s:.6g} s, gap {plan.gap:.2g}"


def _evaluate(arguments: argparse.Namespace) -> int:
    read = problem_and_plan(arguments, services)
    if read is None:
        return 2
    problem, data = read
    broken = list(broken_rules(data, problem))
    try:
        placement = placement_from_dict(data)
        terms = None if placement is None else services.evaluate(problem, placement)
    except (TypeError, ValueError) as error:
        print(printable(f"no terms: {error}"))
    else:
        if terms is not None:
            print(json.dumps(_terms(problem, terms), indent=1))
    return tell_broken(broken)


def _terms(problem: services.Problem, found: services.Evaluation) -> dict[str, object]:
    ids = [node.id for node in problem.network.nodes]
    ends = zip(problem.network.from_.tolist(), problem.network.to.tolist())
    return {
        "cost": found.cost,
        "delay_s": found.delay_s,
        "task_delay_s": {
            task.name: delay_s  # of those that are placed
            for task, delay_s in zip(problem.tasks, found.task_delay_s.tolist())
            if not math.isnan(delay_s)
        },
        "node_load_flop_per_s": dict(zip(ids, found.node_load_flop_per_s.tolist())),
        "memory_bytes": dict(zip(ids, found.memory_bytes.tolist())),
        "link_load_bps": [
            {"from": ids[a], "to": ids[b], "link_load_bps": load}
            for (a, b), load in zip(ends, found.link_load_bps.tolist())
            if load
        ],
    }
