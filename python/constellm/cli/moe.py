"""``constellm moe``: solve and evaluate files of experts."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from .. import moe
from ..core.files import read_json
from ..core.quantity import printable
from ..moe.files import broken_rules
from .complain import UNREADABLE, complain
from .solving import add_solver, solve_files


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``moe solve`` and ``moe evaluate``."""
    area = commands.add_parser("moe", help="placements of experts: solve, evaluate")
    actions = area.add_subparsers(dest="action", required=True)

    add_solver(actions, "solve", moe.METHODS, _solve)

    evaluate = actions.add_parser("evaluate", help="print the terms of a plan and every rule that it breaks")
    evaluate.add_argument("problem", type=Path, metavar="PROBLEM.json")
    evaluate.add_argument("plan", type=Path, metavar="PLAN.json")
    evaluate.set_defaults(run=_evaluate)


def _solve(arguments: argparse.Namespace) -> int:
    return solve_files(
        arguments, moe, worth=_worth, interrupted=lambda plan: bool(plan.status == "interrupted")
    )


def _worth(plan: moe.Plan) -> str:
    return f", token latency {plan.token_latency_s:.6g} s, gap {plan.gap:.2g}" if plan.placement else ""


def _evaluate(arguments: argparse.Namespace) -> int:
    file = arguments.problem
    try:
        problem = moe.load_problem(file)
        file = arguments.plan
        data = read_json(file)
    except UNREADABLE as error:
        complain(file, error)
        return 2
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
    for rule in broken:
        print(printable(f"breaks: {rule}"))
    return 1 if broken else 0
