"""What safety against uncertain demand costs."""

from __future__ import annotations

import math
from dataclasses import replace

from ....core.table import Rows, Tables, distinct, where
from ....plot import palette, style
from ....services import Problem, price_of_robustness, sample_demand, violation
from ...report.draw import panels
from ...report.study import Experiment, Picture
from ..placements import drawn, nominal, proven

SEEDS = (0, 1, 5)
TASKS = 6
OBJECTIVES = ("cost", "delay")
_BUDGETS: dict[str, tuple[float | None, ...] | None] = {"cost": None, "delay": (0.0, 2.0, 4.0, None)}
TRIED = 4000
"""Demands under which a placement is tried; none of them is known when it is made."""
KNOWN, RISK = 40, 0.1
"""Demands that a placement by samples knows, and the share of them that it may break."""


def _compute(quick: bool) -> Tables:
    prices: Rows = []
    rules: Rows = []
    for seed in SEEDS[:1] if quick else SEEDS:
        problem = drawn(seed, TASKS)
        tried = sample_demand(problem, TRIED, seed=1000 + seed)
        for objective in OBJECTIVES[:1] if quick else OBJECTIVES:
            budgets = (0.0, 3.0, None) if quick else _BUDGETS[objective]
            found = price_of_robustness(problem.replace(objective=objective), budgets, samples=tried)
            keys = ("budget", "status", "cost", "delay_s", "price", "guarantee", "violated")
            for row in found:
                prices.append({"seed": seed, "objective": objective, **{key: row[key] for key in keys}})
        for rule, made in _rules(problem, seed).items():
            plan = proven(made)
            rules.append(
                {
                    "seed": seed,
                    "rule": rule,
                    "status": plan.status,
                    "cost": plan.cost,
                    "delay_s": plan.delay_s,
                    "violated": violation(problem, plan, tried).share if plan.placement else math.nan,
                }
            )
    return {"robustness": prices, "demand": rules}


def _rules(problem: Problem, seed: int) -> dict[str, Problem]:
    return {
        "nominal": nominal(problem),
        "box": problem,
        "upper corner": corner(problem),
        "samples": _rising(problem, 0.0).replace(samples=sample_demand(problem, KNOWN, seed=seed), risk=RISK),
    }


def corner(problem: Problem) -> Problem:
    """The problem without deviations in which every rate is raised, also as the weight of mean delays."""
    return _rising(problem, 1.0)


def _rising(problem: Problem, share: float) -> Problem:
    tasks = [
        replace(task, rate_per_s=task.rate_per_s + share * task.deviation_per_s, deviation_per_s=0.0)
        for task in problem.tasks
    ]
    return problem.replace(tasks=tasks)


def _draw(tables: Tables) -> list[Picture]:
    rows = tables["robustness"]
    seeds = distinct(rows, "seed")
    shown = [("cost", "cost", "cost of the cheapest"), ("delay", "delay_s", "least mean delay (ms)")]
    shown = [one for one in shown if where(rows, objective=one[0])]
    with panels(1, len(shown) + 1, (3.3 * (len(shown) + 1), 3.3)) as (figure, axes):
        for (objective, field, words), ax in zip(shown, axes[0]):
            for seed, look in zip(seeds, palette.lines(list(map(str, seeds)))):
                own = where(rows, objective=objective, seed=seed)
                scale = 1e3 if field == "delay_s" else 1.0
                ax.plot(_at(own), [scale * row[field] for row in own], label=f"draw {seed}", **look)
            ax.set_ylabel(words)
        ax = axes[0, -1]
        for seed, look in zip(seeds, palette.lines(list(map(str, seeds)))):
            own = where(rows, objective="cost", seed=seed)
            ax.plot(_at(own), [100 * row["violated"] for row in own], label=f"draw {seed}", **look)
        ax.set_ylabel("demands that break it (%)")
        for ax in axes[0]:
            ax.set_xlabel("tasks with raised demand at once")
            style.from_zero(ax)
            style.grid(ax)
        axes[0, -1].legend()
    return [
        Picture(
            "robustness",
            figure,
            f"Placements that bear the raised demand of so many of {TASKS} tasks at once: cost of the "
            f"cheapest, "
            f"mean delay of the quickest, and how many of {TRIED:,} demands in the box break the cheapest.",
        )
    ]


def _at(rows: Rows) -> list[float]:
    return [min(row["budget"], float(TASKS)) for row in rows]


ROBUSTNESS = Experiment(
    "The price of robustness",
    "Each rate may double. A budget says how many do so at the same time; all of them is the box, whose "
    "worst case is its upper corner, which is solved as a problem of its own. A placement by samples "
    "breaks at most a "
    f"tenth of {KNOWN} demands that it knows. All are proven, and tried under demands drawn evenly from "
    f"the box.",
    _compute,
    _draw,
)
