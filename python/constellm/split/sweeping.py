"""Problems and their plans for `constellm.sweep`."""

from __future__ import annotations

from collections.abc import Sequence

from .._core.codec import Codec
from .._core.model import Layer
from .._core.network import Link, Node
from .._core.split import Problem, sweeping
from ..core.checks import meant
from ..sweep.system import System, columns_from

_FIELDS = [field.name for record in (Problem, Layer, Node, Link, Codec) for field in record.fields]


def _field(problem: Problem, address: str, earlier: Sequence[str]) -> tuple[str, bool]:
    try:
        return sweeping.field(problem, address, earlier)
    except ValueError as error:
        name = address.rpartition(".")[2].removesuffix(" *")
        raise ValueError(f"{error}{meant(name, _FIELDS)}") from None


SWEEP = System(
    home=__name__,
    record=Problem,
    columns=columns_from(sweeping.columns),
    statuses=sweeping.statuses,
    answer="plan",
    field=_field,
    check_method=sweeping.check_method,
    run=sweeping.run,
)
