"""Plans to and from `constellm.split-plan` files."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

from .. import _core
from .._core.codec import Codec
from .._core.split import Infeasibility, Plan, Problem
from ..core.checks import instance
from ..core.files import read_json, write_json
from .files import check_plan_dict
from .solver import as_plan, check, with_codecs

_HASH = "problem_sha256"  # under "solver", whose keys are the solver's own


def save_plan(plan: Plan, path: str | os.PathLike[str]) -> None:
    """Write `plan` as a `constellm.split-plan` file.

    Parameters
    ----------
    plan : Plan
        With or without stages.
    path : path-like
        Replaced where it exists. The file carries a hash of the problem, by which `load_plan` knows it again.

    Raises
    ------
    TypeError
        For what is no `Plan`.

    Examples
    --------
    >>> from constellm import paper, split
    >>> plan = split.solve(paper.collaborative.problem())
    >>> split.save_plan(plan, "best.plan.json")
    >>> split.load_plan("best.plan.json", plan.problem).delay_s == plan.delay_s
    True
    """
    data = as_plan(plan).to_dict()
    data["solver"][_HASH] = _sha256(_without(plan.problem, plan.codecs))
    write_json(data, path)


def load_plan(path: str | os.PathLike[str], problem: Problem) -> Plan:
    """Read a `constellm.split-plan` file.

    Parameters
    ----------
    path : path-like
        Of at most 2^28 bytes of UTF-8 text.
    problem : Problem
        That it is a plan of.

    Returns
    -------
    Plan
        See `plan_from_dict`.

    Raises
    ------
    OSError, ValueError, TypeError
        Where it cannot be read, or as `plan_from_dict`.

    Examples
    --------
    >>> from constellm import paper, split
    >>> problem = paper.collaborative.problem(relays=0, name="demo")
    >>> plan = split.solve(problem)
    >>> split.save_plan(plan, "demo.plan.json")
    >>> split.load_plan("demo.plan.json", problem).delay_s == plan.delay_s
    True
    """
    return plan_from_dict(read_json(path), problem)


def plan_from_dict(data: Mapping[str, Any], problem: Problem) -> Plan:
    """The plan that the content of a plan file says.

    Parameters
    ----------
    data : mapping
        Content of a `constellm.split-plan` file.
    problem : Problem
        That it is a plan of.

    Returns
    -------
    Plan
        Its figures are the evaluator's, its status, bound and counters those of the file. Where the file
        does not say which method made it, `method` is ``"unknown"``.

    Raises
    ------
    ValueError, TypeError
        For content that is no plan, a plan of another problem (by its name and, where the file has it, its
        hash), and one that breaks a rule; the message lists all of them.

    Examples
    --------
    >>> from constellm import paper, split
    >>> problem = paper.collaborative.problem(relays=0, name="demo")
    >>> plan = split.solve(problem)
    >>> split.plan_from_dict(plan.to_dict(), problem).stages == plan.stages
    True
    """
    instance("problem", problem, Problem)
    claims = check_plan_dict(data)
    solver: Mapping[str, Any] = data.get("solver", {})
    asked = _without(problem, claims.codecs)
    if claims.problem == problem.name and solver.get(_HASH, "") not in ("", _sha256(asked)):
        raise ValueError(f"problem: the plan is for another problem of the name {problem.name!r}")
    broken = check(problem, data)
    if broken:
        raise ValueError("; ".join(broken))
    path, stages = claims.decision or ([], [])
    menu = with_codecs(asked, claims.codecs)
    method, seconds = solver.get("method"), solver.get("seconds")
    nothing_proven = math.inf if claims.status == "infeasible" else math.nan
    return _core.split.restored_plan(
        problem=menu,
        path=path,
        stages=stages,
        status=claims.status,
        method=method if isinstance(method, str) else "unknown",
        lower_bound_s=claims.figures.get("lower_bound_s", nothing_proven),
        seconds=float(seconds) if isinstance(seconds, float) else math.nan,
        counters={key: value for key, value in solver.items() if type(value) is int and 0 <= value < 2**63},
        codecs=menu.codecs[len(asked.codecs) :],
        broken_limits=_texts(solver.get("broken_limits")),
        infeasibility=_infeasibility(solver.get("infeasibility")),
    )


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _infeasibility(value: Any) -> Infeasibility | None:
    """What this package's solver wrote; another solver's word is its own."""
    if not isinstance(value, dict):
        return None
    try:
        return Infeasibility(**value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"solver.infeasibility: {error}") from None


def _without(problem: Problem, codecs: Sequence[Codec]) -> Problem:
    """The problem as it was before a method added codecs to its menu."""
    own = [codec for codec in problem.codecs if codec not in codecs]
    return problem.replace(codecs=own) if own and len(own) < len(problem.codecs) else problem


def _sha256(problem: Problem) -> str:
    """Of the problem's content without nulls, so that an optional key to come leaves it as it is."""
    text = json.dumps(_without_nulls(problem.to_dict()), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(entry) for key, entry in value.items() if entry is not None}
    return [_without_nulls(entry) for entry in value] if isinstance(value, list) else value
