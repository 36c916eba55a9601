"""The learned compressors that ship with the network."""

from __future__ import annotations

from pathlib import Path

from ..codec.learned import Learned, load_learned

_SHIPPED = Path(__file__).parent / "data" / "vit-eurosat-learned.safetensors"


def learned_compressors() -> dict[str, dict[int, Learned]]:
    """What was trained for the cuts of ``vit-eurosat``, made by ``tools/train_masks.py``.

    Returns
    -------
    dict of str to dict of int to Masked or Bottleneck
        By name, then by boundary, as `infer` and `measure` take them: ``mask-<share>``, a mask for every
        boundary that keeps this share of the features; ``mask-shared-<share>``, one for all boundaries;
        ``bottleneck-<rank>``, so many numbers a token.

    Raises
    ------
    ImportError
        If safetensors is absent.
    """
    return load_learned(_SHIPPED)
