"""Gateways chosen for a window of time against those in the centre, as planned and as it then is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....core.table import Row, Rows, Tables
from ....moe import Plan, Ring, best_gateways, evaluate, ring, ring_problem, solve
from ....orbit import Constellation
from ....plot import palette, style
from ...report.draw import panels
from ...report.study import Experiment, Picture
from ..measured import THREADS
from ..parameters import EXPERT_BYTES
from ..scenario import CUT_OFF_S, RATE_BPS, Scenario

WINDOWS_S = (10.0, 60.0, 200.0, 600.0, 1200.0)
"""How long gateways and placements stay; and an orbit."""

_SHORT_S = 600.0
"""Windows up to so long have 20 slots, longer ones 60."""

_FRESH = 1000
"""Seed of the outages that plans have not seen."""


def _compute(quick: bool) -> Tables:
    scenario = Scenario(planes=17) if quick else Scenario()
    orbit_s = float(scenario.shell.period_s)
    rows: Rows = []
    for window_s in (WINDOWS_S[0], orbit_s) if quick else (*WINDOWS_S, orbit_s):
        slots = 4 if quick else 20 if window_s <= _SHORT_S else 60
        rows.append(_window(scenario, window_s, 2 if quick else 4, slots))
    return {"gateways": rows}


def _window(scenario: Scenario, window_s: float, many: int, slots: int) -> Row:
    """Means of several windows one after the other, each with plans of its own."""
    world, fresh = scenario.world(0), scenario.world(_FRESH)
    central = ring(scenario.shell, scenario.layers)
    given: dict[str, Any] = {
        "weights": scenario.weights(0),
        "top_k": scenario.top_k,
        "unreachable_s": CUT_OFF_S,
        "threads": THREADS,
    }
    found: list[tuple[float, ...]] = []
    before: Plan | None = None
    for i in range(many):
        times = window_s * (i + np.arange(slots) / slots)
        chosen = best_gateways(world, central, times, **given)
        (fixed, fixed_s), (planned, planned_s) = (
            _placed(world, fresh, where, times, given) for where in (central, chosen.ring)
        )
        moved = (np.nan, np.nan) if before is None else _moves(world, before, planned, times[0])
        before = planned
        costs = fixed.token_latency_s, planned.token_latency_s, chosen.lower_bound_s
        found.append((*costs, fixed_s, planned_s, *moved))
    names = ("central_s", "planned_s", "bound_s", "fresh_central_s", "fresh_planned_s", "moved", "move_s")
    mean: Row = dict(zip(names, np.nanmean(found, axis=0).tolist()))
    row: Row = {"window_s": window_s, **mean}
    row["gain"] = 1.0 - mean["planned_s"] / mean["central_s"]
    row["fresh_gain"] = 1.0 - mean["fresh_planned_s"] / mean["fresh_central_s"]
    row["net_gain"] = (
        1.0 - mean["fresh_planned_s"] * (1.0 + mean["move_s"] / window_s) / mean["fresh_central_s"]
    )
    row["gap"] = 1.0 - mean["bound_s"] / mean["planned_s"]
    return row


def _placed(
    world: Constellation,
    fresh: Constellation,
    where: Ring,
    times: NDArray[np.float64],
    given: dict[str, Any],
) -> tuple[Plan, float]:
    """Sorted experts with these gateways, and what they cost between the slots under other outages [s]."""
    between = times + 0.5 * (times[1] - times[0])
    plan = solve(ring_problem(world, where, times, **given), method="sorted")
    return plan, evaluate(ring_problem(fresh, where, between, **given), plan).token_latency_s


def _moves(world: Constellation, before: Plan, after: Plan, time_s: float) -> tuple[float, float]:
    """Share of the experts that change their satellite, and how long the longest move takes [s].

    All at once, each hop after the other, and on links that carry nothing else.
    """
    old, new = ([id for layer in plan.placement for id in layer] for plan in (before, after))
    pairs = [(a, b) for a, b in zip(old, new) if a != b]
    if not pairs:
        return 0.0, 0.0
    start, end = zip(*pairs)
    starts, ends = list(dict.fromkeys(start)), list(dict.fromkeys(end))
    found = world.latencies(starts, [time_s], targets=ends, threads=THREADS)
    at = [starts.index(a) for a in start], [ends.index(b) for b in end]
    latency_s, hops = found.latency_s[0][at], found.hops[0][at]
    reached = hops >= 0  # what is cut off for a slot moves in the next
    taken_s = latency_s[reached] + hops[reached] * 8.0 * EXPERT_BYTES / RATE_BPS
    return len(pairs) / len(old), float(taken_s.max(initial=0.0))


def _draw(tables: Tables) -> list[Picture]:
    rows = tables["gateways"]
    with panels(1, 1, (6.4, 3.4)) as (figure, axes):
        ax = axes[0, 0]
        for (name, label), colour, marker in zip(_LINES.items(), palette.CYCLE, "osD"):
            values = [100.0 * row[name] for row in rows]
            ax.plot(range(len(rows)), values, color=colour, marker=marker, markersize=5, label=label)
        ax.axhline(0, color=palette.INK, linewidth=0.8)
        ax.set_xticks(range(len(rows)), [f"{row['window_s']:.0f}" for row in rows])
        ax.set_xlabel("window for which gateways and experts are planned (s)")
        ax.set_ylabel("latency saved against central gateways (%)")
        style.grid(ax)
        ax.set_title("Chosen gateways against central ones")
        ax.legend(loc="upper right")
    return [
        Picture(
            "gateways",
            figure,
            "What gateways by dynamic programming save of the latency with central ones, sorted experts "
            "on both: in the slots and under the outages that they were planned for, in others, and with "
            "the time of moving experts from window to window taken off. The last window is an orbit.",
        )
    ]


_LINES = {"gain": "as planned", "fresh_gain": "as it then is", "net_gain": "as it then is, moves charged"}

GATEWAYS = Experiment(
    "Gateways: in the centre, or planned for a window",
    "The fitted geometry, four windows one after the other, 20 slots in each, 60 in those above ten "
    "minutes. Gateways are chosen by a dynamic programme around the ring, with a bound that no choice "
    "goes below. Outages drawn anew, at instants between the slots, tell what is learnt from what is "
    "only remembered. Between windows experts whose satellite changes move at once, 33.8 MB each at 100 "
    "Gbit/s a hop, and tokens wait for the longest move.",
    _compute,
    _draw,
)
