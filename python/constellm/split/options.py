"""The solver's options in one table, which validation, documentation and the command line read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..core.checks import hint_for, real, short


@dataclass(frozen=True)
class Option:
    """One option: its default, what it may be, and what it does."""

    name: str
    default: Any
    allowed: str
    doc: str

    def check(self, value: Any) -> Any:
        """`value` as the core takes it; ValueError or TypeError otherwise."""
        if isinstance(self.default, bool):
            if not isinstance(value, bool):
                raise TypeError(f"{self.name}: expected {self.allowed}, got {short(value)}")
            return value
        return real(self.name, value, least=0)


TIME_LIMIT = Option(
    "time_limit_s", math.inf, "[0, inf] s", "stop after this time, with the best plan and a true bound"
)
OPTIONS = (
    TIME_LIMIT,
    Option(
        "intervals", True, "True or False", "branch on intervals of the bottleneck; else one run of labels"
    ),
    Option("heuristic", True, "True or False", "order and prune labels by what they still cost at least"),
    Option("dominance", True, "True or False", "drop labels that another one makes superfluous"),
    Option("resource_bound", True, "True or False", "drop labels that cannot keep error and energy limits"),
    Option("unroll", True, "True or False", "search over unrolled routes where few; else remember visits"),
)
"""Every option of `solve`: `name`, `default`, what is `allowed`, and what it does (`doc`)."""

_KNOWN = {option.name: option for option in OPTIONS}
_DEFAULTS = {option.name: option.default for option in OPTIONS}


def check_options(options: dict[str, Any], *, more: Sequence[str] = ()) -> dict[str, Any]:
    """Every option with its value; an unknown name raises TypeError, whose hint knows `more` names."""
    checked = dict(_DEFAULTS)
    for name, value in options.items():
        if name not in _KNOWN:
            free = [known for known in (*more, *_KNOWN) if known not in options]
            raise TypeError(f"unknown option {name!r}{hint_for(name, free)}")
        checked[name] = _KNOWN[name].check(value)
    return checked


def options_markdown() -> str:
    """The table as it stands in ``docs/exact-search.md``."""
    rows = ["| option | default | allowed | what it does |", "| --- | --- | --- | --- |"]
    rows += [f"| `{o.name}` | {o.default} | {o.allowed} | {o.doc} |" for o in OPTIONS]
    return "\n".join(rows) + "\n"
