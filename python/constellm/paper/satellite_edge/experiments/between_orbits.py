"""Sums between orbits: the earliest tree against chains, rings, gossip and the ground."""

from __future__ import annotations

from math import isinf
from typing import Any

import numpy as np

from ....core.quantity import quantity
from ....core.table import Row, Rows, Tables, distinct, where
from ....plot import palette, style
from ....tune import AGGREGATIONS, aggregate, gossip, spectral_gpt
from ...report.draw import panels
from ...report.study import Experiment, Picture
from ..scenario import SHELLS, Scenario

STARTS = 20
"""Over an orbit."""
LINKS: dict[str, dict[str, Any]] = {
    "usual": {},
    "rare": {"max_latitude_deg": 10.0},
    "none": {"links": "in planes", "stations": "one polar"},
}
"""Between planes; rare: open below 10° of latitude alone; none: sums go over one station on the ground."""


def _compute(quick: bool) -> Tables:
    rows: Rows = []
    weights: Rows = []
    workload = spectral_gpt()
    sizes = {"head": workload.head_bytes, "encoder": float(sum(workload.layer_weight_bytes[1:]))}
    for shell, shape in SHELLS.items():
        scenario = Scenario(**shape)
        starts = np.linspace(0.0, scenario.shell.period_s, 2 if quick else STARTS, endpoint=False)
        for links, changes in LINKS.items():
            fleet = scenario.replace(**changes).fleet()
            for message, size in list(sizes.items())[: 2 if links == "usual" and not quick else 1]:
                for method in ("ground",) if links == "none" else AGGREGATIONS:
                    found = [aggregate(fleet, size, start_s=at, method=method) for at in starts.tolist()]
                    row: Row = {"shell": shell, "links": links, "message": message, "method": method}
                    delays = [one.delay_s for one in found]
                    row.update(median_s=float(np.median(delays)), most_s=max(delays))
                    row["sent_bytes"] = float(np.median([one.sent_bytes for one in found]))
                    rows.append({**row, "starts": len(starts)})
        weights += _weights(shell, scenario.planes)
    return {"between": rows, "gossip": weights}


def _weights(shell: str, planes: int) -> Rows:
    """What a plane counts after gossip, by its place in the row of planes."""
    chain = [[j for j in (i - 1, i + 1) if 0 <= j < planes] for i in range(planes)]
    rows: Rows = []
    for rule in ("neighbours", "metropolis"):
        found = gossip(chain, alpha=0.5, weights=rule)
        fair = [planes * share for share in found.share]
        rows.append(
            {
                "shell": shell,
                "weights": rule,
                "rounds": found.rounds,
                "rounds_bound": found.rounds_bound,
                "gap": found.gap,
                "least_of_fair_share": min(fair),
                "most_of_fair_share": max(fair),
            }
        )
    return rows


def _draw(tables: Tables) -> list[Picture]:
    rows = tables["between"]
    cases = [("head", "usual"), ("head", "rare"), ("encoder", "usual")]
    cases = [case for case in cases if where(rows, message=case[0], links=case[1])]
    with panels(1, len(cases), (3.0 * len(cases) + 1.6, 3.0)) as (figure, axes):
        for ax, (message, links) in zip(axes[0], cases):
            own = where(rows, message=message, links=links)
            if links == "rare":
                own += where(rows, links="none")
            names = distinct([{"name": _name(row)} for row in own], "name")
            for (shell, _), colour, marker, shift in zip(SHELLS.items(), palette.CYCLE, "os", (-0.12, 0.12)):
                found = {_name(row): row for row in where(own, shell=shell)}
                places = np.arange(len(names)) + shift
                median, most = ([found[name][key] for name in names] for key in ("median_s", "most_s"))
                ax.hlines(places, median, most, color=colour, linewidth=1.2)
                ax.plot(most, places, "|", color=colour, markersize=8)
                ax.plot(median, places, marker, color=colour, markersize=5, linestyle="none", label=shell)
                for place, value in zip(places.tolist(), median):
                    if isinf(value):
                        at = ax.get_yaxis_transform()
                        ax.text(0.5, place, "never", color=colour, fontsize=7, va="center", transform=at)
            ax.set_xscale("log")
            ax.set_yticks(range(len(names)), names)
            ax.invert_yaxis()
            ax.tick_params(axis="y", length=0)
            ax.set_xlabel("until all have the sum (s)")
            ax.set_title(f"{message}, {quantity(_size(message), 'B')}, {links} links")
            style.grid(ax, "x")
        axes[0, 0].legend(loc="upper right")
    return [
        Picture(
            "between-orbits",
            figure,
            "From the moment at which every plane has summed up until all satellites have the sum of all, "
            "over starts in an orbit: the median, and the greatest as a bar. Rare links between planes are "
            "open below 10° of latitude alone, and a tree then takes its way over stations; over the ground "
            "alone there are no links between planes. On logarithmic axes.",
        )
    ]


def _name(row: Row) -> str:
    return "ground, one station" if row["links"] == "none" else str(row["method"])


def _size(message: str) -> float:
    workload = spectral_gpt()
    return workload.head_bytes if message == "head" else float(sum(workload.layer_weight_bytes[1:]))


BETWEEN_ORBITS = Experiment(
    "Sums between orbits",
    "A head of 30.8 kB, and the whole encoder as if it were tuned, from planes that have summed up by "
    "themselves: over the tree of earliest arrivals, over a chain of planes, over one ring of all "
    "satellites, by gossip to a thousandth; or over stations, to which all send and which send to all. Links "
    "between planes are open below 70° of latitude, or rarer, or there are none. Light time counts. The "
    "second table says what a plane counts in the limit of gossip as it is published, and with Metropolis "
    "weights.",
    _compute,
    _draw,
)
