"""Heuristics against the proven optimum."""

from __future__ import annotations

from ....core.table import Rows, Tables, distinct, where
from ....plot import palette, style
from ....services import METHODS, solve
from ...report.draw import panels
from ...report.study import Experiment, Picture
from ..placements import drawn, nominal

SEEDS = (0, 1, 2, 4, 5)
TASKS = 6
HEURISTICS = ("annealing", "genetic", "tabu", "greedy", "nearest", "random", "monolith")
DEMANDS = ("nominal", "box")


def _compute(quick: bool) -> Tables:
    rows: Rows = []
    for seed in SEEDS[:1] if quick else SEEDS:
        box = drawn(seed, TASKS)
        for demand in DEMANDS:
            problem = nominal(box) if demand == "nominal" else box
            best = solve(problem, method="optimal")
            for method in HEURISTICS:
                plan = solve(problem, method=method)
                rows.append(
                    {
                        "seed": seed,
                        "demand": demand,
                        "method": method,
                        "status": plan.status,
                        "cost": plan.cost,
                        "delay_s": plan.delay_s,
                        "least_cost": best.cost,
                        "over": plan.cost / best.cost,
                    }
                )
            if best.status not in ("optimal", "infeasible"):
                raise AssertionError(f"{problem!r}: {best!r}")
    return {"placement-methods": rows}


def _draw(tables: Tables) -> list[Picture]:
    rows = [row for row in tables["placement-methods"] if row["over"] == row["over"]]
    names = distinct(tables["placement-methods"], "method")
    with panels(1, 1, (6.4, 3.4)) as (figure, axes):
        ax = axes[0, 0]
        for demand, colour, marker, shift in zip(DEMANDS, palette.CYCLE, "os", (-0.12, 0.12)):
            own = where(rows, demand=demand)
            ax.plot(
                [row["over"] for row in own],
                [names.index(row["method"]) + shift for row in own],
                marker,
                color=colour,
                markerfacecolor="none",
                label=f"{demand} demand",
            )
        ax.axvline(1.0, color=palette.INK, linewidth=0.8)
        ax.set_xlabel("cost ÷ least cost")
        ax.set_yticks(range(len(names)), names)
        ax.invert_yaxis()
        ax.tick_params(axis="y", length=0)
        style.grid(ax)
        ax.legend()
    return [
        Picture(
            "placement-methods",
            figure,
            "Cost of what heuristics find by the least, which is proven; a point for each draw in which "
            "they find a placement at all.",
        )
    ]


PLACEMENT_METHODS = Experiment(
    "Heuristics against the proven placement",
    "Every method has its own budget of steps, none one of time. Under the box each rate may double.",
    _compute,
    _draw,
)
assert set(HEURISTICS) <= set(METHODS)
