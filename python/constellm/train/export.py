"""Trained weights on disk, in the format that `constellm.infer` reads."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors.torch import save as serialise

from ..core.checks import short
from ..infer.onnx_model import path_of
from ..infer.weights import FORMAT, VERSION, read_weights
from .training import Trained
from .vit import Vit, VitShape


def save(
    trained: Trained, path: str | os.PathLike[str], *, name: str, classes: Iterable[str], half: bool = True
) -> None:
    """Write a model for `constellm.infer.load`.

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

    Examples
    --------
    >>> from constellm import images, infer, train
    >>> few = images.synthetic(20, side_px=16)
    >>> shape = train.VitShape(blocks=2, width=16, heads=2, mlp_width=32, image_px=16)
    >>> trained = train.fit(few, shape=shape, recipe=train.Recipe(epochs=1, all_tokens_epochs=0))
    >>> train.save(trained, "small.safetensors", name="small", classes=few.classes)
    >>> train.load("small.safetensors").model.shape == shape
    True
    >>> infer.read_weights("small.safetensors").classes == few.classes
    True
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
        "version": VERSION,
        "name": name,
        "shape": shape.to_dict(),
        "mean": trained.mean,
        "std": trained.std,
        "classes": classes,
    }
    # save_file would write one that other users cannot read.
    Path(path).write_bytes(serialise(tensors, {FORMAT: json.dumps(fields)}))


def load(model: str | os.PathLike[str]) -> Trained:
    """The PyTorch model of a file that `save` wrote, in evaluation mode and without a log.

    Parameters
    ----------
    model : str or path
        Name of a shipped one (`constellm.infer.shipped`), or a ``.safetensors`` file.

    Returns
    -------
    Trained

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the name is not known, or the file is not such a file; see `constellm.infer.read_weights`.

    Examples
    --------
    >>> from constellm import train
    >>> len(train.load("vit-eurosat").model.blocks)
    12
    """
    weights = read_weights(path_of(model))
    net = Vit(VitShape(**weights.shape))
    counted = {key: value for key, value in net.state_dict().items() if key.endswith("num_batches_tracked")}
    net.load_state_dict({**{key: torch.from_numpy(v) for key, v in weights.tensors.items()}, **counted})
    return Trained(model=net.eval(), mean=weights.mean, std=weights.std, log=[])  # type: ignore[arg-type]
