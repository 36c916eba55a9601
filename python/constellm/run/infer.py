"""Results of inference that were pickled under their old name."""

from __future__ import annotations

from ..core.deprecation import moved_names

__getattr__ = moved_names(
    __name__,
    {"Crossing": "constellm.infer.Crossing", "Inference": "constellm.infer.Inference"},
)
