"""constellm: plan, prove and compare large-model inference over satellite constellations.

Describe a model (`constellm.model`), a network (`constellm.network`), the codecs between them
(`constellm.codec`) and limits; `constellm.split` finds the provably best split, compression and placement.
`constellm.paper` has published scenarios ready, `constellm.plot` the pictures.

With real activations: `constellm.images` are labelled images, `constellm.infer` executes a trained model cut
at any block, `constellm.train` trains one, what sits at its cuts, and takes your own PyTorch modules apart;
`constellm.codesign` makes partition and codecs for each other.
"""

from __future__ import annotations

from . import codec, codesign, images, infer, model, network, paper, plot, split, train
from . import run as run  # the old name of `infer`, until the next version
from .core import __version__, build_info
from .sweep import sweep

__all__ = [
    "__version__",
    "build_info",
    "codec",
    "codesign",
    "images",
    "infer",
    "model",
    "network",
    "paper",
    "plot",
    "split",
    "sweep",
    "train",
]
