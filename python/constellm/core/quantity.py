"""Numbers with units and names as people read them, for summaries, tables and figures."""

from __future__ import annotations

import math
from collections.abc import Iterable

_PREFIXES = {-4: "p", -3: "n", -2: "µ", -1: "m", 0: "", 1: "k", 2: "M", 3: "G", 4: "T", 5: "P", 6: "E"}

# What the end of a field's name says about its unit; a longer ending goes before a shorter one.
_ENDINGS = {
    "_s_per_byte": "s/B",
    "bytes_per_s": "B/s",
    "flop_per_s": "FLOP/s",
    "flop_per_token": "FLOP/token",
    "_per_s": "1/s",
    "bytes": "B",
    "flop": "FLOP",
    "_bps": "bit/s",
    "_rad": "rad",
    "_deg": "°",
    "_px": "px",
    "_j": "J",
    "_w": "W",
    "_m": "m",
    "_s": "s",
}
_ACRONYMS = {"isl": "ISL", "kv": "KV", "s2g": "S2G", "ttft": "TTFT"}
_NAMELESS = {"FLOP/s": "speed", "B": "data", "FLOP": "work", "FLOP/token": "work"}


def quantity(value: float, unit: str = "", *, digits: int = 3) -> str:
    """`value` with a decimal SI prefix: ``quantity(2.5e-3, "s")`` is ``'2.5 ms'``.

    Parameters
    ----------
    value
        In units of `unit`; NaN becomes a dash. Seconds take no prefix above 1.
    unit
        Symbol that takes the prefix; without one the prefix still stands (``'1.2 k'``).
    digits
        Significant digits.
    """
    value = float(value)
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    power = 0
    if value != 0.0 and not unit.startswith("1/"):
        # Rounded first: 999.96 is read as 1.00 k, not as 1000.
        exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])
        power = min(max(exponent // 3, min(_PREFIXES)), 0 if unit == "s" else max(_PREFIXES))
    number = figure(value / 1000.0**power, digits=digits)
    symbol = _PREFIXES[power] + unit
    return f"{number} {symbol}" if symbol else number


def figure(value: float, *, digits: int = 3) -> str:
    """`value` in so many significant digits and without a power of ten; NaN becomes a dash."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    scaled = float(f"{value:.{digits}g}")
    return f"{scaled:.0f}" if abs(scaled) >= 100 else f"{scaled:.{digits}g}"


def common_prefix(values: Iterable[float], unit: str) -> tuple[str, float]:
    """The SI prefix and its factor for several values in `unit`, that of the largest.

    Seconds have no prefix above 1, and nothing has one below a millionth.
    """
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if largest == 0.0:
        return "", 1.0
    # Rounded first, as by `quantity`.
    exponent = int(f"{largest:.2e}".partition("e")[2])
    power = min(max(exponent // 3, -2), 0 if unit == "s" else 5)
    return _PREFIXES[power], 1000.0**power


def cut_in_the_middle(text: str, longest: int) -> str:
    """A long id with an ellipsis where its middle was: its end often tells it from its neighbours."""
    if len(text) <= longest:
        return text
    tail = (longest - 1) // 2
    return f"{text[: longest - 1 - tail]}…{text[-tail:]}"


def counted(n: int, one: str, many: str = "") -> str:
    """`n` with its noun: ``'1 plan'``, ``'2 plans'``; `many` where the plural is no mere s."""
    return f"{n} {one if n == 1 else many or one + 's'}"


def printable(text: str) -> str:
    """`text` on one line: a line break, tab or other control character in a name becomes ``?``."""
    return "".join(c if c.isprintable() else "?" for c in text)


def split_unit(name: str) -> tuple[str, str]:
    """What a field is called and its unit: ``'rate_bps'`` is ``('rate', 'bit/s')``.

    A name that ends in no unit is dimensionless: ``('error', '')``. Underscores become spaces.
    """
    for ending, unit in _ENDINGS.items():
        if name.endswith(ending):
            stem = name[: -len(ending)].strip("_") or _NAMELESS[unit]
            return _words(stem), unit
    return _words(name), ""


def _words(name: str) -> str:
    return " ".join(_ACRONYMS.get(word, word) for word in name.split("_"))
