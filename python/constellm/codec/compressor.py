"""What can sit at a cut: something that turns an activation into bytes and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, Union, runtime_checkable

import numpy as np

from .._core import Scheme
from ..core.checks import instance
from .coding import decode, encode


@runtime_checkable
class Compressor(Protocol):
    """Turns an activation into bytes on one side of a cut, and back on the other.

    Any class with these three members fits. The error is what `decode` gives against what `encode` was
    given.

    Attributes
    ----------
    name : str
        For tables and menus.
    """

    name: str

    def encode(self, x: np.ndarray) -> bytes:
        """Bytes of an activation, float32 of shape (images, tokens, features)."""
        ...

    def decode(self, data: bytes) -> np.ndarray:
        """The activation that `encode` was given, up to the compressor's error."""
        ...


AtCuts = Union[Compressor, Mapping[int, Compressor]]
"""One compressor for all boundaries, or one for each of some."""

Compressors = Mapping[str, AtCuts]
"""Compressors by name."""


def compressor_at(field: str, compressors: Compressors, name: str, boundary: int) -> Compressor:
    """The compressor of a name at a boundary.

    Raises
    ------
    TypeError, ValueError
        If there is none, or it is no compressor; begins with `field`.
    """
    if name not in compressors:
        raise ValueError(f"{field}: {name!r} is not one of {', '.join(map(repr, compressors))}")
    one = compressors[name]
    if isinstance(one, Mapping):
        if boundary not in one:
            raise ValueError(f"{field}: {name!r} is not given for boundary {boundary}")
        one = one[boundary]
    return instance(f"compressors[{name!r}]", one, Compressor)  # type: ignore[type-abstract]


class Direct:
    """A scheme that needs no training: quantisation, Top-k, SLICER.

    Parameters
    ----------
    scheme : Scheme
        Any but a mask's, which the scheme cannot make by itself.
    name : str, optional
        Default: what the scheme says of itself.

    Raises
    ------
    TypeError
        If `scheme` is none.
    ValueError
        If it wants a mask.
    """

    def __init__(self, scheme: Scheme, *, name: str | None = None) -> None:
        if instance("scheme", scheme, Scheme).sparsify == "mask":
            raise ValueError("scheme: sparsify='mask' needs a mask at every call; see Masked")
        self.scheme = scheme
        self.name = repr(scheme) if name is None else name

    def __repr__(self) -> str:
        return f"Direct({self.scheme!r}, name={self.name!r})"

    def encode(self, x: np.ndarray) -> bytes:
        """Bytes of an activation."""
        return encode(x, self.scheme)

    def decode(self, data: bytes) -> np.ndarray:
        """The activation, with what the scheme dropped at 0."""
        return decode(data)
