"""One problem on a network that changes: a plan at every instant, and how long its links live."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._core.network import Snapshot, Timeline
from .._core.split import Problem
from ..core.checks import count, instance, positive, real, short
from ..core.progress import bar
from ..network import path_lifetime_s
from ..orbit import Constellation
from ..sweep.grid import Grid, make_grid
from ..sweep.result import GatheredRows, SweepResult, best_form
from ..sweep.running import cores, solve_grid
from ..sweep.system import INTERRUPTED

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import xarray

AXIS = "t_s"
LIFETIME = "lifetime_s"
_AT_ONCE = 128  # instants whose problems are in memory together: megabytes each at a thousand satellites
_LIFETIME = "How long all links of the plan's path live from the instant on; inf beyond the horizon."


def over_time(
    problem: Problem,
    network: Constellation | Timeline,
    times: Any,
    axes: Mapping[str, Any] | None = None,
    *,
    horizon_s: float | None = None,
    method: str | Sequence[str] = "optimal",
    time_limit_s: float = math.inf,
    threads: int | None = None,
    executor: Executor | None = None,
    answers: bool = False,
    progress: bool | None = None,
) -> xarray.Dataset | SweepResult:
    """Solve a problem at many instants of a network that changes with time.

    Parameters
    ----------
    problem : Problem
        Its network is replaced by that of each instant; source and sink stay.
    network : Constellation or Timeline
        Of a constellation, the stations that are not source or sink have no links, since planners relay over
        any node and stations do not relay.
    times : array_like, shape (times,)
        Seconds; of a constellation also instants, as `Constellation.seconds` takes them. Links that survive
        with a probability are drawn for each.
    axes : mapping of str to array_like, optional
        More dimensions, over fields of the problem, as of `constellm.sweep.run`.
    horizon_s : float, optional
        How far ahead of each instant the ends of links are looked for [s]. Of a timeline they are known, to
        a snapshot of it. Default: not at all.
    method, time_limit_s, threads, executor, answers, progress
        As of `constellm.sweep.run`.

    Returns
    -------
    xarray.Dataset or SweepResult
        As of `constellm.sweep.run`, with ``t_s`` as first dimension; where ends of links are known also
        ``lifetime_s``, how long all links on the plan's path live from the instant on [s]: NaN without a
        plan, inf where they live on beyond the horizon.

    Raises
    ------
    ValueError, TypeError
        As `constellm.sweep.run` and `Constellation.at`.

    Examples
    --------
    >>> import constellm as clm
    >>> world = clm.orbit.Constellation(
    ...     clm.orbit.preset("iridium-next"),
    ...     stations=clm.orbit.station("Svalbard", 78.2, 15.4, min_elevation_deg=8.2),
    ...     links=[clm.orbit.plus_grid(seam="open"), clm.orbit.ground()],
    ...     computers={"flop_per_s": 1e12, "memory_bytes": 1e9},
    ... )
    >>> problem = clm.split.Problem(
    ...     model=clm.model.vit("vit-base/16", image_px=224),
    ...     network=world.at(0.0),
    ...     source="iridium-next/0/0",
    ...     sink="Svalbard",
    ...     codecs=clm.codec.none(),
    ... )
    >>> found = clm.split.over_time(problem, world, [0.0, 60.0, 120.0], horizon_s=600.0)
    >>> found["lifetime_s"].shape, bool((found["status"] == "optimal").all())
    ((3,), True)
    """
    instance("problem", problem, Problem)
    if isinstance(network, Constellation):
        time_s = network.seconds(times)
    elif not isinstance(network, Timeline):
        raise TypeError(f"network: expected a Constellation or a Timeline, got {short(network)}")
    else:
        try:
            time_s = np.asarray(times, dtype=np.float64)
        except (TypeError, ValueError):
            raise TypeError(f"times: expected seconds, as of the timeline, got {short(times)}") from None
    if time_s.ndim != 1 or not len(time_s):
        raise ValueError(f"times: expected shape (times,), at least one, got {time_s.shape}")
    values, counts = np.unique(time_s, return_counts=True)
    if (counts > 1).any():
        raise ValueError(f"times: {values[counts > 1][0]:g} s is given twice")
    if horizon_s is not None:
        horizon_s = positive("horizon_s", horizon_s)
        if isinstance(network, Timeline):
            raise TypeError("horizon_s: a timeline knows the ends of its links, so give none")
    axes = dict(axes or {})
    if AXIS in axes:
        raise ValueError(f"axes: {AXIS!r} is the axis of the instants")
    if executor is not None and threads is not None:
        raise TypeError("threads: given together with an executor, whose workers solve one cell at a time")
    workers = cores() if threads is None else count("threads", threads, most=1024)
    limit_s = real("time_limit_s", time_limit_s, least=0)
    ends_known = horizon_s is not None or isinstance(network, Timeline)

    def snapshot(slot: int, t_s: float) -> Snapshot:
        if isinstance(network, Timeline):
            return network.at(t_s)
        return network.at(t_s, ends=[problem.source, problem.sink], slot=slot, horizon_s=horizon_s)

    parts: list[SweepResult] = []
    with bar(len(time_s), unit="instants", progress=progress) as move_on:
        for start in range(0, len(time_s), _AT_ONCE):
            now_s = time_s[start : start + _AT_ONCE].tolist()
            some = {t_s: snapshot(slot, t_s) for slot, t_s in enumerate(now_s, start)}
            grid = make_grid(_Factory(problem, some), {AXIS: list(some), **axes}, method, limit_s)
            part = solve_grid(grid, workers, executor, answers=answers or ends_known, progress=False)
            parts.append(_with_lifetimes(part, some, answers) if ends_known else part)
            move_on(len(some))
            if (part["status"] == INTERRUPTED).any():
                parts.append(_left_over(grid, time_s[start + _AT_ONCE :], parts[-1]))
                break
    return best_form(_joined(parts))


@dataclass(frozen=True)
class _Factory:
    """The problem at an instant."""

    problem: Problem
    snapshots: dict[float, Snapshot]

    def __call__(self, t_s: float) -> Problem:
        return self.problem.replace(network=self.snapshots[t_s])


def _with_lifetimes(part: SweepResult, snapshots: dict[float, Snapshot], answers: bool) -> SweepResult:
    """With how long the links of each plan live; without the plans unless they are wanted."""
    plans = part["plan"]
    lifetime_s = np.full(plans.shape, np.nan)
    for i, (t_s, snapshot) in enumerate(snapshots.items()):
        for place in np.ndindex(plans.shape[1:]):
            plan = plans[(i, *place)]
            if plan is not None and plan.path:
                # A timeline's snapshot may have begun some time ago.
                lifetime_s[(i, *place)] = path_lifetime_s(snapshot, plan.path) - (t_s - snapshot.t_s)
    lifetime_s.flags.writeable = False
    variables = {name: values for name, values in part.variables.items() if answers or name != "plan"}
    return replace(
        part,
        variables={**variables, LIFETIME: lifetime_s},
        units={**part.units, LIFETIME: "s"},
        docs={**part.docs, LIFETIME: _LIFETIME},
    )


def _left_over(grid: Grid, time_s: NDArray[np.float64], like: SweepResult) -> SweepResult:
    """Cells of instants that Ctrl-C left over, with the variables of `like`."""
    axis = replace(grid.axes[0], values=time_s, labels=time_s)
    rest = replace(grid, axes=(axis, *grid.axes[1:]))
    left = GatheredRows(rest.system, rest.cells * len(rest.methods), "plan" in like.variables)
    empty = left.result(rest.description())
    known = {**empty.variables, LIFETIME: np.full(empty.shape, np.nan)}
    return replace(empty, variables={name: known[name] for name in like.variables})


def _joined(parts: list[SweepResult]) -> SweepResult:
    """One after the other along the instants."""

    def join(arrays: list[NDArray[Any]]) -> NDArray[Any]:
        joined = np.concatenate(arrays)
        joined.flags.writeable = False
        return joined

    return replace(
        parts[0],
        coords={**parts[0].coords, AXIS: join([part.coords[AXIS] for part in parts])},
        variables={name: join([part[name] for part in parts]) for name in parts[0].variables},
        units={**parts[0].units, AXIS: "s"},
    )
