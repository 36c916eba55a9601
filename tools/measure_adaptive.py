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
import csv
from pathlib import Path
from typing import Any

import numpy as np

from constellm import codec, images, infer
from constellm.codec import AdaptiveCompressor, ByDifficulty, ByError
from constellm.infer import Measurement, measure

KEEP = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32)
BATCH = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", required=True, help="folder or zip")
    parser.add_argument("--out", type=Path, default=Path("docs/results/errors/adaptive.csv"))
    parser.add_argument("--cuts", type=int, nargs="+", default=[3, 8], help="boundaries")
    parser.add_argument("--threads", type=int, default=1, help="of ONNX Runtime")
    parser.add_argument("--limit", type=int, help="images of each part, for a trial run")
    options = parser.parse_args()
    net = infer.load(threads=options.threads)
    held_back, _ = images.load(options.images, split="train").divided(100, seed=0)
    test = images.load(options.images, split="test")
    if options.limit:
        held_back, test = held_back.take(slice(options.limit)), test.shuffled(0).take(slice(options.limit))
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
                **{f: getattr(row, f) for f in ("ratio", "error", "encode_s_per_byte")},
                **{f: getattr(row, f) for f in ("agreement", "accuracy", "loss", "loss_se")},
                **{f: getattr(row, f) for f in ("expected_loss", "expected_loss_se")},
            }
            for name, row in zip(compressors, found.rows)
        ]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with options.out.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            plain = {k: v[0] if isinstance(v, tuple) else v for k, v in row.items()}
            writer.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in plain.items()})


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
    x = activations(net, held_back, cut)
    probe = codec.Probe.fit(x, found.logits)
    exact = np.concatenate(
        [net.segment(0, net.blocks)(test.pixels[i : i + BATCH]) for i in range(0, len(test), BATCH)]
    )
    made: dict[str, codec.Compressor] = {rung.name: rung for rung in ladder}
    errors = image_errors(x, ladder)
    for rung, size in list(zip(ladder, sizes))[1:-1]:
        name = rung.name.split()[1]
        thresholds = codec.fit_thresholds(probe(x), loss, sizes, size)
        made[f"margin {name}"] = AdaptiveCompressor(
            ladder, ByDifficulty(probe, thresholds), name=f"margin {name}"
        )
        thresholds = codec.fit_thresholds(difficulty(found.logits), loss, sizes, size)
        known = ByDifficulty(InTurn(difficulty(exact)), thresholds)
        made[f"oracle {name}"] = AdaptiveCompressor(ladder, known, name=f"oracle {name}")
        target = error_target(errors, sizes, size)
        made[f"error {name}"] = AdaptiveCompressor(ladder, ByError(ladder, target), name=f"error {name}")
    report(found, sizes)
    return made


def activations(net: Any, data: images.ImageSet, cut: int) -> np.ndarray:
    """What stands at the cut."""
    forward = net.segment(0, cut)
    return np.concatenate([forward(data.pixels[i : i + BATCH]) for i in range(0, len(data), BATCH)])


def difficulty(logits: np.ndarray) -> np.ndarray:
    """Minus the lead of the first class."""
    top = np.partition(logits, -2, axis=1)
    return top[:, -2] - top[:, -1]


class InTurn:
    """Scores known beforehand, handed out batch by batch."""

    def __init__(self, scores: np.ndarray) -> None:
        self.scores, self.at = scores, 0

    def __call__(self, x: np.ndarray) -> np.ndarray:
        self.at += len(x)
        return self.scores[self.at - len(x) : self.at]


def image_errors(x: np.ndarray, ladder: list[codec.Direct]) -> np.ndarray:
    """Relative error of every image on every rung, shape (rungs, images)."""
    norm = np.linalg.norm(x.reshape(len(x), -1), axis=1)
    differences = [rung.decode(rung.encode(x)) - x for rung in ladder]
    return np.array([np.linalg.norm(d.reshape(len(x), -1), axis=1) / norm for d in differences])


def error_target(errors: np.ndarray, sizes: list[float], budget: float) -> float:
    """The error that all images can keep within a mean size."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2.0
        first = np.where((errors <= middle).any(axis=0), (errors <= middle).argmax(axis=0), len(sizes) - 1)
        low, high = (middle, high) if np.take(sizes, first).mean() > budget else (low, middle)
    return high


def report(found: Measurement, sizes: list[float]) -> None:
    """What the ladder does to the images kept back."""
    for row, size in zip(found.rows, sizes):
        print(
            f"cut {row.cuts[0]}, {row.codecs[0]}: {size:.0f} B an image, loss {row.expected_loss:.4f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
