"""What placements are still worth under demand spikes, shifts and losses of satellites."""

from __future__ import annotations

from collections.abc import Callable

from ....core.table import Rows, Tables, distinct, where
from ....plot import palette, style
from ....services import Problem, endure, lose, shifted, spiked, without
from ...report.draw import panels
from ...report.study import Experiment, Picture
from ..placements import drawn, nominal, proven

SEEDS = (0, 1, 5)
TASKS = 6
AMOUNTS: dict[str, tuple[float, ...]] = {
    "spike": (1.0, 1.25, 1.5, 2.0, 3.0, 4.0),
    "shift": (0.0, 0.2, 0.4, 0.6, 0.8),
    "loss": (0, 2, 4, 8, 16, 24),
}
"""Factor of all demand; share that moves to the first task; satellites lost."""
WORDS = {
    "spike": "demand, by that planned for",
    "shift": "share of demand that moves",
    "loss": "satellites lost of 66",
}
ON_TIME = 0.84
"""Of tasks, as arXiv 2601.19563 has it."""


def stresses(problem: Problem, seed: int) -> dict[str, Callable[[float], Problem]]:
    """The problem under stress, by kind and amount."""
    ends = {end for task in problem.tasks for end in (task.source, task.sink)}
    return {
        "spike": lambda factor: spiked(problem, factor),
        "shift": lambda share: shifted(problem, [problem.tasks[0].name], share),
        "loss": lambda number: without(problem, lose(problem, int(number), seed=seed, spare=ends)),
    }


def _compute(quick: bool) -> Tables:
    rows: Rows = []
    for seed in SEEDS[:1] if quick else SEEDS:
        box = drawn(seed, TASKS)
        problem = nominal(box)
        plans = {"nominal": proven(problem), "box": proven(box)}
        for kind, changed in stresses(problem, seed).items():
            for amount in AMOUNTS[kind][:3] if quick else AMOUNTS[kind]:
                worse = changed(amount)
                for made, plan in plans.items():
                    found = endure(worse, plan)
                    if found.rerouted.status != "optimal":
                        raise AssertionError(f"{worse!r}: {found.rerouted!r}")
                    rows.append(
                        {
                            "seed": seed,
                            "kind": kind,
                            "amount": float(amount),
                            "placed_for": made,
                            "kept_share": found.kept_share,
                            "rerouted_share": found.rerouted_share,
                            "lost_replicas": found.lost_replicas,
                        }
                    )
    return {"degradation": rows}


def _draw(tables: Tables) -> list[Picture]:
    rows = tables["degradation"]
    kinds = distinct(rows, "kind")
    lines = [
        ("nominal", "kept_share", "made for nominal demand, as it is"),
        ("nominal", "rerouted_share", "the same, replicas kept"),
        ("box", "kept_share", "made for the box, as it is"),
        ("box", "rerouted_share", "the same, replicas kept"),
    ]
    with panels(1, len(kinds), (3.1 * len(kinds) + 1.6, 3.4)) as (figure, axes):
        for ax, kind in zip(axes[0], kinds):
            own = where(rows, kind=kind)
            at = distinct(own, "amount")
            for (made, field, words), look in zip(lines, palette.lines([str(i) for i in range(len(lines))])):
                mean = []
                for amount in at:
                    found = [row[field] for row in where(own, amount=amount, placed_for=made)]
                    mean.append(100 * sum(found) / len(found))
                ax.plot(at, mean, label=words, markersize=4, **look)
            ax.axhline(100 * ON_TIME, color=palette.INK, linewidth=0.8, linestyle="--")
            ax.set_xlabel(WORDS[kind])
            ax.set_ylabel("requests served in time (%)" if ax is axes[0, 0] else "")
            ax.set_ylim(0, 103)
            style.grid(ax)
        axes[0, -1].legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return [
        Picture(
            "degradation",
            figure,
            "Requests that are served in time within all limits, means over draws; dashed, the 84 % of "
            "arXiv 2601.19563. Kept: assignments are chosen anew, nothing is started.",
        )
    ]


DEGRADATION = Experiment(
    "Spikes, shifts and losses",
    "A placement is made for nominal demand or for the box, where each rate may double; then all demand "
    "grows, a share of it moves to one task, or satellites are lost that no user is under. What is served "
    "as placed, and the most that the replicas that are left can serve, which is proven.",
    _compute,
    _draw,
)
