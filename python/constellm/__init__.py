"""constellm: plan, prove and compare large-model inference over satellite constellations.

Describe a model (`constellm.model`), a network (`constellm.network`), the codecs between them
(`constellm.codec`) and limits; `constellm.split` finds the provably best split, compression and placement.
`constellm.paper` has published scenarios ready, `constellm.plot` the pictures.

With real activations: `constellm.images` are labelled images, `constellm.run` executes a trained model cut at
any block, `constellm.train` trains one, what sits at its cuts, and takes your own PyTorch modules apart.
"""

from __future__ import annotations

from . import codec, images, model, network, paper, plot, run, split, train
from .core import __version__, build_info
from .sweep import sweep

__all__ = [
    "__version__",
    "build_info",
    "codec",
    "images",
    "model",
    "network",
    "paper",
    "plot",
    "run",
    "split",
    "sweep",
    "train",
]
