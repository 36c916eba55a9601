"""Reading and writing `constellm.moe-problem` and `constellm.moe-plan` files, version 1."""

from __future__ import annotations

import io
import math
import os
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core import moe as _core
from ..core.checks import count, instance, non_negative, positive, real, short
from ..core.files import as_path, read_json, write_bytes, write_json
from ..core.plain import as_list, as_object, as_text, check_header, check_keys
from .problem import Layer, Problem
from .solver import Plan, evaluate

PROBLEM_FORMAT = "constellm.moe-problem"
PLAN_FORMAT = "constellm.moe-plan"
_KINDS = {PROBLEM_FORMAT: "problem of experts", PLAN_FORMAT: "plan of experts"}
_STATUSES = ("optimal", "feasible", "infeasible", "no_plan_found", "time_limit", "interrupted")
_ARRAY = "latency_s"
_OPTIMAL_GAP = 1e-9
"""Relative: what a plan file's figures may differ from the evaluator's, and the gap of what is optimal."""


def problem_from_dict(data: Mapping[str, Any], *, folder: str | os.PathLike[str] | None = None) -> Problem:
    """The problem that the content of a problem file says.

    Parameters
    ----------
    data : mapping
        As ``json`` reads it.
    folder : path-like, optional
        That ``latency_npz`` is relative to; default: the current one.

    Returns
    -------
    Problem

    Raises
    ------
    OSError, ValueError, TypeError
        For an unknown, missing or wrong entry; the message names the place.

    Examples
    --------
    >>> from constellm import moe
    >>> moe.problem_from_dict(
    ...     {"format": "constellm.moe-problem", "version": 1, "name": "two", "top_k": 1,
    ...      "satellites": ["a", "b"], "layers": [{"weights": [0.7, 0.3], "latency_s": [[0.01, 0.02]]}]})
    Problem('two': 1 layer, 2 experts, 1 a token, 2 satellites, 1 slot)
    """
    data = as_object("problem", data)
    check_header(data, PROBLEM_FORMAT, _KINDS)
    check_keys(
        "problem",
        data,
        ("format", "version", "name", "top_k", "satellites", "layers"),
        ("unreachable_s", "latency_npz"),
    )
    satellites = [
        as_text(f"satellites[{i}]", s) for i, s in enumerate(as_list("satellites", data["satellites"]))
    ]
    entries = as_list("layers", data["layers"])
    named = data.get("latency_npz")
    arrays = None
    if named is not None:
        arrays = _read_npz(Path(folder or ".") / as_text("latency_npz", named))
        if arrays.ndim != 3 or len(arrays) != len(entries) or arrays.shape[2] != len(satellites):
            raise ValueError(
                f"latency_npz: {_ARRAY} of shape {arrays.shape} is not ({len(entries)}, slots, "
                f"{len(satellites)}): layers, slots, satellites"
            )
    layers = []
    for i, entry in enumerate(entries):
        where = f"layers[{i}]"
        entry = as_object(where, entry)
        keys = ("weights", "latency_s") if arrays is None else ("weights",)
        check_keys(where, entry, keys, ("base_s",))
        weights = [
            positive(f"{where}.weights[{e}]", weight)
            for e, weight in enumerate(as_list(f"{where}.weights", entry["weights"]))
        ]
        if arrays is None:
            rows = as_list(f"{where}.latency_s", entry["latency_s"])
            latency_s = [
                _latencies(f"{where}.latency_s[{t}]", row, len(satellites)) for t, row in enumerate(rows)
            ]
        try:
            layers.append(
                Layer(
                    weights,
                    np.reshape(latency_s, (len(rows), len(satellites))) if arrays is None else arrays[i],
                    non_negative("base_s", entry.get("base_s", 0.0)),
                )
            )
        except (TypeError, ValueError) as error:
            raise type(error)(f"{where}.{error}") from None
    unreachable_s = data.get("unreachable_s")
    return Problem(
        layers,
        top_k=count("top_k", data["top_k"]),
        satellites=satellites,
        unreachable_s=None if unreachable_s is None else non_negative("unreachable_s", unreachable_s),
        name=as_text("name", data["name"]),
    )


def load_problem(path: str | os.PathLike[str]) -> Problem:
    """Read a `constellm.moe-problem` file.

    Parameters
    ----------
    path : path-like
        ``latency_npz``, where it has that, is relative to it.

    Returns
    -------
    Problem

    Raises
    ------
    OSError, ValueError, TypeError
        Where it cannot be read, or as `problem_from_dict`.

    Examples
    --------
    >>> from constellm import moe
    >>> layer = moe.Layer([0.5, 0.3, 0.2], [[0.010, 0.014, 0.015, 0.022]])
    >>> moe.save_problem(moe.Problem([layer], top_k=2, name="demo"), "demo.json")
    >>> moe.load_problem("demo.json")
    Problem('demo': 1 layer, 3 experts, 2 a token, 4 satellites, 1 slot)
    """
    return problem_from_dict(read_json(path), folder=as_path(path).parent)


def save_problem(
    problem: Problem, path: str | os.PathLike[str], *, latency_npz: str | os.PathLike[str] | None = None
) -> None:
    """Write `problem` as a `constellm.moe-problem` file, in one step.

    Parameters
    ----------
    problem : Problem
        What is to be placed where.
    path : path-like
        Replaced where it exists.
    latency_npz : path-like, optional
        Where the latencies go, relative to the file: for problems of millions of numbers.

    Raises
    ------
    TypeError
        If it is no `Problem`.
    ValueError
        If `latency_npz` is `path`.
    OSError
        If a file cannot be written.

    Examples
    --------
    >>> from constellm import moe
    >>> problem = moe.Problem([moe.Layer([0.7, 0.3], [[0.01, 0.02]])], top_k=1, name="demo")
    >>> moe.save_problem(problem, "demo.json", latency_npz="demo.npz")
    >>> moe.load_problem("demo.json")
    Problem('demo': 1 layer, 2 experts, 1 a token, 2 satellites, 1 slot)
    """
    instance("problem", problem, Problem)
    if latency_npz is not None:
        archive = as_path(path).parent / latency_npz
        if archive.resolve() == as_path(path).resolve():
            raise ValueError(
                f"latency_npz: {short(os.fspath(latency_npz))} is the file of the problem itself"
            )
    layers: list[dict[str, Any]] = []
    for layer in problem.layers:
        layers.append({"weights": layer.weights.tolist(), "base_s": layer.base_s})
        if latency_npz is None:
            layers[-1]["latency_s"] = [
                [None if math.isnan(s) else s for s in row] for row in layer.latency_s.tolist()
            ]
    data: dict[str, Any] = {
        "format": PROBLEM_FORMAT,
        "version": 1,
        "name": problem.name,
        "top_k": problem.top_k,
        "satellites": list(problem.satellites),
    }
    if problem.unreachable_s is not None:
        data["unreachable_s"] = problem.unreachable_s
    if latency_npz is not None:
        data["latency_npz"] = Path(latency_npz).as_posix()
        content = io.BytesIO()
        np.savez_compressed(content, latency_s=np.stack([layer.latency_s for layer in problem.layers]))
        write_bytes(content.getvalue(), archive)
    write_json({**data, "layers": layers}, path)


def save_plan(plan: Plan, path: str | os.PathLike[str]) -> None:
    """Write `plan` as a `constellm.moe-plan` file, in one step.

    Parameters
    ----------
    plan : Plan
        With or without a placement.
    path : path-like
        Replaced where it exists.

    Raises
    ------
    TypeError
        For what is no `Plan`.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> from constellm import moe
    >>> plan = moe.solve(moe.Problem([moe.Layer([0.7, 0.3], [[0.01, 0.02]])], top_k=1))
    >>> moe.save_plan(plan, "best.plan.json")
    >>> moe.load_plan("best.plan.json", plan.problem).placement == plan.placement
    True
    """
    instance("plan", plan, Plan)
    data: dict[str, Any] = {
        "format": PLAN_FORMAT,
        "version": 1,
        "problem": plan.problem.name,
        "status": plan.status,
    }
    if plan.placement:
        data["token_latency_s"] = plan.token_latency_s
    if math.isfinite(plan.lower_bound_s):
        data["lower_bound_s"] = plan.lower_bound_s
    if plan.placement:
        data["placement"] = [list(layer) for layer in plan.placement]
    write_json(data, path)


def load_plan(path: str | os.PathLike[str], problem: Problem) -> Plan:
    """Read a `constellm.moe-plan` file.

    Parameters
    ----------
    path : path-like
        Of the plan.
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
    >>> from constellm import moe
    >>> plan = moe.solve(moe.Problem([moe.Layer([0.7, 0.3], [[0.01, 0.02]])], top_k=1))
    >>> moe.save_plan(plan, "best.plan.json")
    >>> moe.load_plan("best.plan.json", plan.problem)
    Plan('problem': optimal, token_latency_s=0.013, gap=0)
    """
    return plan_from_dict(read_json(path), problem)


def plan_from_dict(data: Mapping[str, Any], problem: Problem) -> Plan:
    """The plan that the content of a plan file says, held against its problem.

    Parameters
    ----------
    data : mapping
        As ``json`` reads it.
    problem : Problem
        That it is a plan of.

    Returns
    -------
    Plan
        Its latency is the evaluator's, its status and bound those of the file; `method` is ``"unknown"``.

    Raises
    ------
    ValueError, TypeError
        For content that is no plan, a plan of another problem, a placement that is none, figures that are not
        those of the evaluator, a bound above the latency, and a gap of more than 1e-9 that is called optimal.

    Examples
    --------
    >>> from constellm import moe
    >>> problem = moe.Problem([moe.Layer([0.7, 0.3], [[0.01, 0.02]])], top_k=1)
    >>> moe.plan_from_dict(
    ...     {"format": "constellm.moe-plan", "version": 1, "problem": "problem", "status": "feasible",
    ...      "token_latency_s": 0.017, "lower_bound_s": 0.0, "placement": [["s1", "s0"]]}, problem)
    Plan('problem': feasible, token_latency_s=0.017, gap=1)
    """
    instance("problem", problem, Problem)
    for error in broken_rules(data, problem):
        raise error
    placement = tuple(tuple(layer) for layer in data.get("placement", ()))
    latency_s = evaluate(problem, placement).token_latency_s if placement else math.nan
    bound_s = float(data.get("lower_bound_s", math.inf if data["status"] == "infeasible" else math.nan))
    return Plan(
        problem=problem,
        status=data["status"],
        token_latency_s=latency_s,
        lower_bound_s=min(bound_s, latency_s) if placement else bound_s,
        placement=placement,
        method="unknown",
        seconds=math.nan,
    )


def broken_rules(data: Any, problem: Problem) -> Iterator[ValueError | TypeError]:
    """Why the content of a plan file is no plan of the problem, one reason after the other."""
    if not isinstance(data, Mapping):
        yield from _refused(as_object, "plan", data)
        return
    yield from _refused(check_header, data, PLAN_FORMAT, _KINDS)
    needed = ("format", "version", "problem", "status")
    yield from _refused(check_keys, "plan", data, needed, ("token_latency_s", "lower_bound_s", "placement"))
    if "problem" in data:
        name = data["problem"]
        unread = list(_refused(as_text, "problem", name))
        yield from unread
        if not unread and name != problem.name:
            yield ValueError(f"problem: the plan is for {short(name)}, not for {problem.name!r}")
    if "status" in data and data["status"] not in _STATUSES:
        yield ValueError(f"status: {short(data['status'])} is not one of {', '.join(_STATUSES)}")
    yield from _misfits(data)
    unplaced = list(_unplaced(data["placement"], problem)) if "placement" in data else []
    yield from unplaced
    unread = [
        *_refused(non_negative, "lower_bound_s", data.get("lower_bound_s", 0.0)),
        *_refused(real, "token_latency_s", data.get("token_latency_s", 0.0)),
    ]
    yield from unread
    if "placement" in data and not unplaced and not unread:
        yield from _wrong_figures(data, evaluate(problem, data["placement"]).token_latency_s)


def _misfits(data: Mapping[str, Any]) -> Iterator[ValueError]:
    """What of a plan is not given where it should be, or the other way round."""
    status, placed = data.get("status"), "placement" in data
    if placed != ("token_latency_s" in data):
        yield ValueError("placement and token_latency_s: one is given without the other")
    if placed and "lower_bound_s" not in data:
        yield ValueError("lower_bound_s: missing beside a placement")
    if placed and status in ("infeasible", "no_plan_found"):
        yield ValueError(f"placement: there is one, and the status is {status}")
    if not placed and status in ("optimal", "feasible"):
        yield ValueError(f"placement: missing, and the status is {status}")
    if status == "infeasible" and "lower_bound_s" in data:
        yield ValueError("lower_bound_s: there is one, and the status is infeasible")


def _unplaced(placement: Any, problem: Problem) -> Iterator[ValueError | TypeError]:
    """Why something is no placement."""
    place = {id: s for s, id in enumerate(problem.satellites)}
    unread = list(_refused(as_list, "placement", placement))
    found = []
    for i, layer in enumerate(placement if not unread else ()):
        wrong = list(_refused(as_list, f"placement[{i}]", layer))
        for e, id in enumerate(layer if not wrong else ()):
            where = f"placement[{i}][{e}]"
            if isinstance(id, str) and id not in place:
                wrong.append(ValueError(f"{where}: {short(id)} is not one of the problem's satellites"))
            wrong += _refused(as_text, where, id)
        unread += wrong
        found.append([] if wrong else [place[id] for id in layer])
    if unread:
        yield from unread
    else:
        yield from (ValueError(rule) for rule in _core.broken(problem._compiled, found))


def _wrong_figures(data: Mapping[str, Any], latency_s: float) -> Iterator[ValueError]:
    """What of the figures is not so, where the placement costs `latency_s`."""
    claimed_s = data.get("token_latency_s", latency_s)
    bound_s = data.get("lower_bound_s", latency_s)
    if not math.isclose(claimed_s, latency_s, rel_tol=_OPTIMAL_GAP):
        yield ValueError(f"token_latency_s: {claimed_s!r} is not what the placement costs, {latency_s!r}")
    if bound_s > latency_s * (1 + _OPTIMAL_GAP):
        yield ValueError(f"lower_bound_s: {bound_s!r} is above the latency, {latency_s!r}")
    if data.get("status") == "optimal" and latency_s - bound_s > _OPTIMAL_GAP * latency_s:
        yield ValueError(f"status: optimal, with a lower_bound_s of {bound_s!r} below {latency_s!r}")


def _refused(check: Callable[..., Any], *arguments: Any) -> Iterator[ValueError | TypeError]:
    """What a check raises, if it does."""
    try:
        check(*arguments)
    except (ValueError, TypeError) as error:
        yield error


def _latencies(where: str, values: Any, satellites: int) -> list[float]:
    """A row of a slot, NaN for null."""
    row = as_list(where, values)
    if len(row) != satellites:
        raise ValueError(f"{where}: {len(row)} numbers are not {satellites}, one per satellite")
    return [math.nan if s is None else non_negative(f"{where}[{i}]", s) for i, s in enumerate(row)]


def _read_npz(path: Path) -> NDArray[np.float64]:
    import tokenize
    import zipfile
    import zlib

    damaged = (
        ValueError, TypeError, LookupError, OverflowError, EOFError, SyntaxError, tokenize.TokenError,
        NotImplementedError, RuntimeError, MemoryError, struct.error, zlib.error, zipfile.BadZipFile,
    )  # fmt: skip
    try:
        # Only what is a zip file, since an array alone is read too, whatever its name.
        with zipfile.ZipFile(path) as archive:
            if f"{_ARRAY}.npy" not in archive.namelist():
                raise ValueError(f"has no array {_ARRAY}")
            with archive.open(f"{_ARRAY}.npy") as file:
                array = np.lib.format.read_array(file, allow_pickle=False)
    except damaged as error:
        raise ValueError(f"latency_npz: {str(path)!r}: {error}") from None
    if array.dtype.kind not in "iuf":
        raise TypeError(f"latency_npz: {_ARRAY} holds {array.dtype}, not numbers")
    return np.asarray(array, dtype=np.float64)
