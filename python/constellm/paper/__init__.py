"""Scenarios of published systems, with every number's standing, and their comparisons reproduced."""

from .parameters import (
    FOOTPRINT_BYTES,
    MAX_ERROR,
    PAPER_KEEP,
    PARAMETERS,
    Parameter,
    parameters_markdown,
)
from .reproduction import reproduce
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
    "reproduce",
]
