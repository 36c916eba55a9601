"""Element sets of satellites, the value that files of them are read into."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..core.checks import instance, short
from ..core.console import for_console
from ..core.display import Display, Displayed
from ..core.epoch import Epoch
from ..core.quantity import counted
from ..core.table import Table

_DTYPES: dict[str, tuple[Any, ...]] = {"integer": (np.integer,), "number": (np.integer, np.floating)}


class Column(NamedTuple):
    """A column of `ElementSets`: what it may hold."""

    name: str
    kind: str
    """``"integer"``, ``"number"``, ``"moment"`` or ``"text"``."""
    wrong: Callable[[np.ndarray], Any]
    """Which of the values are outside."""
    range: str
    """For messages, after "is not"."""


def _between(least: Any, most: Any) -> Callable[[np.ndarray], Any]:
    return lambda values: ~((values >= least) & (values <= most))  # NaN is in no range


def _text(name: str, most: int) -> Column:
    def wrong(values: np.ndarray) -> list[bool]:
        texts = values.tolist()
        return [len(text) > most or not text.isprintable() or text != text.strip() for text in texts]

    return Column(
        name, "text", wrong, f"printable, without blanks at its ends and of {most} characters at most"
    )


def _number(name: str, wrong: Callable[[np.ndarray], Any], allowed: str) -> Column:
    return Column(name, "number", wrong, allowed)


def _integer(name: str, most: int) -> Column:
    return Column(name, "integer", _between(0, most), f"in [0, {most}]")


def _of_any_size(name: str) -> Column:
    return _number(name, lambda values: ~np.isfinite(values), "a finite number")


def _angle(name: str, least: float, most: float) -> Column:
    return _number(name, _between(least, most), f"in [{least:g}, {most:g}]")


COLUMNS = (
    _integer("catalogue_number", 999_999_999),
    _text("name", 80),
    _text("designator", 16),
    Column(
        "classification",
        "text",
        lambda values: [not (len(text) == 1 and "A" <= text <= "Z") for text in values.tolist()],
        "one letter of A to Z",
    ),
    Column(
        "epoch",
        "moment",
        _between(np.datetime64("1957-01-01"), np.datetime64("2199-12-31T23:59:59.999999")),
        "of the years 1957 to 2199",
    ),
    _number("mean_motion_rev_per_day", lambda values: ~((values > 0) & (values <= 20)), "in (0, 20]"),
    _number("eccentricity", lambda values: ~((values >= 0) & (values < 1)), "in [0, 1)"),
    _angle("inclination_deg", 0, 180),
    _angle("raan_deg", -360, 360),
    _angle("argument_of_perigee_deg", -360, 360),
    _angle("mean_anomaly_deg", -360, 360),
    _of_any_size("bstar"),
    _of_any_size("mean_motion_dot"),
    _of_any_size("mean_motion_ddot"),
    _integer("element_set_number", 999_999_999),
    _integer("revolution_number", 999_999_999),
    Column(
        "ephemeris_type",
        "integer",
        lambda values: ~np.isin(values, (0, 2)),
        "0 or 2, which say SGP4: elements of another theory mean other orbits",
    ),
)


@dataclass(frozen=True, eq=False, repr=False, init=False)
class ElementSets(Displayed):
    """Mean elements of satellites for SGP4, one set each, as columns; immutable.

    The elements are those that TLE and OMM files carry: of SGP4's theory, with the constants of WGS-72, in
    the frame TEME at the epoch. Every column is a read-only array of shape (satellites,); one value stands
    for as many as there are satellites.

    Parameters
    ----------
    catalogue_number : array_like of int
        Of the US Space Force, in [0, 999,999,999]; no two alike.
    epoch : Epoch, str, datetime or numpy.datetime64, or array_like of them
        Moment of the elements, of the years 1957 to 2199; ``datetime64[us]`` as a column.
    mean_motion_rev_per_day : array_like
        Revolutions a day in (0, 20], as Kozai defined them.
    eccentricity : array_like
        In [0, 1).
    inclination_deg : array_like
        In [0, 180].
    raan_deg, argument_of_perigee_deg, mean_anomaly_deg : array_like
        In [-360, 360]. RAAN is the right ascension of the ascending node.
    bstar : array_like
        Drag term of SGP4 [1/earth radius].
    name, designator : array_like of str
        What the satellite is called, and its international designator (``1998-067A``); may be empty.
    classification : array_like of str
        One letter, ``U`` for unclassified.
    mean_motion_dot, mean_motion_ddot : array_like
        As files carry them: half the first derivative of the mean motion [rev/day²] and a sixth of the
        second [rev/day³]. SGP4 uses neither.
    element_set_number, revolution_number : array_like of int
        In [0, 999,999,999]; revolutions at the epoch.
    ephemeris_type : array_like of int
        0 or 2. Sets of another theory, as 4 for SGP4-XP, are refused.

    Raises
    ------
    TypeError, ValueError
        If a type, length or value is wrong or a catalogue number stands twice; names the column, the place,
        the value and the range.

    Examples
    --------
    >>> from constellm import orbit
    >>> sets = orbit.ElementSets(
    ...     [25544], name="ISS (ZARYA)", epoch="2024-01-13T00:00:00Z", mean_motion_rev_per_day=15.4956,
    ...     eccentricity=0.00063, inclination_deg=51.64, raan_deg=208.9163, argument_of_perigee_deg=69.9,
    ...     mean_anomaly_deg=290.3, bstar=1.027e-4)
    >>> sets
    ElementSets(1 satellite, epoch 2024-01-13T00:00:00Z)
    >>> sets.ids, sets.inclination_deg
    (('25544',), array([51.64]))
    """

    catalogue_number: np.ndarray
    name: np.ndarray
    designator: np.ndarray
    classification: np.ndarray
    epoch: np.ndarray
    mean_motion_rev_per_day: np.ndarray
    eccentricity: np.ndarray
    inclination_deg: np.ndarray
    raan_deg: np.ndarray
    argument_of_perigee_deg: np.ndarray
    mean_anomaly_deg: np.ndarray
    bstar: np.ndarray
    mean_motion_dot: np.ndarray
    mean_motion_ddot: np.ndarray
    element_set_number: np.ndarray
    revolution_number: np.ndarray
    ephemeris_type: np.ndarray

    def __init__(
        self,
        catalogue_number: Any,
        *,
        epoch: Any,
        mean_motion_rev_per_day: Any,
        eccentricity: Any,
        inclination_deg: Any,
        raan_deg: Any,
        argument_of_perigee_deg: Any,
        mean_anomaly_deg: Any,
        bstar: Any = 0.0,
        name: Any = "",
        designator: Any = "",
        classification: Any = "U",
        mean_motion_dot: Any = 0.0,
        mean_motion_ddot: Any = 0.0,
        element_set_number: Any = 0,
        revolution_number: Any = 0,
        ephemeris_type: Any = 0,
    ) -> None:
        given = locals()
        satellites = np.size(catalogue_number)
        for column in COLUMNS:
            values = _as_column(column, given[column.name], satellites)
            wrong = first_wrong(column, values)
            if wrong is not None:
                raise ValueError(f"{column.name}[{wrong}]: {shown(values[wrong])} is not {column.range}")
            object.__setattr__(self, column.name, values)
        twice = first_repeated(self.catalogue_number)
        if twice:
            first, again = twice
            number = self.catalogue_number[again]
            raise ValueError(f"catalogue_number[{again}]: {number} is catalogue_number[{first}] already")

    @classmethod
    def of_mean_elements(
        cls,
        *,
        epoch: Any,
        mean_motion_rev_per_day: Any,
        eccentricity: Any,
        inclination_deg: Any,
        raan_deg: Any,
        argument_of_perigee_deg: Any,
        mean_anomaly_deg: Any,
    ) -> ElementSets:
        """Mean elements of a design, as of a Walker shell, without drag; numbered from 0.

        Each is an array of shape (satellites,) or one value for all; see `ElementSets` for ranges and errors.
        """
        given = {name: value for name, value in locals().items() if name != "cls"}
        satellites = max((np.size(value) for value in given.values() if np.ndim(value)), default=1)
        return cls._of({"catalogue_number": np.arange(satellites), **given})

    @classmethod
    def concatenate(cls, parts: Iterable[ElementSets]) -> ElementSets:
        """All sets of `parts` in their order; ValueError where two are of the same satellite."""
        parts = [instance(f"parts[{i}]", part, ElementSets) for i, part in enumerate(parts)]
        if not parts:
            raise ValueError("parts: expected at least one collection of element sets")
        return cls._of(
            {
                column.name: np.concatenate([getattr(part, column.name) for part in parts])
                for column in COLUMNS
            }
        )

    @classmethod
    def _of(cls, columns: Mapping[str, Any]) -> ElementSets:
        return cls(**columns)

    @property
    def ids(self) -> tuple[str, ...]:
        """Catalogue numbers as text, by which files of constellations call the satellites."""
        return tuple(map(str, self.catalogue_number.tolist()))

    def __len__(self) -> int:
        return len(self.catalogue_number)

    def __getitem__(self, places: Any) -> ElementSets:
        """The sets at `places`: an integer (one set), a slice, or an array of integers or booleans."""
        if isinstance(places, (int, np.integer)) and not isinstance(places, bool):
            if not -len(self) <= places < len(self):  # which also ends a loop over the sets
                raise IndexError(f"place {places} is not in [{-len(self)}, {len(self) - 1}]")
            places = [places]
        return self._of({column.name: getattr(self, column.name)[places] for column in COLUMNS})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ElementSets):
            return NotImplemented
        return all(np.array_equal(getattr(self, c.name), getattr(other, c.name)) for c in COLUMNS)

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        # Through the constructor, so that a copy from another process is as read-only as the original.
        return ElementSets._of, ({column.name: getattr(self, column.name) for column in COLUMNS},)

    def __repr__(self) -> str:
        return f"ElementSets({self._size()})"

    def _size(self) -> str:
        count = counted(len(self), "satellite")
        if not len(self):
            return count
        first, last = _to_the_second(np.array([self.epoch.min(), self.epoch.max()]))
        return f"{count}, epoch {first}" if first == last else f"{count}, epochs {first} to {last}"

    def _display(self) -> Display:
        angles = ("inclination_deg", "raan_deg", "argument_of_perigee_deg", "mean_anomaly_deg")
        rows = zip(
            self.ids,
            self.name.tolist(),
            _to_the_second(self.epoch),
            (f"{value:.5f}" for value in self.mean_motion_rev_per_day.tolist()),
            (f"{value:.6f}" for value in self.eccentricity.tolist()),
            *([f"{value:.3f} °" for value in getattr(self, angle).tolist()] for angle in angles),
        )
        heads = ("catalogue number", "name", "epoch", "rev/day", "eccentricity", *angles)
        return Display([for_console(f"ElementSets: {self._size()}")], [Table(heads, tuple(rows))])


def first_wrong(column: Column, values: np.ndarray) -> int | None:
    """The first place at which a value is outside of the column's range."""
    wrong = np.flatnonzero(column.wrong(values))
    return int(wrong[0]) if wrong.size else None


def first_repeated(numbers: np.ndarray) -> tuple[int, int] | None:
    """Of the first number that stood before: where it stood first, and where it stands again."""
    _, first, group = np.unique(numbers, return_index=True, return_inverse=True)
    again = np.flatnonzero(first[group] != np.arange(len(numbers)))
    return (int(first[group[again[0]]]), int(again[0])) if again.size else None


def _as_column(column: Column, values: Any, satellites: int) -> np.ndarray:
    # As objects, or numpy would make texts of numbers among them.
    array = np.asarray(values, dtype=object if column.kind == "text" else None)
    if column.kind == "moment":
        array = _moments(column.name, values)
    elif column.kind == "text":
        texts = array.ravel().tolist()
        for i, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(f"{column.name}[{i}]: expected text, got {short(text)}")
        array = np.array(texts, dtype=np.str_).reshape(array.shape)
    elif array.size and not any(np.issubdtype(array.dtype, kind) for kind in _DTYPES[column.kind]):
        article = "an" if column.kind == "integer" else "a"
        raise TypeError(
            f"{column.name}: expected {article} {column.kind} or an array of them, got {short(values)}"
        )
    else:
        array = _exactly(column, array)
    if array.shape not in ((), (satellites,)):
        raise ValueError(
            f"{column.name}: expected one value or shape ({satellites},), as catalogue_number has, "
            f"got shape {array.shape}"
        )
    own = np.array(np.broadcast_to(array, (satellites,)))
    own.setflags(write=False)
    return own.view()  # whose own writing cannot be switched on again


def _exactly(column: Column, array: np.ndarray) -> np.ndarray:
    if column.kind == "number":
        return array.astype(np.float64)
    if array.dtype == np.uint64 and array.size and array.max() > np.iinfo(np.int64).max:
        raise ValueError(f"{column.name}: {array.max()} is not {column.range}")
    return array.astype(np.int64)


def _moments(name: str, values: Any) -> np.ndarray:
    """As ``datetime64[us]``, each by `Epoch`, so that all forms and roundings are its."""
    array = np.asarray(values)
    if array.dtype == np.dtype("datetime64[us]") and not np.isnat(array).any():
        return array
    array = array if array.dtype.kind == "M" else np.asarray(values, dtype=object)
    found = np.empty(array.shape, dtype="datetime64[us]")
    for place in np.ndindex(array.shape):
        try:
            found[place] = Epoch(array[place]).to_datetime64()
        except (TypeError, ValueError) as error:
            where = f"{name}[{place[0]}]" if place else name
            raise type(error)(f"{where}: {str(error).removeprefix('epoch: ')}") from None
    return found


def _to_the_second(moments: np.ndarray) -> list[str]:
    return [f"{text}Z" for text in np.datetime_as_string(moments, unit="s").tolist()]


def shown(value: Any) -> str:
    """A value of a column, for messages."""
    return f"{value}Z" if isinstance(value, np.datetime64) else short(value.item())
