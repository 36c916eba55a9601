"""Ways to compress what crosses a cut, what they cost, and how their errors add up.

A `Menu` is a list of `Codec`; menus are combined with ``+``. `menu` makes the known families by name,
`from_table` reads the user's own, `propagated_gain` weighs the cuts by the layers that follow them.

`encode` and `decode` turn real activations into byte strings and back, as a `Scheme` says.
"""

from .._core.codec import Codec, Scheme
from ..core.keywords import tell_of_slips as _tell_of_slips
from .accumulation import (
    BASES,
    RuleScore,
    accumulate,
    cut_weights,
    fit_amplification,
    fit_exponent,
    rank_correlation,
    score_rules,
)
from .adaptive import (
    AdaptiveCompressor,
    ByDifficulty,
    ByError,
    Probe,
    difficulty,
    fit_error_target,
    fit_thresholds,
    image_errors,
)
from .calibration import Calibration, calibrate
from .coding import DEFAULT_MAX_BYTES, decode, encode, entropy_bound_bytes, inspect
from .compressor import Compressor, Direct
from .flip import Flips, expected_losses, fit_temperature, flips
from .gain import propagated_gain
from .laplace import quantisation_error, selection_error
from .learned import load_learned, save_learned
from .low_rank import Bottleneck, LowRank, Projection
from .masked import Masked, MaskNetwork
from .measured_cuts import MeasuredCuts, read_measured_cuts, write_measured_cuts
from .menu import (
    DEFAULT_KEEP,
    LOSSLESS_GAIN,
    MASK_WEIGHT,
    Menu,
    describe,
    gumbel_mask,
    menu,
    none,
    quantise,
    top_k,
)
from .steps import coding_steps
from .table import from_table

__all__ = [
    "BASES",
    "DEFAULT_KEEP",
    "DEFAULT_MAX_BYTES",
    "LOSSLESS_GAIN",
    "MASK_WEIGHT",
    "AdaptiveCompressor",
    "ByDifficulty",
    "ByError",
    "Calibration",
    "Bottleneck",
    "Codec",
    "Flips",
    "MeasuredCuts",
    "Menu",
    "Probe",
    "RuleScore",
    "Compressor",
    "Direct",
    "LowRank",
    "MaskNetwork",
    "Masked",
    "Projection",
    "Scheme",
    "accumulate",
    "calibrate",
    "coding_steps",
    "cut_weights",
    "decode",
    "describe",
    "difficulty",
    "encode",
    "entropy_bound_bytes",
    "expected_losses",
    "fit_amplification",
    "fit_error_target",
    "fit_exponent",
    "fit_temperature",
    "fit_thresholds",
    "flips",
    "from_table",
    "gumbel_mask",
    "image_errors",
    "inspect",
    "load_learned",
    "menu",
    "none",
    "propagated_gain",
    "quantisation_error",
    "quantise",
    "rank_correlation",
    "read_measured_cuts",
    "score_rules",
    "save_learned",
    "selection_error",
    "top_k",
    "write_measured_cuts",
]

_tell_of_slips(__name__)
