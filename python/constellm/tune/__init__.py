"""Satellite federated fine-tuning: what a round takes over a constellation, and what its decisions buy.

A `Workload` says what an image costs, layer by layer (`spectral_gpt`, or `workload` of a model's profile); a
`Fleet` which satellites learn, over which contacts (`fleet` of a constellation); a `Scheme` where the model
is cut, what travels, and how often. `schedule_round` lays a round out on the contacts: embedding, exchange
within planes, the way down and back as quickest transfers (`constellm.flow`), the server, updates, and sums
within and between planes. `schedule_rounds` has many after one another.

`decide` tries every combination of decisions on its schedule; `against` holds a scheme against computing on
board. `all_gather` and `all_reduce` are the closed forms of rings; `aggregate` sums up between orbits, over
the earliest tree (`sum_tree`) or as others do; `Fleet.without` takes away what is lost.

`federate` really trains what satellites share, each on what it has, while time is simulated: in rounds
(`Synchronous`), from buffers (`Buffered`) or with every update (`Asynchronous`), in this process or by
`Flower`. `HeadTask` tunes a classifier over features, `partition` spreads images over satellites,
`ContactTiming` says by a contact plan when models and updates are where.
"""

from ..core.keywords import tell_of_slips as _tell_of_slips
from .aggregation import Aggregation, aggregate
from .clients import ClientError, Task
from .collectives import LINKS, Collective, all_gather, all_reduce
from .contest import Contest, against
from .decisions import OPTIONS, Decision, Decisions, board_memory_bytes, decide
from .federated import federate
from .federated_run import FederatedRun
from .fleet import Fleet, Powers, fleet
from .flower import Flower
from .gossip import Gossip, gossip
from .head_task import HeadTask
from .modes import Asynchronous, Buffered, Synchronous
from .partitions import Partition, partition
from .rounds import PHASES, Phase, Round, Rounds
from .scheduling import schedule_round, schedule_rounds
from .scheme import AGGREGATIONS, SCHEMES, Scheme
from .timing import Computing, ConstantTiming, ContactTiming, Passage, Timing
from .trees import Hop, NarrowTree, SumTree, minimum_diameter_tree, sum_tree
from .workload import Workload, spectral_gpt, workload

__all__ = [
    "AGGREGATIONS",
    "LINKS",
    "OPTIONS",
    "PHASES",
    "SCHEMES",
    "Aggregation",
    "Asynchronous",
    "Buffered",
    "ClientError",
    "Collective",
    "Computing",
    "ConstantTiming",
    "ContactTiming",
    "Contest",
    "Decision",
    "Decisions",
    "FederatedRun",
    "Fleet",
    "Flower",
    "Gossip",
    "HeadTask",
    "Hop",
    "NarrowTree",
    "Partition",
    "Passage",
    "Phase",
    "Powers",
    "Round",
    "Rounds",
    "Scheme",
    "SumTree",
    "Synchronous",
    "Task",
    "Timing",
    "Workload",
    "against",
    "aggregate",
    "all_gather",
    "all_reduce",
    "board_memory_bytes",
    "decide",
    "federate",
    "fleet",
    "gossip",
    "minimum_diameter_tree",
    "partition",
    "schedule_round",
    "schedule_rounds",
    "spectral_gpt",
    "sum_tree",
    "workload",
]

_tell_of_slips(__name__)
