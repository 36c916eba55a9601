"""Satellite federated fine-tuning (arXiv 2504.01676): its setting, and its comparisons.

`Scenario` is the setting, with every number's standing in `PARAMETERS`; `contenders` are the schemes that are
compared. `STUDY` is what is computed and held against the paper, by `constellm.paper.reproduce`.
"""

from ...core.keywords import tell_of_slips as _tell_of_slips
from .parameters import PARAMETERS
from .scenario import SETTINGS, SHELLS, STATIONS, Scenario, contenders, embedding_codec
from .study import STUDY, parameters_markdown

__all__ = [
    "PARAMETERS",
    "SETTINGS",
    "SHELLS",
    "STATIONS",
    "STUDY",
    "Scenario",
    "contenders",
    "embedding_codec",
    "parameters_markdown",
]

_tell_of_slips(__name__)
