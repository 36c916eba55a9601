"""``constellm split``: solve, evaluate and compare problem files."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from .. import split
from ..core.files import read_json
from ..core.quantity import printable
from ..split.display import why_none
from ..split.interrupt import was_interrupted
from ..split.options import TIME_LIMIT
from .complain import INTERRUPTED, UNREADABLE, complain
from .solving import solve_files


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``split solve``, ``split evaluate`` and ``split compare``."""
    area = commands.add_parser("split", help="plans for split models: solve, evaluate, compare")
    actions = area.add_subparsers(dest="action", required=True)

    solve = actions.add_parser("solve", help="write DIR/<name>.plan.json for every problem file")
    solve.add_argument("problems", nargs="+", type=Path, metavar="PROBLEM.json")
    solve.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to; created if absent")
    solve.add_argument(
        "--method", default="optimal", metavar="NAME", help="'optimal' (default) or a benchmark by name"
    )
    solve.add_argument(
        "--time-limit", type=_seconds, default=TIME_LIMIT.default, metavar="S",
        help=f"for each problem, in {TIME_LIMIT.allowed}: {TIME_LIMIT.doc}",
    )  # fmt: skip
    solve.set_defaults(run=_solve)

    evaluate = actions.add_parser("evaluate", help="print the terms of a plan and every rule that it breaks")
    evaluate.add_argument("problem", type=Path, metavar="PROBLEM.json")
    evaluate.add_argument("plan", type=Path, metavar="PLAN.json")
    evaluate.set_defaults(run=_evaluate)

    compare = actions.add_parser("compare", help="print a table of methods on one problem")
    compare.add_argument("problem", type=Path, metavar="PROBLEM.json")
    compare.add_argument("--methods", nargs="+", default=None, metavar="NAME", help="default: all that apply")
    compare.set_defaults(run=_compare)


def _seconds(text: str) -> float:
    try:
        return float(TIME_LIMIT.check(float(text)))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not in {TIME_LIMIT.allowed}") from None


def _solve(arguments: argparse.Namespace) -> int:
    return solve_files(arguments, split, worth=_worth, interrupted=was_interrupted)


def _worth(plan: split.Plan) -> str:
    return f", delay {plan.delay_s:.6g} s" if plan.path else "".join(f"; {why}" for why in why_none(plan))


def _evaluate(arguments: argparse.Namespace) -> int:
    files: list[dict] = []
    for file in (arguments.problem, arguments.plan):
        try:
            files.append(read_json(file))
        except UNREADABLE as error:
            complain(file, error)
            return 2
    try:
        problem = split.problem_from_dict(files[0])
    except (TypeError, ValueError) as error:
        complain(arguments.problem, error)
        return 2
    try:
        broken = split.check(problem, files[1])
    except (TypeError, ValueError) as error:
        broken = [str(error)]
    try:
        print(json.dumps(split.evaluate(problem, files[1]).to_dict(), indent=1))
    except (TypeError, ValueError) as error:
        print(printable(f"no terms: {error}"))
    for rule in broken:
        print(printable(f"breaks: {rule}"))
    return 1 if broken else 0


def _compare(arguments: argparse.Namespace) -> int:
    try:
        problem = split.load_problem(arguments.problem)
        table = split.compare(problem, methods=arguments.methods)
    except UNREADABLE as error:
        complain(arguments.problem, error)
        return 2
    except split.Interrupted as stop:
        print(stop.result)
        return INTERRUPTED
    print(table)
    return 0
