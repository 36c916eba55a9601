"""``constellm moe``: solve and evaluate files of experts."""

from __future__ import annotations

import argparse
import json

from .. import moe
from ..core.quantity import printable
from ..moe.files import broken_rules
from .solving import add_checker, add_solver, problem_and_plan, solve_files, tell_broken


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``moe solve`` and ``moe evaluate``."""
    area = commands.add_parser("moe", help="placements of experts: solve, evaluate")
    actions = area.add_subparsers(dest="action", required=True)

    add_solver(actions, "solve", moe.METHODS, _solve)

    add_checker(actions, "evaluate", "print the terms of a plan and", _evaluate)


def _solve(arguments: argparse.Namespace) -> int:
    return solve_files(
        arguments, moe, worth=_worth, interrupted=lambda plan: bool(plan.status == "interrupted")
    )


def _worth(plan: moe.Plan) -> str:
    return f", token latency {plan.token_latency_s:.6g} s, gap {plan.gap:.2g}" if plan.placement else ""


def _evaluate(arguments: argparse.Namespace) -> int:
    read = problem_and_plan(arguments, moe)
    if read is None:
        return 2
    problem, data = read
    broken = list(broken_rules(data, problem))
    try:
        found = moe.evaluate(problem, data.get("placement", ()))
    except (TypeError, ValueError) as error:
        print(printable(f"no terms: {error}"))
    else:
        terms = {
            "token_latency_s": found.token_latency_s,
            "layer_latency_s": found.layer_latency_s.tolist(),
            "slot_latency_s": found.slot_latency_s.tolist(),
        }
        print(json.dumps(terms, indent=1))
    return tell_broken(broken)
