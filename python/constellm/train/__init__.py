"""Training with PyTorch, and users' own PyTorch models: needs ``pip install 'constellm[train]'``.

`fit` trains the project's vision transformer; `TorchModel` splits and profiles any module that has a
sequence of blocks. PyTorch is imported when the first of these names is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .export import load, save
    from .torch_model import Segment, Side, TorchModel
    from .training import Recipe, Trained, fit, predict
    from .vit import Vit, VitShape

_HOMES = {
    "load": "export",
    "save": "export",
    "Recipe": "training",
    "Trained": "training",
    "fit": "training",
    "predict": "training",
    "Segment": "torch_model",
    "Side": "torch_model",
    "TorchModel": "torch_model",
    "Vit": "vit",
    "VitShape": "vit",
}

__all__ = [
    "Recipe",
    "Segment",
    "Side",
    "TorchModel",
    "Trained",
    "Vit",
    "VitShape",
    "fit",
    "load",
    "predict",
    "save",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        import torch  # noqa: F401
    except ImportError:
        raise ImportError(f"{__name__}.{name} needs PyTorch: pip install 'constellm[train]'") from None
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
