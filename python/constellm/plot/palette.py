"""Colours of every figure. Those of the phases are from Okabe and Ito, Color Universal Design (2008)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

INK = "#333333"
MUTED = "#8a8a8a"
PALE = "#e6e6e6"
ALERT = "#c0392b"

PHASES = {
    "overhead": "#999999",
    "decode": "#e69f00",
    "compute": "#0072b2",
    "encode": "#d55e00",
    "transmit": "#009e73",
}

# Of satellites on maps, globes and in the sky. What a link can carry is green, as what it transmits; the way
# that was chosen is that of a plan on its network.
LAND = "#eeeeea"
SATELLITE = "#666666"
TRACK = "#cc79a7"
CONTACT = PHASES["transmit"]
ROUTE = PHASES["compute"]

# Told apart with the common colour deficiencies, and by lightness where two neighbours are close in hue.
CYCLE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555", "#b8a900")


class Look(NamedTuple):
    """How a series is told from others: in colour, and in print without."""

    colour: str
    marker: str


_MARKERS = "osD^vP*X<>phd"
_LINES = ("-", "--", ":", "-.")

# Of methods and families of codecs, by every name that figures have for one: it looks the same in all.
_METHODS = {
    Look("#0072b2", "o"): ("optimal", "optimal chain", "gumbel-mask", "mask"),
    Look("#555555", "s"): ("ground-only", "ground only", "ground-only (no chain)"),
    Look("#e69f00", "^"): ("uniform", "uniform split"),
    Look("#b8a900", "D"): ("compute-proportional", "compute-proportional split"),
    Look("#cc79a7", "v"): ("no-compression", "no compression, optimal split", "none"),
    Look("#d55e00", "P"): ("top-k-only", "Top-k, optimal split", "top-k", "Top-k, 8 bits"),
    Look("#009e73", "X"): ("quantise-only", "quantise only, optimal split", "quantise"),
    Look("#56b4e9", "*"): ("single-best", "best single satellite"),
    Look("#882255", "p"): ("single-satellite", "single satellite"),
    Look("#44aa99", "d"): ("scalar-a-star", "optimal, ground may compute"),
    Look("#332288", "h"): ("no-pipeline",),
    Look("#999933", "<"): ("pipeedge",),
    Look("#aa4499", ">"): ("quantpipe",),
    Look("#117733", "s"): ("edgeshard-latency",),
    Look("#88ccee", "D"): ("edgeshard-throughput",),
    Look("#ddaa33", "v"): ("jalad",),
    Look("#6699cc", "P"): ("neurosurgeon",),
    Look("#661100", "X"): ("galaxy",),
}
_LOOKS = {name: look for look, names in _METHODS.items() for name in names}


def method(name: str) -> Look:
    """The look of a method of `constellm.split.METHODS`, one in all figures; grey for what has none."""
    return _LOOKS.get(name, Look(MUTED, "o"))


def series(names: Sequence[str]) -> list[Look]:
    """A look for each: that of the method, else the next colour and marker that no method here has."""
    known = [_LOOKS[name] for name in names if name in _LOOKS]
    colours = _left(CYCLE, {look.colour for look in known})
    markers = _left(_MARKERS, {look.marker for look in known})
    return [_LOOKS[name] if name in _LOOKS else Look(next(colours), next(markers)) for name in names]


def lines(names: Sequence[str]) -> list[dict[str, Any]]:
    """Keywords of matplotlib for a line each: `series`, dashed where a colour comes again."""
    looks = series(names)
    colours = [look.colour for look in looks]
    return [
        {
            "color": look.colour,
            "marker": look.marker,
            "linestyle": _LINES[colours[:i].count(look.colour) % len(_LINES)],
        }
        for i, look in enumerate(looks)
    ]


def _left(every: Sequence[str], taken: set[str]) -> Iterator[str]:
    return itertools.cycle([one for one in every if one not in taken] or every)
