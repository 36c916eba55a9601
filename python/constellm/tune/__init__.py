"""Satellite federated fine-tuning: what a round takes over a constellation, and what its decisions buy.

A `Workload` says what an image costs, layer by layer (`spectral_gpt`, or `workload` of a model's profile); a
`Fleet` which satellites learn, over which contacts (`fleet` of a constellation); a `Scheme` where the model
is cut, what travels, and how often. `schedule_round` lays a round out on the contacts: embedding, exchange
within planes, the way down and back as quickest transfers (`constellm.flow`), the server, updates, and sums
within and between planes. `schedule_rounds` has many after one another.

`decide` tries every combination of decisions on its schedule; `against` holds a scheme against computing on
board. `all_gather` and `all_reduce` are the closed forms of rings; `aggregate` sums up between orbits, over
the earliest tree (`sum_tree`) or as others do; `Fleet.without` takes away what is lost.
"""

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
