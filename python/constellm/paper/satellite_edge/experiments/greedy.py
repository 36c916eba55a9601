"""The published greedy, a maximum flow in every slot, against the quickest transfer."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ....core.table import Rows, Tables, distinct, where
from ....flow import Problem, solve
from ....plot import palette, style
from ....tune import spectral_gpt
from ...report.draw import log_ticks, panels
from ...report.study import Experiment, Picture
from ..scenario import DAY_S, SHELLS, Scenario

METHODS = ("intervals", "slots:10", "slots:60", "slots:300", "direct")
RATIOS = (0.1, 0.2, 1 / 3, 0.5, 1.0, 3.0, 10.0)
"""Rate between satellites by the rate to the ground."""
PLACES = ("one polar", "four polar", "twelve")
IMAGES = (100.0, 500.0, 2000.0)
"""Of each satellite."""
STARTS_S = (0.0, 2000.0, 4000.0)
"""Within an orbit."""
NEAR = 1.05
"""As quick as the optimum, to five per cent."""

_WORDS = {
    "intervals": "greedy, elementary intervals",
    "slots:10": "greedy, slots of 10 s",
    "slots:60": "greedy, slots of 60 s",
    "slots:300": "greedy, slots of 300 s",
    "direct": "direct: no links between satellites",
}


def _compute(quick: bool) -> Tables:
    rows: Rows = []
    for stations in PLACES[1:2] if quick else PLACES:
        for ratio in RATIOS[::3] if quick else RATIOS:
            found = [_late(problem) for problem in _problems(stations, ratio, quick)]
            for method in METHODS:
                late = np.array([one[method] for one in found])
                rows.append(
                    {
                        "stations": stations,
                        "isl_by_ground": ratio,
                        "method": method,
                        "median": float(np.median(late)),
                        "p90": float(np.quantile(late, 0.9, method="higher")),
                        "most": float(late.max()),
                        "near": int((late <= NEAR).sum()),
                        "never": int(np.isinf(late).sum()),
                        "cases": len(late),
                    }
                )
    return {"greedy": rows}


def _problems(stations: str, ratio: float, quick: bool) -> Iterator[Problem]:
    size = spectral_gpt().cut_bytes(1)
    for changes in SHELLS.values():
        scenario = Scenario(**changes, stations=stations)
        scenario = scenario.replace(isl_bps=ratio * scenario.ground_bps)
        for start_s in STARTS_S[: 1 if quick else None]:
            fleet = scenario.fleet(start_s=start_s, lasts_s=DAY_S)
            for images in IMAGES[1:2] if quick else IMAGES:
                supply = dict.fromkeys(fleet.satellites, images * size)
                yield Problem(fleet.contacts, supply_bytes=supply, sinks=fleet.stations)


def _late(problem: Problem) -> dict[str, float]:
    """When each method has finished, by the quickest; inf where it never does within the contacts."""
    best = solve(problem)
    if best.status != "optimal":
        raise AssertionError(f"{problem!r}: {best!r}")
    found = {method: solve(problem, method=method).finish_s for method in METHODS}
    return {method: math.inf if math.isnan(s) else s / best.finish_s for method, s in found.items()}


def _draw(tables: Tables) -> list[Picture]:
    rows = tables["greedy"]
    places = distinct(rows, "stations")
    with panels(1, len(places), (3.0 * len(places) + 0.6, 3.6)) as (figure, axes):
        for ax, place in zip(axes[0], places):
            own = where(rows, stations=place)
            for (method, words), colour, marker in zip(_WORDS.items(), palette.CYCLE, "osD^v"):
                found = where(own, method=method)
                if not found:
                    continue
                at = [row["isl_by_ground"] for row in found]
                if method in ("intervals", "slots:60"):
                    least, most = ([row[key] for row in found] for key in ("median", "p90"))
                    ax.fill_between(at, least, most, color=colour, alpha=0.15, linewidth=0)
                ax.plot(
                    at,
                    [row["median"] for row in found],
                    color=colour,
                    marker=marker,
                    markersize=5,
                    markerfacecolor="none",
                    label=words,
                )
            ax.axhline(1.0, color=palette.INK, linewidth=0.8)
            log_ticks(ax, "x", [0.1, 0.33, 1.0, 3.0, 10.0], "ratio")
            ax.set_xlabel("rate between satellites / to the ground")
            log_ticks(ax, "y", [1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0], "ratio")
            ax.set_ylabel("finish / quickest" if ax is axes[0, 0] else "")
            style.grid(ax)
            ax.set_title(f"stations: {place}")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return [
        Picture(
            "greedy",
            figure,
            "How much later the published greedy ends than the quickest transfer, over the rate between "
            "satellites; 0.3 Gbit/s to the ground. Medians over both shells, 100 to 2,000 float32 "
            "embeddings on each satellite and three starts; shades up to the ninth decile. What never ends "
            "within a day in the median has no point.",
        )
    ]


GREEDY = Experiment(
    "Greedy in slots against the quickest transfer",
    "Embeddings of all satellites to the stations. The paper computes a maximum flow in every slot of time: "
    "a greedy, which never puts data where it will be wanted later. The quickest transfer is proven to be "
    "so. Slots are the elementary intervals between all openings and closings, or of a fixed length, in "
    "which only contacts count that are open for all of it.",
    _compute,
    _draw,
)
