"""A learned mask at a cut, at run time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._core.codec import Scheme
from .coding import decode, encode
from .parameters import Parameters, activation

TINY = 1e-6
"""Added to a token's size, so that one without any gives no infinity."""


@dataclass(frozen=True, eq=False)
class MaskNetwork(Parameters):
    """Says of every feature of every token whether it crosses a cut.

    ::

        y = x − centre,    u = y / √(mean of y² over the token's features)
        z = magnitude·|u| + relu(u·down + down_bias)·up + bias
        m = 1[z > 0]

    A feature is kept for its own size, weighed as training finds right, and for the kind of token it belongs
    to. Sizes count against the token's own, as the normalisation at the head of every block behind the cut
    counts them. This costs about 4·hidden FLOP a feature.

    Parameters
    ----------
    centre : array_like, shape (features,)
        What a dropped feature becomes.
    magnitude, bias : array_like, shape (features,)
    down : array_like, shape (features, hidden)
    down_bias : array_like, shape (hidden,)
    up : array_like, shape (hidden, features)

    Raises
    ------
    ValueError
        If shapes do not fit or a value is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import codec
    >>> network = codec.MaskNetwork(
    ...     centre=np.zeros(3), magnitude=np.ones(3), bias=[-1.0, -1.0, 9.0],
    ...     down=np.zeros((3, 1)), down_bias=np.zeros(1), up=np.zeros((1, 3)),
    ... )
    >>> network.mask(np.array([[0.1, 5.0, 0.2]], np.float32))
    array([[False,  True,  True]])
    """

    centre: np.ndarray
    magnitude: np.ndarray
    down: np.ndarray
    down_bias: np.ndarray
    up: np.ndarray
    bias: np.ndarray

    def __post_init__(self) -> None:
        d, h = np.shape(self.centre), np.shape(self.down_bias)
        if len(d) != 1 or len(h) != 1:
            raise ValueError(f"centre and down_bias: expected one axis each, got shapes {d} and {h}")
        self._set(centre=d, magnitude=d, down=d + h, down_bias=h, up=h + d, bias=d)

    @property
    def features(self) -> int:
        """Of a token."""
        return self.centre.shape[0]

    def logits(self, x: np.ndarray) -> np.ndarray:
        """z of an activation, float32 of its shape (…, features)."""
        return self.logits_of_offset(activation(x, self.features) - self.centre)

    def mask(self, x: np.ndarray) -> np.ndarray:
        """m of an activation, bool of its shape (…, features)."""
        return self.logits(x) > 0.0

    def logits_of_offset(self, offset: np.ndarray) -> np.ndarray:
        """z of x − centre, for those who need both."""
        unit = offset / (np.sqrt(np.square(offset).mean(axis=-1, keepdims=True)) + TINY)
        hidden = unit @ self.down
        hidden += self.down_bias
        np.maximum(hidden, 0.0, out=hidden)
        np.abs(unit, out=unit)
        unit *= self.magnitude
        unit += hidden @ self.up
        unit += self.bias
        return unit


class Masked:
    """A learned mask, quantisation of what it keeps, entropy coding.

    What is coded is x − centre, so that a dropped feature, 0 on arrival, becomes its centre.

    Parameters
    ----------
    network : MaskNetwork
        From `constellm.train.fit_masks` or `load_learned`.
    bits : int, optional
        Of a kept value, 2 to 8; None: values travel as they are.
    name : str
        For tables and menus.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import codec
    >>> network = codec.MaskNetwork(
    ...     centre=np.zeros(3), magnitude=np.ones(3), bias=[-1.0, -1.0, 9.0],
    ...     down=np.zeros((3, 1)), down_bias=np.zeros(1), up=np.zeros((1, 3)),
    ... )
    >>> coder = codec.Masked(network, bits=None)
    >>> coder.decode(coder.encode(np.array([[0.1, 5.0, 0.2]], np.float32)))
    array([[0. , 5. , 0.2]], dtype=float32)
    """

    def __init__(self, network: MaskNetwork, *, bits: int | None = 8, name: str = "mask") -> None:
        self.network = network
        self.scheme = Scheme(sparsify="mask", bits=bits)
        self.name = name

    def __repr__(self) -> str:
        return f"Masked({self.network.features} features, bits={self.scheme.bits}, name={self.name!r})"

    def encode(self, x: np.ndarray) -> bytes:
        """Bytes of an activation, shape (…, features)."""
        offset = activation(x, self.network.features) - self.network.centre
        return encode(offset, self.scheme, mask=self.network.logits_of_offset(offset) > 0.0)

    def decode(self, data: bytes) -> np.ndarray:
        """The activation, with what was dropped at its centre.

        Raises
        ------
        ValueError
            If `data` is damaged or of another number of features.
        """
        x = activation(decode(data), self.network.features)
        x += self.network.centre
        return x
