"""Trained weights on disk, in the format that `constellm.run` reads."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save as serialise

from .training import Trained
from .vit import Vit, VitShape

_FORMAT, _VERSION = "constellm.vit", "1"


def save(
    trained: Trained, path: str | os.PathLike[str], *, name: str, classes: Iterable[str], half: bool = True
) -> None:
    """Write a model for `constellm.run.load`.

    Parameters
    ----------
    trained : Trained
        What `fit` returned.
    path : path
        A ``.safetensors`` file.
    name : str
        Of the model.
    classes : iterable of str
        Names of the logits, as many as the model has.
    half : bool
        Matrices as float16, which halves the file; vectors, few but delicate, stay float32.

    Raises
    ------
    ValueError
        If the number of classes is not that of the model, or a weight is not finite as it is stored.
    """
    shape = trained.model.shape
    classes = list(classes)
    if len(classes) != shape.classes:
        raise ValueError(f"classes: {len(classes)} names are not {shape.classes}, the model's")
    tensors = {}
    for key, value in trained.model.state_dict().items():
        if not value.dtype.is_floating_point:  # how many batches the normalisation saw
            continue
        stored = value.to(torch.float16 if half and value.ndim > 1 else torch.float32).contiguous()
        if not torch.isfinite(stored).all():
            raise ValueError(f"{key}: not all values are finite as {stored.dtype}")
        tensors[key] = stored
    metadata = {
        "format": _FORMAT,
        "version": _VERSION,
        "name": name,
        "shape": json.dumps(shape.to_dict()),
        "mean": json.dumps(trained.mean),
        "std": json.dumps(trained.std),
        "classes": json.dumps(classes),
    }
    Path(path).write_bytes(serialise(tensors, metadata))  # save_file would keep it from other users


def load(path: str | os.PathLike[str]) -> Trained:
    """The PyTorch model that `save` wrote, in evaluation mode and without a log.

    Parameters
    ----------
    path : path
        A ``.safetensors`` file.

    Returns
    -------
    Trained

    Raises
    ------
    ValueError
        If the file is not of this format and version.
    RuntimeError
        If a tensor is absent or of another shape.
    """
    with safe_open(os.fspath(path), framework="pt") as file:
        metadata = file.metadata() or {}
        found = metadata.get("format"), metadata.get("version")
        if found != (_FORMAT, _VERSION):
            raise ValueError(f"{os.fspath(path)}: format {found} is not {(_FORMAT, _VERSION)}")
        tensors = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118 (not a dict)
    model = Vit(VitShape(**json.loads(metadata["shape"])))
    counted = {key: value for key, value in model.state_dict().items() if key.endswith("num_batches_tracked")}
    model.load_state_dict({**tensors, **counted})
    mean, std = (tuple(json.loads(metadata[key])) for key in ("mean", "std"))
    return Trained(model=model.eval(), mean=mean, std=std, log=[])
