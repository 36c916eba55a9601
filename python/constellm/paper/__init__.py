"""Scenarios of published systems, with every number's standing."""

from .parameters import (
    FOOTPRINT_BYTES,
    MAX_ERROR,
    PAPER_KEEP,
    PARAMETERS,
    Parameter,
    parameters_markdown,
)
from .scenario import collaborative, edge_boards

__all__ = [
    "FOOTPRINT_BYTES",
    "MAX_ERROR",
    "PAPER_KEEP",
    "PARAMETERS",
    "Parameter",
    "collaborative",
    "edge_boards",
    "parameters_markdown",
]
