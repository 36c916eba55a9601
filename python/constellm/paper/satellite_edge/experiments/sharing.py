"""What sharing components saves against models that each task has to itself."""

from __future__ import annotations

from ....core.table import Rows, Tables, distinct, where
from ....plot import palette, style
from ....services import Problem, monoliths
from ...report.draw import panels
from ...report.study import Experiment, Picture
from ..placements import drawn, encoders, memory_bytes, nominal, pairs, proven, replicas

TASKS = (3, 6, 9)
SEEDS = (0, 1, 4)
SHARED, ENCODERS, APART, WHOLE = "all shared", "encoders shared", "nothing shared", "one service a task"


def variants(problem: Problem) -> dict[str, Problem]:
    """The problem with ever less that is shared; tasks of one pair of kind and region always share."""
    own = pairs(problem)
    return {
        SHARED: problem,
        ENCODERS: monoliths(problem, groups=own, shared=encoders(problem)),
        APART: monoliths(problem, groups=own),
        WHOLE: monoliths(problem, groups=own, whole=True),
    }


def _compute(quick: bool) -> Tables:
    rows: Rows = []
    for tasks in TASKS[:1] if quick else TASKS:
        for seed in SEEDS[:1] if quick else SEEDS:
            for name, problem in variants(nominal(drawn(seed, tasks))).items():
                plan = proven(problem)
                rows.append(
                    {
                        "tasks": tasks,
                        "seed": seed,
                        "variant": name,
                        "status": plan.status,
                        "services": len(problem.services),
                        "replicas": replicas(plan),
                        "cost": plan.cost,
                        "memory_bytes": memory_bytes(plan),
                        "delay_s": plan.delay_s,
                    }
                )
    return {"sharing": rows}


def _draw(tables: Tables) -> list[Picture]:
    rows = [row for row in tables["sharing"] if row["status"] == "optimal"]
    tasks = distinct(rows, "tasks")
    names = distinct(rows, "variant")
    with panels(1, 2, (8.6, 3.4)) as (figure, axes):
        for ax, field, words in zip(
            axes[0], ("memory_bytes", "delay_s"), ("memory of all replicas (GB)", "mean delay (ms)")
        ):
            scale = 1e9 if field == "memory_bytes" else 1e-3
            for name, look in zip(names, palette.lines(names)):
                at = [
                    (n, [row[field] / scale for row in where(rows, variant=name, tasks=n)])
                    for n in tasks
                    if where(rows, variant=name, tasks=n)
                ]
                ax.plot([n for n, _ in at], [sum(found) / len(found) for _, found in at], label=name, **look)
                for n, found in at:
                    ax.plot([n] * len(found), found, ".", color=look["color"], alpha=0.4, markersize=5)
            ax.set_xticks(tasks)
            ax.set_xlabel("tasks")
            ax.set_ylabel(words)
            style.from_zero(ax)
            style.grid(ax)
        axes[0, 1].legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return [
        Picture(
            "sharing",
            figure,
            "What the cheapest placement holds in memory, and the least delay at that cost, both proven; "
            "dots are draws, lines their means. Where a whole task fits no satellite there is no dot.",
        )
    ]


SHARING = Experiment(
    "Sharing components against models of one's own",
    "Tasks drawn from regions of the world over Iridium's 66 satellites; replicas cost by their memory. "
    "The same tasks are placed with all components shared, with encoders alone shared, with components of "
    "their own, and each as one service on one satellite. All placements are the cheapest, and the "
    "quickest of these, proven.",
    _compute,
    _draw,
)
