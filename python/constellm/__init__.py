"""constellm: plan, prove and compare large-model inference over satellite constellations.

Describe a model (`constellm.model`), a network (`constellm.network`), the codecs between them
(`constellm.codec`) and limits; `constellm.split` finds the provably best split, compression and placement.
`constellm.paper` has published scenarios ready, `constellm.plot` the pictures.
"""

from __future__ import annotations

from . import codec, model, network, paper, plot, split
from .core import __version__, build_info
from .sweep import sweep

__all__ = ["__version__", "build_info", "codec", "model", "network", "paper", "plot", "split", "sweep"]
