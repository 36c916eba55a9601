"""Moments of UTC as text and as whole microseconds since 1970-01-01, in days of 86,400 s."""

from __future__ import annotations

import re
from datetime import date

DAY_US = 86_400_000_000
_DAY_ZERO = date(1970, 1, 1).toordinal()
_ISO = re.compile(
    r"([0-9]{4})-(?:([0-9]{2})-([0-9]{2})|([0-9]{3}))[T ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,18}))?"
    r"(?:Z|([+-])([0-9]{2}):?([0-9]{2}))?"
)


def start_of_year_us(year: int) -> int:
    """Midnight at which `year` begins, of years 1 to 9999."""
    return (date(year, 1, 1).toordinal() - _DAY_ZERO) * DAY_US


def days_of_year(year: int) -> int:
    """365, or 366 in a leap year."""
    return (start_of_year_us(year + 1) - start_of_year_us(year)) // DAY_US


def parse_utc(text: str) -> int:
    """Microseconds of an ISO 8601 moment: month and day or day of the year, ``Z``, an offset or neither.

    Further digits of the second are rounded to the nearest microsecond.

    Raises
    ------
    ValueError
        With what is wrong about the text, which the message does not repeat.
    """
    found = _ISO.fullmatch(text)
    if not found:
        raise ValueError("expected a moment such as 2024-01-13T06:00:00.25 or 2024-013T06:00:00.25, in UTC")
    year_text, month, day, day_of_year, hour, minute, second, fraction, sign, hours, minutes = found.groups()
    year = _within("year", year_text, 1, 9998)
    if day_of_year:
        days = _within("day of the year", day_of_year, 1, days_of_year(year)) - 1
    else:
        first = date(year, _within("month", month, 1, 12), 1)
        after = date(year + first.month // 12, first.month % 12 + 1, 1)
        most = after.toordinal() - first.toordinal()
        days = first.timetuple().tm_yday + _within("day", day, 1, most) - 2
    seconds = 3600 * _within("hour", hour, 0, 23) + 60 * _within("minute", minute, 0, 59)
    seconds += _within("second", second, 0, 59)
    if sign:
        offset = 3600 * _within("hours of the offset", hours, 0, 23)
        offset += 60 * _within("minutes of the offset", minutes, 0, 59)
        seconds -= offset if sign == "+" else -offset
    microseconds = round_fraction(fraction or "0", 1_000_000)
    return start_of_year_us(year) + days * DAY_US + seconds * 1_000_000 + microseconds


def format_utc(epoch_us: int) -> str:
    """``2024-01-13T06:00:00.250000`` of microseconds, as the files that people exchange have it."""
    days, rest = divmod(int(epoch_us), DAY_US)
    seconds, microseconds = divmod(rest, 1_000_000)
    day = date.fromordinal(_DAY_ZERO + days).isoformat()
    return f"{day}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{microseconds:06}"


def round_fraction(digits: str, whole: int) -> int:
    """What ``0.digits`` is of `whole`, to the nearest integer and a half up: no double is between."""
    scale = 10 ** len(digits)
    return (2 * int(digits) * whole + scale) // (2 * scale)


def _within(name: str, digits: str, least: int, most: int) -> int:
    if not least <= int(digits) <= most:
        raise ValueError(f"{name} {digits} is not in [{least}, {most}]")
    return int(digits)
