"""Train the shipped vision transformer: weights, log and model card.

    python tools/train_vit.py --images eurosat_rgb.zip --out vit-eurosat.safetensors

Images come from a folder or zip with ``train/`` and ``test/`` in it. Of the first, 100 a class are kept
back for calibration and never trained on (`ImageSet.divided`, seed 0); the second is looked at once, after
the last epoch. Without ``--images`` a synthetic set is made, so that everything runs without data. A
checkpoint is written after every epoch. On two cores the default recipe takes about an hour.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from constellm import images
from constellm.train import Recipe, Trained, fit, predict, save

CALIBRATION_PER_CLASS = 100

CARD = """# {name}

A vision transformer for land use in Sentinel-2 images, trained by this project, small on purpose: it is
there to be cut, compressed at the cuts and measured.

| | |
| --- | --- |
| stem | {steps} strided convolutions to {patch_px} px a token |
| blocks | {blocks}, pre-norm, width {width}, {heads} heads, MLP {mlp_width} |
| head | mean over the tokens, linear, {classes} classes |
| input | {image_px} × {image_px} px, red, green, blue, 8 bit; standardised inside |
| size | {parameters:,} parameters; shipped as float16 |
| images | {set}: {training:,} trained on, {calibration:,} kept back for calibration, {test:,} for the test |
| recipe | {recipe} |
| time | {minutes:.0f} minutes on {threads} threads of a shared machine, PyTorch {torch}, Python {python} |
| **accuracy, test** | **{accuracy_test:.2%}** (standard error {error:.2%}) |
| accuracy, calibration | {accuracy_calibration:.2%} |

Accuracy by class on the test images:

| class | accuracy |
| --- | --- |
{by_class}

*What it is for*: experiments with split and compressed inference. *What it is not for*: mapping. It knows
ten classes, one sensor, one resolution, Europe alone, and the true-colour bands alone.

*Bias of the figures*: the images are a random part of EuroSAT (Helber, Bischke, Dengel, Borth, IEEE JSTARS
2019, arXiv 1709.00029; MIT licence), whose neighbouring patches share scenes; accuracy on new scenes is
probably lower. Nothing was chosen by the test images: recipe and length were fixed before, and the weights
are the running mean at the end.

Made by `{command}`; the log, an epoch a row, lies beside this page.
"""


def summary(
    trained: Trained, recipe: Recipe, sets: dict[str, images.ImageSet], threads: int
) -> dict[str, Any]:
    """What is worth knowing of a finished training; this is where the test images are looked at."""
    test = sets["test"]
    right = predict(trained, test).argmax(1) == test.labels
    return {
        "model": trained.model.shape.to_dict(),
        "parameters": sum(p.numel() for p in trained.model.parameters()),
        "recipe": recipe.to_dict(),
        "set": sets["training"].name.split("/")[0],
        "images": {part: len(some) for part, some in sets.items()},
        "accuracy_test": float(right.mean()),
        "accuracy_calibration": trained.log[-1]["accuracy"],
        "by_class": {name: float(right[test.labels == i].mean()) for i, name in enumerate(test.classes)},
        "seconds": sum(row["seconds"] for row in trained.log),
        "threads": threads,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def write(found: dict[str, Any], log: list[dict[str, float]], out: Path, command: str) -> None:
    """Summary, log and model card, beside the weights."""
    out.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    with open(out.with_suffix(".csv"), "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["epoch", "loss", "learning_rate", "accuracy", "seconds"])
        writer.writeheader()
        for row in log:
            digits = {"epoch": "d", "seconds": ".1f"}
            writer.writerow({key: format(value, digits.get(key, ".6g")) for key, value in row.items()})
    accuracy, tested = found["accuracy_test"], found["images"]["test"]
    filled = {
        **found["model"],
        **found["images"],
        **found,
        "name": out.stem,
        "recipe": ", ".join(f"{key} {value}" for key, value in found["recipe"].items()),
        "minutes": found["seconds"] / 60,
        "error": math.sqrt(accuracy * (1 - accuracy) / tested),
        "by_class": "\n".join(f"| {name} | {value:.1%} |" for name, value in found["by_class"].items()),
        "command": command,
        "steps": found["model"]["patch_px"].bit_length() - 1,
    }
    out.with_suffix(".md").write_text(CARD.format(**filled), encoding="utf-8")


def main(command: Sequence[str] | None = None) -> None:
    """Train, and write what came of it."""
    parser = argparse.ArgumentParser(description="Train the shipped vision transformer")
    parser.add_argument("--images", type=Path, help="folder or zip with train/ and test/; default: synthetic")
    parser.add_argument(
        "--out", type=Path, required=True, help="weights; log, summary and card go beside them"
    )
    parser.add_argument("--epochs", type=int, default=Recipe.epochs)
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args(command)
    torch.set_num_threads(arguments.threads)

    if arguments.images is None:
        whole, test = images.synthetic(3000, seed=0), images.synthetic(500, seed=1)
    else:
        whole, test = (images.load(arguments.images, split=part) for part in ("train", "test"))
    calibration, training = whole.divided(CALIBRATION_PER_CLASS, seed=0)
    recipe = Recipe(epochs=arguments.epochs, seed=arguments.seed)

    def report(row: dict[str, float], state: Trained) -> None:
        print(json.dumps(row), flush=True)
        save(state, arguments.out, name=arguments.out.stem, classes=whole.classes)

    trained = fit(training, recipe=recipe, validation=calibration, report=report)
    sets = {"training": training, "calibration": calibration, "test": test}
    found = summary(trained, recipe, sets, arguments.threads)
    source = "" if arguments.images is None else f" --images {arguments.images.name}"
    again = f"python tools/train_vit.py{source} --epochs {recipe.epochs} --seed {recipe.seed}"
    write(found, trained.log, arguments.out, f"{again} --out {arguments.out.name}")
    print(json.dumps({key: found[key] for key in ("accuracy_test", "accuracy_calibration", "seconds")}))


if __name__ == "__main__":
    main()
