"""Placements over time: who knows what is ahead, and who may move."""

from __future__ import annotations

from ....core.table import Rows, Tables, distinct, where
from ....orbit import Constellation, plus_grid, walker
from ....plot import palette, style
from ....services import Horizon, horizon, regions, solve_horizon
from ...report.draw import panels
from ...report.study import Experiment, Picture
from ..placements import drawn

SEEDS = (0, 3)
TASKS, SLOTS, SLOT_S = 3, 4, 600.0
START_COST_PER_BYTE = 2e-9
"""A fifth of what a replica costs all the time."""
CORE_BYTES = 200e6
"""Services of more memory are the core."""
METHODS = ("clairvoyant", "rolling", "per-slot", "static")
FREE, CORE = "all may move", "core stays"


def world() -> Constellation:
    """So small that all slots at once are proven within seconds."""
    shell = walker(
        "star", planes=4, satellites_per_plane=6, altitude_m=2000e3, inclination_deg=85.0, kind="star"
    )
    return Constellation(shell, links=plus_grid(rate_bps=0.5e9, seam="open"))


def day(seed: int) -> Horizon:
    """Slots over which users stay and satellites pass."""
    here = world()
    problem = drawn(seed, TASKS, constellation=here, slack=(1.2, 1.8), budget=0.0)
    return horizon(
        here,
        problem,
        start=0.0,
        slot_s=SLOT_S,
        slots=SLOTS,
        follow=regions(),
        start_cost_per_byte=START_COST_PER_BYTE,
    )


def _compute(quick: bool) -> Tables:
    rows: Rows = []
    for seed in SEEDS[:1] if quick else SEEDS:
        slots = day(seed)
        heavy = [of.name for of in slots.services if of.memory_bytes > CORE_BYTES]
        for kept, core, methods in ((FREE, [], METHODS), (CORE, heavy, METHODS[:1])):
            for method in methods:
                plan = solve_horizon(slots.replace(core=core), method=method)
                rows.append(
                    {
                        "seed": seed,
                        "core": kept,
                        "method": method,
                        "status": plan.status,
                        "cost": plan.cost,
                        "start_cost": plan.start_cost,
                        "starts": plan.starts,
                    }
                )
    return {"over-time": rows}


def _draw(tables: Tables) -> list[Picture]:
    rows = where(tables["over-time"], core=FREE)
    seeds, methods = distinct(rows, "seed"), distinct(rows, "method")
    cases = [(FREE, method) for method in methods] + [(CORE, "clairvoyant")]
    with panels(1, len(seeds), (3.4 * len(seeds) + 1.2, 3.4)) as (figure, axes):
        for ax, seed in zip(axes[0], seeds):
            for i, (core, method) in enumerate(cases):
                (row,) = where(tables["over-time"], seed=seed, core=core, method=method)
                stays, colour = row["cost"] - row["start_cost"], palette.CYCLE[i]
                ax.bar(i, stays, color=colour)
                ax.bar(i, row["start_cost"], bottom=stays, color=colour, alpha=0.45, hatch="//")
            names = [method if core == FREE else "clairvoyant,\ncore stays" for core, method in cases]
            ax.set_xticks(range(len(cases)), names, rotation=30)
            ax.set_title(f"draw {seed}")
            style.grid(ax, "y")
        axes[0, 0].set_ylabel("cost over the horizon (hatched: starts)")
    return [
        Picture(
            "over-time",
            figure,
            f"Cost over {SLOTS} slots of {SLOT_S:g} s; a replica that starts costs as a fifth of its whole "
            f"time.",
        )
    ]


OVER_TIME = Experiment(
    "Over time: who knows what is ahead",
    "Four planes of six satellites at 2,000 km, three tasks whose users stay. The clairvoyant knows all "
    "slots and is proven; rolling knows three and keeps the first; per slot is each slot's own optimum, "
    "its starts paid as they fall; static never moves. A core that stays are the services of more than 200 "
    "MB.",
    _compute,
    _draw,
)
