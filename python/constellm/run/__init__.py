"""Inference without PyTorch, split at any block boundary (ONNX Runtime; extra ``[run]``).

`load` gives a model, `infer` runs it with compressors at its cuts, `cuts_of` takes the cuts from a plan.
"""

from .infer import Crossing, Inference, Segmented, cuts_of, infer
from .measurement import Measurement, measure, random_combinations
from .onnx_model import OnnxModel, load, save_onnx, shipped
from .weights import Weights, read_weights

__all__ = [
    "Crossing",
    "Inference",
    "Measurement",
    "OnnxModel",
    "Segmented",
    "Weights",
    "cuts_of",
    "infer",
    "load",
    "measure",
    "random_combinations",
    "read_weights",
    "save_onnx",
    "shipped",
]
