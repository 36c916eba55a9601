"""What a constellation is made of: satellites, stations, rules and computers as they are given, checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any, Union

import numpy as np
from numpy.typing import NDArray

from .._core.orbit import LinkRule, Shell, Station
from ..core.checks import hint_for, positive, short
from ..network import Device, Node
from .element_sets import ElementSets
from .link_rules import EVERY_SHELL

if TYPE_CHECKING:
    from .constellation import Constellation

MOST_SATELLITES = 100_000
"""Of a constellation, as of a shell: more are a slip, and their states would fill the memory."""

_FIGURES = tuple(field.name for field in Node.fields if field.name not in ("id", "group"))
_MOST_INSTANTS = 10_000_000

Part = Union[Shell, ElementSets]
Computer = Union[Device, Mapping[str, Any]]


def instant_s(world: Constellation, field: str, t: Any) -> float:
    """One instant as seconds of a constellation."""
    time_s = world.seconds(t)
    if time_s.ndim:
        raise ValueError(f"{field}: expected one instant, got shape {time_s.shape}")
    return float(time_s)


def instants(start_s: float, stop_s: float, step_s: float) -> NDArray[np.float64]:
    """Times from the start on, a step apart, the stop not included.

    Raises
    ------
    ValueError
        If the step is not above 0, the stop not after the start, or there are more than 10 million.
    """
    step_s = positive("step", step_s)
    if not stop_s > start_s:
        raise ValueError(f"stop: {stop_s:g} is not after the start, {start_s:g}")
    steps = (stop_s - start_s) / step_s
    if not steps <= _MOST_INSTANTS:
        raise ValueError(
            f"step: {step_s:g} from {start_s:g} to {stop_s:g} makes more than {_MOST_INSTANTS} instants"
        )
    # A stop that is a whole number of steps away but for rounding is not included either.
    number = max(int(np.ceil(steps * (1.0 - 1e-12))), 1)
    return start_s + step_s * np.arange(number, dtype=np.float64)


def several(field: str, given: Any, kinds: tuple[type, ...], wanted: str) -> tuple[Any, ...]:
    """One value of these kinds, or several in order."""
    if isinstance(given, kinds):
        return (given,)
    if isinstance(given, (str, bytes, Mapping, Set)) or not isinstance(given, Iterable):
        raise TypeError(f"{field}: expected {wanted}, or a sequence of them, got {short(given)}")
    values = tuple(given)
    for i, value in enumerate(values):
        if not isinstance(value, kinds):
            raise TypeError(f"{field}[{i}]: expected {wanted}, got {short(value)}")
    return values


def check_ids(parts: Sequence[Part], stations: Sequence[Station]) -> None:
    satellites = sum(part.satellites if isinstance(part, Shell) else len(part) for part in parts)
    if not 1 <= satellites <= MOST_SATELLITES:
        raise ValueError(f"satellites: {satellites} of them are not in [1, {MOST_SATELLITES}]")
    seen: dict[str, str] = {}
    for where, ids in (
        *((f"satellites[{i}]", part.ids) for i, part in enumerate(parts)),
        *((f"stations[{i}]", (one.id,)) for i, one in enumerate(stations)),
    ):
        for id in ids:
            if id in seen:
                raise ValueError(f"{where}: id {short(id)} is of {seen[id]} already")
            seen[id] = where


def rules_of(rules: Sequence[LinkRule], shells: Sequence[str]) -> tuple[LinkRule, ...]:
    """With those for every shell spelt out, and all shells known."""
    found: list[LinkRule] = []
    for i, rule in enumerate(rules):
        if rule.shell is None or rule.shell in shells:
            found.append(rule)
        elif rule.shell == EVERY_SHELL and shells:
            found += [rule.replace(shell=shell) for shell in shells]
        else:
            known = hint_for(rule.shell, shells) if shells else ": there is none"
            raise ValueError(f"links[{i}].shell: no shell has the name {short(rule.shell)}{known}")
    return tuple(found)


def figures_by_key(computers: Any, known: Set[str]) -> dict[str, dict[str, Any]]:
    """Figures of nodes by what they are for, each tried once."""
    if computers is None or computers == {}:
        return {}
    if isinstance(computers, Device) or (isinstance(computers, Mapping) and set(computers) <= set(_FIGURES)):
        computers = {EVERY_SHELL: computers}
    if not isinstance(computers, Mapping):
        raise TypeError(f"computers: expected a Device or a mapping, got {short(computers)}")
    found: dict[str, dict[str, Any]] = {}
    for key, figures in computers.items():
        if key not in known:
            raise ValueError(f"computers: {short(key)} is no id, no name of a shell and not '*'")
        if isinstance(figures, Device):
            figures = {name: getattr(figures, name) for name in ("flop_per_s", "memory_bytes", "power_w")}
        if not isinstance(figures, Mapping):
            raise TypeError(f"computers[{key!r}]: expected a Device or a mapping, got {short(figures)}")
        for name in figures:
            if name not in _FIGURES:
                raise ValueError(
                    f"computers[{key!r}]: unknown field {short(name)}{hint_for(str(name), _FIGURES)}"
                )
        try:
            node_of("x", None, {key: dict(figures)}, (key,))
        except (TypeError, ValueError) as error:
            raise type(error)(f"computers[{key!r}]: {error}") from None
        found[key] = dict(figures)
    return found


def node_of(
    id: str, group: str | None, computers: Mapping[str, Mapping[str, Any]], keys: Sequence[str]
) -> Node:
    """With the figures of its id, or of the first of the keys that has some."""
    figures = next((computers[key] for key in (id, *keys) if key in computers), {})
    return Node(**{"id": id, "group": group, "flop_per_s": 0.0, "memory_bytes": 0.0, **figures})
