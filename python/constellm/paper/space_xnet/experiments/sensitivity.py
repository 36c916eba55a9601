"""One assumption moved at a time from the fitted geometry."""

from __future__ import annotations

import math
from typing import Any

from ....core.quantity import figure, split_unit
from ....core.table import Rows, Tables, distinct, where
from ....moe import SCHEMES
from ....plot import style
from ...report.draw import panels
from ...report.study import Experiment, Picture
from ..measured import look_of, measured
from ..parameters import EXPERT_FLOP, FLOP_PER_S, GATEWAY_FLOP
from ..scenario import Scenario

_EXPERT_S, _GATEWAY_S = EXPERT_FLOP / FLOP_PER_S, GATEWAY_FLOP / FLOP_PER_S

ASSUMPTIONS: dict[str, tuple[Any, ...]] = {
    "altitude_m": (350e3, 550e3, 800e3, 1000e3, 1200e3, 1500e3),
    "planes": (17, 25, 33, 49, 66),
    "satellites_per_plane": (24, 32, 40, 48, 64),
    "survival": (0.8, 0.9, 0.95, 0.99, 1.0),
    "max_turn_deg_per_s": (0.1, 0.11, 0.12, 0.125, 0.13, math.inf),
    "raan_spread_deg": (180.0, 240.0, 300.0, 330.0, 360.0),
    "phase": (0.0, 0.25, 0.5, 0.75, 1.0),
    "layout": ("steps add up, open", "alternating, open", "alternating, closed"),
    "slot_s": (1.0, 10.0, math.nan, 432.0),
    "hop_s": (0.0, 0.1e-3, 0.5e-3, 1e-3),
    "expert_s": (0.0, _EXPERT_S),
    "gateway_s": (0.0, _GATEWAY_S),
    "sigma": (0.0, 0.13, 0.45, 0.85, 1.5),
    "top_k": (1, 2, 3, 4),
    "inclination_deg": (53.0, 70.0, 80.0, 87.0, 90.0),
}
"""What moves, one at a time."""

LAYOUTS: dict[str, dict[str, Any]] = {
    "steps add up, open": {},
    "alternating, open": {"alternating": True},
    "alternating, closed": {"alternating": True, "seam": "closed"},
}
"""Fields of the values of ``layout``."""

_WORDS = {
    "altitude_m": "altitude (km)",
    "satellites_per_plane": "satellites a plane",
    "max_turn_deg_per_s": "limit of the turn (°/s)",
    "raan_spread_deg": "RAAN spread (°)",
    "phase": "phase (spacings)",
    "slot_s": "slot (s)",
    "hop_s": "processing a hop (ms)",
    "expert_s": "compute of an expert (ms)",
    "gateway_s": "compute of a gateway (ms)",
    "sigma": "spread σ of the weights",
    "top_k": "experts a token",
    "inclination_deg": "inclination (°)",
}
_SCALES = {"altitude_m": 1e3, "hop_s": 1e-3, "expert_s": 1e-3, "gateway_s": 1e-3}


def _compute(quick: bool) -> Tables:
    scenario = Scenario(slots=5 if quick else 25)
    rows: Rows = []
    for name, values in list(ASSUMPTIONS.items())[: 6 if quick else None]:
        for value in values[:: max(len(values) - 1, 1)] if quick else values:
            moved = scenario.replace(**(LAYOUTS[value] if name == "layout" else {name: value}))
            shown = moved.times()[1] if name == "slot_s" else value
            for row in measured(moved, 1 if quick else 4):
                rows.append({"assumption": name, "value": shown, **row})
    return {"sensitivity": rows}


def _draw(tables: Tables) -> list[Picture]:
    rows = tables["sensitivity"]
    names = distinct(rows, "assumption")
    columns = 5
    lines = -(-len(names) // columns)
    with panels(lines, columns, (2.5 * columns, 2.2 * lines + 0.3)) as (picture, grid):
        for ax in grid.ravel()[len(names) :]:
            ax.set_axis_off()
        for ax, name in zip(grid.ravel(), names):
            own = where(rows, assumption=name)
            values = distinct(own, "value")
            for scheme in SCHEMES:
                look = look_of(scheme)
                heights = [row["token_latency_s"] for row in where(own, scheme=scheme)]
                ax.plot(
                    range(len(values)),
                    heights,
                    color=look.colour,
                    marker=look.marker,
                    markersize=4,
                    label=scheme,
                )
            ax.set_xticks(range(len(values)), [_tick(name, value) for value in values], fontsize=7)
            ax.set_xlabel(_WORDS.get(name, split_unit(name)[0]))
            ax.set_ylim(bottom=0)
            style.grid(ax, "y")
        for ax in grid[:, 0]:
            ax.set_ylabel("s/token")
        picture.legend(
            *grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(SCHEMES)
        )
    return [
        Picture(
            "sensitivity",
            picture,
            "Latency of a token by scheme with one assumption moved at a time from the fitted geometry. "
            "Fewer or more satellites a plane than layers: subnets of several indices, or layers side by "
            "side.",
        )
    ]


def _tick(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value.replace(", ", ",\n")
    return figure(value / _SCALES.get(name, 1.0))


SENSITIVITY = Experiment(
    "One assumption at a time",
    "From the fitted geometry, with 25 slots over an orbit and the mean of 4 draws. The limit of the "
    "turn is at the edge of what links need: some thousandths of a degree a second decide how many are "
    "cut. Compute is charged to an expert, or to a gateway with attention over 4,096 tokens, at 7.28 "
    "GFLOP/s.",
    _compute,
    _draw,
)
