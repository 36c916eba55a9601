"""Waiting in queues, which the limit of utilisation stands for."""

from __future__ import annotations

from ....core.table import Rows, Tables, distinct, where
from ....plot import palette, style
from ....services import waiting
from ...report.draw import panels
from ...report.study import Experiment, Picture
from ..placements import drawn, nominal, proven

SEEDS = (0, 1, 5)
TASKS = 6
LIMITS = (0.3, 0.4, 0.5, 0.7, 0.9)


def _compute(quick: bool) -> Tables:
    rows: Rows = []
    for seed in SEEDS[:1] if quick else SEEDS:
        problem = nominal(drawn(seed, TASKS))
        for limit in LIMITS[2:4] if quick else LIMITS:
            plan = proven(problem.replace(max_utilisation=limit))
            if plan.status != "optimal":
                continue
            found = waiting(plan.problem, plan)
            rows.append(
                {
                    "seed": seed,
                    "max_utilisation": limit,
                    "cost": plan.cost,
                    "alone_s": plan.delay_s,
                    "delay_s": found.delay_s,
                    "wait_s": found.wait_s,
                    "most_used": float(max(found.node_utilisation.max(), found.link_utilisation.max())),
                    "late": len(found.late),
                    "tasks": len(problem.tasks),
                }
            )
    return {"waiting": rows}


def _draw(tables: Tables) -> list[Picture]:
    rows = tables["waiting"]
    seeds = distinct(rows, "seed")
    with panels(1, 2, (7.4, 3.3)) as (figure, axes):
        for seed, look in zip(seeds, palette.lines(list(map(str, seeds)))):
            own = where(rows, seed=seed)
            at = [row["max_utilisation"] for row in own]
            axes[0, 0].plot(at, [row["cost"] for row in own], label=f"draw {seed}", **look)
            axes[0, 1].plot(at, [1e3 * row["wait_s"] for row in own], label=f"draw {seed}", **look)
        for ax, words in zip(axes[0], ("cost of the cheapest", "of its mean delay, waiting (ms)")):
            ax.set_xlabel("limit of utilisation")
            ax.set_ylabel(words)
            style.from_zero(ax)
            style.grid(ax)
        axes[0, 0].legend()
    return [
        Picture(
            "waiting",
            figure,
            "The cheapest placement by the limit of utilisation, and how much waiting its mean delay then "
            "has by the formula of Pollaczek and Khinchine.",
        )
    ]


WAITING = Experiment(
    "Waiting, by the limit of utilisation",
    "Placements know no queues: a limit of utilisation keeps them short. Every node and link is a queue "
    "with Poisson arrivals and fixed times of service, independent of each other (Kleinrock), which is an "
    "approximation.",
    _compute,
    _draw,
)
