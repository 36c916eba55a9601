"""Ways to compress what crosses a cut, what they cost, and how their errors add up.

A menu is a plain list of `Codec`; menus are combined with ``+``. `menu` makes the known families by name,
`from_table` reads the user's own, `propagated_gain` weighs the cuts by the layers that follow them.
"""

from .._core import Codec
from .gain import propagated_gain
from .laplace import quantisation_error, selection_error
from .menu import DEFAULT_KEEP, LOSSLESS_GAIN, MASK_WEIGHT, describe, gumbel_mask, menu, none, quantise, top_k
from .table import from_table

__all__ = [
    "DEFAULT_KEEP",
    "LOSSLESS_GAIN",
    "MASK_WEIGHT",
    "Codec",
    "describe",
    "from_table",
    "gumbel_mask",
    "menu",
    "none",
    "propagated_gain",
    "quantisation_error",
    "quantise",
    "selection_error",
    "top_k",
]
