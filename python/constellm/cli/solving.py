"""What ``solve`` commands do alike: a plan file for every problem file."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from ..core.files import read_json
from ..core.quantity import printable
from .complain import INTERRUPTED, UNREADABLE, complain


def add_solver(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    methods: Iterable[str],
    run: Callable[[argparse.Namespace], int],
) -> None:
    """Register a command with the arguments that `solve_files` wants."""
    solve = actions.add_parser(name, help="write DIR/<name>.plan.json for every problem file")
    solve.add_argument("problems", nargs="+", type=Path, metavar="PROBLEM.json")
    solve.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to; created if absent")
    solve.add_argument(
        "--method", default="optimal", metavar="NAME", help=f"one of {', '.join(methods)}; default: optimal"
    )
    solve.add_argument(
        "--time-limit", type=_seconds, default=math.inf, metavar="S",
        help="for each problem, in [0, inf] s: stop after this time, with the best so far and a true bound",
    )  # fmt: skip
    solve.set_defaults(run=run)


def add_checker(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    tells: str,
    run: Callable[[argparse.Namespace], int],
) -> None:
    """Register a command that holds a plan against its problem, of whose help `tells` is the start."""
    check = actions.add_parser(name, help=f"{tells} every rule that a plan breaks; status 1 for any")
    check.add_argument("problem", type=Path, metavar="PROBLEM.json")
    check.add_argument("plan", type=Path, metavar="PLAN.json")
    check.set_defaults(run=run)


def problem_and_plan(arguments: argparse.Namespace, system: ModuleType) -> tuple[Any, Any] | None:
    """The problem, and what the plan's file says; None where one cannot be read, which has been told."""
    file = arguments.problem
    try:
        problem = system.load_problem(file)
        file = arguments.plan
        return problem, read_json(file)
    except UNREADABLE as error:
        complain(file, error)
        return None


def tell_broken(broken: Iterable[Exception]) -> int:
    """Print the rules; returns the exit status."""
    rules = list(broken)
    for rule in rules:
        print(printable(f"breaks: {rule}"))
    return 1 if rules else 0


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not value >= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not in [0, inf] s")
    return value


def solve_files(
    arguments: argparse.Namespace,
    system: ModuleType,
    *,
    worth: Callable[[Any], str],
    interrupted: Callable[[Any], bool],
) -> int:
    """Write DIR/<name>.plan.json for every problem file; returns the exit status.

    Parameters
    ----------
    arguments
        With ``problems``, ``out``, ``method`` and ``time_limit``.
    system
        That loads and solves problems, and saves plans.
    worth
        What is printed of a plan behind its status.
    interrupted
        Whether Ctrl-C ended the search for a plan, and so the command.
    """
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        complain(arguments.out, error)
        return 2
    status = 0
    seen: dict[str, Path] = {}
    for file in arguments.problems:
        try:
            problem = system.load_problem(file)
            if problem.name in seen:
                raise ValueError(f"name {problem.name!r} was given before, by {seen[problem.name]}")
            seen[problem.name] = file
            plan = system.solve(problem, method=arguments.method, time_limit_s=arguments.time_limit)
            target = arguments.out / f"{problem.name}.plan.json"
            system.save_plan(plan, target)
        except (*UNREADABLE, ImportError) as error:  # of an extra that a method needs
            complain(file, error)
            status = 2
            continue
        print(printable(f"{target}: {plan.status}{worth(plan)}"))
        if interrupted(plan):
            return INTERRUPTED
    return status
