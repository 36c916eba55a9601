"""A small vision transformer with random weights, and its file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

SHAPE = {
    "blocks": 3,
    "width": 24,
    "heads": 3,
    "mlp_width": 40,
    "image_px": 16,
    "patch_px": 4,
    "classes": 5,
}
FIELDS = {
    "version": 1,
    "name": "small",
    "shape": SHAPE,
    "mean": [0.3, 0.4, 0.5],
    "std": [0.2, 0.1, 0.15],
    "classes": ["a", "b", "c", "d", "e"],
}


def tensors(seed: int = 0) -> dict[str, np.ndarray]:
    """Random weights by name: of a size that keeps activations within a few units."""
    random = np.random.Generator(np.random.PCG64(seed))
    width, hidden = SHAPE["width"], SHAPE["mlp_width"]
    shapes: dict[str, tuple[int, ...]] = {"stem.position": (16, width)}
    for i, (a, b) in enumerate([(3, 16), (16, width)]):
        shapes[f"stem.convs.{i}.weight"] = (b, a, 3, 3)
        shapes.update(
            {f"stem.norms.{i}.{p}": (b,) for p in ("weight", "bias", "running_mean", "running_var")}
        )
    linear = {"attention.qkv": (3 * width, width), "attention.out": (width, width)}
    linear.update({"up": (hidden, width), "down": (width, hidden)})
    for i in range(SHAPE["blocks"]):
        for norm in ("norm1", "norm2"):
            shapes.update({f"blocks.{i}.{norm}.{p}": (width,) for p in ("weight", "bias")})
        for name, sides in linear.items():
            shapes.update({f"blocks.{i}.{name}.weight": sides, f"blocks.{i}.{name}.bias": sides[:1]})
    shapes.update({"stem.mix.weight": (width, width, 1, 1), "stem.mix.bias": (width,)})
    shapes.update({"head.norm.weight": (width,), "head.norm.bias": (width,)})
    shapes.update({"head.classify.weight": (5, width), "head.classify.bias": (5,)})
    made = {}
    for name, sides in shapes.items():
        scale = 0.2 if len(sides) == 1 else 1.5 / np.sqrt(np.prod(sides[1:]))
        value = scale * random.standard_normal(sides)
        if name.endswith("running_var") or (name.endswith("weight") and len(sides) == 1):
            value = 0.5 + np.abs(value)
        made[name] = value.astype(np.float32)
    return made


def write(
    path: Path,
    content: dict[str, np.ndarray] | None = None,
    *,
    metadata: dict[str, str] | None = None,
    **changes: Any,
) -> Path:
    """The file, with some fields of the metadata changed; None leaves one out."""
    from safetensors.numpy import save_file

    fields = {key: value for key, value in {**FIELDS, **changes}.items() if value is not None}
    if metadata is None:
        metadata = {"constellm.vit": json.dumps(fields)}
    save_file(tensors() if content is None else content, str(path), metadata)
    return path
