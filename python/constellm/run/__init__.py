"""The old name of `constellm.infer`, for this version."""

from __future__ import annotations

from .._moved import old_modules
from ..core.deprecation import moved_names

_NEW = {
    "cuts_of": "constellm.split.compressors_at_cuts",
    **{
        name: f"constellm.infer.{name}"
        for name in (
            *("Crossing", "Inference", "Measurement", "OnnxModel", "Segmented", "Weights", "calibration"),
            *("direct_compressors", "infer", "learned_compressors", "load", "measure", "measured_cuts"),
            *("random_combinations", "read_weights", "save_onnx", "shipped"),
        )
    },
}
__all__ = list(_NEW)  # noqa: PLE0605

__getattr__ = moved_names(__name__, _NEW)

old_modules(__name__)
