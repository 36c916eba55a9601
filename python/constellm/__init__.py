"""constellm: plan, prove and compare large-model inference over satellite constellations.

Describe a model (`constellm.model`), a network (`constellm.network`), the codecs between them
(`constellm.codec`) and limits; `constellm.split` finds the provably best split, compression and placement.
`constellm.paper` has published scenarios ready, `constellm.plot` the pictures.

With real activations: `constellm.images` are labelled images, `constellm.infer` executes a trained model cut
at any block, `constellm.train` trains one, what sits at its cuts, and takes your own PyTorch modules apart;
`constellm.codesign` makes partition and codecs for each other.
"""

from __future__ import annotations

from . import codec, codesign, images, infer, model, network, paper, plot, split, sweep, train
from . import run as run  # the old name of `infer`, until the next version
from .core import __version__, build_info

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


def _show_compiled_classes_as_imported() -> None:
    """A class of the compiled part shows, and pickles, under the name by which users import it."""
    for area in (codec, model, network, split):
        for name in area.__all__:
            found = getattr(area, name)
            if isinstance(found, type) and found.__module__.startswith("constellm._core."):
                found.__module__ = area.__name__


_show_compiled_classes_as_imported()

from . import _moved as _moved  # noqa: E402  (when all areas are there)
