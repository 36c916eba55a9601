"""A misspelt keyword of a public Python function or class names the one that was meant."""

from __future__ import annotations

import sys
from functools import wraps
from inspect import CO_VARKEYWORDS, Parameter, signature, unwrap
from types import FunctionType
from typing import Any, TypeVar, cast

from .checks import known_keywords

_T = TypeVar("_T")

_BY_NAME = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
_MARK = "_tells_of_slips"  # copied by `functools.wraps`, so a wrapper of what tells of slips is left alone


def tell_of_slips(area: str) -> None:
    """Let what a package lists in ``__all__`` answer an unknown keyword with the one that was meant.

    Functions are replaced where they are listed and where they are defined, so that they pickle; classes stay
    the same objects. What takes any keyword checks it by itself, as compiled records do, or is called
    `with_hints` below the layer that takes them.

    Parameters
    ----------
    area
        The package, its ``__name__``.
    """
    listed = vars(sys.modules[area])
    for name in listed["__all__"]:
        if name in listed:  # and is not imported when it is first asked for
            listed[name] = with_hints(listed[name])


def with_hints(public: _T) -> _T:
    """A function or class that tells of slips; anything else as it is."""
    if isinstance(public, FunctionType):
        told: Any = _telling(public, public.__name__)
        setattr(sys.modules[public.__module__], public.__name__, told)
        return cast(_T, told)
    if isinstance(public, type) and not getattr(public, "_is_protocol", False):
        for method in ("__new__", "__init__"):
            made = vars(public).get(method)
            function = getattr(made, "__func__", made)  # a `__new__` is a static method
            if isinstance(function, FunctionType):
                told = _telling(function, public.__name__)
                setattr(public, method, staticmethod(told) if method == "__new__" else told)
    return public


def _telling(function: Any, call: str) -> Any:
    if hasattr(function, _MARK) or unwrap(function).__code__.co_flags & CO_VARKEYWORDS:
        return function

    @wraps(function)
    def told(*arguments: Any, **keywords: Any) -> Any:
        try:  # nothing is looked at before a call fails, so that hot functions stay hot
            return function(*arguments, **keywords)
        except TypeError:
            parameters = signature(function).parameters.values()
            names = {p.name: i for i, p in enumerate(parameters) if p.kind in _BY_NAME}
            if keywords.keys() <= names.keys():
                raise
        # Those that stand in their places are given already.
        free = [name for name, place in names.items() if place >= len(arguments) or name in keywords]
        known_keywords(f"{call}()", keywords, free)

    setattr(told, _MARK, True)
    return told
