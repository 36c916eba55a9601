"""Compressors for a cut: an activation to bytes and back."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Union, runtime_checkable

import numpy as np

from .._core.codec import Scheme
from ..core.checks import instance, short
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

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import codec
    >>> class Half:
    ...     name = "half"
    ...     def encode(self, x):
    ...         self.shape = x.shape
    ...         return x.astype(np.float16).tobytes()
    ...     def decode(self, data):
    ...         return np.frombuffer(data, np.float16).reshape(self.shape).astype(np.float32)
    >>> isinstance(Half(), codec.Compressor)
    True
    """

    name: str

    def encode(self, x: np.ndarray) -> bytes:
        """Bytes of an activation, of shape (images, tokens, features), or what has their buffer.

        float32, or float16 of a model that computes in it; of one in bfloat16, which numpy lacks, float32.
        """
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


@dataclass(frozen=True)
class RoundTrip:
    """What `round_trip` returns.

    Attributes
    ----------
    restored : ndarray
        What `decode` gave.
    sent_bytes : int
        Size of what `encode` gave [B].
    encode_s, decode_s : float
        Wall clock [s].
    """

    restored: np.ndarray
    sent_bytes: int
    encode_s: float
    decode_s: float


def round_trip(field: str, compressor: Compressor, x: np.ndarray) -> RoundTrip:
    """Encode an activation and decode it.

    Raises
    ------
    TypeError, ValueError
        If `encode` gives what is no bytes, or `decode` another shape or type than that of `x`; begins with
        `field`.
    """
    start = time.perf_counter()
    sent = compressor.encode(x)
    encode_s = time.perf_counter() - start
    sent_bytes = _size(f"{field}: {compressor.name}", sent)
    start = time.perf_counter()
    restored = compressor.decode(sent)
    decode_s = time.perf_counter() - start
    given, back = (
        f"{a.dtype} {a.shape}" if isinstance(a, np.ndarray) else type(a).__name__ for a in (x, restored)
    )
    if back != given:
        raise ValueError(f"{field}: {compressor.name} turned {given} into {back}")
    return RoundTrip(restored, sent_bytes, encode_s, decode_s)


def ratio_of(raw_bytes: float, sent_bytes: float) -> float:
    """Bytes before over bytes sent; inf where nothing is sent."""
    return raw_bytes / sent_bytes if sent_bytes else math.inf


def _size(field: str, data: Any) -> int:
    """Bytes of a buffer: its `len` may count rows."""
    try:
        view = memoryview(data)
        if "O" in view.format:
            raise TypeError
    except (TypeError, ValueError, BufferError):
        raise TypeError(
            f"{field}: encode gave {short(data)}, expected bytes, or what has their buffer"
        ) from None
    return view.nbytes


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

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import codec
    >>> coder = codec.Direct(codec.Scheme(bits=4))
    >>> x = np.ones((2, 4, 8), np.float32)
    >>> coder.decode(coder.encode(x)).shape
    (2, 4, 8)
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
