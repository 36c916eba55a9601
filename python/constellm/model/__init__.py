"""Models as rows of layers: what each computes, keeps in memory and sends on.

`vit`, `decoder` and `generation` compute a `Profile` from an architecture (`available` names the
shipped ones); `from_config` takes a Hugging Face configuration, and `architecture` shows what it
describes, layer by layer; `mixture` splits a mixture of experts into gateways and experts; `pipeedge`
and `pipedream` are measured tables; `from_arrays` and `from_csv` take your own.
"""

from __future__ import annotations

from inspect import signature
from typing import Any

from .._core.model import AttentionShape, BlockShape, Layer, LayerProfile, MlpShape
from ..core.checks import known_keywords
from ..core.keywords import tell_of_slips as _tell_of_slips
from .config import ELEMENT_BYTES, Config, available
from .described import architecture, describe
from .experts import Mixture, MixtureLayer
from .families import Decoder, EncoderDecoder, VisionTower
from .gateways import mixture
from .measured import Measured, pipedream, pipeedge, read_pipedream, read_pipeedge
from .profile import Profile
from .tables import from_arrays, from_csv
from .text import Generation, decoder, disaggregated, generation
from .vision import IMAGE_SIZES_PX, image_bytes, vit

__all__ = [
    "ELEMENT_BYTES",
    "IMAGE_SIZES_PX",
    "AttentionShape",
    "BlockShape",
    "Decoder",
    "EncoderDecoder",
    "Generation",
    "Layer",
    "LayerProfile",
    "Measured",
    "Mixture",
    "MixtureLayer",
    "MlpShape",
    "Profile",
    "VisionTower",
    "architecture",
    "available",
    "decoder",
    "disaggregated",
    "from_arrays",
    "from_config",
    "from_csv",
    "generation",
    "image_bytes",
    "mixture",
    "pipedream",
    "pipeedge",
    "read_pipedream",
    "read_pipeedge",
    "vit",
]


def from_config(config: Config, **options: Any) -> Profile:
    """Profile from a Hugging Face configuration: `vit` or `decoder`, by its ``model_type``.

    Parameters
    ----------
    config : str, path, mapping or object with ``to_dict``
        A shipped name, a ``config.json`` or its folder, its content, or a configuration of transformers.
    **options
        As for `vit` or `decoder`.

    Returns
    -------
    Profile

    Raises
    ------
    TypeError, ValueError
        As for those; and for a configuration that nests anything but a text model by itself, of which
        `decoder` and `vit` take their own.

    Examples
    --------
    >>> from constellm import model
    >>> len(model.from_config("vit-large/16", image_px=224, batch=8))
    24
    """
    family = describe(config).family
    door = vit if family.vision else decoder
    known_keywords(f"from_config() of {family.model_type}", options, list(signature(door).parameters)[1:])
    return door(config, **options)


_tell_of_slips(__name__)
