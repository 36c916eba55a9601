"""Many problems at once: axes over the fields of a problem or the parameters of a factory.

The package exports the function `sweep` under this module's own name, so ``constellm.sweep(...)`` runs a
sweep; the rest is reached by ``from constellm.sweep import load_rows, SweepResult``.
"""

from .result import SweepResult
from .run import sweep
from .store import load_rows

__all__ = ["SweepResult", "load_rows", "sweep"]
