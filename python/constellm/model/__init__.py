"""Models as rows of layers: what each computes, keeps in memory and sends on.

`vit`, `decoder` and `generation` compute a `Profile` from an architecture (`available` names the
shipped ones); `from_config` takes any Hugging Face ``config.json``; `pipeedge` and `pipedream` are
measured tables; `from_arrays` and `from_csv` take your own.
"""

from __future__ import annotations

from typing import Any

from .._core import Layer, LayerProfile
from .config import ELEMENT_BYTES, Config, available, read_config
from .measured import Measured, pipedream, pipeedge, read_pipedream, read_pipeedge
from .profile import Profile
from .tables import from_arrays, from_csv
from .text import Generation, decoder, generation
from .vision import IMAGE_SIZES_PX, image_bytes, vit

__all__ = [
    "ELEMENT_BYTES",
    "IMAGE_SIZES_PX",
    "Generation",
    "Layer",
    "LayerProfile",
    "Measured",
    "Profile",
    "available",
    "decoder",
    "from_arrays",
    "from_config",
    "from_csv",
    "generation",
    "image_bytes",
    "pipedream",
    "pipeedge",
    "read_pipedream",
    "read_pipeedge",
    "vit",
]


def from_config(config: Config, **options: Any) -> Profile:
    """Profile from a Hugging Face ``config.json``: `vit` or `decoder`, by its ``model_type``.

    Parameters
    ----------
    config : str, path or mapping
        A shipped name, a file or folder, or the content.
    **options
        As for `vit` or `decoder`.

    Returns
    -------
    Profile
    """
    _, values = read_config(config)
    return vit(config, **options) if values.get("model_type") == "vit" else decoder(config, **options)
