"""Delay, error, energy and bytes of a plan, term by term, as `constellm.split.evaluate` says them.

An `Evaluation`, its `StageTerms` and its `HopTerms` have attributes, as the `GenerationTerms` of a generation
have. In this version they still answer as the dictionaries that they were, with a warning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._core.split import Evaluation, GenerationTerms, HopTerms, Plan, Problem, StageTerms
from ..core.deprecation import warn_moved

__all__ = ["Evaluation", "GenerationTerms", "HopTerms", "StageTerms"]


def objective_figure(problem: Problem) -> str:
    """Name of the figure that a problem minimises: ``delay_s`` or ``bottleneck_s``."""
    return "delay_s" if problem.objective == "delay" else "bottleneck_s"


class Counters(dict[str, int]):
    """What the search counted, by name; in this version under the names of 0.1.0 too, with a warning."""

    def __missing__(self, name: str) -> int:
        if name != "peak_open":
            raise KeyError(name)
        warn_moved("counters['peak_open']", "counters['most_open']")
        return self["most_open"]

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name == "peak_open"

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default


_counters: Any = Plan.counters


def _counted(self: Plan) -> dict[str, int]:
    return Counters(_counters.__get__(self))


Plan.counters = property(_counted, doc=_counters.__doc__)  # type: ignore[assignment]

_RECORDS = {"evaluation": Evaluation, "stage": StageTerms, "hop": HopTerms, "terms": GenerationTerms}


def _answer_as_mapping(what: str, record: Any) -> None:
    names = [field.name for field in record.fields]

    def item(self: Any, key: str) -> Any:
        if key not in names:
            raise KeyError(key)
        attribute = "from_" if key == "from" else key
        warn_moved(f"{what}[{key!r}]", f"{what}.{attribute}")
        return getattr(self, attribute)

    def iterate(self: Any) -> Iterator[str]:
        return iter(names)

    def length(self: Any) -> int:
        return len(names)

    record.__getitem__ = item
    record.__iter__ = iterate
    record.__len__ = length
    for name in ("__contains__", "get", "items", "keys", "values"):
        setattr(record, name, getattr(Mapping, name))


for _what, _record in _RECORDS.items():
    _answer_as_mapping(_what, _record)
