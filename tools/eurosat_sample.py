"""Write the part of EuroSAT that the package ships: original files of 30 test images a class.

    python tools/eurosat_sample.py eurosat_rgb.zip

The zip file holds ``test/<class>/<image>.jpg``.
"""

from __future__ import annotations

import argparse
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from constellm import images

PER_CLASS = 30
SAMPLE = Path("python/constellm/images/data/eurosat/sample.zip")


def main(command: Sequence[str] | None = None) -> None:
    """Choose the images as `ImageSet` does, then find their files."""
    parser = argparse.ArgumentParser(description="Write the shipped part of EuroSAT")
    parser.add_argument("images", type=Path, help="zip file with test/ in it")
    parser.add_argument("--out", type=Path, default=SAMPLE)
    arguments = parser.parse_args(command)
    chosen = images.load(arguments.images, split="test").shuffled(0).per_class(PER_CLASS)
    wanted = {image.tobytes() for image in chosen.pixels}
    with zipfile.ZipFile(arguments.images) as source, zipfile.ZipFile(arguments.out, "w") as out:
        for name in sorted(source.namelist()):
            if not name.startswith("test/") or not name.endswith(".jpg"):
                continue
            with source.open(name) as file, Image.open(file) as image:
                content = np.asarray(image).tobytes()
            if content in wanted:
                wanted.remove(content)
                # A fixed date, so that the same images give the same bytes.
                entry = zipfile.ZipInfo(name[len("test/") :], date_time=(2020, 1, 1, 0, 0, 0))
                out.writestr(entry, source.read(name))
    assert not wanted
    print(f"{arguments.out}: {len(chosen)} images, {arguments.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
