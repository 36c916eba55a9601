"""Architectures by ``model_type``: each knows the fields that its class reads and the blocks they make."""

from __future__ import annotations

from . import bundled, classic, grouped, latent, mixtures, swin, switch, vision
from .family import Decoder, EncoderDecoder, Family, Image, VisionTower

__all__ = ["FAMILIES", "Decoder", "EncoderDecoder", "Family", "Image", "VisionTower"]

FAMILIES: dict[str, Family] = {
    family.model_type: family
    for room in (classic, grouped, mixtures, latent, bundled, switch, vision, swin)
    for family in room.FAMILIES
}
