"""Bytes that cross links, and which way of counting gives the paper's 71.7 %."""

from __future__ import annotations

from ....codec import gumbel_mask
from ....core.table import Row, Rows, Tables, distinct, only
from ....model import image_bytes, vit
from ....plot import palette, style
from ...report.draw import curves
from ...report.study import Experiment, Picture
from ..contenders import CHAIN, GROUND_ONLY, PROPORTIONAL, RAW, plain, solved
from ..parameters import PAPER_KEEP

CLAIMED_SAVING = 0.717
_BATCH = 64
# EuroSAT's and RESISC45's images, the model's input, and the sizes of the paper's delay figures.
_SIZES = ((64, 64), (224, 224), (256, 256), "240p", "360p", "480p", "720p", "1080p")


def accountings(raw_bytes: float, activation_bytes: float, ratio: float) -> dict[str, tuple[float, float]]:
    """Bytes of the scheme and of its benchmark under several ways to count, by what is counted.

    With raw bytes R, activation A and ratio r of a whole batch; a leg is a hop that these cross.
    """
    sent = activation_bytes / ratio
    return {
        "four cuts, against five raw legs": (4 * sent, 5 * raw_bytes),
        "four cuts, against four raw legs (no S2G)": (4 * sent, 4 * raw_bytes),
        "one raw leg and three cuts, against four raw legs": (raw_bytes + 3 * sent, 4 * raw_bytes),
        "one raw leg and four cuts, against five raw legs": (raw_bytes + 4 * sent, 5 * raw_bytes),
        "two raw legs and three cuts, against five raw legs": (2 * raw_bytes + 3 * sent, 5 * raw_bytes),
        "one cut, against one raw leg": (sent, raw_bytes),
        "uncompressed four cuts, against five raw legs": (4 * activation_bytes, 5 * raw_bytes),
        "any cut, against the same uncompressed": (sent, activation_bytes),
        "any cut under the mask alone, against uncompressed": (1 + 32 * PAPER_KEEP, 32.0),
    }


def _compute(quick: bool) -> Tables:
    sizes = _SIZES[1::3] if quick else _SIZES
    measured = solved((CHAIN, PROPORTIONAL, RAW, GROUND_ONLY), {"image": sizes})
    activation = vit("vit-gigantic/14", batch=_BATCH).layers[1].output_bytes
    ratio = gumbel_mask(keep=[PAPER_KEEP])[0].ratio
    savings: Rows = []
    for size in sizes:
        label = plain(size)
        plan = only(measured, contender=CHAIN.label, image=label)
        ground = only(measured, contender=GROUND_ONLY.label, image=label)
        ways = {"optimal chain's plan, against ground-only's": (plan["bytes"], ground["bytes"])}
        ways.update(accountings(image_bytes(size, batch=_BATCH), activation, ratio))
        for counted, (scheme, benchmark) in ways.items():
            row: Row = {
                "counted": counted,
                "image": label,
                "scheme_bytes": scheme,
                "benchmark_bytes": benchmark,
            }
            row["saving"] = 1 - scheme / benchmark
            row["within_a_point"] = abs(row["saving"] - CLAIMED_SAVING) <= 0.01
            savings.append(row)
    return {"bytes": measured, "saving-by-accounting": savings}


def _draw(tables: Tables) -> list[Picture]:
    ax = curves(tables["bytes"], x="image", hue="contender", y="bytes", title="Bytes over all hops, batch 64")
    ax.tick_params(axis="x", labelrotation=30)
    rows = tables["saving-by-accounting"]
    counted, images = distinct(rows, "counted"), distinct(rows, "image")
    with style.drawing(None, (8.6, 3.8)) as grid:
        for i, way in enumerate(counted):
            for j, image in enumerate(images):
                row = only(rows, counted=way, image=image)
                hit = row["within_a_point"]
                text = f"{100 * row['saving']:.1f}" if row["saving"] > -9.995 else "< -1000"
                grid.text(
                    j,
                    i,
                    text,
                    ha="center",
                    va="center",
                    fontsize=8,
                    color="white" if hit else palette.INK,
                    bbox={"facecolor": palette.CYCLE[0], "edgecolor": "none", "pad": 2.5} if hit else None,
                )
        grid.set_xlim(-0.6, len(images) - 0.4)
        grid.set_ylim(len(counted) - 0.5, -0.5)
        grid.set_xticks(range(len(images)), images)
        grid.set_yticks(range(len(counted)), counted)
        grid.tick_params(length=0)
        grid.set_title("Bytes saved (%); filled: within a point of 71.7 %")
        for spine in grid.spines.values():
            spine.set_visible(False)
    return [
        Picture(
            "bytes-by-image",
            ax.figure,
            "Bytes over all hops and micro-batches. The chain sends the same whatever the image size, "
            "as it resizes the images where the first layer runs.",
        ),
        Picture(
            "saving-by-accounting",
            grid.figure,
            "Saving of bytes by what is counted, per image size; cuts are ViT-G's FP32 activation at "
            "the ratio 25.82. 64x64 and 256x256 are the sizes of EuroSAT's and RESISC45's images, "
            "224x224 the model's input.",
        ),
    ]


COMMUNICATION = Experiment(
    "Communication",
    "How many bytes cross links. The paper's 71.7 % do not come with what is counted, so several ways "
    "stand side by side: raw legs that the scheme itself has, whether the S2G link counts, the size of "
    "the raw images.",
    _compute,
    _draw,
)
