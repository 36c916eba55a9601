"""Ways to compress what crosses a cut, what they cost, and how their errors add up.

A menu is a plain list of `Codec`; menus are combined with ``+``. `menu` makes the known families by name,
`from_table` reads the user's own, `propagated_gain` weighs the cuts by the layers that follow them.

`encode` and `decode` turn real activations into byte strings and back, as a `Scheme` says.
"""

from .._core import Codec, Scheme
from .coding import DEFAULT_MAX_BYTES, decode, encode, entropy_bound_bytes, inspect
from .gain import propagated_gain
from .laplace import quantisation_error, selection_error
from .menu import DEFAULT_KEEP, LOSSLESS_GAIN, MASK_WEIGHT, describe, gumbel_mask, menu, none, quantise, top_k
from .table import from_table

__all__ = [
    "DEFAULT_KEEP",
    "DEFAULT_MAX_BYTES",
    "LOSSLESS_GAIN",
    "MASK_WEIGHT",
    "Codec",
    "Scheme",
    "decode",
    "describe",
    "encode",
    "entropy_bound_bytes",
    "from_table",
    "gumbel_mask",
    "inspect",
    "menu",
    "none",
    "propagated_gain",
    "quantisation_error",
    "quantise",
    "selection_error",
    "top_k",
]
