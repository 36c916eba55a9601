"""Two-line element sets, with or without a line of the name above.

Columns as CelesTrak describes them, https://celestrak.org/columns/v04n03/; catalogue numbers from 100,000 to
339,999 in Alpha-5, https://www.space-track.org/documentation#tle-alpha5.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any, NamedTuple

from ..core.checks import short
from ..core.epoch import Epoch
from .element_sets import ElementSets
from .gathering import gather

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Of Alpha-5, for 10 to 33: without I and O, which look like digits."""

_DECIMAL = re.compile(r" *([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)) *")
_POWER = re.compile(r"([ +-])([0-9]{5})([ +-])([0-9])")
_EPOCH = re.compile(r"([ 0-9][0-9])([0-9]{3}| [0-9]{2}|  [0-9])\.([0-9]{1,8}) *")
_CATALOGUE = re.compile(r" *[0-9]+|[A-HJ-NP-Z][0-9]{4}")
_DESIGNATOR = re.compile(r"([0-9]{2})([0-9]{3}[A-Z]{1,3})")
_COSPAR = re.compile(r"([0-9]{4})-([0-9]{3}[A-Z]{1,3})")

_COLUMNS_OF_LINE = 69
_DAY_US = 86_400_000_000
_EPOCH_STEP_US = _DAY_US // 10**8
"""The last digit of a line's epoch, exactly."""


def start_of_year_us(year: int) -> int:
    """Microseconds from 1970 to the midnight at which `year` begins."""
    return Epoch(f"{year:04}-01-01").microseconds


def _days_of_year(year: int) -> int:
    return (start_of_year_us(year + 1) - start_of_year_us(year)) // _DAY_US


def _catalogue_number(text: str) -> int:
    if not _CATALOGUE.fullmatch(text):
        raise ValueError("expected a number to 99999, or Alpha-5 from A0000 to Z9999, without I and O")
    if text[0] in _LETTERS:
        return (_LETTERS.index(text[0]) + 10) * 10_000 + int(text[1:])
    return int(text)


def _integer(text: str) -> int:
    digits = text.strip(" ")
    if not digits:
        return 0
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError("expected an integer without a sign")
    return int(digits)


def _decimal(text: str) -> float:
    found = _DECIMAL.fullmatch(text)
    if not found:
        raise ValueError("expected a decimal number")
    return float(found[1])


def _power(text: str) -> float:
    if text.isspace():
        return 0.0
    found = _POWER.fullmatch(text)
    if not found:
        raise ValueError(
            "expected five digits of a fraction and a power of ten, as ' 12345-3' for 0.12345e-3"
        )
    sign, digits, power_sign, power = found.groups()
    return float(f"{sign.strip()}.{digits}e{power_sign.strip()}{power}")


def _fraction(text: str) -> float:
    digits = text.lstrip(" ")
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError("expected seven digits of a fraction, without its point")
    return float(f"0.{digits.zfill(7)}")


def _designator(text: str) -> str:
    text = text.strip(" ")
    found = _DESIGNATOR.fullmatch(text)
    return f"{_year(int(found[1]))}-{found[2]}" if found else text


def _epoch_us(text: str) -> int:
    found = _EPOCH.fullmatch(text)
    if not found:
        raise ValueError(
            "expected two digits of the year, three of the day and its fraction, as 24013.25000000"
        )
    year, day = _year(int(found[1])), int(found[2])
    if not 1 <= day <= _days_of_year(year):
        raise ValueError(f"day {day} is not in [1, {_days_of_year(year)}], those of {year}")
    steps = int(found[3].ljust(8, "0"))
    return start_of_year_us(year) + (day - 1) * _DAY_US + steps * _EPOCH_STEP_US


def _year(two_digits: int) -> int:
    return two_digits + (1900 if two_digits >= 57 else 2000)


class _Field(NamedTuple):
    name: str
    first: int
    last: int
    """Its columns, counted from 1, both of them its own."""
    read: Callable[[str], Any]
    """Its ValueError says what is wrong."""


_LINE_1 = (
    _Field("catalogue_number", 3, 7, _catalogue_number),
    _Field("classification", 8, 8, lambda text: text.strip(" ") or "U"),
    _Field("designator", 10, 17, _designator),
    _Field("epoch", 19, 32, _epoch_us),
    _Field("mean_motion_dot", 34, 43, _decimal),
    _Field("mean_motion_ddot", 45, 52, _power),
    _Field("bstar", 54, 61, _power),
    _Field("ephemeris_type", 63, 63, _integer),
    _Field("element_set_number", 65, 68, _integer),
)
_LINE_2 = (
    _Field("catalogue_number", 3, 7, _catalogue_number),
    _Field("inclination_deg", 9, 16, _decimal),
    _Field("raan_deg", 18, 25, _decimal),
    _Field("eccentricity", 27, 33, _fraction),
    _Field("argument_of_perigee_deg", 35, 42, _decimal),
    _Field("mean_anomaly_deg", 44, 51, _decimal),
    _Field("mean_motion_rev_per_day", 53, 63, _decimal),
    _Field("revolution_number", 64, 68, _integer),
)


class _Line:
    """How one of the two lines is read."""

    def __init__(self, number: str, fields: tuple[_Field, ...]) -> None:
        self.number = number
        self.fields = fields
        self.cells = [(field.name, slice(field.first - 1, field.last), field.read) for field in fields]
        covered = {column for field in fields for column in range(field.first, field.last + 1)}
        self.blanks = sorted(set(range(2, _COLUMNS_OF_LINE)) - covered)
        self.pick_blanks = itemgetter(*(column - 1 for column in self.blanks))

    def read(self, text: str, line: int) -> dict[str, Any]:
        """Values by name."""
        text = text.rstrip()
        if len(text) != _COLUMNS_OF_LINE:
            raise ValueError(
                f"line {line}: {len(text)} columns, where line {self.number} of an element set has "
                f"{_COLUMNS_OF_LINE}: {short(text)}"
            )
        check, found = text[-1], checksum(text)
        if check != str(found):
            raise ValueError(
                f"line {line}: checksum: {check!r} in column 69, but the line adds up to {found}"
            )
        if any(blank != " " for blank in self.pick_blanks(text)):
            column = next(column for column in self.blanks if text[column - 1] != " ")
            raise ValueError(f"line {line}: column {column}: {text[column - 1]!r} is no blank")
        values = {}
        for name, columns, read in self.cells:
            try:
                values[name] = read(text[columns])
            except ValueError as error:
                raise ValueError(f"{self.place(name, line)}: {text[columns]!r}: {error}") from None
        return values

    def place(self, name: str, line: int) -> str:
        field = next(field for field in self.fields if field.name == name)
        alone = field.first == field.last
        columns = f"column {field.first}" if alone else f"columns {field.first} to {field.last}"
        return f"line {line}, {columns}: {name}"


_ONE, _TWO = _Line("1", _LINE_1), _Line("2", _LINE_2)
_IN_LINE_2 = {field.name for field in _LINE_2[1:]}

_WEIGHTS = bytes(
    byte - ord("0") if ord("0") <= byte <= ord("9") else int(byte == ord("-")) for byte in range(256)
)


def checksum(line: str) -> int:
    """The sum modulo ten of the digits in the first 68 columns, a minus counting as one."""
    return sum(line[:68].encode("ascii", "replace").translate(_WEIGHTS)) % 10


def parse_tle(text: str, *, duplicates: str) -> ElementSets:
    """The element sets in `text`, as `parse_elements`."""
    columns: dict[str, list[Any]] = {"name": []}
    for field in (*_LINE_1, *_LINE_2[1:]):
        columns[field.name] = []
    places: list[tuple[int, int, int]] = []
    for name, first, second in _records(text):
        ones, twos = _ONE.read(first[1], first[0]), _TWO.read(second[1], second[0])
        if ones["catalogue_number"] != twos.pop("catalogue_number"):
            raise ValueError(
                f"{_TWO.place('catalogue_number', second[0])}: {second[1][2:7]!r} is not {first[1][2:7]!r}, "
                f"as line {first[0]} has"
            )
        columns["name"].append(name[1])
        for values in (ones, twos):
            for key, value in values.items():
                columns[key].append(value)
        places.append((name[0], first[0], second[0]))

    def place(record: int, name: str) -> str:
        of_name, of_first, of_second = places[record]
        if name == "name":
            return f"line {of_name}: name"
        return _TWO.place(name, of_second) if name in _IN_LINE_2 else _ONE.place(name, of_first)

    return gather(columns, place, duplicates=duplicates)


_Numbered = tuple[int, str]


def _records(text: str) -> Iterator[tuple[_Numbered, _Numbered, _Numbered]]:
    """Name, line 1 and line 2 of each set, with the numbers of their lines."""
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line and not line.isspace()]
    place = 0

    def starts(at: int, digit: str) -> bool:
        return at < len(lines) and lines[at][1].startswith(f"{digit} ")

    def expected(digit: str) -> _Numbered:
        if not starts(place, digit):
            where = (
                f"line {lines[place][0]}: {short(lines[place][1].rstrip())}"
                if place < len(lines)
                else f"line {lines[-1][0] + 1}: the end"
            )
            raise ValueError(f"{where} is not line {digit} of an element set, which starts with '{digit} '")
        return lines[place]

    while place < len(lines):
        name = (lines[place][0], "")
        # Line 2 is no name, nor is line 1 before another: what lost its fellow shall not be read as one.
        if not starts(place, "1") and not starts(place, "2"):
            title = lines[place][1].strip()
            name = (lines[place][0], title[2:].lstrip() if title.startswith("0 ") else title)
            place += 1
        first = expected("1")
        place += 1
        second = expected("2")
        place += 1
        yield name, first, second


def format_tle(sets: ElementSets) -> str:
    """The sets as lines, as `format_elements`."""
    columns = {
        name: getattr(sets, name).tolist()
        for name in ("name", *(field.name for field in (*_LINE_1, *_LINE_2[1:])))
    }
    lines = []
    for values in zip(*columns.values()):
        lines += _lines(dict(zip(columns, values)))
    return "".join(f"{line}\n" for line in lines)


def _lines(of: dict[str, Any]) -> list[str]:
    """The name where there is one, line 1, line 2."""
    number = _write_catalogue_number(of["catalogue_number"])

    def refuse(name: str, allowed: str) -> ValueError:
        return ValueError(f"{name}: {short(of[name])} of satellite {of['catalogue_number']} is not {allowed}")

    # To the nearest step first: it may be the next year's first.
    of["epoch"] = Epoch(of["epoch"])
    epoch_us = (of["epoch"].microseconds + _EPOCH_STEP_US // 2) // _EPOCH_STEP_US * _EPOCH_STEP_US
    year = Epoch.from_microseconds(epoch_us).to_datetime().year
    if not 1957 <= year <= 2056:
        raise refuse("epoch", "of the years 1957 to 2056, which two digits tell apart")
    days, rest = divmod(epoch_us - start_of_year_us(year), _DAY_US)
    if not abs(of["mean_motion_dot"]) < 0.999999995:
        raise refuse("mean_motion_dot", "in (-1, 1), which line 1 has columns for")
    eccentricity = of["eccentricity"]
    if not eccentricity < 0.99999995:
        raise refuse("eccentricity", "in [0, 0.9999999], which line 2 has columns for")
    for name, most in (("element_set_number", 9999), ("revolution_number", 99999)):
        if of[name] > most:
            raise refuse(name, f"in [0, {most}], which a line has columns for")
    powers = {}
    for name in ("mean_motion_ddot", "bstar"):
        if not abs(of[name]) < 0.999995e9:
            raise refuse(name, "in (-1e9, 1e9), which line 1 has columns for")
        powers[name] = _write_power(of[name])
    designator = of["designator"]
    cospar = _COSPAR.fullmatch(designator)
    if cospar and 1957 <= int(cospar[1]) <= 2056:
        designator = cospar[1][2:] + cospar[2]
    elif len(designator) > 8 or not designator.isascii() or _DESIGNATOR.fullmatch(designator):
        raise refuse("designator", "one of 1957 to 2056, or of eight ASCII characters at most")
    rounded = round(of["mean_motion_dot"], 8)  # before its sign is looked at
    dot = ("-" if rounded < 0 else " ") + f"{abs(rounded):.8f}"[1:]
    one = (
        f"1 {number}{of['classification']} {designator:8} {year % 100:02}{days + 1:03}"
        f".{rest // _EPOCH_STEP_US:08} {dot} {powers['mean_motion_ddot']} {powers['bstar']} "
        f"{of['ephemeris_type']} {of['element_set_number']:4}"
    )
    raan, perigee, anomaly = (
        f"{round(of[name] % 360, 4) % 360:8.4f}"
        for name in ("raan_deg", "argument_of_perigee_deg", "mean_anomaly_deg")
    )
    two = (
        f"2 {number} {of['inclination_deg']:8.4f} {raan} {f'{eccentricity:.7f}'[2:]} {perigee} {anomaly} "
        f"{of['mean_motion_rev_per_day']:11.8f}{of['revolution_number']:5}"
    )
    name = of["name"]
    title = [f"0 {name}" if name.startswith(("0 ", "1 ", "2 ")) else name] if name else []
    return [*title, f"{one}{checksum(one)}", f"{two}{checksum(two)}"]


def _write_catalogue_number(number: int) -> str:
    if number < 100_000:
        return f"{number:05}"
    if number > 339_999:
        raise ValueError(f"catalogue_number: {number} is not in [0, 339999], all that Alpha-5 can say")
    letter, rest = divmod(number, 10_000)
    return f"{_LETTERS[letter - 10]}{rest:04}"


def _write_power(value: float) -> str:
    digits, _, exponent = f"{abs(value):.4e}".partition("e")
    power = int(exponent) + 1
    if value == 0 or power < -9:  # the smallest power: fewer digits are left of it
        digits, power = f"{round(abs(value) * 1e14):05}", -9
    if not int(digits.replace(".", "")):
        return " 00000+0"
    return f"{'-' if value < 0 else ' '}{digits.replace('.', '')}{'-' if power < 0 else '+'}{abs(power)}"
