"""Partition and codecs made for each other: codecs for the cuts of a plan, a plan for the codecs.

`alternate` has codecs made for a plan's cuts, measures them and plans anew, while it pays, under the terms of
a `Campaign`. Who makes them is a `Trainer`, such as `constellm.train.CutTrainer`; nothing here needs PyTorch.
`planned_sets` are the sets of cuts that plans have, to be measured.
"""

from ..core.keywords import tell_of_slips as _tell_of_slips
from .campaign import Campaign, Images, Measuring, Order, Trainer
from .loop import alternate
from .planner import IDEAL
from .result import COLUMNS, STOPS, JointResult, Round
from .sets import planned_sets

__all__ = [
    "COLUMNS",
    "IDEAL",
    "STOPS",
    "Campaign",
    "Images",
    "JointResult",
    "Measuring",
    "Order",
    "Round",
    "Trainer",
    "alternate",
    "planned_sets",
]

_tell_of_slips(__name__)
