"""Few directions instead of all features: principal components, and trained bottlenecks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._core.codec import Scheme
from ..core.checks import count, short
from ..core.console import for_console
from .coding import decode, encode
from .parameters import Parameters, activation


@dataclass(frozen=True, eq=False)
class Projection(Parameters):
    """A linear map to few features, and a decoder back that is linear but for one hidden layer.

    ::

        h = (x − mean)·into
        x̂ = mean + h·back + relu(h·hidden + hidden_bias)·out

    Parameters
    ----------
    mean : array_like, shape (features,)
    into : array_like, shape (features, rank)
    back : array_like, shape (rank, features)
    hidden : array_like, shape (rank, hidden)
        A width of 0 leaves the decoder linear.
    hidden_bias : array_like, shape (hidden,)
    out : array_like, shape (hidden, features)

    Raises
    ------
    ValueError
        If shapes do not fit or a value is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import codec
    >>> x = np.random.default_rng(0).normal(size=(10, 6)) @ np.diag([9, 5, 1, 0, 0, 0])
    >>> projection = codec.Projection.principal(x, 2)
    >>> projection.features, projection.rank
    (6, 2)
    """

    mean: np.ndarray
    into: np.ndarray
    back: np.ndarray
    hidden: np.ndarray
    hidden_bias: np.ndarray
    out: np.ndarray

    def __post_init__(self) -> None:
        d, r, h = np.shape(self.mean), np.shape(self.into)[1:], np.shape(self.hidden_bias)
        if not len(d) == len(r) == len(h) == 1:
            raise ValueError(
                f"mean, into, hidden_bias: expected 1, 2 and 1 axes, got shapes {d}, (…, {r}), {h}"
            )
        self._set(mean=d, into=d + r, back=r + d, hidden=r + h, hidden_bias=h, out=h + d)

    @property
    def features(self) -> int:
        """Of a token."""
        return self.into.shape[0]

    @property
    def rank(self) -> int:
        """Numbers of a token that cross the cut."""
        return self.into.shape[1]

    @classmethod
    def principal(cls, x: np.ndarray, rank: int) -> Projection:
        """The directions in which activations, shape (…, features), vary most.

        Raises
        ------
        TypeError, ValueError
            If `rank` is no integer in [1, features], or `x` has no rows or a value that is not finite.
        """
        rows = np.asarray(x, dtype=np.float64)
        if rows.ndim == 0 or rows.size == 0 or not np.isfinite(rows).all():
            raise ValueError(f"x: expected finite values of shape (…, features), got {short(x)}")
        rows = rows.reshape(-1, rows.shape[-1])
        features = rows.shape[1]
        count("rank", rank, most=features)
        mean = rows.mean(axis=0)
        directions = np.linalg.eigh((rows - mean).T @ (rows - mean)).eigenvectors[:, ::-1][:, :rank]
        nothing = np.zeros(0)
        return cls(mean, directions, directions.T, np.zeros((rank, 0)), nothing, np.zeros((0, features)))


class LowRank:
    """A projection on few directions, quantised and entropy-coded.

    Parameters
    ----------
    projection : Projection
        Directions and decoder.
    bits : int, optional
        Of a sent value, 2 to 8, with one scale for all: the steps are then equally fine in every
        direction, and those that vary little cost few bits. None: values travel as they are.
    name : str, optional
        Default: ``low-rank-<rank>``.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import codec
    >>> x = np.random.default_rng(0).normal(size=(10, 4, 6)).astype(np.float32)
    >>> coder = codec.LowRank.fit(x, 3, bits=8)
    >>> coder
    LowRank(6 → 3 features, bits=8, name='low-rank-3')
    >>> coder.decode(coder.encode(x)).shape
    (10, 4, 6)
    """

    _family = "low-rank"

    def __init__(self, projection: Projection, *, bits: int | None = 8, name: str | None = None) -> None:
        self.projection = projection
        self.scheme = Scheme(bits=bits)
        self.name = f"{self._family}-{projection.rank}" if name is None else name

    @classmethod
    def fit(cls, x: np.ndarray, rank: int, *, bits: int | None = 8, name: str | None = None) -> LowRank:
        """The principal directions of activations, shape (…, features); see `Projection.principal`."""
        return cls(Projection.principal(x, rank), bits=bits, name=name)

    def __repr__(self) -> str:
        shape = f"{self.projection.features} → {self.projection.rank} features"
        return for_console(f"{type(self).__name__}({shape}, bits={self.scheme.bits}, name={self.name!r})")

    def encode(self, x: np.ndarray) -> bytes:
        """Bytes of an activation, shape (…, features)."""
        p = self.projection
        return encode((activation(x, p.features) - p.mean) @ p.into, self.scheme)

    def decode(self, data: bytes) -> np.ndarray:
        """The activation, as far as the directions carry it.

        Raises
        ------
        ValueError
            If `data` is damaged or of another rank.
        """
        p = self.projection
        sent = activation(decode(data), p.rank)
        x = sent @ p.back
        x += p.mean
        if p.hidden_bias.size:
            x += np.maximum(sent @ p.hidden + p.hidden_bias, 0.0) @ p.out
        return x


class Bottleneck(LowRank):
    """An encoder–decoder pair trained end to end through the network behind the cut.

    In the manner of BottleNet++, arXiv 1910.14315, whose pair is convolutional; here it works token by
    token, with a hidden layer in the decoder.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import codec
    >>> x = np.random.default_rng(0).normal(size=(10, 4, 6))
    >>> codec.Bottleneck(codec.Projection.principal(x, 2), bits=4)
    Bottleneck(6 → 2 features, bits=4, name='bottleneck-2')
    """

    _family = "bottleneck"
