"""Saving against ground-only over what the paper does not tell, and the region in which the claim holds."""

from __future__ import annotations

import itertools
from typing import Any

from ....core.quantity import quantity, split_unit
from ....core.table import Row, Rows, Tables, distinct, only, shown, where
from ....plot import palette, style
from ....split import solve
from ...report.draw import log_ticks, panels, reduction_map
from ...report.study import Experiment, Picture
from ..contenders import ANYWHERE, CHAIN, GROUND_ONLY, problem_of, solved
from .delay import IMAGES, against_ground

CLAIMED_REDUCTION = 0.42

_ORDERS = tuple(sorted(set(itertools.permutations((15, 30, 30, 50, 50)))))

ASSUMPTIONS: dict[str, tuple[Any, ...]] = {
    "precision": ("fp16-tensor", "fp16-tensor-fp32-accumulate", "fp32-cuda"),
    "utilisation": (0.1, 0.15, 0.2, 0.25, 0.35, 0.5),
    "image": ((64, 64), (256, 256), *IMAGES),
    "bits_per_pixel": (2.0, 8.0, 12.0, 24.0, 48.0),
    "s2g_rate_bps": (0.2e9, 0.4e9, 0.6e9, 0.8e9, 1.5e9, 6e9),
    "isl_rate_bps": (0.1e9, 0.25e9, 0.5e9, 1e9, 2e9, 10e9),
    "micro_batches": (1, 2, 4, 8, 16, 32, 64),
    "propagation_s": (0.0, 11.9e-3, 50e-3, 0.2),
    "power_modes_w": _ORDERS,
    "max_error": (0.25, 0.5, 0.8, 1.1, 1.5, 2.0),
    "memory_bytes": (4e9, 6e9, 8e9, 16e9, 64e9),
    "relays": (0, 7),
}
"""What moves, one at a time, from the scenario with 1080p images at 0.8 Gbit/s."""

_WORDS = {
    "image": "image size",
    "bits_per_pixel": "bits a pixel",
    "micro_batches": "micro-batches",
    "propagation_s": "latency of an ISL",
    "power_modes_w": "power modes in order (W)",
    "max_error": "limit of the error",
    "memory_bytes": "memory of a satellite",
    "relays": "relaying satellites",
}

_PAPER = {"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.8}

_REGION_RATES_BPS = (0.2e9, 0.4e9, 0.6e9, 0.8e9, 1.5e9, 3e9, 6e9)


def _compute(quick: bool) -> Tables:
    moved: Rows = []
    for name, values in ASSUMPTIONS.items():
        chosen = values[:: max(len(values) - 1, 1)] if quick else values
        found = against_ground(solved((CHAIN, GROUND_ONLY), {name: chosen}), (name,))
        moved += [{"assumption": name, "value": row.pop(name), **row} for row in found]
    axes: dict[str, tuple[Any, ...]] = {
        "precision": ASSUMPTIONS["precision"],
        "utilisation": (0.1, 0.2, 0.35),
        "image": IMAGES,
        "s2g_rate_bps": _REGION_RATES_BPS,
    }
    if quick:
        axes = {
            "precision": ("fp16-tensor", "fp32-cuda"),
            "utilisation": (0.2,),
            "image": IMAGES[::4],
            "s2g_rate_bps": (0.2e9, 0.8e9),
        }
    # The ground's figures do not depend on the chain's, so the region is one more sweep of both.
    region = against_ground(solved((CHAIN, GROUND_ONLY), axes), tuple(axes))
    return {"sensitivity": moved, "region": region, "ground-computes": _ground(quick)}


def _ground(quick: bool) -> Rows:
    """Best plan, chain and ground-only when the ground may compute."""
    axes = {
        "precision": ASSUMPTIONS["precision"][::2] if quick else ASSUMPTIONS["precision"],
        "image": ("480p", "1080p"),
        "s2g_rate_bps": (0.8e9,) if quick else (0.2e9, 0.4e9, 0.8e9, 6e9),
    }
    rows = solved((ANYWHERE, CHAIN, GROUND_ONLY), axes)
    orbit = _layers_in_orbit(axes)
    found: Rows = []
    for best in where(rows, contender=ANYWHERE.label):
        at = {name: best[name] for name in axes}
        row: Row = dict(at)
        row["layers_in_orbit"] = orbit[tuple(at.values())]
        for contender in (ANYWHERE, CHAIN, GROUND_ONLY):
            row[f"{_KEY[contender.label]}_delay_s"] = only(rows, contender=contender.label, **at)["delay_s"]
        found.append(row)
    return found


_KEY = {ANYWHERE.label: "best", CHAIN.label: "chain", GROUND_ONLY.label: "ground_only"}


def _layers_in_orbit(axes: dict[str, tuple[Any, ...]]) -> dict[tuple[Any, ...], int]:
    found = {}
    for values in itertools.product(*axes.values()):
        plan = solve(problem_of(ANYWHERE, **dict(zip(axes, values))), on_interrupt="raise")
        found[values] = sum(s.last_layer - s.first_layer + 1 for s in plan.stages if s.node != "ground")
    return found


def _draw(tables: Tables) -> list[Picture]:
    return [_tornado(tables["sensitivity"]), _region(tables["region"]), _orbit(tables["ground-computes"])]


def _tornado(rows: Rows) -> Picture:
    unmoved = only(where(rows, assumption="relays"), value=7)
    spans = []
    for name in distinct(rows, "assumption"):
        finite = [row for row in where(rows, assumption=name) if row["reduction"] == row["reduction"]]
        spans.append((name, sorted(finite, key=_ratio)))
    spans.sort(key=lambda span: _ratio(span[1][-1]) / _ratio(span[1][0]))
    look = palette.method(CHAIN.label)
    with panels(1, 1, (8.4, 1.0 + 0.32 * len(spans))) as (figure, axes):
        ax = axes[0, 0]
        ax.axvline(1, color=palette.MUTED, linewidth=0.8, label="ground only")
        ax.axvline(_ratio(unmoved), color=palette.INK, linewidth=1, label="none moved")
        ax.axvline(
            1 - CLAIMED_REDUCTION,
            color=palette.ALERT,
            linewidth=1,
            linestyle="--",
            label="claimed: 42 % less",
        )
        for i, (name, moved) in enumerate(spans):
            least, most = moved[0], moved[-1]
            ax.hlines(i, _ratio(least), _ratio(most), color=palette.PALE, linewidth=5, zorder=1)
            ax.plot(list(map(_ratio, moved)), [i] * len(moved), look.marker, color=look.colour, markersize=4)
            words = {"va": "center", "fontsize": 7, "bbox": _PAPER, "textcoords": "offset points"}
            for row, place, side in (least, -7, "right"), (most, 7, "left"):
                ax.annotate(shown(name, row["value"]), (_ratio(row), i), (place, 0), ha=side, **words)
        ax.set_yticks(range(len(spans)), [_WORDS.get(name, split_unit(name)[0]) for name, _ in spans])
        ax.tick_params(axis="y", length=0)
        log_ticks(ax, "x", (0.1, 0.2, 0.5, 1, 2, 5), "ratio")
        ax.set_xlim(0.05, 14)
        ax.set_xlabel("delay of the optimal chain ÷ that of ground only")
        ax.set_title("One assumption moved at a time")
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return Picture(
        "sensitivity",
        figure,
        "How far each assumption moves the chain's delay against ground-only's, from the scenario with 1080p "
        "at 0.8 Gbit/s: a point for each value, those of the ends named. Left of the grey line the chain "
        "is faster.",
    )


def _ratio(row: Row) -> float:
    return 1.0 - float(row["reduction"])


def _region(rows: Rows) -> Picture:
    precisions, shares = distinct(rows, "precision"), distinct(rows, "utilisation")
    size = (3.2 * len(shares) + 0.8, 2.1 * len(precisions))
    with panels(len(precisions), len(shares), size) as (figure, grid):
        for i, precision in enumerate(precisions):
            for j, share in enumerate(shares):
                ax = grid[i, j]
                part = where(rows, precision=precision, utilisation=share)
                mesh = reduction_map(part, ax=ax)
                ax.set_title(f"{precision}\nutilisation {share:g}", fontsize=8)
                if i < len(precisions) - 1:
                    ax.set_xlabel("")
                if j:
                    ax.set_ylabel("")
                    ax.set_yticklabels([])
        figure.colorbar(mesh, ax=grid, extend="min", label="saved of ground-only's delay (%)", shrink=0.6)
    return Picture(
        "region",
        figure,
        "Where the chain beats ground-only (blue) and by how many per cent, by precision and "
        "utilisation (in the titles), image size and S2G rate. ViT-G; both sides compute at the same "
        "precision and utilisation.",
    )


def _orbit(rows: Rows) -> Picture:
    rows = [row for row in where(rows, image="1080p") if row["s2g_rate_bps"] in (0.2e9, 0.8e9)]
    labels = [f"{row['precision']}\nS2G {quantity(row['s2g_rate_bps'], 'bit/s')}" for row in rows]
    with panels(1, 1, (8.2, 1.0 + 0.45 * len(rows))) as (figure, axes):
        ax = axes[0, 0]
        for contender in (GROUND_ONLY, CHAIN, ANYWHERE):
            look = palette.method(contender.label)
            ax.plot(
                [row[f"{_KEY[contender.label]}_delay_s"] for row in rows],
                range(len(rows)),
                look.marker,
                color=look.colour,
                markersize=7,
                label=contender.label,
            )
        for i, row in enumerate(rows):
            ax.annotate(
                f"{row['layers_in_orbit']} of 48 layers in orbit",
                (row["best_delay_s"], i),
                xytext=(0, 6),
                textcoords="offset points",
                ha="center",
                fontsize=7,
            )
        log_ticks(ax, "x", (1, 2, 5, 10, 20, 50), "delay_s")
        ax.set_xlim(1, 60)
        ax.set_yticks(range(len(rows)), labels, fontsize=7)
        ax.set_ylim(len(rows) - 0.5, -0.6)
        style.grid(ax, "x")
        ax.set_title("The best plan when the ground may compute, 1080p")
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return Picture(
        "ground-computes",
        figure,
        "Delay of the best plan when the ground may host layers, with the number of layers that stay in "
        "orbit, beside the chain without the ground and ground-only.",
    )


SENSITIVITY = Experiment(
    "Sensitivity: where the claim holds",
    "The chain against ground-only with one assumption moved at a time, then over precision, "
    "utilisation, image size and S2G rate together, then with a ground that may compute.",
    _compute,
    _draw,
)
