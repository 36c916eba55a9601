"""The comparisons of the study: each computes rows, and draws figures from rows alone."""

from .between_orbits import BETWEEN_ORBITS
from .contacts import CONTACTS
from .degradation import DEGRADATION
from .directions import DIRECTIONS
from .greedy import GREEDY
from .methods import PLACEMENT_METHODS
from .over_time import OVER_TIME
from .robustness import ROBUSTNESS
from .rounds import ROUNDS
from .sharing import SHARING
from .thirds import THIRDS
from .training import TRAINING
from .waiting import WAITING

_TUNING = (CONTACTS, ROUNDS, GREEDY, THIRDS, BETWEEN_ORBITS, TRAINING)
_PLACEMENTS = (
    SHARING, ROBUSTNESS, DEGRADATION, WAITING, OVER_TIME, PLACEMENT_METHODS, DIRECTIONS,
)  # fmt: skip
EXPERIMENTS = _TUNING + _PLACEMENTS
"""In the order of the page."""
