"""Activations to self-describing byte strings and back: sparsify, quantise, entropy-code.

The work is done in the compiled core, in one thread and without the interpreter's lock: calls from
several threads run side by side. Ctrl-C, or any signal whose handler raises, ends a call. The bytes depend
on nothing but array, mask and scheme. docs/codec.md has the format.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._core.codec import Scheme
from ..core.checks import count, instance, short

DEFAULT_MAX_BYTES = 2**30
"""Largest array that `decode` makes unless told otherwise."""


def encode(x: NDArray[Any], scheme: Scheme, *, mask: NDArray[np.bool_] | None = None) -> bytes:
    """Compress an activation.

    Parameters
    ----------
    x : ndarray of float32 or float16, shape (..., features)
        Finite, at any strides: it is read where it lies, unless its elements are not aligned or not in the
        machine's byte order. All axes but the last count tokens.
    scheme : Scheme
        What is kept, how it is quantised and coded.
    mask : ndarray of bool, shape of `x`, optional
        What is kept; with ``scheme.sparsify == "mask"`` and only then.

    Returns
    -------
    bytes
        With version, checksum, shape, dtype and scheme inside.

    Raises
    ------
    TypeError
        If an argument is of the wrong type or dtype, or a masked array.
    ValueError
        If an element is not finite (the message says which), or the mask is missing, not wanted or of
        another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import codec
    >>> x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(4, 16)
    >>> data = codec.encode(x, codec.Scheme(sparsify="top-k", keep=0.25, bits=8))
    >>> int(np.count_nonzero(codec.decode(data)))
    16
    """
    return _core.codec.encode(_activation(x), instance("scheme", scheme, Scheme), _mask(mask, x))


def decode(data: bytes, *, max_bytes: int = DEFAULT_MAX_BYTES) -> NDArray[Any]:
    """The array that `encode` made `data` from, with dropped elements 0 and the others as quantised.

    Parameters
    ----------
    data : bytes, bytearray or memoryview
        A message. Anything else, and anything damaged, is refused: nothing is allocated before length and
        checksum hold, and a message of n bytes never makes an array of more than 65,536·n.
    max_bytes : int
        Largest array that is made [B]. Where a message comes from elsewhere, give what you expect: half a
        kilobyte can stand for 32 MiB. Scratch comes on top: up to 4 times the array for float32 rows of 64
        features and more, twice that for float16, at most 12 times, for float16 rows of one feature.

    Returns
    -------
    ndarray
        C-contiguous, of the shape and dtype that were encoded.

    Raises
    ------
    TypeError
        If `data` is no bytes.
    ValueError
        If `data` is not a whole, undamaged message, or the array would take more than `max_bytes`.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import codec
    >>> x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(4, 16)
    >>> data = codec.encode(x, codec.Scheme(bits=8))
    >>> codec.decode(data, max_bytes=x.nbytes).shape
    (4, 16)
    """
    return _core.codec.decode(_message(data), count("max_bytes", max_bytes, least=0))


def inspect(data: bytes) -> dict[str, Any]:
    """What a message says of itself, without decoding it.

    Parameters
    ----------
    data : bytes, bytearray or memoryview
        As for `decode`.

    Returns
    -------
    dict
        ``shape`` (tuple), ``dtype`` (text), ``scheme`` (`Scheme`), and sizes [B]: ``raw_bytes`` of the array,
        ``total_bytes`` of the message, which are ``header_bytes``, ``mask_bytes``, ``scales_bytes`` and
        ``symbols_bytes``.

    Raises
    ------
    TypeError, ValueError
        As `decode`.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import codec
    >>> codec.inspect(codec.encode(np.zeros((4, 8), np.float32), codec.Scheme(bits=8)))["shape"]
    (4, 8)
    """
    return _core.codec.inspect(_message(data))


def entropy_bound_bytes(
    x: NDArray[Any], scheme: Scheme, *, mask: NDArray[np.bool_] | None = None
) -> dict[str, float]:
    """Zero-order empirical entropy of what a scheme sends: what a coder without any context could reach.

    ::

        mask     N·H(k / N)                 N elements, k kept
        symbols  -Σ_s n_s·log2(n_s / k)     n_s: how often symbol s occurs

    Values that travel as they are count byte by byte, each byte's histogram for itself.

    Parameters
    ----------
    x, scheme, mask
        As for `encode`.

    Returns
    -------
    dict
        ``mask_bytes``, ``symbols_bytes`` and their sum ``total_bytes`` [B]; scales of tokens or
        blocks, header and tables are not counted.

    Raises
    ------
    TypeError, ValueError
        As `encode`.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import codec
    >>> x = np.random.default_rng(0).laplace(size=(64, 256)).astype(np.float32)
    >>> scheme = codec.Scheme(bits=4, entropy="zero-order")
    >>> codec.entropy_bound_bytes(x, scheme)["total_bytes"] < len(codec.encode(x, scheme))
    True
    """
    return _core.codec.entropy_bound(_activation(x), instance("scheme", scheme, Scheme), _mask(mask, x))


def _activation(x: Any) -> NDArray[Any]:
    array = _unmasked("x", x)
    if array.dtype.newbyteorder("=") not in (np.float32, np.float16):
        raise TypeError(f"x: expected float32 or float16, got {array.dtype}")
    return _plain(array)


def _unmasked(name: str, value: Any) -> NDArray[Any]:
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name}: expected a plain array, got a MaskedArray, whose mask would be ignored")
    return instance(name, value, np.ndarray)


def _mask(mask: Any, x: NDArray[Any]) -> NDArray[np.bool_] | None:
    if mask is None:
        return None
    array = _unmasked("mask", mask)
    if array.dtype != np.bool_:
        raise TypeError(f"mask: expected bool, got {array.dtype}")
    if array.shape != x.shape:
        raise ValueError(f"mask: its shape {array.shape} is not that of x, {x.shape}")
    return array


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    """The array itself if the core can read it, else a copy."""
    native = array.dtype.newbyteorder("=")
    aligned = array.flags.aligned and array.dtype.isnative
    return array if aligned else np.array(array, dtype=native, order="C")


def _message(data: Any) -> memoryview:
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"data: expected bytes, got {short(data)}")
    view = memoryview(data)
    if not view.contiguous:
        view = memoryview(view.tobytes())
    return view.cast("B") if view.nbytes else memoryview(b"")
