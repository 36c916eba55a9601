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
import platform
import time
from pathlib import Path

import torch

from constellm import images
from constellm.train import Recipe, fit, predict, save

CALIBRATION_PER_CLASS = 100


def main() -> None:
    """Train, and write what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=Path, help="folder or zip with train/ and test/; default: synthetic")
    parser.add_argument(
        "--out", type=Path, required=True, help="weights, .safetensors; log and summary go beside"
    )
    parser.add_argument("--epochs", type=int, default=Recipe.epochs)
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    if arguments.images is None:
        whole, test = images.synthetic(3000, seed=0), images.synthetic(500, seed=1)
    else:
        whole, test = (images.load(arguments.images, split=part) for part in ("train", "test"))
    calibration, training = whole.divided(CALIBRATION_PER_CLASS, seed=0)
    recipe = Recipe(epochs=arguments.epochs, seed=arguments.seed)
    name = arguments.out.stem

    def report(row: dict[str, float], state: object) -> None:
        print(json.dumps(row), flush=True)
        save(state, arguments.out, name=name, classes=whole.classes)

    start = time.perf_counter()
    trained = fit(training, recipe=recipe, validation=calibration, report=report)
    right = predict(trained, test).argmax(1) == test.labels
    by_class = {name: float(right[test.labels == label].mean()) for label, name in enumerate(test.classes)}
    summary = {
        "model": trained.model.shape.to_dict(),
        "parameters": sum(p.numel() for p in trained.model.parameters()),
        "recipe": recipe.to_dict(),
        "images": {
            "training": len(training),
            "calibration": len(calibration),
            "test": len(test),
            "set": whole.name,
        },
        "accuracy_test": float(right.mean()),
        "accuracy_test_by_class": by_class,
        "accuracy_calibration": trained.log[-1]["accuracy"],
        "seconds": time.perf_counter() - start,
        "threads": arguments.threads,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    arguments.out.with_suffix(".json").write_text(json.dumps(summary, indent=1) + "\n")
    with open(arguments.out.with_suffix(".csv"), "w", newline="") as file:
        writer = csv.DictWriter(file, ["epoch", "loss", "learning_rate", "accuracy", "seconds"])
        writer.writeheader()
        writer.writerows(trained.log)
    print(json.dumps({key: summary[key] for key in ("accuracy_test", "accuracy_calibration", "seconds")}))


if __name__ == "__main__":
    main()
