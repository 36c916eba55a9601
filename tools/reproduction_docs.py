"""Put a run of `make reproduce` into the documentation: main figures, the table of claims, rows they rest on.

python tools/reproduction_docs.py results
python tools/reproduction_docs.py results/space-xnet --study space-xnet
python tools/reproduction_docs.py results/satellite-edge --study satellite-edge
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from constellm.core.files import read_text
from constellm.paper.report.marks import fill_page

DOCS = Path(__file__).parents[1] / "docs"


class Pages(NamedTuple):
    """Where a study stands in the documentation."""

    page: str
    """With the marks of the table of claims, and of that of parameters where it has one."""
    images: str
    """Folder of its figures."""
    results: str
    """Folder of its claims and rows."""
    figures: tuple[str, ...]
    rows: tuple[str, ...] = ()
    """Tables that are kept beside the claims."""
    parts: tuple[str, ...] = ("claims",)


FIGURES = (
    "delay-by-image",
    "reduction-map",
    "delay-by-model",
    "saving-by-accounting",
    "ladder-delay",
    "methods-chain",
    "boards-vit-l",
    "scalar-a-star",
    "region",
    "sensitivity",
    "ground-computes",
)
STUDIES = {
    "collaborative": Pages("reproduction.md", "img/reproduction", "results", FIGURES),
    "space-xnet": Pages(
        "space-xnet.md",
        "img/space-xnet",
        "results/space-xnet",
        ("schemes", "layer-latency", "places", "geometries", "order", "gateways", "sensitivity"),
        rows=("schemes", "geometries", "turns", "order", "order-proofs", "gateways", "sensitivity"),
        parts=("claims", "parameters"),
    ),
    "satellite-edge": Pages(
        "satellite-edge.md",
        "img/satellite-edge",
        "results/satellite-edge",
        (
            "contacts",
            "phases",
            "ladder",
            "greedy",
            "thirds",
            "fair",
            "between-orbits",
            "training",
            "time-to-target",
            "sharing",
            "robustness",
            "degradation",
            "waiting",
            "over-time",
            "placement-methods",
            "rate-accuracy",
            "spiking",
        ),
        rows=(
            "passes",
            "messages",
            "phases",
            "ladder",
            "totals",
            "greedy",
            "thirds",
            "fair",
            "between",
            "gossip",
            "trained",
            "sharing",
            "robustness",
            "demand",
            "degradation",
            "waiting",
            "over-time",
            "placement-methods",
            "rate-accuracy",
            "spiking",
        ),
        parts=("claims", "thirds", "parameters"),
    ),
}


def main(command: Sequence[str] | None = None) -> None:
    """Copy what the page of the documentation shows, figures in 256 colours."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("results", type=Path, help="the folder that `make reproduce` wrote")
    parser.add_argument("--study", choices=STUDIES, default="collaborative", help="default: %(default)s")
    arguments = parser.parse_args(command)
    results, study = arguments.results, STUDIES[arguments.study]
    images, kept = DOCS / study.images, DOCS / study.results
    for folder in (images, kept):
        folder.mkdir(parents=True, exist_ok=True)
    for name in study.figures:
        with Image.open(results / "figures" / f"{name}.png") as figure:
            # Median cut, the default, merges the colours of small marks.
            few = figure.convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE)
            few.save(images / f"{name}.png", optimize=True)
    for name in ("claims", *study.rows):
        shutil.copyfile(results / "tables" / f"{name}.csv", kept / f"{name}.csv")
    fill_page(DOCS / study.page, {part: read_text(results / "tables" / f"{part}.md") for part in study.parts})


if __name__ == "__main__":
    main()
