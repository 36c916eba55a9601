"""``constellm tune``: solve and check files of transfers."""

from __future__ import annotations

import argparse
import math

from .. import flow
from ..flow.files import broken_rules
from .solving import add_checker, add_solver, problem_and_plan, solve_files, tell_broken


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``tune transfer`` and ``tune check-transfer``."""
    area = commands.add_parser("tune", help="federated tuning: transfer, check-transfer")
    actions = area.add_subparsers(dest="action", required=True)

    add_solver(actions, "transfer", flow.METHODS, _transfer)

    add_checker(actions, "check-transfer", "print", _check)


def _transfer(arguments: argparse.Namespace) -> int:
    return solve_files(
        arguments, flow, worth=_worth, interrupted=lambda plan: bool(plan.status == "interrupted")
    )


def _worth(plan: flow.Plan) -> str:
    return "" if math.isnan(plan.finish_s) else f", all there after {plan.finish_s:.6g} s, gap {plan.gap:.2g}"


def _check(arguments: argparse.Namespace) -> int:
    read = problem_and_plan(arguments, flow)
    if read is None:
        return 2
    problem, data = read
    broken = list(broken_rules(data, problem))
    return tell_broken(broken)
