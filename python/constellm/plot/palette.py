"""Colours of every figure. Those of the phases are from Okabe and Ito, Color Universal Design (2008)."""

from __future__ import annotations

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

# Of what a study compares again and again; the same in every figure.
_METHODS = {
    "optimal": "#0072b2",
    "ours": "#0072b2",
    "scalar-a-star": "#56b4e9",
    "uniform": "#e69f00",
    "compute-proportional": "#b8a900",
    "ground-only": "#555555",
    "single-satellite": "#d55e00",
    "single-best": "#d55e00",
    "no-pipeline": "#009e73",
    "no-compression": "#cc79a7",
    "pipeedge": "#882255",
    "edgeshard-latency": "#44aa99",
    "edgeshard-throughput": "#117733",
    "quantpipe": "#999933",
    "jalad": "#aa4499",
    "neurosurgeon": "#6699cc",
    "galaxy": "#661100",
}


def method(name: str) -> str:
    """The colour of a method of `constellm.split.METHODS`: one in all figures; grey for what has none."""
    return _METHODS.get(name, MUTED)
