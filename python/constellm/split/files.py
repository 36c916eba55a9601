"""Reading and writing `constellm.split-problem` and `constellm.split-plan` files, version 1.

The dictionaries are those of ``json``; everything that a file says is checked by the constructors of
the values it becomes, and a message starts with the place in the file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import _core
from .._core.codec import Codec
from .._core.model import Layer
from .._core.network import Link, Node
from .._core.split import Plan, Problem, Stage
from ..core.checks import hint_for, instance, real, short
from ..core.deprecation import moved_names
from ..core.files import read_json, write_json

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
    data = _object("problem", data)
    _check_header(data, PROBLEM_FORMAT)
    required, optional = _keys_of(Problem)
    sections = dict.fromkeys(field.section for field in Problem.fields if field.section)
    _check_keys("problem", data, [*_HEADER, *required], [*optional, *sections, "meta"])
    _object("meta", data.get("meta", {}))
    keywords = {key: data[key] for key in (*required, *optional) if key in data}
    for section in sections:
        inside = _object(section, data.get(section, {}))
        _check_keys(section, inside, *_keys_of(Problem, section))
        keywords.update(inside)
    for key, record in _LISTS.items():
        keywords[key] = _records(key, keywords[key], record)
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
    data = _object("plan", data)
    _check_header(data, PLAN_FORMAT)
    required, optional = _keys_of(Plan)
    _check_keys("plan", data, [*_HEADER, "problem", *required], [*optional, "solver", "meta"])
    _object("meta", data.get("meta", {}))
    _object("solver", data.get("solver", {}))
    if not isinstance(data["problem"], str):
        raise TypeError(f"problem: expected the problem's name, got {short(data['problem'])}")
    if data["status"] not in STATUSES:
        raise ValueError(f"status: {short(data['status'])} is not one of {', '.join(STATUSES)}")
    figures = {key: _finite(key, data[key]) for key in _PLAN_FIGURES if key in data}
    if ("path" in data) != ("stages" in data):
        raise ValueError("path and stages: one is given without the other")
    decision = None
    if "path" in data:
        decision = _node_ids("path", data["path"]), _records("stages", data["stages"], Stage)
    codecs: list[Codec] = _records("codecs", data.get("codecs", []), Codec)
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


def _object(where: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{where}: expected an object, got {short(value)}")
    return dict(value)


def _check_keys(
    where: str, data: Mapping[str, Any], required: Sequence[str], optional: Sequence[str]
) -> None:
    for key in data:
        if key not in required and key not in optional:
            raise ValueError(f"{where}: unknown key {key!r}{hint_for(key, [*required, *optional])}")
    for key in required:
        if key not in data:
            raise ValueError(f"{where}: missing required key {key!r}")


def _keys_of(record: Any, section: str = "") -> tuple[list[str], list[str]]:
    """The required and the optional keys of a record, or of one object inside it."""
    fields = [field for field in record.fields if field.in_files and field.section == section]
    required = [field.name for field in fields if field.required_in_files]
    return required, [field.name for field in fields if not field.required_in_files]


def _check_header(data: Mapping[str, Any], expected: str) -> None:
    for key in ("format", "version"):
        if key not in data:
            raise ValueError(f"{_KINDS[expected]}: missing required key {key!r}")
    if data["format"] != expected:
        kind = _KINDS.get(data["format"]) if isinstance(data["format"], str) else None
        what = f": this is a {kind}, not a {_KINDS[expected]}" if kind is not None else ""
        raise ValueError(f"format: {short(data['format'])} is not {expected!r}{what}")
    if type(data["version"]) is not int or data["version"] != 1:
        raise ValueError(f"version: {short(data['version'])} is not 1")


def _records(where: str, values: Any, record: Any) -> list[Any]:
    if not isinstance(values, list):
        raise TypeError(f"{where}: expected a list, got {short(values)}")
    records = []
    for i, value in enumerate(values):
        place = f"{where}[{i}]"
        keywords = _object(place, value)
        _check_keys(place, keywords, *_keys_of(record))
        try:
            records.append(record(**keywords))
        except (TypeError, ValueError) as error:
            raise type(error)(f"{place}: {error}") from None
    return records
