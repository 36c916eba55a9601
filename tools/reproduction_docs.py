"""Put a run of `make reproduce` into the documentation: main figures and the table of claims.

python tools/reproduction_docs.py results
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from constellm.core.files import read_text
from constellm.paper.report.marks import fill_page

DOCS = Path(__file__).parents[1] / "docs"
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


def main(command: Sequence[str] | None = None) -> None:
    """Copy what the page of the documentation shows, figures in 256 colours."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("results", type=Path, help="the folder that `make reproduce` wrote")
    results = parser.parse_args(command).results
    images = DOCS / "img" / "reproduction"
    images.mkdir(parents=True, exist_ok=True)
    for name in FIGURES:
        with Image.open(results / "figures" / f"{name}.png") as figure:
            # Median cut, the default, merges the colours of small marks.
            few = figure.convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE)
            few.save(images / f"{name}.png", optimize=True)
    (DOCS / "results").mkdir(exist_ok=True)
    shutil.copyfile(results / "tables" / "claims.csv", DOCS / "results" / "claims.csv")
    fill_page(DOCS / "reproduction.md", {"claims": read_text(results / "tables" / "claims.md")})


if __name__ == "__main__":
    main()
