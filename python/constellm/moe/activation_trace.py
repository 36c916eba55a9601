"""Which experts each token activated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.checks import count, short
from ..core.display import Display, Displayed
from ..core.plain import as_text
from ..core.quantity import counted
from ..core.table import Table
from ..core.value import Value
from .activations import Activations
from .arguments import as_array, as_layer_numbers
from .correlations import Coactivations, Repeats

MOST_EXPERTS = 65_536


@dataclass(frozen=True, eq=False, repr=False, init=False)
class ActivationTrace(Value, Displayed):
    """The experts that every token activated in every layer.

    Parameters
    ----------
    expert_ids : array_like of int, shape (layers, tokens, top_k)
        Experts of each token, all different; their order does not matter. The same tokens in every layer.
    experts : int
        How many a layer has, in [1, 65536]: ids are below.
    offsets : sequence of int, shape (sequences + 1,), optional
        Where in the tokens each sequence begins, and last how many tokens there are. Within a sequence they
        stand in their order. Default: nothing is known of their order, and `repeats` is refused.
    layer_numbers : sequence of int, optional
        The model's numbers of the layers, rising; default: 0, 1, 2, …
    name : str
        Of the model, the text, or both.

    Raises
    ------
    ValueError, TypeError
        For ids out of range, and an expert that a token has twice: names layer and token.

    Examples
    --------
    >>> from constellm import moe
    >>> trace = moe.ActivationTrace([[[0, 1], [0, 2], [3, 0]]], experts=4, offsets=[0, 3])
    >>> trace.activations().counts.tolist(), trace.repeats().rate.tolist()
    ([[3.0, 1.0, 1.0, 1.0]], [0.5])
    """

    expert_ids: NDArray[np.uint16]
    """(layers, tokens, top_k)"""
    experts: int
    offsets: NDArray[np.int64] | None
    """(sequences + 1,); None where the tokens' order is not known."""
    layer_numbers: tuple[int, ...]
    """The model's own; arguments and rows count from 0."""
    name: str

    def __init__(
        self,
        expert_ids: ArrayLike,
        *,
        experts: int,
        offsets: ArrayLike | None = None,
        layer_numbers: Sequence[int] | None = None,
        name: str = "",
    ) -> None:
        experts = count("experts", experts, most=MOST_EXPERTS)
        ids = as_array("expert_ids", expert_ids, "layers, tokens, top_k", integers=True)
        for layer, token, k in np.argwhere((ids < 0) | (ids >= experts))[:1].tolist():
            raise ValueError(
                f"expert_ids[{layer}][{token}]: {ids[layer, token, k]} is not in [0, {experts - 1}]"
            )
        ids = ids.astype(np.uint16)
        ordered = np.sort(ids, axis=2)
        for layer, token, k in np.argwhere(ordered[:, :, 1:] == ordered[:, :, :-1])[:1].tolist():
            raise ValueError(
                f"expert_ids[{layer}][{token}]: expert {ordered[layer, token, k]} stands twice in "
                f"{short(ids[layer, token].tolist())}"
            )
        ids.flags.writeable = False
        object.__setattr__(self, "expert_ids", ids)
        object.__setattr__(self, "experts", experts)
        object.__setattr__(self, "offsets", None if offsets is None else _offsets(offsets, ids.shape[1]))
        object.__setattr__(self, "layer_numbers", as_layer_numbers(layer_numbers, len(ids)))
        object.__setattr__(self, "name", as_text("name", name))

    @property
    def layers(self) -> int:
        """How many layers."""
        return self.expert_ids.shape[0]

    @property
    def tokens(self) -> int:
        """How many tokens."""
        return self.expert_ids.shape[1]

    @property
    def top_k(self) -> int:
        """Experts of a token in each layer."""
        return self.expert_ids.shape[2]

    def activations(self, start: int = 0, stop: int | None = None) -> Activations:
        """How often each expert was activated by the tokens from `start` to before `stop`.

        Parameters
        ----------
        start, stop : int
            Positions of tokens, 0 <= start < stop <= tokens; default: all.

        Raises
        ------
        ValueError, TypeError
            For positions out of range.

        Examples
        --------
        Stretches of 500 tokens differ though no load drifts:

        >>> from constellm import moe
        >>> trace = moe.draw_trace(moe.zipf_weights(8, 1.0), top_k=2, tokens=2000)
        >>> stretches = [trace.activations(t, t + 500) for t in range(0, 2000, 500)]
        >>> [stretches[0].distance(later).round(2).tolist() for later in stretches[1:]]
        [[0.02], [0.03], [0.03]]
        """
        start, stop = self._stretch(start, stop)
        counts = [
            np.bincount(layer.ravel(), minlength=self.experts) for layer in self.expert_ids[:, start:stop]
        ]
        return Activations(
            np.array(counts), top_k=self.top_k, layer_numbers=self.layer_numbers, name=self.name
        )

    def repeats(self, lag: int = 1) -> Repeats:
        """How often tokens activate what the token `lag` before them activated, and what chance would give.

        Over all pairs of tokens of one sequence that are so far apart. Chance is the product of the rates at
        which the earlier and the later tokens of the pairs activate an expert, summed over experts.

        Parameters
        ----------
        lag : int
            Tokens from the one to the other, >= 1.

        Raises
        ------
        ValueError, TypeError
            Where the order of tokens is not known, or no sequence is long enough.

        Examples
        --------
        >>> from constellm import moe
        >>> trace = moe.ActivationTrace([[[0], [0], [1], [1]]], experts=2, offsets=[0, 4])
        >>> trace.repeats().rate.round(3).tolist(), trace.repeats(2).rate.tolist()
        ([0.667], [0.0])
        """
        if self.offsets is None:
            raise ValueError("offsets: None, so that nothing is known of the order of tokens")
        longest = int(np.diff(self.offsets).max())
        if longest == 1:
            raise ValueError("offsets: no sequence has two tokens")
        lag = count("lag", lag, most=longest - 1)
        earlier = np.concatenate(
            [np.arange(a, max(a, b - lag)) for a, b in zip(self.offsets[:-1], self.offsets[1:])]
        )
        rate, chance = [], []
        for layer in range(self.layers):
            active = self._active(layer)
            before, after = active[earlier], active[earlier + lag]
            picks = len(earlier) * self.top_k
            rate.append(np.count_nonzero(before & after) / picks)
            chance.append(float(before.sum(axis=0) @ after.sum(axis=0)) / (picks * len(earlier)))
        return Repeats(self.layer_numbers, lag, len(earlier), np.array(rate), np.array(chance))

    def coactivations(self, layer: int, other: int) -> Coactivations:
        """Which experts of two layers the same tokens activated.

        Parameters
        ----------
        layer, other : int
            Positions of two different layers, in [0, layers - 1].

        Raises
        ------
        ValueError, TypeError
            For positions out of range; of one layer there is `pair_counts`.

        Examples
        --------
        See `Coactivations`.
        """
        layer, other = self._position("layer", layer), self._position("other", other)
        if layer == other:
            raise ValueError(f"other: {other} is the layer itself")
        numbers = (self.layer_numbers[layer], self.layer_numbers[other])
        together = _products(self._active(layer), self._active(other))
        return Coactivations(numbers, self.top_k, self.tokens, together)

    def affinities(self, start: int = 0, stop: int | None = None) -> tuple[NDArray[np.float64], ...]:
        """How often each expert of a layer is followed by each of the next, for all neighbouring layers.

        Of one expert a token the share of tokens that have both; of more that of pairs of a token's experts.

        Parameters
        ----------
        start, stop : int
            Positions of tokens, as of `activations`.

        Returns
        -------
        tuple of ndarray, shape (experts, experts)
            One less than layers; each adds up to 1.

        Raises
        ------
        ValueError, TypeError
            For positions out of range, and a trace of one layer.

        Examples
        --------
        >>> from constellm import moe
        >>> trace = moe.ActivationTrace([[[0], [0], [1], [1]], [[1], [1], [0], [1]]], experts=2)
        >>> trace.affinities()[0].tolist()
        [[0.0, 0.5], [0.25, 0.25]]
        """
        start, stop = self._stretch(start, stop)
        if self.layers == 1:
            raise ValueError("affinities: a trace of one layer has none")
        active = [self._active(layer)[start:stop] for layer in range(self.layers)]
        pairs = (stop - start) * self.top_k**2
        return tuple(_products(one, next) / pairs for one, next in zip(active, active[1:]))

    def closing_affinity(self, start: int = 0, stop: int | None = None) -> NDArray[np.float64]:
        """As `affinities`, from the last layer of a token to the first layer of the next one.

        Over tokens from `start` to before `stop` that another one of their sequence follows there.

        Parameters
        ----------
        start, stop : int
            Positions of tokens, as of `activations`.

        Returns
        -------
        ndarray, shape (experts, experts)
            It adds up to 1.

        Raises
        ------
        ValueError, TypeError
            For positions out of range, where the order of tokens is not known or none follows another.

        Examples
        --------
        >>> from constellm import moe
        >>> ids = [[[0], [0], [1], [1]], [[1], [1], [0], [1]]]
        >>> moe.ActivationTrace(ids, experts=2, offsets=[0, 3, 4]).closing_affinity().tolist()
        [[0.0, 0.0], [0.5, 0.5]]
        """
        start, stop = self._stretch(start, stop)
        if self.offsets is None:
            raise ValueError("offsets: None, so that nothing is known of the order of tokens")
        followed = np.ones(self.tokens, dtype=bool)
        followed[self.offsets[1:] - 1] = False
        earlier = start + np.flatnonzero(followed[start : stop - 1])
        if not len(earlier):
            raise ValueError(f"offsets: none of the tokens {start} to {stop - 1} follows another there")
        together = _products(self._active(self.layers - 1)[earlier], self._active(0)[earlier + 1])
        return np.asarray(together / (len(earlier) * self.top_k**2))

    def pair_counts(self, layer: int) -> NDArray[np.int64]:
        """Tokens that activated expert i and expert j of one layer, symmetric; its diagonal is 0.

        Parameters
        ----------
        layer : int
            Position of the layer, in [0, layers - 1].

        Returns
        -------
        ndarray of int, shape (experts, experts)

        Raises
        ------
        ValueError, TypeError
            For a position out of range.

        Examples
        --------
        >>> from constellm import moe
        >>> moe.ActivationTrace([[[0, 1], [0, 2], [1, 0]]], experts=3).pair_counts(0).tolist()
        [[0, 2, 1], [2, 0, 0], [1, 0, 0]]
        """
        active = self._active(self._position("layer", layer))
        pairs = _products(active, active)
        np.fill_diagonal(pairs, 0)
        return pairs

    def mean_latency_s(self, latency_s: ArrayLike) -> NDArray[np.float64]:
        """Mean over the tokens of the largest latency among the experts that they activate.

        What a placement costs on these very tokens. Sampling by weights, which the planner takes the mean of,
        leaves out which experts of a layer go together.

        Parameters
        ----------
        latency_s : array_like, shape (layers, experts)
            Of the satellite on which the expert is, in [0, inf) [s].

        Returns
        -------
        ndarray, shape (layers,)
            [s]

        Raises
        ------
        ValueError, TypeError
            For another shape, and latencies out of range.

        Examples
        --------
        >>> from constellm import moe
        >>> trace = moe.ActivationTrace([[[0, 1], [0, 2]]], experts=3)
        >>> trace.mean_latency_s([[0.01, 0.02, 0.04]]).tolist()
        [0.03]
        """
        array = as_array("latency_s", latency_s, "layers, experts").astype(np.float64)
        if array.shape != (self.layers, self.experts):
            raise ValueError(f"latency_s: shape {array.shape} is not {(self.layers, self.experts)}")
        for layer, expert in np.argwhere(~((array >= 0.0) & np.isfinite(array)))[:1].tolist():
            raise ValueError(f"latency_s[{layer}][{expert}]: {array[layer, expert]:g} is not in [0, inf)")
        slowest = (array[layer][ids].max(axis=1) for layer, ids in enumerate(self.expert_ids))
        return np.array([layer.mean() for layer in slowest])

    def _position(self, field: str, layer: Any) -> int:
        return count(field, layer, least=0, most=self.layers - 1)

    def _stretch(self, start: Any, stop: Any) -> tuple[int, int]:
        """Checked positions of tokens."""
        start = count("start", start, least=0, most=self.tokens - 1)
        return start, self.tokens if stop is None else count("stop", stop, least=start + 1, most=self.tokens)

    def _active(self, layer: int) -> NDArray[np.bool_]:
        """Whether the token activates the expert (tokens, experts)."""
        active = np.zeros((self.tokens, self.experts), dtype=bool)
        np.put_along_axis(active, self.expert_ids[layer].astype(np.int64), True, axis=1)
        return active

    def __repr__(self) -> str:
        return f"ActivationTrace({self._size()})"

    def _size(self) -> str:
        tokens = counted(self.tokens, "token")
        if self.offsets is not None:
            tokens += f" in {counted(len(self.offsets) - 1, 'sequence')}"
        layers = f"{counted(self.layers, 'layer')} of {counted(self.experts, 'expert')}"
        size = f"{tokens}, {layers}, {self.top_k} a token"
        return f"{self.name!r}, {size}" if self.name else size

    def _display(self) -> Display:
        found = self.activations()
        columns = {
            "layer": self.layer_numbers,
            "top ÷ uniform": found.top_over_uniform.tolist(),
            "Zipf exponent": found.zipf_exponent.tolist(),
            "sd of ln share": found.log_share_sd.tolist(),
        }
        if self.offsets is not None and np.any(np.diff(self.offsets) > 1):
            repeats = self.repeats()
            columns |= {"repeated": repeats.rate.tolist(), "by chance": repeats.chance.tolist()}
        table = Table(tuple(columns), tuple(zip(*columns.values())))
        return Display([f"Trace of experts: {self._size()}"], [table])


def _offsets(offsets: ArrayLike, tokens: int) -> NDArray[np.int64]:
    array = as_array("offsets", offsets, "sequences + 1", integers=True).astype(np.int64)
    if len(array) < 2 or array[0] != 0 or array[-1] != tokens:
        raise ValueError(f"offsets: {array[0]} … {array[-1]} are not 0 … {tokens}, the tokens")
    for i in np.flatnonzero(np.diff(array) <= 0)[:1].tolist():
        raise ValueError(f"offsets[{i + 1}]: {array[i + 1]} is not in [{array[i] + 1}, {tokens}]")
    array.flags.writeable = False
    return array


def _products(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> NDArray[np.int64]:
    # As floats, whose products of matrices are fast, and exact below 2^53.
    return np.asarray(one.T.astype(np.float64) @ other.astype(np.float64)).astype(np.int64)
