"""Names that moved: for one version the old one still works, with a warning that tells the new one."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any


def warn_moved(old: str, new: str, *, stacklevel: int = 2) -> None:
    """Warn that `old` is called `new` now; both are what a user writes."""
    warnings.warn(
        f"{old} is deprecated and goes with the next version; it is {new} now",
        DeprecationWarning,
        stacklevel=stacklevel + 1,
    )


def moved_names(module: str, names: Mapping[str, str], *, stacklevel: int = 2) -> Callable[[str], Any]:
    """A module's ``__getattr__`` that finds names which moved away from it.

    Parameters
    ----------
    module
        The old module, its ``__name__``.
    names
        Old name to where it is now, ``"constellm.area.name"``.
    stacklevel
        As of `warnings.warn`: 2 for a ``__getattr__`` itself, 3 for a call out of one.

    Examples
    --------
    ``__getattr__ = moved_names(__name__, {"alternate": "constellm.codesign.alternate"})``
    """

    def find(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warn_moved(f"{module}.{name}", names[name], stacklevel=stacklevel)
        home, _, attribute = names[name].rpartition(".")
        return getattr(importlib.import_module(home), attribute)

    return find


def callable_module(module: str, function: Callable[..., Any], new: str) -> None:
    """Let a module be called as the function that had its name, with a warning that tells the new one.

    Parameters
    ----------
    module
        The module's ``__name__``.
    function
        What a call does.
    new
        The function's name for the user.
    """

    class CallableModule(ModuleType):
        def __call__(self, *arguments: Any, **keywords: Any) -> Any:
            warn_moved(module, new)
            return function(*arguments, **keywords)

    sys.modules[module].__class__ = CallableModule
