"""Inference without PyTorch, split at any block boundary (ONNX Runtime; extra ``[infer]``).

`load` gives a model, `infer` runs it with compressors at its cuts, such as those of a plan
(`constellm.split.compressors_at_cuts`), `features` gives what its classifier would take, `measure` says what
compressors cost, `learned_compressors` gives the masks
and bottlenecks that were trained for the shipped model's cuts.
"""

from ..core.keywords import tell_of_slips as _tell_of_slips
from .features import Features, features
from .infer import Crossing, Inference, Segmented, infer
from .measurement import Measurement, measure, random_combinations
from .onnx_model import OnnxModel, load, save_onnx, shipped
from .shipped_cuts import calibration, direct_compressors, learned_compressors, measured_cuts
from .weights import Weights, read_weights

__all__ = [
    "Crossing",
    "Features",
    "Inference",
    "Measurement",
    "OnnxModel",
    "Segmented",
    "Weights",
    "calibration",
    "direct_compressors",
    "features",
    "infer",
    "learned_compressors",
    "load",
    "measure",
    "measured_cuts",
    "random_combinations",
    "read_weights",
    "save_onnx",
    "shipped",
]

_tell_of_slips(__name__)
