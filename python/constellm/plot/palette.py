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
