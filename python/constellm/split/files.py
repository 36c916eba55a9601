"""Reading and writing `constellm.split-problem` and `constellm.split-plan` files, version 1.

The dictionaries are those of ``json``; everything that a file says is checked by the constructors of
the values it becomes, and a message starts with the place in the file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import _core
from .._core.codec import Codec
from .._core.model import Layer
from .._core.network import Link, Node
from .._core.split import Plan, Problem, Stage
from ..core.checks import instance, real, short
from ..core.deprecation import moved_names
from ..core.files import read_json, write_json
from ..core.plain import as_object, check_header, check_keys, keys_of, records_of

PROBLEM_FORMAT = "constellm.split-problem"
PLAN_FORMAT = "constellm.split-plan"
_KINDS = {PROBLEM_FORMAT: "problem", PLAN_FORMAT: "plan"}
STATUSES = ("optimal", "feasible", "infeasible", "no_plan_found", "time_limit", "interrupted")

_HEADER = ("format", "version")
_PLAN_FIGURES = (*_core.split.figures, "lower_bound_s")
__getattr__ = moved_names(__name__, {"parse_json": "constellm.core.files.parse_json"})

_LISTS = {"layers": Layer, "nodes": Node, "links": Link, "codecs": Codec}


def problem_from_dict(data: Mapping[str, Any]) -> Problem:
    """The problem that the content of a problem file says.

    Parameters
    ----------
    data : mapping
        As ``json`` reads it.

    Returns
    -------
    Problem

    Raises
    ------
    ValueError, TypeError
        For an unknown, missing or wrong entry; the message names the place.

    Examples
    --------
    >>> from constellm import paper, split
    >>> problem = paper.collaborative.problem(relays=0, name="demo")
    >>> split.problem_from_dict(problem.to_dict()) == problem
    True
    """
    data = as_object("problem", data)
    check_header(data, PROBLEM_FORMAT, _KINDS)
    required, optional = keys_of(Problem)
    sections = dict.fromkeys(field.section for field in Problem.fields if field.section)
    check_keys("problem", data, [*_HEADER, *required], [*optional, *sections, "meta"])
    as_object("meta", data.get("meta", {}))
    keywords = {key: data[key] for key in (*required, *optional) if key in data}
    for section in sections:
        inside = as_object(section, data.get(section, {}))
        check_keys(section, inside, *keys_of(Problem, section))
        keywords.update(inside)
    for key, record in _LISTS.items():
        keywords[key] = records_of(key, keywords[key], record)
    return Problem(**keywords)


def load_problem(path: str | os.PathLike[str]) -> Problem:
    """Read a `constellm.split-problem` file.

    Parameters
    ----------
    path : path-like
        Of at most 2^28 bytes of UTF-8 text.

    Returns
    -------
    Problem

    Raises
    ------
    OSError, ValueError, TypeError
        Where it cannot be read, or as `problem_from_dict`.

    Examples
    --------
    >>> from constellm import paper, split
    >>> problem = paper.collaborative.problem(relays=0, name="demo")
    >>> split.save_problem(problem, "demo.json")
    >>> split.load_problem("demo.json") == problem
    True
    """
    return problem_from_dict(read_json(path))


def save_problem(problem: Problem, path: str | os.PathLike[str]) -> None:
    """Write `problem` as a `constellm.split-problem` file, in one step.

    Parameters
    ----------
    problem : Problem
        What is to be run where.
    path : path-like
        Replaced where it exists.

    Raises
    ------
    TypeError
        If it is no `Problem`.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> from constellm import paper, split
    >>> problem = paper.collaborative.problem()
    >>> split.save_problem(problem, "setting.json")
    >>> split.load_problem("setting.json") == problem
    True
    """
    write_json(instance("problem", problem, Problem).to_dict(), path)


@dataclass(frozen=True)
class PlanClaims:
    """What the content of a plan file says: names, figures and, where there is one, the plan.

    Attributes
    ----------
    problem, status : str
    figures : dict of str to float
        Those that are given.
    decision : tuple of path and stages, or None
    codecs : list of Codec
        Those that the plan uses and its problem's menu lacks.
    """

    problem: str
    status: str
    figures: dict[str, float]
    decision: tuple[list[str], list[Stage]] | None
    codecs: list[Codec]


def check_plan_dict(data: Mapping[str, Any]) -> PlanClaims:
    """Read the content of a plan file.

    Only the form is checked; `constellm.split.check` holds a plan against its problem.
    """
    data = as_object("plan", data)
    check_header(data, PLAN_FORMAT, _KINDS)
    required, optional = keys_of(Plan)
    check_keys("plan", data, [*_HEADER, "problem", *required], [*optional, "solver", "meta"])
    as_object("meta", data.get("meta", {}))
    as_object("solver", data.get("solver", {}))
    if not isinstance(data["problem"], str):
        raise TypeError(f"problem: expected the problem's name, got {short(data['problem'])}")
    if data["status"] not in STATUSES:
        raise ValueError(f"status: {short(data['status'])} is not one of {', '.join(STATUSES)}")
    figures = {key: _finite(key, data[key]) for key in _PLAN_FIGURES if key in data}
    if ("path" in data) != ("stages" in data):
        raise ValueError("path and stages: one is given without the other")
    decision = None
    if "path" in data:
        decision = _node_ids("path", data["path"]), records_of("stages", data["stages"], Stage)
    codecs: list[Codec] = records_of("codecs", data.get("codecs", []), Codec)
    for i, codec in enumerate(codecs):
        if codec.name in (other.name for other in codecs[:i]):
            raise ValueError(f"codecs[{i}].name: {codec.name!r} is used by another codec")
    return PlanClaims(data["problem"], data["status"], figures, decision, codecs)


def _finite(where: str, value: Any) -> float:
    return real(where, value, least=-sys.float_info.max, most=sys.float_info.max)


def _node_ids(where: str, values: Any) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(node, str) for node in values):
        raise TypeError(f"{where}: expected a list of node ids, got {short(values)}")
    for i, node in enumerate(values):
        try:
            node.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{where}[{i}]: {short(node)} is not valid Unicode") from None
    return values
