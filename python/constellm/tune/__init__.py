"""Satellite federated fine-tuning: what a round takes, and what its decisions buy."""

from ..core.keywords import tell_of_slips as _tell_of_slips
from .aggregation import Aggregation, aggregate
from .collectives import LINKS, Collective, all_gather, all_reduce
from .contest import Contest, against
from .decisions import OPTIONS, Decision, Decisions, board_memory_bytes, decide
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
    "OPTIONS",
    "PHASES",
    "SCHEMES",
    "Aggregation",
    "Collective",
    "Contest",
    "Decision",
    "Decisions",
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
    "against",
    "aggregate",
    "all_gather",
    "all_reduce",
    "board_memory_bytes",
    "decide",
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
