"""The comparisons of the study: each computes rows, and draws figures from rows alone."""

from .between_orbits import BETWEEN_ORBITS
from .contacts import CONTACTS
from .greedy import GREEDY
from .rounds import ROUNDS
from .thirds import THIRDS
from .training import TRAINING

EXPERIMENTS = (CONTACTS, ROUNDS, GREEDY, THIRDS, BETWEEN_ORBITS, TRAINING)
"""In the order of the page."""
