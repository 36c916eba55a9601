"""*Collaborative LLM inference over LEO satellites* (arXiv 2604.04654): its setting, and its comparisons.

`problem` is the setting, with every number's standing in `PARAMETERS`; `edge_boards` are PipeEdge's measured
boards; `STUDY` is what is computed and held against the paper, by `constellm.paper.reproduce`.
"""

from ...core.deprecation import callable_module
from ...core.keywords import tell_of_slips as _tell_of_slips
from .parameters import FOOTPRINT_BYTES, MAX_ERROR, PAPER_KEEP, PARAMETERS
from .scenario import edge_boards, problem
from .study import STUDY, parameters_markdown

__all__ = [
    "FOOTPRINT_BYTES",
    "MAX_ERROR",
    "PAPER_KEEP",
    "PARAMETERS",
    "STUDY",
    "edge_boards",
    "parameters_markdown",
    "problem",
]

_tell_of_slips(__name__)

callable_module(__name__, problem, f"{__name__}.problem")
