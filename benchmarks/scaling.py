"""Time of an exact solve over the sizes of a problem and the tightness of its error limit.

``python benchmarks/scaling.py [--quick] [--csv FILE] [--figure FILE]`` varies one size of seeded chains at a
time, then the error limit of the large chain of `benchmarks/data`, with 32 micro-batches and with one. Beside
the interval method stands label setting alone (``intervals=False``), stopped at a cap.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tables
import timing

from constellm import split
from constellm.core.table import Table
from constellm.plot import palette, style

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests"))
from oracles.random_problems import random_chain  # noqa: E402

LARGE = ROOT / "benchmarks" / "data" / "chain-96-24-16-32-0.5-77.json"
BASE = {"layers": 48, "nodes": 13, "codecs": 10, "micro_batches": 8, "max_error": 0.2}
AXES: dict[str, tuple[float, ...]] = {
    "layers": (12, 24, 48, 96, 192),
    "nodes": (4, 8, 13, 24, 48),
    "codecs": (2, 5, 10, 20, 40),
    "micro_batches": (1, 2, 8, 32, 128),
    "max_error": (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
}
LARGE_LIMITS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5)
LARGE_MICRO_BATCHES = (32, 1)
SEEDS = (1, 2, 3)
METHODS = {"intervals": {}, "labels alone": {"intervals": False}}
LARGE_NAME = "96 layers, 24 nodes, 16 codecs"


def measure(
    axes: dict[str, Sequence[float]] = AXES,
    seeds: Sequence[int] = SEEDS,
    large_limits: Sequence[float] = LARGE_LIMITS,
    cap_s: float = 1.0,
    large_cap_s: float = 5.0,
) -> tables.Rows:
    """One row for each size and method: ``median_s`` over the seeds of each chain's median, and the worst.

    Chains that the method has not solved within the cap count with what they took, and as ``capped``.

    Raises
    ------
    AssertionError
        If the interval method leaves a chain unsolved, or the two methods differ.
    """
    rows: tables.Rows = []
    for axis, values in axes.items():
        for value in values:
            sizes = {**BASE, axis: value}
            rows += solve_all(axis, sizes, [chain(seed, sizes) for seed in seeds], cap_s)
    large = json.loads(LARGE.read_text(encoding="utf-8"))
    for micro_batches in LARGE_MICRO_BATCHES:
        for limit in large_limits:
            problem = {**large, "micro_batches": micro_batches, "limits": {"max_error": limit}}
            sizes = {
                "layers": 96,
                "nodes": 24,
                "codecs": 16,
                "micro_batches": micro_batches,
                "max_error": limit,
            }
            rows += solve_all("large", sizes, [split.problem_from_dict(problem)], large_cap_s)
    return rows


def chain(seed: int, sizes: dict[str, float]) -> split.Problem:
    return split.problem_from_dict(random_chain(seed, **sizes))


def solve_all(
    axis: str, sizes: dict[str, float], problems: Sequence[split.Problem], cap_s: float
) -> tables.Rows:
    rows, optima = [], []
    for method, options in METHODS.items():
        runs, counts, capped = [], [], 0
        for i, problem in enumerate(problems):
            plan, took = timing.solve(problem, **options, time_limit_s=cap_s)
            runs.append(took)
            counts.append(plan.counters["labels"])
            capped += plan.status == "time_limit"
            if not options:
                assert plan.status == "optimal", f"{axis} {sizes}: {plan.status}"
                optima.append(plan.delay_s)
            elif plan.status == "optimal":
                assert abs(plan.delay_s / optima[i] - 1) < 1e-9, f"{axis} {sizes}: the methods differ"
        rows.append(
            {
                "axis": axis,
                **sizes,
                "method": method,
                "median_s": statistics.median(run.median_s for run in runs),
                "worst_s": max(run.median_s for run in runs),
                "labels": round(statistics.median(counts)),
                "capped": capped,
                "chains": len(problems),
            }
        )
    return rows


def draw(rows: tables.Rows) -> Any:
    """Seconds over each size, as a figure; a triangle is a median at the cap, a lower bound."""
    panels = [(axis, axis, None, "48 layers, 13 nodes, 10 codecs") for axis in BASE]
    panels += [("large", "max_error", m, f"{LARGE_NAME}, M = {m}") for m in LARGE_MICRO_BATCHES]
    with style.in_force():
        from matplotlib import pyplot
        from matplotlib.lines import Line2D

        fig, axes = pyplot.subplots(2, 4, figsize=(10, 5), sharey=True, layout="constrained")
        for ax, (axis, column, micro_batches, name) in zip(axes.flat, panels):
            for color, method in zip(palette.CYCLE, METHODS):
                line = [
                    r
                    for r in rows
                    if r["axis"] == axis
                    and r["method"] == method
                    and (micro_batches is None or r["micro_batches"] == micro_batches)
                ]
                x, y = [r[column] for r in line], [r["median_s"] for r in line]
                ax.plot(x, y, "-", color=color, label=method)
                for value, seconds, r in zip(x, y, line):
                    ax.plot(value, seconds, "^" if 2 * r["capped"] > r["chains"] else "o", ms=4, color=color)
            ax.set(xscale="log", yscale="log", xlabel=column.replace("_", " "))
            ax.set_xticks(x, [f"{value:g}" for value in x])
            ax.set_xticks([], minor=True)
            ax.set_title(name, fontsize=7)
            style.grid(ax)
        for ax in axes[:, 0]:
            ax.set_ylabel("seconds a solve")
        axes.flat[-1].axis("off")
        handles, labels = axes.flat[0].get_legend_handles_labels()
        stopped = Line2D([], [], linestyle="", marker="^", markersize=4, color=palette.MUTED)
        axes.flat[-1].legend([*handles, stopped], [*labels, "most chains stopped at the cap"], loc="center")
    return fig


def table(rows: tables.Rows) -> str:
    """The rows as Markdown: both methods side by side."""
    lines = []
    for own, labels in zip(rows[::2], rows[1::2]):
        axis = "max_error" if own["axis"] == "large" else own["axis"]
        where = (
            f"{LARGE_NAME}, M = {own['micro_batches']}" if own["axis"] == "large" else "48 × 13 × 10, M = 8"
        )
        more = "> " if 2 * labels["capped"] > labels["chains"] else ""
        lines.append(
            [
                where,
                f"{axis} {own[axis]:g}",
                tables.seconds(own["median_s"]),
                tables.seconds(own["worst_s"]),
                more + tables.seconds(labels["median_s"]),
                f"{labels['capped']} of {labels['chains']}",
            ]
        )
    header = ["chains", "with", "intervals: median", "slowest chain", "labels alone: median", "at the cap"]
    return tables.markdown(header, lines)


QUICK = {
    "axes": {axis: values[1:4:2] for axis, values in AXES.items()},
    "seeds": (1,),
    "large_limits": (0.05, 0.5),
    "cap_s": 0.2,
    "large_cap_s": 0.5,
}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer sizes, one seed, short caps")
    parser.add_argument("--csv", type=Path, help="write the rows to this file")
    parser.add_argument("--figure", type=Path, help="write the figure to this PNG file")
    arguments = parser.parse_args()
    rows = measure(**QUICK if arguments.quick else {})
    print(table(rows))
    if arguments.csv:
        Table.of(rows).to_csv(arguments.csv)
    if arguments.figure:
        save(draw(rows), arguments.figure)


def save(fig: Any, file: Path) -> None:
    # No version in the file, so that it changes only with the picture.
    fig.savefig(file, dpi=100, metadata={"Software": None})


if __name__ == "__main__":
    main()
