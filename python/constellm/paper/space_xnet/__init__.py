"""*Space-XNet* (arXiv 2605.00515): its setting, and its comparisons.

`Scenario` is the setting, with every number's standing in `PARAMETERS`; `reached` is what a token takes
there. `STUDY` is what is computed and held against the paper, by `constellm.paper.reproduce`.
"""

from ...core.keywords import tell_of_slips as _tell_of_slips
from .parameters import PAPER_S, PARAMETERS
from .scenario import Scenario, reached
from .study import STUDY, parameters_markdown

__all__ = ["PAPER_S", "PARAMETERS", "STUDY", "Scenario", "parameters_markdown", "reached"]

_tell_of_slips(__name__)
