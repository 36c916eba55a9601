"""Put a run of `make reproduce` into the documentation: main figures and the table of claims.

python tools/reproduction_docs.py results
"""

import re
import shutil
import sys
from pathlib import Path

from PIL import Image

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


def main(results: Path) -> None:
    """Copy what the page of the documentation shows, figures in 64 colours."""
    images = DOCS / "img" / "reproduction"
    images.mkdir(parents=True, exist_ok=True)
    for name in FIGURES:
        with Image.open(results / "figures" / f"{name}.png") as figure:
            figure.convert("RGB").quantize(64).save(images / f"{name}.png", optimize=True)
    (DOCS / "results").mkdir(exist_ok=True)
    shutil.copyfile(results / "tables" / "claims.csv", DOCS / "results" / "claims.csv")
    claims = (results / "tables" / "claims.md").read_text(encoding="utf-8").strip()
    page = DOCS / "reproduction.md"
    text = page.read_text(encoding="utf-8")
    pattern = r"(<!-- claims -->\n).*?(<!-- end of claims -->)"
    filled, found = re.subn(pattern, lambda m: m[1] + claims + "\n" + m[2], text, flags=re.DOTALL)
    if found != 1:
        raise SystemExit(f"{page}: the marks of the table are missing")
    page.write_text(filled, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
