"""Names that moved: for one version the old one still works, with a warning that tells the new one."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable, Mapping
from importlib.machinery import ModuleSpec
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


def moved_modules(package: str, modules: Mapping[str, str], names: Mapping[str, str]) -> None:
    """Let modules that moved be imported under their old names; a name taken from one warns.

    Parameters
    ----------
    package
        What all the names lie in.
    modules
        Old module to the one that has its names now, parents first.
    names
        Old place of a name to its new one, where that is another than the rule says.
    """
    for old, new in modules.items():
        module = ModuleType(f"{package}.{old}", f"The old name of `{package}.{new}`, for this version.")
        module.__spec__ = ModuleSpec(module.__name__, None)
        module.__path__ = []
        module.__getattr__ = _finder(package, old, new, names)  # type: ignore[method-assign]
        sys.modules[module.__name__] = module
        parent, _, name = module.__name__.rpartition(".")
        holder = vars(sys.modules[parent])
        if name not in holder and name not in holder.get("__all__", ()):  # where a function has the name
            setattr(sys.modules[parent], name, module)


def _finder(package: str, old: str, new: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    def find(name: str) -> Any:
        place = f"{package}.{names.get(f'{old}.{name}', f'{new}.{name}')}"
        home, _, attribute = place.rpartition(".")
        try:
            if name.startswith("_"):
                raise AttributeError
            found = getattr(importlib.import_module(home), attribute)
        except AttributeError:
            raise AttributeError(f"module '{package}.{old}' has no attribute {name!r}") from None
        warn_moved(f"{package}.{old}.{name}", _as_listed(place))
        return found

    return find


def _as_listed(place: str) -> str:
    """A name where the outermost package lists it that does."""
    home, _, name = place.rpartition(".")
    parents = home.split(".")
    for depth in range(2, len(parents)):
        outer = ".".join(parents[:depth])
        if name in getattr(sys.modules[outer], "__all__", ()):
            return f"{outer}.{name}"
    return place


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
