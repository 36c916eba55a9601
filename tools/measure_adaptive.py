"""Compare compression that follows the content with the same for all images, at equal mean bytes.

    python tools/measure_adaptive.py --images eurosat_rgb.zip --out docs/results/errors/adaptive.csv

One cut; a ladder of Top-k at six kept shares. Probe and thresholds are fitted to the 100 images a class
that training kept back, everything is compared on the test images. Policies: ``fixed`` takes one rung for
all; ``error`` the first rung that keeps every image's relative error below a target; ``margin`` goes by the
lead of the first class in a linear probe at the cut; ``oracle`` by that of the whole model without
compression, which no sender knows: what a perfect score of this kind could gain.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from constellm import codec, images, infer
from constellm.codec import AdaptiveCompressor, ByDifficulty, ByError
from constellm.core.table import Table
from constellm.infer import Measurement, measure

KEEP = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32)
BATCH = 64


def main(command: Sequence[str] | None = None) -> None:
    """Measure every policy at every cut."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", required=True, help="folder or zip")
    parser.add_argument("--out", type=Path, default=Path("docs/results/errors/adaptive.csv"))
    parser.add_argument("--cuts", type=int, nargs="+", default=[3, 8], help="boundaries")
    parser.add_argument("--threads", type=int, default=1, help="of ONNX Runtime")
    parser.add_argument("--limit", type=int, help="images of each part, for a trial run")
    options = parser.parse_args(command)
    net = infer.load(threads=options.threads)
    held_back, _ = images.load(options.images, split="train").divided(100, seed=0)
    test = images.load(options.images, split="test").shuffled(0)  # a batch has all classes
    if options.limit:
        held_back, test = held_back.take(slice(options.limit)), test.take(slice(options.limit))
    rows: list[dict[str, Any]] = []
    for cut in options.cuts:
        compressors = policies(net, held_back, test, cut)
        found = measure(net, test, compressors, boundaries=[cut], batch=BATCH)
        rows += [
            {
                "cut": cut,
                "policy": name.split()[0],
                "budget": name.split()[1],
                "bytes_per_image": net.tokens * net.width * 4 / row.ratio[0],
                **{f: getattr(row, f)[0] for f in ("ratio", "error", "encode_s_per_byte")},
                **{f: getattr(row, f) for f in ("agreement", "accuracy", "loss", "loss_se")},
                **{f: getattr(row, f) for f in ("expected_loss", "expected_loss_se")},
            }
            for name, row in zip(compressors, found.rows)
        ]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    Table.of(rows).to_csv(options.out, digits=6)


def policies(
    net: Any, held_back: images.ImageSet, test: images.ImageSet, cut: int
) -> dict[str, codec.Compressor]:
    """Name of policy and rung whose bytes are its budget → compressor."""
    ladder = [
        codec.Direct(
            codec.Scheme(sparsify="top-k", keep=keep, bits=4, scale="token"), name=f"fixed keep-{keep}"
        )
        for keep in KEEP
    ]
    found = measure(net, held_back, {rung.name: rung for rung in ladder}, boundaries=[cut], batch=BATCH)
    sizes = [net.tokens * net.width * 4 / row.ratio[0] for row in found.rows]
    loss = codec.expected_losses(found.logits, found.predicted, found.temperature)
    x = net.activations(held_back.pixels, [cut])[cut]
    probe = codec.Probe.fit(x, found.logits)
    exact = net.segment(0, net.blocks)(test.pixels)
    made: dict[str, codec.Compressor] = {rung.name: rung for rung in ladder}
    errors = codec.image_errors(x, ladder)
    for rung, size in list(zip(ladder, sizes))[1:-1]:
        name = rung.name.split()[1]
        thresholds = codec.fit_thresholds(probe(x), loss, sizes, size)
        made[f"margin {name}"] = AdaptiveCompressor(
            ladder, ByDifficulty(probe, thresholds), name=f"margin {name}"
        )
        thresholds = codec.fit_thresholds(codec.difficulty(found.logits), loss, sizes, size)
        known = ByDifficulty(InTurn(codec.difficulty(exact)), thresholds)
        made[f"oracle {name}"] = AdaptiveCompressor(ladder, known, name=f"oracle {name}")
        target = codec.fit_error_target(errors, sizes, size)
        made[f"error {name}"] = AdaptiveCompressor(ladder, ByError(ladder, target), name=f"error {name}")
    report(found, sizes)
    return made


class InTurn:
    """Scores known beforehand, handed out batch by batch."""

    def __init__(self, scores: np.ndarray) -> None:
        self.scores, self.at = scores, 0

    def __call__(self, x: np.ndarray) -> np.ndarray:
        self.at += len(x)
        return self.scores[self.at - len(x) : self.at]


def report(found: Measurement, sizes: list[float]) -> None:
    """What the ladder does to the images kept back."""
    for row, size in zip(found.rows, sizes):
        print(
            f"cut {row.cuts[0]}, {row.codecs[0]}: {size:.0f} B an image, loss {row.expected_loss:.4f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
