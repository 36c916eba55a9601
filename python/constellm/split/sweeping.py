"""Problems and their plans for `constellm.sweep`."""

from .._core.split import Problem, sweeping
from ..sweep.system import System, columns_from

SWEEP = System(
    home=__name__,
    record=Problem,
    columns=columns_from(sweeping.columns),
    statuses=sweeping.statuses,
    answer="plan",
    field=sweeping.field,
    check_method=sweeping.check_method,
    run=sweeping.run,
)
