"""The schemes beside the paper's figures: latencies, their distribution, and where everything is."""

from __future__ import annotations

import math

import numpy as np

from ....core.table import Row, Rows, Tables, distinct, where
from ....moe import Arrangement
from ....orbit import Constellation, ecef_to_geodetic
from ....plot import palette, style
from ...report.draw import panels
from ...report.study import Experiment, Picture
from ..measured import THREADS, look_of, measured
from ..parameters import PAPER_S
from ..scenario import Scenario, reached_slots_s
from .places import picture_of_places

_SHARES = np.linspace(0.0, 1.0, 41)


def against_paper(rows: Rows) -> Rows:
    """With the paper's figures, how far from their middle a mean is, and tokens a second."""
    found: Rows = []
    for row in rows:
        least_s, most_s = PAPER_S.get(row["scheme"], (math.nan, math.nan))
        more: Row = {"tokens_per_s": 1.0 / row["token_latency_s"]}
        more.update(paper_least_s=least_s, paper_most_s=most_s)
        more["difference"] = row["token_latency_s"] / (0.5 * (least_s + most_s)) - 1.0
        found.append({**row, **more})
    return found


def _compute(quick: bool) -> Tables:
    scenario = Scenario(slots=20) if quick else Scenario()
    rows = against_paper(measured(scenario, 2 if quick else 16))
    drawn = scenario.arrangements(0, threads=THREADS)
    return {
        "schemes": rows,
        "layer-latency": [row for name, one in drawn.items() for row in _quantiles(name, one)],
        "places": [row for name, one in drawn.items() for row in _places(name, one, scenario.world())],
    }


def _quantiles(name: str, one: Arrangement) -> Rows:
    latency_s = reached_slots_s(one)
    found = np.quantile(latency_s[np.isfinite(latency_s)], _SHARES)
    return [
        {"scheme": name, "share": share, "layer_latency_s": value}
        for share, value in zip(_SHARES.tolist(), found.tolist())
    ]


def _places(name: str, one: Arrangement, world: Constellation) -> Rows:
    """Gateways and experts below their satellites in the first slot."""
    position = {id: i for i, id in enumerate(world.satellite_ids)}
    latitude, longitude, _ = ecef_to_geodetic(world.states(0.0, frame="ecef").position_m)
    rows: Rows = []
    for layer, (gateway, hosts) in enumerate(zip(one.ring.gateways, one.placement)):
        for role, id in (("gateway", gateway), *(("expert", host) for host in hosts)):
            at = position[id]
            row: Row = {"scheme": name, "layer": layer, "role": role, "satellite": id}
            row.update(longitude_deg=float(longitude[at]), latitude_deg=float(latitude[at]))
            rows.append(row)
    return rows


def _draw(tables: Tables) -> list[Picture]:
    return [
        _latencies(tables["schemes"]),
        _distribution(tables["layer-latency"]),
        picture_of_places(tables["places"]),
    ]


def _latencies(rows: Rows) -> Picture:
    with panels(1, 1, (7.0, 2.8)) as (figure, axes):
        ax = axes[0, 0]
        for i, row in enumerate(rows):
            look = look_of(row["scheme"])
            ax.hlines(i, row["least_s"], row["most_s"], color=look.colour, linewidth=2)
            ax.plot(row["token_latency_s"], i, look.marker, color=look.colour, markersize=7)
            if math.isfinite(row["paper_least_s"]):
                paper_s = 0.5 * (row["paper_least_s"] + row["paper_most_s"])
                ax.plot(paper_s, i, "|", color=palette.ALERT, markersize=22, markeredgewidth=2)
            words = f"{row['token_latency_s']:.3f} s, {row['tokens_per_s']:.2f} tokens/s"
            ax.annotate(
                words, (row["most_s"], i), (10, 0), textcoords="offset points", va="center", fontsize=7
            )
        ax.plot([], [], "|", color=palette.ALERT, markersize=10, markeredgewidth=2, label="the paper")
        ax.set_yticks(range(len(rows)), [row["scheme"] for row in rows])
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.set_xlim(0, 1.25 * max(row["most_s"] for row in rows))
        style.label_axis(ax.xaxis, "token_latency_s", [row["token_latency_s"] for row in rows])
        style.grid(ax, "x")
        ax.set_title("Latency of a token, 32 layers × 8 experts on 1,056 satellites")
        ax.legend(loc="upper right")
    return Picture(
        "schemes",
        figure,
        "Latency of a token by scheme: mean of the draws and their span, beside the middle of what the paper "
        "reports. Tokens follow each other, so that their rate is one over the latency. The paper has "
        "neither nearest-unsorted nor greedy and balanced.",
    )


def _distribution(rows: Rows) -> Picture:
    with panels(1, 1, (6.4, 3.4)) as (figure, axes):
        ax = axes[0, 0]
        for name in distinct(rows, "scheme"):
            look = look_of(name)
            own = where(rows, scheme=name)
            ax.plot(
                [1e3 * row["layer_latency_s"] for row in own],
                [row["share"] for row in own],
                color=look.colour,
                marker=look.marker,
                markevery=5,
                markersize=4,
                label=name,
            )
        ax.set_xlim(left=0)
        ax.set_ylim(0, 1)
        ax.set_xlabel("expected latency of a layer in a slot (ms)")
        ax.set_ylabel("share of layers and slots")
        style.grid(ax)
        ax.set_title("How latencies of layers spread")
        ax.legend(loc="lower right")
    return Picture(
        "layer-latency",
        figure,
        "Shares of layers and slots whose expected latency is at most so much, in the first draw.",
    )


SCHEMES_COMPARED = Experiment(
    "The schemes, in the fitted geometry",
    "Planes over 360°, half a spacing of phase, the seam open, links cut where they turn faster than "
    "0.12 degrees a second, survival 0.95, 200 slots over an orbit, no compute charged: a fit with "
    "several free choices, chosen for these figures, and no evidence of what the authors did. Every draw "
    "has its own outages, weights, random gateways and placements.",
    _compute,
    _draw,
)
