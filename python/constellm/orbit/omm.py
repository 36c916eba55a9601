"""Orbit mean-elements messages (OMM, CCSDS 502.0-B) as JSON, CSV, KVN and XML.

Keywords as CelesTrak and Space-Track write them (https://celestrak.org/NORAD/documentation/gp-data-formats.php);
JSON and CSV, which the standard does not have, are theirs. Further keywords are passed over.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from xml.parsers import expat

import numpy as np

from ..core.checks import decimal, short
from ..core.epoch import Epoch
from ..core.files import TOO_DEEP, strict_decoder
from .element_sets import ElementSets
from .gathering import gather

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_KEYWORD = re.compile(r"[A-Z0-9_]+")
_BLANKS = re.compile(r"[ \t\n]*")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("expected text")
    return value


def _real(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return math.inf  # so it is in no range
    try:
        return decimal(value)
    except (TypeError, ValueError):
        raise ValueError("expected a number") from None


def _integer(value: Any) -> int:
    digits = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not (isinstance(digits, str) and _INTEGER.fullmatch(digits)):
        raise ValueError("expected an integer of at most 18 digits")
    return int(digits)


def _epoch_us(value: Any) -> int:
    text = _text(value)
    if len(text) <= len("2024-01-13"):
        raise ValueError("expected a date and a time of day, as 2024-01-13T06:00:00.25")
    try:
        return Epoch(text).microseconds
    except ValueError as error:
        why = str(error).partition("': ")[2]  # behind the text, which the place in the file has too
        raise ValueError(why or str(error)) from None


class _Keyword(NamedTuple):
    name: str
    column: str
    read: Callable[[Any], Any]
    """Its ValueError says what is wrong."""
    units: tuple[str, ...] = ()
    """As KVN and XML may have them."""
    default: Any = None
    """None: required."""


_KEYWORDS = (
    _Keyword("OBJECT_NAME", "name", _text, default=""),
    _Keyword("OBJECT_ID", "designator", _text, default=""),
    _Keyword("EPOCH", "epoch", _epoch_us),
    _Keyword("MEAN_MOTION", "mean_motion_rev_per_day", _real, ("rev/day",)),
    _Keyword("ECCENTRICITY", "eccentricity", _real),
    _Keyword("INCLINATION", "inclination_deg", _real, ("deg",)),
    _Keyword("RA_OF_ASC_NODE", "raan_deg", _real, ("deg",)),
    _Keyword("ARG_OF_PERICENTER", "argument_of_perigee_deg", _real, ("deg",)),
    _Keyword("MEAN_ANOMALY", "mean_anomaly_deg", _real, ("deg",)),
    _Keyword("EPHEMERIS_TYPE", "ephemeris_type", _integer, default=0),
    _Keyword("CLASSIFICATION_TYPE", "classification", _text, default="U"),
    _Keyword("NORAD_CAT_ID", "catalogue_number", _integer),
    _Keyword("ELEMENT_SET_NO", "element_set_number", _integer, default=0),
    _Keyword("REV_AT_EPOCH", "revolution_number", _integer, default=0),
    _Keyword("BSTAR", "bstar", _real, ("1/er",)),
    _Keyword("MEAN_MOTION_DOT", "mean_motion_dot", _real, ("rev/day**2", "rev/day^2"), default=0.0),
    _Keyword("MEAN_MOTION_DDOT", "mean_motion_ddot", _real, ("rev/day**3", "rev/day^3"), default=0.0),
)
_BY_NAME = {keyword.name: keyword for keyword in _KEYWORDS}
_BY_COLUMN = {keyword.column: keyword.name for keyword in _KEYWORDS}

_FIXED = {
    "CENTER_NAME": ("EARTH",),
    "REF_FRAME": ("TEME",),
    "TIME_SYSTEM": ("UTC",),
    "MEAN_ELEMENT_THEORY": ("SGP4", "SGP/SGP4"),  # the latter is the standard's own name of it
}
"""What SGP4 needs them to be, where they are given: CelesTrak's JSON and CSV leave them out."""


@dataclass
class _Record:
    """What a file says of one satellite."""

    line: int
    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    """Of the values that have a line of their own."""

    def value(self, keyword: str) -> Any:
        """None where it is not given or blank."""
        value = self.values.get(keyword)
        value = value.strip() if isinstance(value, str) else value
        return None if value == "" else value

    def put(self, keyword: str, value: str, unit: str | None, line: int) -> None:
        """Keep what is read of `keyword`; ValueError where it stands twice or in another unit."""
        if keyword not in _BY_NAME and keyword not in _FIXED:
            return
        if keyword in self.values:
            raise ValueError(f"line {line}: {keyword}: stands in line {self.lines[keyword]} already")
        if unit is not None:
            units = _BY_NAME[keyword].units if keyword in _BY_NAME else ()
            if unit.strip().lower() not in units:
                allowed = f"{units[0]!r}" if units else "left out: it has none"
                raise ValueError(f"line {line}: {keyword}: unit {unit!r} is not {allowed}")
        self.values[keyword], self.lines[keyword] = value, line


def parse_omm(records: Iterator[_Record], *, duplicates: str) -> ElementSets:
    """The element sets that records of any of the four forms are."""
    columns: dict[str, list[Any]] = {keyword.column: [] for keyword in _KEYWORDS}
    kept: list[_Record] = []

    def place(record: int, column: str) -> str:
        return _place(record, kept[record], _BY_COLUMN[column])

    for number, record in enumerate(records):
        kept.append(record)
        for name, allowed in _FIXED.items():
            value = record.value(name)
            if value is not None and value not in allowed:
                here = _place(number, record, name)
                raise ValueError(f"{here}: {short(value)} is not {allowed[0]!r}, all that SGP4 takes")
        for name, column, read, _, default in _KEYWORDS:
            value = record.value(name)
            if value is None and default is None:
                raise ValueError(f"{_place(number, record, name)}: is missing")
            try:
                columns[column].append(default if value is None else read(value))
            except ValueError as error:
                raise ValueError(f"{_place(number, record, name)}: {short(value)}: {error}") from None
        record.values = {}  # of which JSON and CSV may have many more
    return gather(columns, place, duplicates=duplicates)


def _place(number: int, record: _Record, keyword: str) -> str:
    return f"record {number + 1}, line {record.lines.get(keyword, record.line)}: {keyword}"


def json_records(text: str) -> Iterator[_Record]:
    """Objects in a list, or one alone."""
    decoder = strict_decoder()
    line, counted = 1, 0

    def skip(at: int) -> int:
        return _BLANKS.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing too

    def fail(at: int, expected: str) -> ValueError:
        got = short(text[at : at + 20]) if at < len(text) else "the end"
        return ValueError(f"line {text.count(chr(10), 0, at) + 1}: expected {expected}, got {got}")

    place = skip(0)
    several = text[place : place + 1] == "["
    if several:
        place = skip(place + 1)
        if text[place : place + 1] == "]":
            return
    while True:
        line, counted = line + text.count("\n", counted, place), place
        try:
            value, place = decoder.raw_decode(text, place)
        except json.JSONDecodeError as error:
            raise ValueError(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
        except ValueError as error:
            raise ValueError(f"the record of line {line}: {error}") from None
        except RecursionError:
            raise ValueError(f"the record of line {line}: {TOO_DEEP}") from None
        if not isinstance(value, dict):
            raise ValueError(f"line {line}: expected an object of keywords, got {short(value)}")
        yield _Record(line, value)
        place = skip(place)
        if not several:
            break
        mark = text[place : place + 1]
        if mark not in (",", "]") or not mark:
            raise fail(place, "',' or ']' behind an object")
        place = skip(place + 1)
        if mark == "]":
            break
    if place < len(text):
        raise fail(place, "nothing more")


def csv_records(text: str) -> Iterator[_Record]:
    """Rows under a row of keywords."""
    reader = csv.reader(io.StringIO(text), strict=True)
    head: list[str] = []
    before = 0
    try:
        for row in reader:
            line, before = before + 1, reader.line_num
            if not row:
                continue
            if not head:
                head = [cell.strip() for cell in row]
                times = Counter(head)
                twice = next((name for name in head if times[name] > 1), None)
                if twice is not None:
                    raise ValueError(f"line {line}: {twice!r} heads two columns")
            elif len(row) != len(head):
                raise ValueError(f"line {line}: {len(row)} cells under {len(head)} keywords")
            else:
                yield _Record(line, dict(zip(head, row)))
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from None


def kvn_records(text: str) -> Iterator[_Record]:
    """Lines of ``KEYWORD = value [unit]``; each message starts with its version."""
    record: _Record | None = None
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        if not line or line == "COMMENT" or line.startswith("COMMENT "):
            continue
        keyword, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not _KEYWORD.fullmatch(keyword):
            raise ValueError(f"line {number}: expected 'KEYWORD = value', got {short(line)}")
        unit = None
        if value.endswith("]") and keyword in _BY_NAME and _BY_NAME[keyword].read is not _text:
            value, _, unit = value[:-1].rpartition("[")
        if keyword == "CCSDS_OMM_VERS" and record:
            yield record
            record = None
        record = record or _Record(number)
        record.put(keyword, value, unit, number)
    if record:
        yield record


def xml_records(text: str) -> Iterator[_Record]:
    """Elements ``segment``, wherever they stand. A document type is refused, so that nothing is expanded."""
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    found: list[_Record] = []
    inside: list[_Record] = []  # none or one
    leaf: list[Any] = []  # tag, its unit, its line, then its text

    def start(tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        line = parser.CurrentLineNumber
        if tag == "segment":
            inside[:] = [_Record(line)]
            found.extend(inside)
        leaf[:] = [tag, attributes.get("units"), line]

    def end(tag: str) -> None:
        tag = tag.rpartition(":")[2]
        if tag == "segment":
            inside.clear()
        elif inside and leaf and leaf[0] == tag:
            inside[0].put(tag, "".join(leaf[3:]).strip(), leaf[1], leaf[2])
        leaf.clear()

    def data(text: str) -> None:
        if leaf:
            leaf.append(text)

    def refuse(name: str, *_: Any) -> None:
        raise ValueError(f"line {parser.CurrentLineNumber}: a document type, {name!r}, is not read")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = data, refuse
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        what = expat.ErrorString(error.code)
        raise ValueError(f"line {error.lineno}, column {error.offset + 1}: {what}") from None
    yield from found


def format_omm_json(sets: ElementSets) -> str:
    """A list of objects, one a line."""
    objects = ",\n".join(json.dumps(row, ensure_ascii=False, allow_nan=False) for row in _rows(sets))
    return f"[{objects}]\n"


def format_omm_csv(sets: ElementSets) -> str:
    """A row of keywords, then one of each set."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_BY_NAME)
    writer.writerows(row.values() for row in _rows(sets))
    return text.getvalue()


def _rows(sets: ElementSets) -> Iterator[dict[str, Any]]:
    columns = {keyword.name: getattr(sets, keyword.column).tolist() for keyword in _KEYWORDS}
    columns["EPOCH"] = np.datetime_as_string(sets.epoch).tolist()
    return (dict(zip(columns, values)) for values in zip(*columns.values()))
