"""A model as a row of layers, with what each needs and sends on."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .._core.model import Layer, LayerProfile
from ..core.checks import count, instance, known_keywords, non_negative, positive, short
from ..core.display import Display, Displayed
from ..core.table import Table

FIELDS = (
    "flop",
    "memory_bytes",
    "output_bytes",
    "parameters",
    "weight_bytes",
    "kv_cache_bytes",
    "workspace_bytes",
    "read_bytes",
    "error_gain",
)


@dataclass(frozen=True)
class Profile(Displayed):
    """A model ready to be split; all figures are for one micro-batch.

    Immutable; two profiles are equal if all their values are. ``split.Problem`` reads `layers` and
    `input_bytes` alone.

    Parameters
    ----------
    name : str
        Label.
    detail : sequence of LayerProfile
        At least one, in execution order.
    input_bytes : float
        Size of the raw input of a micro-batch [B], >= 0.
    batch : int
        Images or sequences in a micro-batch, >= 1.
    dtype : str
        Type of an activation's element.
    note : str
        Where the figures come from and what is assumed.

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the allowed range.

    Examples
    --------
    >>> from constellm import model
    >>> profile = model.from_arrays(
    ...     flop=[1e9, 2e9], memory_bytes=[1e6, 1e6], output_bytes=[4e3, 4e1], input_bytes=6e5
    ... )
    >>> profile.flop, len(profile)
    (3000000000.0, 2)
    >>> profile.array("output_bytes")
    array([4000.,   40.])
    """

    name: str
    detail: tuple[LayerProfile, ...]
    input_bytes: float
    batch: int = 1
    dtype: str = "float32"
    note: str = ""

    def __post_init__(self) -> None:
        for field in ("name", "dtype", "note"):
            if not isinstance(getattr(self, field), str):
                raise TypeError(f"{field}: expected text, got {short(getattr(self, field))}")
        detail = tuple(self.detail)
        if not detail:
            raise ValueError("detail: a profile needs at least one layer, got none")
        for index, layer in enumerate(detail):
            instance(f"detail[{index}]", layer, LayerProfile)
        batch = count("batch", self.batch)
        object.__setattr__(self, "detail", detail)
        object.__setattr__(self, "batch", batch)
        object.__setattr__(self, "input_bytes", non_negative("input_bytes", self.input_bytes))

    @cached_property
    def layers(self) -> list[Layer]:
        """The layers as a planner reads them."""
        return [layer.layer for layer in self.detail]

    def __len__(self) -> int:
        return len(self.detail)

    def array(self, field: str) -> np.ndarray:
        """One figure of every layer.

        Parameters
        ----------
        field : str
            Any numeric field of `LayerProfile`.

        Returns
        -------
        ndarray of float64, shape (layers,)
            In the field's unit.
        """
        if field not in FIELDS:
            raise ValueError(f"field: {field!r} is not one of {', '.join(FIELDS)}")
        return np.array([getattr(layer, field) for layer in self.detail])

    def pass_time_s(self, *, flop_per_s: float, memory_bandwidth_bytes_per_s: float = math.inf) -> float:
        """Time of one pass on one computer: of every layer the longer of computing and reading.

        ::

            Σ max(flop / flop_per_s, read_bytes / memory_bandwidth_bytes_per_s)

        the roofline (Williams, Waterman and Patterson, 2009), layer by layer, as `constellm.split` has it for
        the tokens of a generation.

        Parameters
        ----------
        flop_per_s, memory_bandwidth_bytes_per_s : float
            > 0 [FLOP/s], [B/s]; a bandwidth may be infinite.

        Returns
        -------
        float
            [s]

        Raises
        ------
        ValueError, TypeError
            If a value is out of range or no number.

        Examples
        --------
        >>> from constellm import model
        >>> step = model.decoder("llama-3-8b", phase="decode", context_tokens=1024)
        >>> round(step.pass_time_s(flop_per_s=40e12, memory_bandwidth_bytes_per_s=200e9), 4)
        0.0757
        """
        speed = positive("flop_per_s", flop_per_s)
        bandwidth = memory_bandwidth_bytes_per_s
        if bandwidth != math.inf:
            bandwidth = positive("memory_bandwidth_bytes_per_s", bandwidth)
        layer_s = np.maximum(self.array("flop") / speed, self.array("read_bytes") / bandwidth)
        return float(layer_s.sum())

    @property
    def flop(self) -> float:
        """Computation of one micro-batch [FLOP]."""
        return self._total("flop")

    @property
    def parameters(self) -> float:
        """Number of parameters; shared ones count once. 0 where a table does not tell."""
        return self._total("parameters")

    @property
    def memory_bytes(self) -> float:
        """Resident memory, each layer's workspace counted by itself [B]."""
        return self._total("memory_bytes")

    @property
    def workspace_bytes(self) -> float:
        """Largest workspace of any layer: what a host needs that runs its layers one by one [B]."""
        return max(layer.workspace_bytes for layer in self.detail)

    @property
    def weight_bytes(self) -> float:
        """Stored weights [B]; a matrix that the first and last layer share is stored at both."""
        return self._total("weight_bytes")

    @property
    def kv_cache_bytes(self) -> float:
        """Keys and values of all layers [B]."""
        return self._total("kv_cache_bytes")

    @property
    def read_bytes(self) -> float:
        """Weights and cache read from memory in one pass [B]."""
        return self._total("read_bytes")

    def _total(self, field: str) -> float:
        return float(sum(getattr(layer, field) for layer in self.detail))

    def replace(self, **changes: Any) -> Profile:
        """Return a copy with some fields changed."""
        known = [field.name for field in dataclasses.fields(self)]
        known_keywords("replace()", changes, known)
        return dataclasses.replace(self, **changes)

    def with_memory(self, total_bytes: float) -> Profile:
        """Return a copy with a stated footprint, spread evenly over the layers.

        Parameters
        ----------
        total_bytes : float
            Resident memory of the whole model [B], >= 0; it takes the place of the computed figures.
        """
        each = non_negative("total_bytes", total_bytes) / len(self.detail)
        return self.replace(detail=tuple(layer.replace(memory_bytes=each) for layer in self.detail))

    def without_workspace(self) -> Profile:
        """Return a copy whose `memory_bytes` are weights and KV cache alone.

        For hosts that run one layer at a time and use one workspace for all: take `workspace_bytes` off
        each host's memory instead, which is exact where all layers have the same.
        """
        return self.replace(
            detail=tuple(
                layer.replace(memory_bytes=layer.weight_bytes + layer.kv_cache_bytes) for layer in self.detail
            )
        )

    def with_error_gain(self, error_gain: float | Iterable[float]) -> Profile:
        """Return a copy that weighs errors at the cuts differently.

        Parameters
        ----------
        error_gain : float or array_like, shape (layers,)
            How much a codec's error at the cut after each layer weighs, >= 0.
        """
        gains = np.asarray(error_gain, dtype=float)
        if gains.shape not in ((), (len(self.detail),)):
            raise ValueError(f"error_gain: shape {gains.shape} is neither () nor ({len(self.detail)},)")
        each = np.broadcast_to(gains, len(self.detail))
        return self.replace(
            detail=tuple(layer.replace(error_gain=float(gain)) for layer, gain in zip(self.detail, each))
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain Python values."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        values["detail"] = [layer.to_dict() for layer in self.detail]
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Profile:
        """Make a profile from what `to_dict` returned."""
        return cls(**{**values, "detail": tuple(LayerProfile(**layer) for layer in values["detail"])})

    def __repr__(self) -> str:
        return (
            f"Profile({self.name!r}, {len(self.detail)} layers, {self.parameters / 1e6:,.1f} M parameters, "
            f"{self.flop / 1e9:,.1f} GFLOP and {self.memory_bytes / 1e9:,.2f} GB for a batch of {self.batch})"
        )

    def _display(self) -> Display:
        rows = []
        for first, last in _runs(self.detail):
            layer = self.detail[first]
            name = layer.name if first == last else f"{layer.name} … {self.detail[last].name}"
            rows.append((f"{last - first + 1} ×", name, *(getattr(layer, column) for column in _SHOWN)))
        table = Table(("", "layer", *_SHOWN), rows, "Each of the layers")
        return Display([repr(self), *([self.note] if self.note else [])], [table.with_units_in_head()])


_SHOWN = ("flop", "memory_bytes", "weight_bytes", "kv_cache_bytes", "workspace_bytes", "output_bytes")


def _runs(detail: tuple[LayerProfile, ...]) -> list[tuple[int, int]]:
    """First and last index of each run of layers that differ in name alone."""
    runs: list[tuple[int, int]] = []
    for index, layer in enumerate(detail):
        if runs and layer.replace(name="") == detail[index - 1].replace(name=""):
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return runs
