"""Placements over time: who knows what is ahead, and who may move."""

from __future__ import annotations

from ....core.table import Rows, Tables, distinct, where
from ....orbit import Constellation, plus_grid, walker
from ....plot import palette, style
from ....services import Horizon, horizon, regions, solve_horizon
from ...report.draw import panels
from ...report.study import Experiment, Picture
from ..placements import drawn

SEEDS = (0, 1)
TASKS, SLOTS, SLOT_S = 3, 4, 300.0
START_COST_PER_BYTE = 1e-9
"""A tenth of what a replica costs all the time."""
CORE_BYTES = 200e6
"""Services of more memory are the core."""
METHODS = ("clairvoyant", "rolling", "per-slot", "static")
FREE, CORE = "all may move", "core stays"


def world() -> Constellation:
    """Forty satellites: all slots at once are proven within seconds."""
    shell = walker("star", planes=5, satellites_per_plane=8, altitude_m=1200e3, inclination_deg=86.4,
                   phasing=2, kind="star")  # fmt: skip
    return Constellation(shell, links=plus_grid(rate_bps=0.5e9, seam="open"))


def day(seed: int) -> Horizon:
    """Slots over which users stay and satellites pass."""
    here = world()
    problem = drawn(seed, TASKS, constellation=here, slack=(2.0, 4.0)).replace(budget=0.0)
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
        for kept, core in ((FREE, []), (CORE, heavy)):
            for method in METHODS:
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
