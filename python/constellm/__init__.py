"""constellm: plan, prove and compare large-model inference over satellite constellations.

Describe a model (`constellm.model`), a network (`constellm.network`), the codecs between them
(`constellm.codec`) and limits; `constellm.split` finds the provably best split, compression and placement.
`constellm.orbit` moves satellites, `constellm.moe` places the experts of a model over them, `constellm.flow`
finds how soon data is where it is wanted, `constellm.services` places the components that large models share,
`constellm.tune` says what federated fine-tuning takes over it all.
`constellm.paper` has published scenarios ready, `constellm.plot` the pictures.

With real activations: `constellm.images` are labelled images, `constellm.infer` executes a trained model cut
at any block, `constellm.train` trains one, what sits at its cuts, and takes your own PyTorch modules apart;
`constellm.codesign` makes partition and codecs for each other.

What not every planner needs is imported when it is first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import _moved as _moved
from . import codec, flow, model, moe, network, orbit, split, sweep
from .core import __version__, build_info
from .core.display import attach, record_display

if TYPE_CHECKING:
    from . import codesign, images, infer, paper, plot, services, train, tune
    from . import run as run

# `run` is the old name of `infer`, until the next version.
_WHEN_ASKED_FOR = ("codesign", "images", "infer", "paper", "plot", "run", "services", "train", "tune")

__all__ = [
    "__version__",
    "build_info",
    "codec",
    "codesign",
    "flow",
    "images",
    "infer",
    "model",
    "moe",
    "network",
    "orbit",
    "paper",
    "plot",
    "services",
    "split",
    "sweep",
    "train",
    "tune",
]


def _show_compiled_classes_as_imported() -> None:
    """A class of the compiled part shows, and pickles, under the name by which users import it.

    A record without a display of its own shows its fields.
    """
    for area in (codec, model, network, orbit, split):
        for name in area.__all__:
            found = getattr(area, name)
            if isinstance(found, type) and found.__module__.startswith("constellm._core."):
                found.__module__ = area.__name__
                if hasattr(found, "fields") and not hasattr(found, "summary"):
                    attach(found, record_display)


def __getattr__(name: str) -> Any:
    if name not in _WHEN_ASKED_FOR:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f".{name}", __name__)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


_show_compiled_classes_as_imported()
