"""Speed, memory and power of known computers, each figure with its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..core.checks import positive

TENSOR_FP16 = "fp16-tensor"
TENSOR_FP16_FP32_SUM = "fp16-tensor-fp32-accumulate"
CUDA_FP32 = "fp32-cuda"

_GUIDE = "NVIDIA Jetson Linux Developer Guide, power mode table of the AGX Orin 64 GB"
_MODE_FILE = "nvpmodel mode file of the AGX Orin"
_ADA = "NVIDIA Ada GPU Architecture whitepaper, table of the GeForce RTX 4070 Ti"

# FLOP that one cluster finishes in a clock cycle, 2 FLOP per multiply-add.
# Orin (Ampere, GA10B): a texture processing cluster is two multiprocessors of 128 CUDA cores and four
# tensor cores of 256 FP16 multiply-adds: 2·2·128 = 512 and 2·2·4·256 = 4096. NVIDIA states the FP32 rate
# (5.3 TFLOP/s at 1.3 GHz and eight clusters); the tensor rate follows from its INT8 figure (85 TOPS dense)
# halved. That FP32 sums cost nothing extra on Orin is not stated: an assumption.
_ORIN_FLOP_PER_CYCLE = {TENSOR_FP16: 4096, TENSOR_FP16_FP32_SUM: 4096, CUDA_FP32: 512}
# RTX 4070 Ti (Ada, AD104): 30 clusters likewise; GeForce halves the tensor rate with FP32 sums.
_ADA_FLOP_PER_CYCLE = {TENSOR_FP16: 2048, TENSOR_FP16_FP32_SUM: 1024, CUDA_FP32: 512}


def _orin(power_w: float, clusters: int, clock_hz: float, source: str) -> dict[str, Any]:
    return {
        "clusters": clusters,
        "clock_hz": clock_hz,
        "flop_per_cluster_cycle": _ORIN_FLOP_PER_CYCLE,
        "memory_bytes": 64e9,
        "power_w": power_w,
        "source": source,
    }


DEVICES: dict[str, dict[str, Any]] = {
    "jetson-agx-orin-15w": _orin(15.0, 3, 421e6, _GUIDE),
    "jetson-agx-orin-30w": _orin(30.0, 4, 625e6, _GUIDE),
    "jetson-agx-orin-50w": _orin(50.0, 8, 829e6, _GUIDE),
    "jetson-agx-orin-15w-408mhz": _orin(15.0, 3, 408e6, _MODE_FILE),
    "jetson-agx-orin-30w-612mhz": _orin(30.0, 4, 612e6, _MODE_FILE),
    "jetson-agx-orin-50w-816mhz": _orin(50.0, 8, 816e6, _MODE_FILE),
    "rtx-4070-ti": {
        "clusters": 30,
        "clock_hz": 2610e6,
        "flop_per_cluster_cycle": _ADA_FLOP_PER_CYCLE,
        "memory_bytes": 12e9,
        "power_w": 285.0,
        "source": _ADA,
    },
}
"""Clusters, clock [Hz], FLOP a cluster finishes in a cycle, memory [B], power [W] and source by name."""


@dataclass(frozen=True)
class Device:
    """A computer at a precision and a utilisation.

    Examples
    --------
    >>> from constellm import network
    >>> card = network.device("rtx-4070-ti", precision="fp32-cuda", utilisation=0.5)
    >>> card.power_w, round(card.flop_per_s / 1e12, 1)
    (285.0, 20.0)
    """

    name: str
    precision: str
    """``fp16-tensor``, ``fp16-tensor-fp32-accumulate`` or ``fp32-cuda``."""
    utilisation: float
    """Share of the peak that a model really gets; an assumption wherever it is not measured."""
    peak_flop_per_s: float
    """Derived: clusters × FLOP per cluster and cycle × clock [FLOP/s]."""
    memory_bytes: float
    """Of the whole module or card [B]."""
    power_w: float
    """Power limit of the mode or card: an upper bound of what computing draws [W]."""
    source: str
    """Of clusters, clock, memory and power."""

    @property
    def flop_per_s(self) -> float:
        """Effective speed: peak × utilisation [FLOP/s]."""
        return self.peak_flop_per_s * self.utilisation


def device(name: str, *, precision: str = TENSOR_FP16, utilisation: float) -> Device:
    """A computer of `DEVICES` at a precision and a utilisation.

    ::

        flop_per_s = clusters · flop_per_cluster_cycle · clock_hz · utilisation

    Parameters
    ----------
    name : str
        A key of `DEVICES`. The Jetson AGX Orin stands there with both published tables of its modes:
        421, 625 and 829 MHz, and 408, 612 and 816 MHz, at 3, 4 and 8 texture processing clusters.
        The mode table of its 32 GB module has no 50 W mode.
    precision : str
        ``"fp16-tensor"`` (FP16 sums), ``"fp16-tensor-fp32-accumulate"`` or ``"fp32-cuda"``.
    utilisation : float
        In (0, 1]. No default, for no data sheet states one.

    Returns
    -------
    Device

    Raises
    ------
    ValueError
        For an unknown name or precision, or a utilisation out of range.

    Examples
    --------
    >>> from constellm import network
    >>> orin = network.device("jetson-agx-orin-30w", utilisation=0.2)
    >>> round(orin.peak_flop_per_s / 1e12, 2), round(orin.flop_per_s / 1e12, 3)
    (10.24, 2.048)
    """
    if name not in DEVICES:
        raise ValueError(f"device: {name!r} is not one of {', '.join(map(repr, DEVICES))}")
    row = DEVICES[name]
    rates = row["flop_per_cluster_cycle"]
    if precision not in rates:
        raise ValueError(f"precision: {precision!r} is not one of {', '.join(map(repr, rates))}")
    return Device(
        name=name,
        precision=precision,
        utilisation=positive("utilisation", utilisation, most=1.0),
        peak_flop_per_s=row["clusters"] * rates[precision] * row["clock_hz"],
        memory_bytes=row["memory_bytes"],
        power_w=row["power_w"],
        source=row["source"],
    )
