"""Files of contact plans: commands of ION, and JSON of HDTN.

Both know nodes by their numbers and hold what has a contact alone, so that a plan read from them has the
numbers as ids, in their order.
"""

from __future__ import annotations

import json
import math
import os
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple, NoReturn

from .._core.network import ContactPlan
from ..core.checks import instance, short
from ..core.files import as_path, parse_json, read_text, write_text

_HDTN_FIELDS = ("contact", "source", "dest", "startTime", "endTime", "rateBitsPerSec", "owlt")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?", re.ASCII)
_NODE = re.compile(r"[0-9]{1,19}", re.ASCII)


def load_contact_plan(path: str | os.PathLike[str], *, epoch: str | None = None) -> ContactPlan:
    """Read a contact plan: JSON of HDTN from a name that ends in ``.json``, else commands of ION.

    A further ``.gz`` means that the file is compressed.

    Parameters
    ----------
    path : path
    epoch : str, optional
        Moment of time 0 in UTC, as 2026-03-01T12:00:00Z; for ION the reference time at the file's start too.
        Default: for ION the first absolute time in the file, where there is one; else it is not known.

    Returns
    -------
    ContactPlan
        Contacts in the order of the file, nodes in the order of their numbers. `save_contact_plan` gives a
        file that is read back as an equal plan.

    Raises
    ------
    OSError, ValueError, TypeError
        For a file that cannot be read, that holds more than 256 MiB of text, or that is not understood; the
        message names file, line or contact, field and value.

    Notes
    -----
    ION (ionrc(5)): ``a``, ``c`` and ``d`` of ``contact``, ``a`` and ``d`` of ``range``, and ``@`` are
    followed; commands that change no contact are passed over, and so are sections of other programs
    (``## begin bpadmin``), registrations (start -1), hypothetical contacts (stop 0) and those of a node with
    itself. Rates there are in bytes a second. A range holds in both directions if its first number is the
    lower one, as far as no range says otherwise for the way back. The ranges of a contact's direction must
    cover it; of several the longest counts, so that what the plan promises is kept. Contacts of one pair may
    not overlap, nor may ranges, and none is of no length. A confidence other than 1 is refused.

    HDTN: each of ``contacts`` has ``contact``, ``source``, ``dest``, ``startTime``, ``endTime``,
    ``rateBitsPerSec`` and ``owlt``, and nothing else; numbers may have decimals. A contact that ends before
    it starts, as there are some in the plans that come with HDTN, carries nothing: it closes as it opens.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from constellm import network
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder) / "plan.ionrc"
    ...     _ = file.write_text("a contact +0 +3600 1 2 100000\\na range +0 +3600 1 2 1\\n")
    ...     plan = network.load_contact_plan(file)
    >>> plan, plan.rate_bps.tolist(), plan.owlt_s.tolist()
    (ContactPlan(2 nodes, 1 contacts), [800000.0], [1.0])
    """
    name = os.fspath(as_path(path))
    zero = None if epoch is None else _moment(epoch)
    text = read_text(path)
    return _from_hdtn(name, text, epoch) if _is_json(name) else _IonReader(name, zero).plan(text)


def save_contact_plan(plan: ContactPlan, path: str | os.PathLike[str], *, decimals: bool = False) -> None:
    """Write a contact plan in the format of its name, as `load_contact_plan` reads it.

    Parameters
    ----------
    plan : ContactPlan
        Ids of nodes are whole numbers. Nodes without a contact are not in the file, nor, for HDTN, the epoch.
    path : path
    decimals : bool
        Whether a file for ION may have decimals. ION itself reads whole seconds and bytes a second alone.

    Raises
    ------
    OSError, ValueError, TypeError
        Where the format cannot hold the plan: the message names contact, field and value.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from constellm import network
    >>> plan = network.ContactPlan(
    ...     ["1", "2"], from_=[0], to=[1], open_s=0.0, close_s=60.0, rate_bps=8e6, owlt_s=1.0
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder) / "plan.ionrc"
    ...     network.save_contact_plan(plan, file)
    ...     print(file.read_text(), end="")
    a contact +0 +60 1 2 1000000
    a range +0 +60 1 2 1
    """
    instance("plan", plan, ContactPlan)
    name = os.fspath(as_path(path))
    numbers = [_number_of(node.id, at) for at, node in enumerate(plan.nodes)]
    for c, close_s in enumerate(plan.close_s.tolist()):
        if math.isinf(close_s):
            raise ValueError(f"contacts[{c}].close_s: inf is in no file of contacts")
    write_text(_to_hdtn(plan, numbers) if _is_json(name) else _to_ion(plan, numbers, decimals), path)


def _is_json(name: str) -> bool:
    return name.removesuffix(".gz").endswith(".json")


def _number_of(id: str, at: int) -> int:
    if not _NODE.fullmatch(id) or id != str(int(id)):
        raise ValueError(
            f"nodes[{at}].id: {short(id)} is no whole number, as files of contacts know nodes by"
        )
    return int(id)


def _plain(value: float) -> int | float:
    """A whole number as such, where it stays the same."""
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


class _Row(NamedTuple):
    """A contact or a range as a file has it."""

    where: str
    open_s: float
    close_s: float
    a: int
    b: int
    figure: float
    """Bits a second, or seconds."""


def _plan_of(rows: Sequence[_Row], owlt_s: Sequence[float], epoch: str | None, name: str) -> ContactPlan:
    numbers = sorted({end for row in rows for end in (row.a, row.b)})
    if not numbers:
        raise ValueError(f"{name!r} has no contact")
    at = {number: position for position, number in enumerate(numbers)}
    return ContactPlan(
        [str(number) for number in numbers],
        from_=[at[row.a] for row in rows],
        to=[at[row.b] for row in rows],
        open_s=[row.open_s for row in rows],
        close_s=[row.close_s for row in rows],
        rate_bps=[row.figure for row in rows],
        owlt_s=list(owlt_s),
        epoch=epoch,
    )


# --- HDTN -----------------------------------------------------------------------------------------


def _from_hdtn(name: str, text: str, epoch: str | None) -> ContactPlan:
    try:
        data = parse_json(text)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name!r}: {error}") from None
    entries = data.get("contacts")
    if not isinstance(entries, list) or len(data) > 1:
        raise ValueError(f"{name!r}: expected 'contacts', a list, and nothing else, got {short(list(data))}")
    rows: list[_Row] = []
    owlt_s: list[float] = []
    known: set[int] = set()
    for at, entry in enumerate(entries):
        where = f"{name!r}: contacts[{at}]"
        if not isinstance(entry, dict):
            raise TypeError(f"{where}: expected an object, got {short(entry)}")
        for key in (*entry, *_HDTN_FIELDS):
            if key not in _HDTN_FIELDS:
                raise ValueError(f"{where}: unknown key {short(key)}; known: {', '.join(_HDTN_FIELDS)}")
            if key not in entry:
                raise ValueError(f"{where}: missing key {key!r}")
        number, a, b = (_whole(f"{where}.{key}", entry[key]) for key in _HDTN_FIELDS[:3])
        open_s, close_s, rate_bps, owlt = (_decimal(f"{where}.{key}", entry[key]) for key in _HDTN_FIELDS[3:])
        if number in known:
            raise ValueError(f"{where}.contact: {number} stands twice")
        known.add(number)
        if a == b:
            raise ValueError(f"{where}.dest: node {b} sends to itself")
        if not rate_bps > 0:
            raise ValueError(f"{where}.rateBitsPerSec: {rate_bps:g} is not in (0, inf)")
        if not owlt >= 0:
            raise ValueError(f"{where}.owlt: {owlt:g} is not in [0, inf)")
        rows.append(_Row(where, open_s, max(open_s, close_s), a, b, rate_bps))
        owlt_s.append(owlt)
    return _plan_of(rows, owlt_s, epoch, name)


def _whole(field: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{field}: expected a whole number, got {short(value)}")
    if not 0 <= value < 10**19:
        raise ValueError(f"{field}: {short(value)} is not in [0, 1e19)")
    return value


def _decimal(field: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{field}: expected a number, got {short(value)}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{field}: {short(value)} is not in [-1.8e308, 1.8e308]") from None


def _to_hdtn(plan: ContactPlan, numbers: Sequence[int]) -> str:
    columns = zip(
        plan.from_.tolist(), plan.to.tolist(), plan.open_s.tolist(), plan.close_s.tolist(),
        plan.rate_bps.tolist(), plan.owlt_s.tolist(),
    )  # fmt: skip
    lines = [
        json.dumps(dict(zip(_HDTN_FIELDS, (c, numbers[a], numbers[b], *map(_plain, figures)))))
        for c, (a, b, *figures) in enumerate(columns)
    ]
    return '{"contacts": [\n' + ",\n".join(lines) + "\n]}\n"


# --- ION ------------------------------------------------------------------------------------------


def _moment(epoch: str) -> datetime:
    """A moment in UTC."""
    try:
        moment = datetime.fromisoformat(epoch.removesuffix("Z"))
        if _epoch(moment) == epoch:
            return moment
    except (ValueError, AttributeError):
        pass
    raise ValueError(f"epoch: {short(epoch)} is no moment in UTC, as '2026-03-01T12:00:00Z' is one")


def _epoch(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds") + "Z"


class _IonReader:
    """Follows the commands of a file."""

    # Of the node that reads them, not of the contacts.
    PASSED_OVER = frozenset("1?!behilmsv")

    def __init__(self, name: str, zero: datetime | None) -> None:
        self.name = name
        self.zero = zero
        self.reference_s: float | None = 0.0  # after time 0
        self.relative = False  # whether a relative time has been read
        self.contacts: list[_Row] = []
        self.ranges: list[_Row] = []
        self.where = ""

    def plan(self, text: str) -> ContactPlan:
        for number, words in _commands(text):
            self.where = f"{self.name!r}, line {number}"
            if words[0] == "q":
                break
            self.follow(words)
        _refuse_overlaps(self.contacts, "contact")
        _refuse_overlaps(self.ranges, "range")
        owlt_s = _light_times(self.contacts, self.ranges)
        epoch = None if self.zero is None else _epoch(self.zero)
        return _plan_of(self.contacts, owlt_s, epoch, self.name)

    def follow(self, words: list[str]) -> None:
        verb, what = words[0], " ".join(words[:2])
        if what == "a contact":
            self.add_contact(words)
        elif what == "c contact":
            self.change_contact(words)
        elif what == "a range":
            _, _, opens, closes, a, b, distance = self.sized(words, 7)
            row = self.row(opens, closes, a, b, self.number("owlt", distance))
            self.ranges.append(row)
        elif what in ("d contact", "d range"):
            rows = self.contacts if what == "d contact" else self.ranges
            _, _, opens, a, b = self.sized(words, 5)
            if what == "d contact" and opens in ("-1", "0"):
                return  # registrations and hypothetical contacts are left out
            gone = self.found(rows, opens, a, b)
            rows[:] = [row for at, row in enumerate(rows) if at not in gone]
        elif verb == "@":
            self.reference_s = self.time("time", self.sized(words, 2)[1])
        elif verb == "^":
            if self.sized(words, 2)[1] != "1":
                self.refuse("region", words[1], "is not 1, the one region that is read")
        elif verb not in self.PASSED_OVER:
            self.refuse("command", what, "is not known")

    def add_contact(self, words: list[str]) -> None:
        _, _, opens, closes, a, b, rate = self.sized(words, 7, most=8)[:7]
        if opens == "-1" or closes == "0" or self.node("from", a) == self.node("to", b):
            return
        self.contacts.append(self.row(opens, closes, a, b, self.rate(rate, words[7:])))

    def change_contact(self, words: list[str]) -> None:
        _, _, opens, a, b, rate = self.sized(words, 6, most=7)[:6]
        figure = self.rate(rate, words[6:])
        for at in self.found(self.contacts, opens, a, b):
            self.contacts[at] = self.contacts[at]._replace(figure=figure)

    def sized(self, words: list[str], least: int, *, most: int = 0) -> list[str]:
        if not least <= len(words) <= max(least, most):
            self.refuse("command", " ".join(words), f"has {len(words)} words, expected {least}")
        return words

    def row(self, opens: str, closes: str, a: str, b: str, figure: float) -> _Row:
        open_s, close_s = self.time("start", opens), self.time("stop", closes)
        if not close_s > open_s:
            self.refuse("stop", closes, f"is not after start, {opens}")
        return _Row(self.where, open_s, close_s, self.node("from", a), self.node("to", b), figure)

    def found(self, rows: list[_Row], opens: str, a: str, b: str) -> set[int]:
        """Positions of those of one pair that open at a time, or of all of them."""
        pair = self.node("from", a), self.node("to", b)
        open_s = None if opens == "*" else self.time("start", opens)
        found = {at for at, row in enumerate(rows) if (row.a, row.b) == pair and open_s in (None, row.open_s)}
        if not found and open_s is not None and pair[0] != pair[1]:
            self.refuse("start", opens, f"is when none from {a} to {b} opens")
        return found

    def rate(self, word: str, confidence: list[str]) -> float:
        if confidence and self.number("confidence", confidence[0]) != 1:
            self.refuse("confidence", confidence[0], "is not 1: a contact is there, or it is not")
        rate_bps = 8 * self.number("rate", word)
        if not 0 < rate_bps < math.inf:
            self.refuse("rate", word, "is not in (0, inf)")
        return rate_bps

    def node(self, field: str, word: str) -> int:
        if not _NODE.fullmatch(word):
            self.refuse(field, word, "is no number of a node")
        return int(word)

    def number(self, field: str, word: str) -> float:
        if not _NUMBER.fullmatch(word) or math.isinf(float(word)):
            self.refuse(field, word, "is no number in [0, inf)")
        return float(word)

    def time(self, field: str, word: str) -> float:
        """Seconds after time 0."""
        if word.startswith("+"):
            if self.reference_s is None:
                self.refuse(field, word, "counts from a moment that no @ before it names; give epoch=")
            self.relative = True
            return self.reference_s + self.number(field, word[1:])
        try:
            moment = datetime.strptime(word, "%Y/%m/%d-%H:%M:%S")
        except ValueError:
            self.refuse(field, word, "is no time: yyyy/mm/dd-hh:mm:ss, or + and seconds")
        if self.zero is None:
            if self.relative:
                self.refuse(
                    field, word, "is absolute, and times before it count from no known moment; give epoch="
                )
            self.zero, self.reference_s = moment, None
        return (moment - self.zero).total_seconds()

    def refuse(self, field: str, word: str, why: str) -> NoReturn:
        raise ValueError(f"{self.where}: {field}: {short(word)} {why}")


def _commands(text: str) -> Iterator[tuple[int, list[str]]]:
    """The commands for ionadmin with the numbers of their lines."""
    section = "ionadmin"
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.split()
        if words[:2] == ["##", "begin"] and len(words) > 2:
            section = words[2]
        elif words[:2] == ["##", "end"]:
            section = "ionadmin"
        elif words and not words[0].startswith("#") and section == "ionadmin":
            yield number, words


def _by_pair(rows: Sequence[_Row]) -> dict[tuple[int, int], list[_Row]]:
    pairs: dict[tuple[int, int], list[_Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.open_s):
        pairs[row.a, row.b].append(row)
    return pairs


def _refuse_overlaps(rows: Sequence[_Row], what: str) -> None:
    for (a, b), of_pair in _by_pair(rows).items():
        for row, after in zip(of_pair, of_pair[1:]):
            if after.open_s < row.close_s:
                raise ValueError(
                    f"{after.where}: start: {after.open_s:g} s is before the {what} from {a} to {b} of "
                    f"{row.where} ends, at {row.close_s:g} s; ION allows no overlap"
                )


def _light_times(contacts: Sequence[_Row], ranges: Sequence[_Row]) -> list[float]:
    """For each contact the longest of its ranges."""
    pairs = _by_pair(ranges)
    starts = {pair: [row.open_s for row in rows] for pair, rows in pairs.items()}

    def known(a: int, b: int, contact: _Row) -> list[_Row]:
        """Those of one direction that may hold within a contact."""
        if (a, b) not in pairs:
            return []
        opens = starts[a, b]
        first = max(bisect_right(opens, contact.open_s) - 1, 0)
        return pairs[a, b][first : bisect_right(opens, contact.close_s)]

    light_times = []
    for contact in contacts:
        own = known(contact.a, contact.b, contact)
        implied = known(contact.b, contact.a, contact) if contact.b < contact.a else []
        ends = {end for row in (*own, *implied) for end in (row.open_s, row.close_s)}
        moments = {contact.open_s, *(end for end in ends if contact.open_s < end < contact.close_s)}
        longest = 0.0
        for t_s in sorted(moments):
            holds = next((row for row in (*own, *implied) if row.open_s <= t_s < row.close_s), None)
            if holds is None:
                raise ValueError(
                    f"{contact.where}: no range from {contact.a} to {contact.b} covers {t_s:g} s, when this "
                    "contact is open"
                )
            longest = max(longest, holds.figure)
        light_times.append(longest)
    return light_times


def _to_ion(plan: ContactPlan, numbers: Sequence[int], decimals: bool) -> str:
    lines = []
    if plan.epoch is not None:
        _moment(plan.epoch)  # in whole seconds, all that ION has
        lines.append("@ " + plan.epoch.rstrip("Z").replace("-", "/").replace("T", "-"))
    columns = (plan.from_, plan.to, plan.open_s, plan.close_s, plan.rate_bps, plan.owlt_s)
    rows = []
    for c, (a, b, *figures) in enumerate(zip(*(column.tolist() for column in columns))):
        open_s, close_s, rate_bps, owlt_s = figures
        if open_s < 0:
            raise ValueError(f"contacts[{c}].open_s: {open_s:g} is not in [0, inf), where ION counts")
        if not close_s > open_s:
            raise ValueError(
                f"contacts[{c}].close_s: {close_s:g} is not after open_s; ION allows no such contact"
            )
        for field, value in (
            ("open_s", open_s), ("close_s", close_s), ("rate_bps", rate_bps / 8), ("owlt_s", owlt_s)
        ):  # fmt: skip
            if not (decimals or value.is_integer()):
                shown = value * 8 if field == "rate_bps" else value
                unit = "bytes a second" if field == "rate_bps" else "seconds"
                raise ValueError(f"contacts[{c}].{field}: {shown!r} is not whole {unit}; give decimals=True")
        where = f"contacts[{c}]"
        rows.append(_Row(where, open_s, close_s, numbers[a], numbers[b], rate_bps))
        span = f"+{_plain(open_s)} +{_plain(close_s)} {numbers[a]} {numbers[b]}"
        lines.append(f"a contact {span} {_plain(rate_bps / 8)}")
        lines.append(f"a range {span} {_plain(owlt_s)}")
    _refuse_overlaps(rows, "contact")
    return "\n".join(lines) + "\n"
