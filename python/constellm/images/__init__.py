"""Labelled Earth-observation images: EuroSAT from a folder or zip, a small shipped part, a synthetic set."""

from ..core.keywords import tell_of_slips as _tell_of_slips
from .eurosat import load, sample
from .image_set import ImageSet, standardise
from .synthetic import synthetic

__all__ = ["ImageSet", "load", "sample", "standardise", "synthetic"]

_tell_of_slips(__name__)
