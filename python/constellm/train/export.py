"""Trained weights on disk, in the format that `constellm.run` reads."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save as serialise

from ..core.checks import short
from .training import Trained
from .vit import Vit, VitShape

_FORMAT, _VERSION = "constellm.vit", 1


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
        Of the model: 1 to 100 letters, digits, dots, underscores and hyphens.
    classes : iterable of str
        Names of the logits, as many as the model has.
    half : bool
        Matrices as float16, which halves the file; vectors, few but delicate, stay float32.

    Raises
    ------
    ValueError
        If the name is none, the number of classes is not that of the model, or a weight is not finite as it
        is stored.
    """
    shape = trained.model.shape
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", name):
        raise ValueError(f"name: {short(name)} is not 1 to 100 characters of A-Z a-z 0-9 . _ -")
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
    fields = {
        "version": _VERSION,
        "name": name,
        "shape": shape.to_dict(),
        "mean": trained.mean,
        "std": trained.std,
        "classes": classes,
    }
    # save_file would write one that other users cannot read.
    Path(path).write_bytes(serialise(tensors, {_FORMAT: json.dumps(fields)}))


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
        fields = json.loads((file.metadata() or {}).get(_FORMAT, "{}"))
        if fields.get("version") != _VERSION:
            raise ValueError(f"{os.fspath(path)}: not version {_VERSION} of {_FORMAT}")
        tensors = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118 (not a dict)
    model = Vit(VitShape(**fields["shape"]))
    counted = {key: value for key, value in model.state_dict().items() if key.endswith("num_batches_tracked")}
    model.load_state_dict({**tensors, **counted})
    mean, std = (tuple(fields[key]) for key in ("mean", "std"))
    return Trained(model=model.eval(), mean=mean, std=std, log=[])
