"""The compression ladder: what each step gains, in bytes and in delay."""

from __future__ import annotations

import math

from ....codec import Codec, gumbel_mask, none, quantise, top_k
from ....codec.laplace import selection_error
from ....codec.menu import LOSSLESS_GAIN, MASK_WEIGHT
from ....core.table import Rows, Tables, distinct, where
from ....model import vit
from ....plot import palette, style
from ....split import solve
from ...report.draw import curves, grouped_points, log_ticks, panels
from ...report.study import Experiment, Picture
from .. import scenario
from ..parameters import FOOTPRINT_BYTES, PAPER_KEEP
from .delay import SHORT

PAPER_LADDER = (1.0, 3.96, 11.56, 25.82)
"""Ratios that the paper measured for ViT-G: nothing, mask, 8 bits, entropy coder."""

_ISL_BPS = 0.5e9


def ladder() -> list[Codec]:
    """The steps as codecs: nothing, mask, mask and 8 bits, mask and 8 bits and entropy coder."""
    mask = Codec(
        name="mask",
        ratio=32 / (32 * PAPER_KEEP + 1),
        error=MASK_WEIGHT * selection_error(PAPER_KEEP),
    )
    quantised = gumbel_mask(keep=[PAPER_KEEP], lossless_gain=1)[0].replace(name="mask, 8 bits")
    coded = gumbel_mask(keep=[PAPER_KEEP])[0].replace(name="mask, 8 bits, entropy coder")
    return [*none(), mask, quantised, coded]


def laplace_bits(keep: float, bits: int = 8) -> tuple[float, float]:
    """Bits that an ideal coder without memory spends on a masked Laplace activation.

    ::

        bitmap = -ρ log₂ ρ - (1 - ρ) log₂(1 - ρ)                  per element
        value  = 1 + [-q log₂ q - (1 - q) log₂(1 - q)] / (1 - q)  per kept value, q = e^(-2α/2^b)

    A kept magnitude exceeds the mask's threshold by an exponential with mean 1, so that its cell follows a
    geometric distribution; one bit is the sign. 2α/2^b is a cell of the quantiser that `codec.laplace`
    describes, α there its clipping point, here ln(3·4^b) - ln ln(3·4^b) to first order.

    Returns
    -------
    (float, float)
        Bits of the bitmap per element, and of a kept value.
    """

    def entropy(p: float) -> float:
        return -p * math.log2(p) - (1 - p) * math.log2(1 - p)

    log = math.log(3 * 4.0**bits)
    q = math.exp(-2 * (log - math.log(log)) / 2**bits)
    return entropy(keep), 1 + entropy(q) / (1 - q)


def _compute(quick: bool) -> Tables:
    codecs = ladder()
    rates = (0.1e9, 0.5e9) if quick else (0.02e9, 0.05e9, 0.1e9, 0.2e9, 0.5e9, 1e9, 2e9, 5e9)
    steps: Rows = []
    for claimed, codec in zip(PAPER_LADDER, codecs):
        for model in FOOTPRINT_BYTES:
            sent = vit(model, batch=64).layers[1].output_bytes / codec.ratio
            steps.append(
                {
                    "step": codec.name,
                    "model": model,
                    "ratio_of_the_paper": claimed,
                    "ratio": codec.ratio,
                    "bits_per_element": 32 / codec.ratio,
                    "batch_bytes": sent,
                    "isl_s": 8 * sent / _ISL_BPS,
                }
            )
    delays: Rows = []
    for codec in codecs:
        for rate in rates:
            plan = solve(scenario.problem(codecs=[codec], isl_rate_bps=rate), on_interrupt="raise")
            delays.append(
                {
                    "step": codec.name,
                    "isl_rate_bps": rate,
                    "delay_s": plan.delay_s,
                    "bytes": plan.bytes,
                    "error": plan.error,
                    "stages": len(plan.stages),
                }
            )
    bitmap, value = laplace_bits(PAPER_KEEP)
    before = 1 + 8 * PAPER_KEEP
    needed = before / LOSSLESS_GAIN
    coder: Rows = [
        {"coder": "none", "bits_per_element": before, "bits_per_kept_value": 8.0, "gain": 1.0},
        {
            "coder": "ideal without memory, Laplace",
            "bits_per_element": bitmap + PAPER_KEEP * value,
            "bits_per_kept_value": value,
            "gain": before / (bitmap + PAPER_KEEP * value),
        },
        {
            "coder": "the paper's gain, bitmap coded without memory",
            "bits_per_element": needed,
            "bits_per_kept_value": (needed - bitmap) / PAPER_KEEP,
            "gain": LOSSLESS_GAIN,
        },
    ]
    families = {"mask": gumbel_mask(), "Top-k, 8 bits": top_k(value_bits=8), "quantise": quantise()}
    menu: Rows = [
        {"family": family, "codec": codec.name, "ratio": codec.ratio, "error": codec.error}
        for family, options in families.items()
        for codec in options
    ]
    return {"ladder": steps, "ladder-delay": delays, "entropy-coder": coder, "menu": menu}


def _draw(tables: Tables) -> list[Picture]:
    steps = [{**row, "model": SHORT[row["model"]]} for row in tables["ladder"]]
    with panels(1, 1, (7.0, 3.4)) as (bars, axes):
        ax = axes[0, 0]
        grouped_points(steps, group="step", hue="model", y="isl_s", ax=ax)
        ax.set_ylabel("time of a batch on an ISL (s)")
        ax.set_title("Batch-64 activation at 0.5 Gbit/s")
        names = distinct(steps, "step")
        ratios = [where(steps, step=step)[0]["ratio"] for step in names]
        ax.set_xticks(range(len(names)), [f"{step}\n{ratio:.4g}×" for step, ratio in zip(names, ratios)])
        ax.legend(loc="upper right", ncols=2)
    delay = curves(
        tables["ladder-delay"],
        x="isl_rate_bps",
        hue="step",
        log_x=True,
        title="Optimal chain with one codec, ViT-G, 1080p",
    )
    with style.in_force():
        delay.axvline(_ISL_BPS, color=palette.MUTED, linewidth=0.8, linestyle=":", label="the paper's rate")
        delay.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    with panels(1, 1, (5.8, 3.6)) as (menu, axes):
        ax = axes[0, 0]
        families = distinct(tables["menu"], "family")
        for family, look in zip(families, palette.series(families)):
            options = where(tables["menu"], family=family)
            ax.plot(
                [o["ratio"] for o in options],
                [o["error"] for o in options],
                marker=look.marker,
                markersize=4,
                color=look.colour,
                label=family,
            )
        log_ticks(ax, "x", (1, 2, 5, 10, 20, 50), "ratio")
        log_ticks(ax, "y", (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1), "error")
        ax.set_xlabel("ratio (uncompressed ÷ compressed)")
        ax.set_ylabel("relative L2 error")
        style.grid(ax)
        ax.legend(loc="lower right")
    return [
        Picture(
            "ladder",
            bars,
            "What a batch's activation takes on an inter-satellite link after each step of the ladder. "
            "The ratios are a fit to the paper's 3.96, 11.56 and 25.82: no activation was measured.",
        ),
        Picture(
            "ladder-delay",
            delay.figure,
            "Delay of the exact plan with one codec everywhere, by ISL rate (dotted: the paper's). At "
            "0.5 Gbit/s computing is the bottleneck, and compression saves only what single transfers "
            "take.",
        ),
        Picture(
            "codec-menu",
            menu,
            "Ratio and error of the codecs: of Laplace distributed activations, the "
            "mask's weighed with 0.62 as the paper's accuracies suggest. Both are assumptions.",
        ),
    ]


COMPRESSION = Experiment(
    "Compression ladder",
    "Mask, 8-bit values, entropy coder. One kept share, 0.221, explains the first two ratios of the "
    "paper; the third is taken from it. A table asks what an entropy coder would need for that: a coder "
    "without memory on Laplace distributed activations gains less.",
    _compute,
    _draw,
)
