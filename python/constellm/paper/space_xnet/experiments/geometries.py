"""What the paper does not tell of its constellation, tried together: which of it gives its figures."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from ....core.table import Row, Rows, Tables, where
from ....orbit import line_of_sight
from ....plot import palette, style
from ...report.draw import panels
from ...report.study import Experiment, Picture
from ..measured import look_of, measured
from ..parameters import PAPER_S
from ..scenario import Scenario

SPREADS_DEG = (180.0, 360.0)
LIMITS_DEG_PER_S = (0.12, math.inf)
LAYOUTS = (
    {"phase": 0.0, "alternating": False, "seam": "open"},
    {"phase": 0.0, "alternating": False, "seam": "closed"},
    {"phase": 0.25, "alternating": False, "seam": "open"},
    {"phase": 0.5, "alternating": False, "seam": "open"},
    {"phase": 0.5, "alternating": True, "seam": "open"},
    {"phase": 0.5, "alternating": True, "seam": "closed"},
    {"phase": 0.75, "alternating": False, "seam": "open"},
    {"phase": 1.0, "alternating": False, "seam": "open"},
    {"phase": 1.0, "alternating": False, "seam": "closed"},
)
"""A seam closes where the first plane is as far ahead of the last as others are, up to whole spacings."""
_LIMIT_RAD_PER_S = 0.12
"""As the paper writes it."""


def _compute(quick: bool) -> Tables:
    scenario = Scenario(slots=5 if quick else 25)
    rows, turns = [], []
    for spread_deg, layout in itertools.product(SPREADS_DEG, LAYOUTS[::3] if quick else LAYOUTS):
        at = {"raan_spread_deg": spread_deg, **layout}
        turns.append(_turns(scenario, at))
        for limit in LIMITS_DEG_PER_S:
            here = {**at, "max_turn_deg_per_s": limit}
            rows.append({**here, **_latencies(measured(scenario.replace(**here), 1 if quick else 4))})
    return {"geometries": rows, "turns": turns}


def _latencies(found: Rows) -> Row:
    """A column for each scheme, its ratio to the proposal, and how far the paper's figures are at worst."""
    latency_s = {row["scheme"]: row["token_latency_s"] for row in found}
    ratios = {f"{name}_ratio": value / latency_s["sorted"] for name, value in latency_s.items()}
    differences = [latency_s[name] / (0.5 * sum(ends)) - 1.0 for name, ends in PAPER_S.items()]
    columns = {f"{name}_s": value for name, value in latency_s.items()}
    return {**columns, **ratios, "worst_difference": max(map(abs, differences))}


def _turns(scenario: Scenario, at: Row) -> Row:
    """How fast links turn, without a limit and without outages."""
    world = scenario.replace(**at, max_turn_deg_per_s=math.inf, survival=1.0).world()
    rates: list[NDArray[np.float64]] = []
    for t_s in scenario.times().tolist():
        graph, states = world.at(t_s).graph, world.states(t_s)
        values = states.position_m, states.velocity_m_per_s
        seen = line_of_sight(*(value[end] for value in values for end in (graph.from_, graph.to)))
        assert seen.angular_rate_rad_per_s is not None
        rates.append(seen.angular_rate_rad_per_s)
    turn = np.concatenate(rates)
    row: Row = dict(at)
    row["fastest_rad_per_s"] = float(turn.max())
    row["cut_at_0.12_deg_per_s"] = float((turn > math.radians(0.12)).mean())
    row["cut_at_0.12_rad_per_s"] = float((turn > _LIMIT_RAD_PER_S).mean())
    return row


def _draw(tables: Tables) -> list[Picture]:
    rows = tables["geometries"]
    others = [name for name in PAPER_S if name != "sorted"]
    with panels(1, len(others), (3.2 * len(others) + 0.4, 3.4)) as (figure, grid):
        for ax, name in zip(grid[0], others):
            for seam, filled in (("open", True), ("closed", False)):
                for spread, marker in ((180.0, "o"), (360.0, "s")):
                    own = where(rows, seam=seam, raan_spread_deg=spread)
                    colour = look_of(name).colour
                    ax.plot(
                        [row["sorted_s"] for row in own],
                        [row[f"{name}_s"] for row in own],
                        marker,
                        color=colour,
                        markerfacecolor=colour if filled else "none",
                        markersize=5,
                        label=f"{spread:g}°, seam {seam}",
                    )
            paper = [0.5 * sum(PAPER_S[key]) for key in ("sorted", name)]
            ax.plot(*paper, "+", color=palette.ALERT, markersize=12, markeredgewidth=2, label="the paper")
            most = 1.15 * max(max(row["sorted_s"] for row in rows), paper[0])
            ax.plot([0, most], [0, 3 * most], color=palette.MUTED, linewidth=0.8, label="3 times")
            ax.set_xlim(0, most)
            ax.set_ylim(0, 1.1 * max(max(row[f"{name}_s"] for row in rows), paper[1]))
            ax.set_xlabel("sorted (s/token)")
            ax.set_ylabel(f"{name} (s/token)")
            style.grid(ax)
            ax.set_title(name)
        grid[0, -1].legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return [
        Picture(
            "geometries",
            figure,
            "Latency of the paper's benchmarks against that of its proposal, a point for each geometry: RAAN "
            "spread, phase and seam, limit of the turn. Above the grey line the gain is "
            "more than threefold.",
        )
    ]


GEOMETRIES = Experiment(
    "Geometries: where the threefold gain holds",
    "The spread of the planes, the phase from one to the next, the seam, and a limit of 0.12 degrees a "
    "second or none: none of them is told. Combinations of them, otherwise as above, with 25 slots over "
    "an orbit and the mean of 4 draws. A second table says how fast links turn: the paper's limit as it "
    "is written, 0.12 rad/s, cuts none in any geometry.",
    _compute,
    _draw,
)
