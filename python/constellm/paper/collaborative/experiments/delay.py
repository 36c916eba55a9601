"""Delay against image size, ground link and model."""

from __future__ import annotations

from ....core.table import Row, Rows, Tables, only, where
from ....plot import palette
from ...report.draw import curves, grouped_points, panels, reduction_map
from ...report.study import Experiment, Picture
from ..contenders import (
    BEST_SATELLITE,
    CHAIN,
    GROUND_ONLY,
    PROPORTIONAL,
    RAW,
    SINGLE,
    TOP_K,
    UNIFORM,
    solved,
)
from ..parameters import FOOTPRINT_BYTES

IMAGES = ("240p", "360p", "480p", "720p", "1080p")
RATES_BPS = (0.2e9, 0.3e9, 0.4e9, 0.5e9, 0.6e9, 0.7e9, 0.8e9, 1.5e9, 3e9, 6e9)
"""The paper's sweep from 0.2 to 0.8 Gbit/s, and on to the most that it names."""


def against_ground(rows: Rows, axes: tuple[str, ...]) -> Rows:
    """The optimal chain against ground-only: reduction 1 - chain/ground and speed-up ground/chain."""
    found: Rows = []
    for chain in where(rows, contender=CHAIN.label):
        at = {name: chain[name] for name in axes}
        ground = only(rows, contender=GROUND_ONLY.label, **at)
        found.append(
            {
                **at,
                "chain_delay_s": chain["delay_s"],
                "ground_delay_s": ground["delay_s"],
                "reduction": 1 - chain["delay_s"] / ground["delay_s"],
                "speed_up": ground["delay_s"] / chain["delay_s"],
            }
        )
    return found


def _compute(quick: bool) -> Tables:
    axes = {
        "image": IMAGES[::2] if quick else IMAGES,
        "s2g_rate_bps": (0.2e9, 0.8e9) if quick else RATES_BPS,
    }
    contenders = (CHAIN, GROUND_ONLY, PROPORTIONAL, UNIFORM, RAW, TOP_K)
    rows = solved(contenders, axes)
    return {"delay": rows, "delay-against-ground": against_ground(rows, tuple(axes))}


def _draw(tables: Tables) -> list[Picture]:
    rows = tables["delay"]
    by_image = curves(
        where(rows, s2g_rate_bps=0.8e9), x="image", hue="contender", title="ViT-G, S2G 0.8 Gbit/s"
    )
    by_rate = curves(
        where(rows, image="1080p"), x="s2g_rate_bps", hue="contender", title="ViT-G, 1080p", log_x=True
    )
    with panels(1, 1, (7.0, 3.0)) as (figure, axes):
        mesh = reduction_map(tables["delay-against-ground"], ax=axes[0, 0])
        figure.colorbar(mesh, ax=axes[0, 0], extend="min", label="saved of ground-only's delay (%)")
        axes[0, 0].set_title("Less delay than ground-only (%), ViT-G")
    return [
        Picture(
            "delay-by-image",
            by_image.figure,
            "Delay by image size at an S2G rate of 0.8 Gbit/s. Raw images travel at their size with 24 "
            "bits a pixel, so only ground-only depends on it.",
        ),
        Picture(
            "delay-by-s2g-rate",
            by_rate.figure,
            "Delay by S2G rate for 1080p images. The chain sends only class scores down; ground-only is "
            "held by the ISL (0.5 Gbit/s) once the S2G link is faster.",
        ),
        Picture(
            "reduction-map",
            figure,
            "Delay that the optimal chain saves against ground-only, in per cent; red: ground-only is "
            "faster, by that share of its own delay.",
        ),
    ]


DELAY = Experiment(
    "Delay against image size and ground link",
    "ViT-G on five satellites. Ground-only relays all raw images over four ISL hops and the S2G link "
    "and runs the model on the ground's RTX 4070 Ti. Uniform and compute-proportional splits get the "
    "best codecs for their blocks. Single-satellite has no plan: 12 GB do not fit 8 GB.",
    _compute,
    _draw,
)

SHORT = {
    "vit-base/16": "ViT-B",
    "vit-large/16": "ViT-L",
    "vit-huge/14": "ViT-H",
    "vit-gigantic/14": "ViT-G",
}


def _compute_models(quick: bool) -> Tables:
    axes = {"model": tuple(FOOTPRINT_BYTES), "image": ("1080p",) if quick else ("480p", "1080p")}
    rows = solved((CHAIN, PROPORTIONAL, UNIFORM, SINGLE, BEST_SATELLITE, GROUND_ONLY), axes)
    gains: Rows = []
    for row in rows:
        if row["contender"] != CHAIN.label:
            chain = only(rows, contender=CHAIN.label, model=row["model"], image=row["image"])
            gain: Row = {"contender": row["contender"], "model": row["model"], "image": row["image"]}
            gain["speed_up"] = row["delay_s"] / chain["delay_s"]
            gains.append(gain)
    small = solved(
        (CHAIN, PROPORTIONAL, UNIFORM, SINGLE),
        {
            "power_modes_w": ((30, 50, 15, 30, 50), (50, 30, 15, 30, 50)),
            "micro_batches": (1, 8) if quick else (1, 2, 4, 8),
        },
        model="vit-base/16",
    )
    return {"delay-by-model": rows, "gain-by-model": gains, "small-model": small}


def _draw_models(tables: Tables) -> list[Picture]:
    rows, gains = (
        [{**row, "model": SHORT[row["model"]]} for row in where(tables[name], image="1080p")]
        for name in ("delay-by-model", "gain-by-model")
    )
    with panels(1, 2, (9.5, 3.8)) as (figure, axes):
        left, right = axes[0]
        figure.get_layout_engine().set(wspace=0.06)
        grouped_points(rows, group="model", hue="contender", y="delay_s", ax=left)
        left.set_title("Delay, 1080p, S2G 0.8 Gbit/s")
        grouped_points(gains, group="model", hue="contender", y="speed_up", ax=right)
        right.axhline(1, color=palette.INK, linewidth=0.8)
        right.set_ylabel("delay ÷ that of the optimal chain")
        right.set_title("Gain of the optimal chain")
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return [
        Picture(
            "delay-by-model",
            figure,
            "Delay by model and how many times that of the optimal chain it is; a cross: no plan, as "
            "ViT-G with 12 GB does not fit one satellite of 8 GB. Below 1 a method beats the chain, "
            "which ground-only can, for its ground is no part of the chain.",
        ),
    ]


BY_MODEL = Experiment(
    "Delay by model",
    "The four vision transformers with the memory footprints that the paper states, 1080p images (and "
    "480p in the table) at an S2G rate of 0.8 Gbit/s. The single satellite is the sensing one, in 30 W "
    "mode; the best single satellite is in 50 W mode and gets the raw images over a hop. A further "
    "table has ViT-B with fewer micro-batches, and with the sensing satellite in 50 W mode.",
    _compute_models,
    _draw_models,
)
