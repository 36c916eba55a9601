"""Colours of every figure. Those of the phases are from Okabe and Ito, Color Universal Design (2008)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

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

# Told apart with the common colour deficiencies, and by lightness where two neighbours are close in hue.
CYCLE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555", "#b8a900")

# Of methods and families of codecs, by every name that figures have for one: its colour is the same in all.
_METHODS = {
    "#0072b2": ("optimal", "optimal chain", "gumbel-mask", "mask"),
    "#555555": ("ground-only", "ground only", "ground-only (no chain)"),
    "#e69f00": ("uniform", "uniform split"),
    "#b8a900": ("compute-proportional", "compute-proportional split"),
    "#cc79a7": ("no-compression", "no compression, optimal split", "none"),
    "#d55e00": ("top-k-only", "Top-k, optimal split", "top-k", "Top-k, 8 bits"),
    "#009e73": ("quantise-only", "quantise only, optimal split", "quantise"),
    "#56b4e9": ("single-best", "best single satellite"),
    "#882255": ("single-satellite", "single satellite"),
    "#44aa99": ("scalar-a-star", "optimal, ground may compute"),
    "#332288": ("no-pipeline",),
    "#999933": ("pipeedge",),
    "#aa4499": ("quantpipe",),
    "#117733": ("edgeshard-latency",),
    "#88ccee": ("edgeshard-throughput",),
    "#ddaa33": ("jalad",),
    "#6699cc": ("neurosurgeon",),
    "#661100": ("galaxy",),
}
_COLOURS = {name: colour for colour, names in _METHODS.items() for name in names}


def method(name: str) -> str:
    """The colour of a method of `constellm.split.METHODS`, one in all figures; grey for what has none."""
    return _COLOURS.get(name, MUTED)


def series(names: Sequence[str]) -> list[str]:
    """A colour for each: that of the method, else the next one of the cycle that no method here has."""
    known = {_COLOURS[name] for name in names if name in _COLOURS}
    free = itertools.cycle([colour for colour in CYCLE if colour not in known] or CYCLE)
    return [_COLOURS[name] if name in _COLOURS else next(free) for name in names]
