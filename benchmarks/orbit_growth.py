"""States, pairs in sight, links and routes of one epoch as a constellation grows to 30,000 satellites."""

from __future__ import annotations

from typing import Any

import numpy as np
import tables
import timing
from orbit_peers import EPOCH, GRAZING_M

from constellm import network, orbit
from constellm._core.orbit import in_sight
from constellm.plot import palette, style

SIZES = ((25, 40), (40, 75), (80, 125), (150, 200))
"""Planes, and satellites of each."""
SOURCES = 32
EPOCHS = 10
TASKS = {
    "states": "J2 states",
    "sight": "pairs in sight",
    "grid": "links of a +Grid",
    "nearest": "links to the 4 nearest",
    "routing": f"least latencies, {SOURCES} sources",
}


def measure(sizes: tuple[tuple[int, int], ...] = SIZES, least_s: float = 0.3) -> tables.Rows:
    """A row for each size and task: seconds an epoch, and how many things were found."""
    rows = []
    for planes, each in sizes:
        shell = orbit.walker(
            "grown",
            planes=planes,
            satellites_per_plane=each,
            altitude_m=550e3,
            inclination_deg=53.0,
            phasing=planes // 2,
        )
        for task, (seconds, found) in one_size(shell, least_s).items():
            rows.append({"satellites": len(shell.ids), "task": task, "median_s": seconds, "found": found})
    return rows


def one_size(shell: orbit.Shell, least_s: float) -> dict[str, tuple[float, int]]:
    """Seconds and results by task."""
    time_s = 60.0 * np.arange(EPOCHS)
    position_m = orbit.propagate(shell, 0.0).position_m
    grid = orbit.Constellation(shell, links=orbit.plus_grid(), epoch=EPOCH)
    near = orbit.Constellation(shell, links=orbit.nearest(4), epoch=EPOCH)
    nodes = len(grid.nodes)
    timeline = network.Timeline([0.0], [grid.at(0.0).graph])
    sources = np.arange(SOURCES, dtype=np.int32) * (nodes // SOURCES)
    tasks = {
        "states": (lambda: orbit.propagate(shell, time_s), lambda found: found.error.size, EPOCHS),
        "sight": (lambda: in_sight(position_m, None, GRAZING_M), lambda found: len(found[0]), 1),
        "grid": (lambda: grid.at(0.0), lambda found: found.graph.link_count, 1),
        "nearest": (lambda: near.at(0.0), lambda found: found.graph.link_count, 1),
        "routing": (lambda: network.latencies(timeline, sources), lambda found: found.hops.size, 1),
    }
    results = {}
    for task, (action, count, epochs) in tasks.items():
        found = count(action()) // epochs  # first, since constellations keep what they make for later calls
        seconds = timing.summary(timing.repeat(action, least_s=least_s, most=20)).median_s / epochs
        results[task] = seconds, found
    return results


def draw(rows: tables.Rows) -> Any:
    """Seconds an epoch over satellites, both in decades."""
    with style.in_force():
        from matplotlib import pyplot

        fig, ax = pyplot.subplots(figsize=(5.5, 3.8), layout="constrained")
        for color, (task, name) in zip(palette.CYCLE, TASKS.items()):
            line = [row for row in rows if row["task"] == task]
            x, y = [row["satellites"] for row in line], [row["median_s"] for row in line]
            ax.plot(x, y, "o-", ms=4, color=color, label=name)
        x = sorted({row["satellites"] for row in rows})
        ax.set(xscale="log", yscale="log", xlabel="satellites", ylabel="seconds an epoch")
        ax.set_xticks(x, [f"{value:,}" for value in x])
        ax.set_xticks([], minor=True)
        ax.legend(fontsize=7)
        style.grid(ax)
    return fig


def table(rows: tables.Rows) -> str:
    """Tasks as columns."""
    lines = []
    for satellites in dict.fromkeys(row["satellites"] for row in rows):
        cells = {row["task"]: row for row in rows if row["satellites"] == satellites}
        lines.append([f"{satellites:,}", *(tables.seconds(cells[task]["median_s"]) for task in TASKS)])
        lines[-1].append(f"{cells['sight']['found']:,}")
    return tables.markdown(["satellites", *TASKS.values(), "pairs in sight found"], lines)
