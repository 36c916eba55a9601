"""The comparisons of the study: each computes rows, and draws figures from rows alone."""

from .gateways import GATEWAYS
from .geometries import GEOMETRIES
from .order import ORDER
from .schemes import SCHEMES_COMPARED
from .sensitivity import SENSITIVITY

EXPERIMENTS = (SCHEMES_COMPARED, GEOMETRIES, ORDER, GATEWAYS, SENSITIVITY)
"""In the order of the page."""
