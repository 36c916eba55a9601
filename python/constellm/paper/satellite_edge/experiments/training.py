"""A head that is really trained, over the time that each scheme takes."""

from __future__ import annotations

import math

import numpy as np

from ....core.table import Row, Rows, Tables, distinct, only, where
from ....plot import palette, style
from ...report.draw import panels
from ...report.study import Experiment, Picture
from ..scenario import Scenario
from ..trained import LOST, NOTHING, TRAINED, Case

ALPHAS = (math.inf, 0.1)
"""Of the Dirichlet distribution by which classes are spread; inf: images dealt out like cards."""
TARGET = 0.3
"""Cross entropy on test images that counts as trained [nat]; without any training it is 2.30."""

_WITH_LOSSES = ("FedAvg", "split, cached, codec", "asynchronous split, codec")
_POINTS = 40
"""Of a curve, at equal factors of versions."""


def _compute(quick: bool) -> Tables:
    scenario = Scenario()
    tables: Tables = {"trained": [], "trained-curves": []}
    for alpha in ALPHAS[1:] if quick else ALPHAS:
        for name, run in TRAINED.items():
            found = run(Case(scenario, alpha, quick=quick))
            tables["trained"].append({"scheme": name, "alpha": alpha, "lost": NOTHING, **_summary(found)})
            kept = sorted({round(place) for place in np.geomspace(1, len(found), _POINTS)})
            tables["trained-curves"] += [
                {"scheme": name, "alpha": alpha, **found[place - 1]} for place in kept
            ]
    for lost in LOST[:1] if quick else LOST:
        for name in _WITH_LOSSES:
            found = TRAINED[name](Case(scenario, ALPHAS[1], lost, quick))
            tables["trained"].append({"scheme": name, "alpha": ALPHAS[1], "lost": lost, **_summary(found)})
    return tables


def _summary(found: Rows) -> Row:
    """What it took until trained, and the end of the run."""
    there = next((row for row in found if row["cross_entropy"] <= TARGET), None)
    row: Row = {"target_s": math.inf if there is None else there["time_s"]}
    for key in ("accuracy", "sent_bytes", "energy_j", "updates"):
        row[key] = math.nan if there is None else there[key]
    ends = ("time_s", "accuracy", "cross_entropy", "dropped")
    return {**row, **{f"end_{key}": found[-1][key] for key in ends}}


def _draw(tables: Tables) -> list[Picture]:
    rows = where(tables["trained-curves"], alpha=ALPHAS[1])
    names = distinct(rows, "scheme")
    with panels(1, 2, (10.6, 4.0)) as (figure, axes):
        for ax, field, words in zip(
            axes[0], ("accuracy", "cross_entropy"), ("accuracy", "cross entropy (nat)")
        ):
            for name, look in zip(names, palette.lines(names)):
                own = [row for row in where(rows, scheme=name) if row["time_s"] > 0.0]
                ax.plot(
                    [row["time_s"] for row in own],
                    [row[field] for row in own],
                    label=name,
                    markersize=3.5,
                    markevery=0.15,
                    **look,
                )
            ax.set_xscale("log")
            style.label_axis(ax.xaxis, "time_s", [row["time_s"] for row in rows], log=True)
            ax.set_xlabel("simulated time (s)")
            style.label_axis(ax.yaxis, field, [row[field] for row in rows])
            ax.set_ylabel(words if field != "accuracy" else "accuracy (%)")
            style.grid(ax)
        axes[0, 1].axhline(TARGET, color=palette.INK, linewidth=0.8, linestyle="--")
        axes[0, 1].legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return [
        Picture(
            "training",
            figure,
            "Accuracy and cross entropy of the global head on 100 test images over simulated time, classes "
            f"spread by Dirichlet({ALPHAS[1]:g}); dashed, {TARGET:g} nat, what counts as trained.",
        ),
        _time(tables["trained"]),
    ]


def _time(rows: Rows) -> Picture:
    plain = where(rows, alpha=ALPHAS[1], lost=NOTHING)
    names = distinct(plain, "scheme")
    with panels(1, 1, (7.6, 4.0)) as (figure, axes):
        ax = axes[0, 0]
        there = [only(plain, scheme=name)["target_s"] for name in names]
        ax.plot(there, range(len(names)), "o", color=palette.CYCLE[0], label="nothing lost")
        for lost, colour, marker in zip(LOST, palette.CYCLE[1:], "s^v"):
            own = where(rows, lost=lost)
            at = [(row["target_s"], names.index(row["scheme"])) for row in own]
            if at:
                ax.plot(*zip(*at), marker, color=colour, markerfacecolor="none", label=f"lost: {lost}")
        ax.set_xscale("log")
        style.label_axis(ax.xaxis, "time_s", there, log=True)
        ax.set_xlabel("until trained (s)")
        ax.set_yticks(range(len(names)), names)
        ax.invert_yaxis()
        ax.tick_params(axis="y", length=0)
        style.grid(ax)
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return Picture(
        "time-to-target",
        figure,
        f"When the global head is at {TARGET:g} nat on test images, with everything there, and where "
        "something is lost from the start. Where it never is within the rounds there is no point.",
    )


TRAINING = Experiment(
    "A head really trained, over the time of each scheme",
    "The head of the shipped network over EuroSAT's shipped sample: 200 images for training, 100 for test, "
    "features by the shipped network, with the codec at its first cut in the loop where the scheme has one. "
    "Training is real; time is simulated, that of SpectralGPT with 500 images on each satellite, of which "
    "the three that each has here on the average stand for. FedAvg, FedProx and FedBuff go through the four "
    "ground stations without any link between satellites, and like all that is on board and not cached "
    "compute features anew for each local training, one pass; messages wait for contacts by their earliest "
    "arrival. Network-flow aggregation brings every update down and the sum back over whatever links there "
    "are, as booked one after the other. Raw images on the ground are trained on there. In what is split, "
    "or summed between orbits, all satellites take part in each round, so only the time differs. A second "
    "part takes something away for good: a satellite of each plane, two of four stations, or all links "
    "between the third and the fourth plane.",
    _compute,
    _draw,
)
