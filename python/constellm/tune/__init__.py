"""Satellite federated fine-tuning: what a round takes, and what its decisions buy."""

from ..core.keywords import tell_of_slips as _tell_of_slips
from .aggregation import Aggregation, aggregate
from .collectives import LINKS, Collective, all_gather, all_reduce
from .fleet import Fleet, Powers, fleet
from .gossip import Gossip, gossip
from .rounds import PHASES, Phase, Round, Rounds
from .scheduling import schedule_round, schedule_rounds
from .scheme import AGGREGATIONS, SCHEMES, Scheme
from .trees import Hop, NarrowTree, SumTree, minimum_diameter_tree, sum_tree
from .workload import Workload, spectral_gpt, workload

__all__ = [
    "AGGREGATIONS",
    "LINKS",
    "PHASES",
    "SCHEMES",
    "Aggregation",
    "Collective",
    "Fleet",
    "Gossip",
    "Hop",
    "NarrowTree",
    "Phase",
    "Powers",
    "Round",
    "Rounds",
    "Scheme",
    "SumTree",
    "Workload",
    "aggregate",
    "all_gather",
    "all_reduce",
    "fleet",
    "gossip",
    "minimum_diameter_tree",
    "schedule_round",
    "schedule_rounds",
    "spectral_gpt",
    "sum_tree",
    "workload",
]

_tell_of_slips(__name__)
