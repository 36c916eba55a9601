"""The arguments that `alternate` had before 0.2: for one version they still work, with a warning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import Any, TypeVar, cast

from ..core.deprecation import warn_moved
from ..images import ImageSet
from .campaign import Campaign, Images, Measuring

Function = TypeVar("Function", bound=Callable[..., Any])

_GROUPS: dict[str, tuple[type, dict[str, str]]] = {
    "images": (Images, {name: name for name in ("training", "calibration", "test")}),
    "campaign": (Campaign, {field.name: field.name for field in fields(Campaign)}),
    "measuring": (Measuring, {"measure": "measure", "measured": "known"}),
}
"""New keyword → its type, and old keyword → field of that type."""


def with_old_arguments(function: Function) -> Function:
    """`function`, which takes values in groups, called with the single values that it took before too."""

    @wraps(function)
    def called(*given: Any, **keywords: Any) -> Any:
        if len(given) > 3 or (len(given) == 3 and isinstance(given[2], ImageSet)):
            keywords = {**dict(zip(("training", "calibration"), given[2:])), **keywords}
            given = given[:2]
        if any(keywords.keys() & old.keys() for _, old in _GROUPS.values()):
            keywords = _grouped(keywords)
        return function(*given, **keywords)

    return cast(Function, called)


def _grouped(keywords: dict[str, Any]) -> dict[str, Any]:
    new = {name: value for name, value in keywords.items() if not any(name in o for _, o in _GROUPS.values())}
    told_old, told_new = [], []
    for group, (kind, old) in _GROUPS.items():
        values = {old[name]: value for name, value in keywords.items() if name in old}
        if not values:
            continue
        names = [name for name in keywords if name in old]
        if new.get(group) is not None:
            raise TypeError(f"alternate() got an unexpected keyword argument {names[0]!r}")
        new[group] = kind(**values)
        told_old += [f"{name}=…" for name in names]
        told_new.append(f"{group}={kind.__name__}({', '.join(f'{name}=…' for name in values)})")
    warn_moved(f"alternate({', '.join(told_old)})", f"alternate({', '.join(told_new)})", stacklevel=3)
    return new
