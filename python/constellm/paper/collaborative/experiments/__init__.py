"""The comparisons of the paper: each computes rows, and draws figures from rows alone."""

from ...report.study import Experiment, Picture
from .algorithms import ALGORITHMS, BOARDS
from .communication import COMMUNICATION
from .compression import COMPRESSION
from .delay import BY_MODEL, DELAY
from .search import SEARCH
from .sensitivity import SENSITIVITY

EXPERIMENTS = (DELAY, BY_MODEL, COMMUNICATION, COMPRESSION, ALGORITHMS, BOARDS, SEARCH, SENSITIVITY)
"""In the order of the page."""

__all__ = ["EXPERIMENTS", "Experiment", "Picture"]
