"""Many problems at once: axes over the fields of a record or the parameters of a factory.

`run` sweeps whatever a system has registered, `constellm.split.Problem` first of all; `load_rows` reads what
it has stored. The engine knows no system: `System` says what one brings along.
"""

from .._moved import old_modules
from ..core.deprecation import callable_module, moved_names
from ..core.keywords import tell_of_slips as _tell_of_slips
from .result import SweepResult, to_table
from .running import run
from .store import load_rows
from .system import Column, System, register

__all__ = ["Column", "SweepResult", "System", "load_rows", "register", "run", "to_table"]

_tell_of_slips(__name__)

__getattr__ = moved_names(__name__, {"sweep": "constellm.sweep.run"})

callable_module(__name__, run, f"{__name__}.run")

old_modules(__name__)
