"""Fields of a configuration, read as an architecture's own class reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.checks import non_negative, short

#: Each layer becomes a row in memory.
MOST_LAYERS = 100_000


class Fields:
    """Reads the fields of a configuration, with its class's defaults, and names what is wrong.

    A field that is absent has its class's default; one that is null is taken where the class takes it.

    Parameters
    ----------
    values : mapping
        The configuration.
    defaults : mapping
        The class's default of every field that changes a figure.
    architecture : str
        Name of the class, of transformers, whose weights are meant.
    """

    def __init__(self, values: Mapping[str, Any], defaults: Mapping[str, Any], architecture: str) -> None:
        self._values = values
        self._defaults = defaults
        self.architecture = architecture

    def _get(self, name: str) -> Any:
        return self._values[name] if name in self._values else self._defaults[name]

    def given(self, name: str) -> bool:
        """Whether the field has a value that is not null."""
        return self._get(name) is not None

    def optional_count(self, name: str, *, least: int = 0, most: int | None = None) -> int | None:
        """A whole number, or None where the field is null."""
        return None if self._get(name) is None else self.count(name, least=least, most=most)

    def count(self, name: str, *, least: int = 0, most: int | None = None) -> int:
        """A whole number in [least, most]."""
        return _whole(f"config.{name}", self._get(name), least, most)

    def layers(self, name: str) -> int:
        """The number of layers."""
        return self.count(name, least=1, most=MOST_LAYERS)

    def flag(self, name: str) -> bool:
        """A true-or-false field."""
        value = self._get(name)
        if not isinstance(value, bool):
            raise TypeError(f"config.{name}: expected true or false, got {short(value)}")
        return value

    def number(self, name: str) -> float:
        """A number >= 0, whole or not."""
        return non_negative(f"config.{name}", self._get(name))

    def multiple(self, name: str, width: int) -> int:
        """`width` times a number >= 0, cut to a whole number."""
        ratio = self.number(name)
        try:
            return int(width * ratio)
        except OverflowError:
            raise ValueError(f"config.{name}: {ratio} times {short(width)} is no finite number") from None

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """One of `choices`."""
        value = self._get(name)
        if value not in choices:
            raise ValueError(f"config.{name}: {short(value)} is not one of {', '.join(choices)}")
        return str(value)

    def counts(self, name: str, length: int | None = None) -> list[int]:
        """A list of whole numbers, `length` of them; null is an empty list."""
        values = self._list(name, length)
        return [_whole(f"config.{name}[{i}]", value, 0, None) for i, value in enumerate(values)]

    def choices(self, name: str, length: int, choices: tuple[str, ...]) -> list[str]:
        """A list of `length` of `choices`; null is an empty list."""
        values = self._list(name, length)
        for index, value in enumerate(values):
            if value not in choices:
                raise ValueError(f"config.{name}[{index}]: {short(value)} is not one of {', '.join(choices)}")
        return values

    def rows(self, name: str, rows: int, length: int) -> list[list[int]]:
        """`rows` lists of `length` whole numbers >= 1 each."""
        values = self._list(name, rows)
        if not values:
            raise ValueError(f"config.{name}: [] is no list of {rows}, one per layer")
        for index, row in enumerate(values):
            if not isinstance(row, (list, tuple)) or len(row) != length:
                raise ValueError(f"config.{name}[{index}]: {short(row)} is no list of {length}")
        return [
            [_whole(f"config.{name}[{i}][{j}]", value, 1, None) for j, value in enumerate(row)]
            for i, row in enumerate(values)
        ]

    def _list(self, name: str, length: int | None) -> list[Any]:
        values = self._get(name)
        if values is None:
            return []
        if not isinstance(values, (list, tuple)):
            raise TypeError(f"config.{name}: expected a list, got {short(values)}")
        if values and length is not None and len(values) != length:
            raise ValueError(f"config.{name}: {len(values)} values are not {length}, one per layer")
        return list(values)

    def side(self, name: str) -> int | None:
        """Side of a square, from one number or two equal ones; None where the field is null."""
        value = self._get(name)
        if isinstance(value, (list, tuple)):
            if len(value) != 2 or value[0] != value[1]:
                raise ValueError(f"config.{name}: {short(value)} is no square; only squares are counted")
            value = value[0]
        return None if value is None else _whole(f"config.{name}", value, 1, None)

    def label_count(self) -> int:
        """Classes of a classifier: the labels, or their number; the class's default is two."""
        labels = self._values.get("id2label")
        if isinstance(labels, Mapping):
            return len(labels)
        return _whole("config.num_labels", self._values.get("num_labels", 2), 0, None)


def _whole(field: str, value: Any, least: int, most: int | None) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{field}: expected an integer, got {short(value)}")
    if value < least or (most is not None and value > most):
        end = "inf)" if most is None else f"{most}]"
        raise ValueError(f"{field}: {short(value)} is not in [{least}, {end}")
    return value


def share(field: str, parts: int, width: int, *, what: str = "attention heads") -> int:
    """Numbers per attention head, or of another part, where the parts share the width evenly."""
    if width % parts:
        raise ValueError(f"config.{field}: {parts} {what} do not divide the width {width}")
    return width // parts
