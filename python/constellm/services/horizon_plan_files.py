"""Horizons and their plans in files: `constellm.services-horizon` and `constellm.services-horizon-plan`."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

from ..core.checks import instance, real, short
from ..core.files import read_json, write_json
from ..core.plain import as_list, as_object, as_text, check_header, check_keys
from .horizon_files import HORIZON_FORMAT, horizon_from_dict, horizon_to_dict
from .horizon_plans import HorizonPlan
from .horizons import Horizon
from .placement import Placement

PLAN_FORMAT = "constellm.services-horizon-plan"
_KINDS = {HORIZON_FORMAT: "services horizon", PLAN_FORMAT: "services horizon plan"}
_TOLERANCE = 1e-9


def load_horizon(path: str | os.PathLike[str]) -> Horizon:
    """Read a `constellm.services-horizon` file.

    Parameters
    ----------
    path : path-like
        From a name that ends in ``.gz`` it is read compressed.

    Returns
    -------
    Horizon

    Raises
    ------
    OSError, ValueError, TypeError
        Where it cannot be read, or as `horizon_from_dict`.

    Examples
    --------
    >>> from constellm import network, services
    >>> node = network.Node(id="a", flop_per_s=1e12, memory_bytes=4e9)
    >>> graph = network.Graph([node], from_=[], to=[], rate_bps=[])
    >>> encoder = services.Service("encoder", flop=1e10, memory_bytes=1e9, cost=1.0)
    >>> task = services.Task("caption", rate_per_s=5.0, source="a", sink="a",
    ...                      stages=(services.Stage("encoder", (services.Input(-1, 1e6),)),))
    >>> slot = services.Problem(network=graph, services=(encoder,), tasks=(task,))
    >>> horizon = services.Horizon([slot] * 3, 60.0)
    >>> services.save_horizon(horizon, "day.json")
    >>> services.load_horizon("day.json") == horizon
    True
    """
    return horizon_from_dict(read_json(path))


def save_horizon(horizon: Horizon, path: str | os.PathLike[str]) -> None:
    """Write `horizon` as a `constellm.services-horizon` file, in one step.

    Parameters
    ----------
    horizon : Horizon
        As `horizon_to_dict` takes it.
    path : path-like
        Replaced where it exists; to a name that ends in ``.gz`` it is written compressed.

    Raises
    ------
    OSError, ValueError, TypeError
        If the file cannot be written, or as `horizon_to_dict`.

    Examples
    --------
    See `constellm.services.load_horizon`.
    """
    write_json(horizon_to_dict(horizon), path)


def horizon_plan_to_dict(plan: HorizonPlan) -> dict[str, Any]:
    """What a file of the plan says, as `horizon_plan_from_dict` reads it.

    Parameters
    ----------
    plan : HorizonPlan
        With or without placements.

    Returns
    -------
    dict

    Raises
    ------
    TypeError
        For what is no `HorizonPlan`.

    Examples
    --------
    See `constellm.services.load_horizon_plan`.
    """
    instance("plan", plan, HorizonPlan)
    data: dict[str, Any] = {
        "format": PLAN_FORMAT,
        "version": 1,
        "horizon": plan.horizon.name,
        "status": plan.status,
    }
    if math.isfinite(plan.lower_bound):
        data["lower_bound"] = plan.lower_bound
    if plan.placements:
        data.update(cost=plan.cost, delay_s=plan.delay_s, second_optimal=plan.second_optimal)
        data["placements"] = [
            {
                "replicas": {of: list(on) for of, on in placement.replicas.items()},
                "assignment": {of: list(on) for of, on in placement.assignment.items()},
            }
            for placement in plan.placements
        ]
    return data


def horizon_plan_from_dict(data: Mapping[str, Any], horizon: Horizon) -> HorizonPlan:
    """The plan that the content of a file says, held against its horizon by `check_horizon`.

    Parameters
    ----------
    data : mapping
        As ``json`` reads it.
    horizon : Horizon
        That it is a plan of.

    Returns
    -------
    HorizonPlan
        What the file says; `method` is ``"unknown"``.

    Raises
    ------
    ValueError, TypeError
        For content that is no plan, a plan of another horizon, terms that are not those of its placements,
        and any rule that these break.

    Examples
    --------
    See `constellm.services.load_horizon_plan`.
    """
    instance("horizon", horizon, Horizon)
    data = as_object("plan", data)
    check_header(data, PLAN_FORMAT, _KINDS)
    terms = ("cost", "delay_s", "second_optimal", "placements")
    check_keys("plan", data, ("format", "version", "horizon", "status"), ("lower_bound", *terms))
    if data["horizon"] != horizon.name:
        raise ValueError(f"horizon: {short(data['horizon'])} is not {horizon.name!r}")
    status = as_text("status", data["status"])
    if status != "infeasible" and "lower_bound" not in data:
        raise ValueError("plan: missing required key 'lower_bound'")
    if "placements" in data:
        check_keys("plan", data, (*data, *terms), ())
    elif any(key in data for key in terms):
        raise ValueError("plan: missing required key 'placements'")
    second = data.get("second_optimal", False)
    if not isinstance(second, bool):
        raise TypeError(f"second_optimal: expected true or false, got {short(second)}")
    plan = HorizonPlan(
        horizon,
        status,
        tuple(
            _placement(f"placements[{k}]", entry)
            for k, entry in enumerate(as_list("placements", data.get("placements", [])))
        ),
        real("lower_bound", data.get("lower_bound", math.inf), least=0),
        second,
    )
    if plan.placements:
        for key, value in (("cost", plan.cost), ("delay_s", plan.delay_s)):
            said = real(key, data[key])
            if abs(said - value) > _TOLERANCE * max(abs(value), abs(said)):
                raise ValueError(f"{key}: {said!r}, and the placements come to {value!r}")
    return plan


def _placement(where: str, entry: Any) -> Placement:
    entry = as_object(where, entry)
    check_keys(where, entry, ("replicas", "assignment"), ())
    for key in ("replicas", "assignment"):
        for of, on in as_object(f"{where}.{key}", entry[key]).items():
            for i, id in enumerate(as_list(f"{where}.{key}[{of!r}]", on)):
                as_text(f"{where}.{key}[{of!r}][{i}]", id)
    return Placement(**entry)


def load_horizon_plan(path: str | os.PathLike[str], horizon: Horizon) -> HorizonPlan:
    """Read a `constellm.services-horizon-plan` file.

    Parameters
    ----------
    path : path-like
        Of the plan.
    horizon : Horizon
        That it is a plan of.

    Returns
    -------
    HorizonPlan
        See `horizon_plan_from_dict`.

    Raises
    ------
    OSError, ValueError, TypeError
        Where it cannot be read, or as `horizon_plan_from_dict`.

    Examples
    --------
    >>> from constellm import network, services
    >>> node = network.Node(id="a", flop_per_s=1e12, memory_bytes=4e9)
    >>> graph = network.Graph([node], from_=[], to=[], rate_bps=[])
    >>> encoder = services.Service("encoder", flop=1e10, memory_bytes=1e9, cost=1.0)
    >>> task = services.Task("caption", rate_per_s=5.0, source="a", sink="a",
    ...                      stages=(services.Stage("encoder", (services.Input(-1, 1e6),)),))
    >>> slot = services.Problem(network=graph, services=(encoder,), tasks=(task,))
    >>> horizon = services.Horizon([slot, slot], 60.0)
    >>> on = services.Placement({"encoder": ["a"]}, {"caption": ["a"]})
    >>> plan = services.HorizonPlan(horizon, "feasible", [on, on], 0.0)
    >>> services.save_horizon_plan(plan, "day.plan.json")
    >>> services.load_horizon_plan("day.plan.json", horizon) == plan
    True
    """
    return horizon_plan_from_dict(read_json(path), horizon)


def save_horizon_plan(plan: HorizonPlan, path: str | os.PathLike[str]) -> None:
    """Write `plan` as a `constellm.services-horizon-plan` file, in one step.

    Parameters
    ----------
    plan : HorizonPlan
        With or without placements.
    path : path-like
        Replaced where it exists.

    Raises
    ------
    TypeError
        For what is no `HorizonPlan`.
    OSError
        If the file cannot be written.

    Examples
    --------
    See `constellm.services.load_horizon_plan`.
    """
    write_json(horizon_plan_to_dict(plan), path)
