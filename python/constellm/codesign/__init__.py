"""Partition and codecs made for each other: codecs for the cuts of a plan, a plan for the codecs.

`alternate` has codecs made for a plan's cuts, measures them and plans anew, while it pays. Who makes them is
a `Trainer`, such as `constellm.train.CutTrainer`; nothing here needs PyTorch.
"""

from .loop import IDEAL, Order, Trainer, alternate
from .result import COLUMNS, STOPS, JointResult, Round

__all__ = ["COLUMNS", "IDEAL", "STOPS", "JointResult", "Order", "Round", "Trainer", "alternate"]
