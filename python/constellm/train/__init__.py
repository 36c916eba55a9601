"""Training with PyTorch, and users' own PyTorch models: needs ``pip install 'constellm[train]'``.

`fit` trains the project's vision transformer, `fit_masks` and `fit_bottlenecks` what sits at its cuts,
`CutTrainer` makes codecs for the cuts of a plan (`constellm.codesign.alternate`); `TorchModel` splits and
profiles any module that has a sequence of blocks. PyTorch is imported when the first of these names is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .._moved import old_modules
from ..core.deprecation import moved_names
from ..core.keywords import with_hints
from ..core.optional import optional_import

if TYPE_CHECKING:
    from .at_cuts import AtCut, CutRecipe, fit_at_cuts
    from .bottleneck import fit_bottlenecks
    from .cut_trainer import CutTrainer
    from .export import load, save
    from .masks import fit_masks
    from .segment import Segment, Side
    from .torch_model import TorchModel
    from .training import Recipe, Trained, fit, predict
    from .vit import Vit, VitShape

_HOMES = {
    "AtCut": "at_cuts",
    "CutRecipe": "at_cuts",
    "CutTrainer": "cut_trainer",
    "fit_at_cuts": "at_cuts",
    "fit_bottlenecks": "bottleneck",
    "fit_masks": "masks",
    "load": "export",
    "save": "export",
    "Recipe": "training",
    "Trained": "training",
    "fit": "training",
    "predict": "training",
    "Segment": "segment",
    "Side": "segment",
    "TorchModel": "torch_model",
    "Vit": "vit",
    "VitShape": "vit",
}

__all__ = [
    "AtCut",
    "CutRecipe",
    "CutTrainer",
    "Recipe",
    "Segment",
    "Side",
    "TorchModel",
    "Trained",
    "Vit",
    "VitShape",
    "fit",
    "fit_at_cuts",
    "fit_bottlenecks",
    "fit_masks",
    "load",
    "predict",
    "save",
]


_moved = moved_names(
    __name__,
    {name: f"constellm.codesign.{name}" for name in ("JointResult", "Order", "alternate")},
    stacklevel=3,
)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        return _moved(name)
    for needed in ("torch", "safetensors") if _HOMES[name] == "export" else ("torch",):
        optional_import(needed, extra="train", purpose=f"{__name__}.{name} needs {needed}")
    home = importlib.import_module(f".{_HOMES[name]}", __name__)
    value = globals()[name] = with_hints(getattr(home, name))
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])


old_modules(__name__)
