"""Train what sits at the cuts of the shipped network: masks and bottlenecks.

    python tools/train_masks.py --images eurosat_rgb.zip --weights vit.safetensors --out learned.safetensors

Trains on the images that the network was trained on: the folder or zip's ``train/`` without the 100 a class
that are kept back for calibration. Beside the file lie its log, a row an epoch, and a summary with the share
that every mask keeps of the calibration images, which nothing was trained on.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from constellm import codec, images
from constellm.train import CutRecipe, Trained, fit_bottlenecks, fit_masks, load
from constellm.train.at_cuts import activations

CALIBRATION_PER_CLASS = 100
KEEP = (0.05, 0.1, 0.2, 0.4)
RANKS = (8, 16, 32)
RECIPES = {
    "mask-shared": CutRecipe(epochs=1, learning_rate=5e-3),
    "mask": CutRecipe(epochs=1, learning_rate=5e-3),  # goes on from the shared one, which learns faster
    "bottleneck": CutRecipe(epochs=1, learning_rate=5e-4),  # from orthonormal directions: small entries
}


def train(
    trained: Trained, training: images.ImageSet, seed: int, rows: list[dict[str, Any]]
) -> dict[str, dict[int, codec.learned.Learned]]:
    """The sets of `codec.save_learned`; the log goes to `rows`."""

    def log(kind: str) -> Any:
        def report(row: dict[str, float]) -> None:
            rows.append({"kind": kind, **row})
            print(json.dumps(rows[-1]), flush=True)

        return report

    recipes = {kind: replace(recipe, seed=seed) for kind, recipe in RECIPES.items()}
    sets: dict[str, dict[int, codec.learned.Learned]] = {}
    learned = None
    for kind in ("mask-shared", "mask"):
        shared = kind == "mask-shared"
        learned = fit_masks(
            trained, training, keep=KEEP, shared=shared, start=learned, recipe=recipes[kind], report=log(kind)
        )
        for keep, networks in learned.items():
            name = f"{kind}-{keep:g}"
            sets[name] = {k: codec.Masked(network, name=name) for k, network in networks.items()}
    pairs = fit_bottlenecks(
        trained, training, rank=RANKS, recipe=recipes["bottleneck"], report=log("bottleneck")
    )
    for rank, projections in pairs.items():
        name = f"bottleneck-{rank}"
        sets[name] = {k: codec.Bottleneck(p, name=name) for k, p in projections.items()}
    return sets


def shares(trained: Trained, calibration: images.ImageSet, path: Path) -> dict[str, dict[int, float]]:
    """What the masks keep of images that they were not trained on."""
    sets = codec.load_learned(path)
    clean = activations(trained, calibration, list(range(1, len(trained.model.blocks))))
    return {
        name: {k: round(float(np.mean(mask.network.mask(clean[k]))), 4) for k, mask in found.items()}
        for name, found in sets.items()
        if name.startswith("mask")
    }


def main(command: Sequence[str] | None = None) -> None:
    """Train, and write what came of it."""
    parser = argparse.ArgumentParser(description="Train masks and bottlenecks at the cuts of a network")
    parser.add_argument("--images", type=Path, help="folder or zip with train/ in it; default: synthetic")
    parser.add_argument("--weights", type=Path, required=True, help="of the network, from train_vit.py")
    parser.add_argument("--out", type=Path, required=True, help="log and summary go beside it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args(command)
    torch.set_num_threads(arguments.threads)

    if arguments.images is None:
        whole = images.synthetic(3000, seed=0)
    else:
        whole = images.load(arguments.images, split="train")
    calibration, training = whole.divided(CALIBRATION_PER_CLASS, seed=0)
    trained = load(arguments.weights)
    rows: list[dict[str, Any]] = []
    codec.save_learned(arguments.out, train(trained, training, arguments.seed, rows))
    with open(arguments.out.with_suffix(".csv"), "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["kind", "epoch", "loss", "error", "penalty", "seconds"])
        writer.writeheader()
        digits = {"kind": "s", "epoch": "d", "seconds": ".1f"}
        for row in rows:
            writer.writerow({key: format(value, digits.get(key, ".5g")) for key, value in row.items()})
    summary = {
        "recipes": {kind: recipe.to_dict() for kind, recipe in RECIPES.items()},
        "seed": arguments.seed,
        "images": len(training),
        "seconds": round(sum(row["seconds"] for row in rows)),
        "threads": arguments.threads,
        "torch": torch.__version__,
        "share_kept_of_calibration_images": shares(trained, calibration, arguments.out),
    }
    text = json.dumps(summary, indent=1) + "\n"
    arguments.out.with_suffix(".json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
