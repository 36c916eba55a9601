"""``constellm tune``: solve and check files of transfers."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from .. import flow
from ..core.files import read_json
from ..core.quantity import printable
from ..flow.files import broken_rules
from .complain import UNREADABLE, complain
from .solving import add_solver, solve_files


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``tune transfer`` and ``tune check-transfer``."""
    area = commands.add_parser("tune", help="federated tuning: transfer, check-transfer")
    actions = area.add_subparsers(dest="action", required=True)

    add_solver(actions, "transfer", flow.METHODS, _transfer)

    check = actions.add_parser("check-transfer", help="print every rule that a plan breaks; status 1 for any")
    check.add_argument("problem", type=Path, metavar="PROBLEM.json")
    check.add_argument("plan", type=Path, metavar="PLAN.json")
    check.set_defaults(run=_check)


def _transfer(arguments: argparse.Namespace) -> int:
    return solve_files(
        arguments, flow, worth=_worth, interrupted=lambda plan: bool(plan.status == "interrupted")
    )


def _worth(plan: flow.Plan) -> str:
    return "" if math.isnan(plan.finish_s) else f", all there after {plan.finish_s:.6g} s, gap {plan.gap:.2g}"


def _check(arguments: argparse.Namespace) -> int:
    file = arguments.problem
    try:
        problem = flow.load_problem(file)
        file = arguments.plan
        data = read_json(file)
    except UNREADABLE as error:
        complain(file, error)
        return 2
    broken = list(broken_rules(data, problem))
    for rule in broken:
        print(printable(f"breaks: {rule}"))
    return 1 if broken else 0
