"""How activations of experts go together: from token to token, and from layer to layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.display import Display, Displayed
from ..core.quantity import counted
from ..core.table import Table


@dataclass(frozen=True, eq=False, repr=False)
class Repeats(Displayed):
    """How often a token activates an expert that one before it did; what `ActivationTrace.repeats` gives.

    Examples
    --------
    >>> from constellm import moe
    >>> weights = moe.lognormal_weights(8, 0.14, seed=1)
    >>> found = moe.draw_trace(weights, top_k=2, tokens=20_000, persistence=0.2, seed=1).repeats()
    >>> found.chance.round(2).tolist(), found.rate.round(2).tolist(), found.persistence.round(2).tolist()
    ([0.25], [0.4], [0.2])
    """

    layer_numbers: tuple[int, ...]
    lag: int
    """How many tokens apart."""
    pairs: int
    """Pairs of tokens of one sequence that are so far apart."""
    rate: NDArray[np.float64]
    """Share of a token's experts that the earlier token of its pair activated (layers,)."""
    chance: NDArray[np.float64]
    """The same, were the tokens of a pair independent (layers,)."""

    @property
    def lift(self) -> NDArray[np.float64]:
        """Rate ÷ chance (layers,)."""
        lift: NDArray[np.float64] = self.rate / self.chance
        return lift

    @property
    def persistence(self) -> NDArray[np.float64]:
        """The share of tokens that would have to keep all experts, the others drawing anew (layers,).

        (rate − chance) ÷ (1 − chance), as `draw_trace` takes it; below 0 where experts alternate, NaN where
        chance is 1.
        """
        room = 1.0 - self.chance
        return np.divide(self.rate - self.chance, room, where=room > 0.0, out=np.full(room.shape, np.nan))

    def __repr__(self) -> str:
        return f"Repeats({self._size()})"

    def _size(self) -> str:
        apart = f"{counted(self.lag, 'token')} apart"
        return f"{counted(len(self.rate), 'layer')}, {counted(self.pairs, 'pair')} {apart}"

    def _display(self) -> Display:
        columns = (self.rate, self.chance, self.lift, self.persistence)
        rows = [(number, *map(float, row)) for number, *row in zip(self.layer_numbers, *columns)]
        heads = ("layer", "repeated", "by chance", "lift", "persistence")
        return Display([f"Experts that repeat: {self._size()}"], [Table(heads, rows)])


@dataclass(frozen=True, eq=False, repr=False)
class Coactivations(Displayed):
    """Which experts of two layers the same tokens activate; what `ActivationTrace.coactivations` gives.

    Examples
    --------
    >>> from constellm import moe
    >>> trace = moe.from_routed_experts([[[[0], [1]], [[0], [1]], [[1], [0]], [[1], [1]]]], experts=2)
    >>> found = trace.coactivations(0, 1)
    >>> found.counts.tolist(), found.lift.round(2).tolist(), round(found.mutual_information_bits, 3)
    ([[0, 2], [1, 1]], [[0.0, 1.33], [2.0, 0.67]], 0.311)
    """

    layer_numbers: tuple[int, int]
    """The model's numbers of both layers."""
    top_k: int
    tokens: int
    counts: NDArray[np.int64]
    """Tokens that activated expert i of the one layer and j of the other (experts, experts)."""

    @property
    def lift(self) -> NDArray[np.float64]:
        """Counts ÷ those of independent layers; NaN of an expert never activated (experts, experts)."""
        expected = np.multiply.outer(self.counts.sum(axis=1), self.counts.sum(axis=0)) / self.counts.sum()
        unknown = np.full(expected.shape, np.nan)
        return np.divide(self.counts, expected, where=expected > 0.0, out=unknown)

    @property
    def mutual_information_bits(self) -> float:
        """What an expert that a token activates in the one layer tells of one in the other [bit].

        Of a pair that is drawn from the counts (Cover and Thomas, Elements of Information Theory, 2.3); 0
        where the layers are independent. Finite samples add about (experts − 1)² ÷ (2 ln 2 · pairs).
        """
        joint = self.counts[self.counts > 0] / self.counts.sum()
        return float(joint @ np.log2(self.lift[self.counts > 0]))

    def __repr__(self) -> str:
        return f"Coactivations({self._size()})"

    def _size(self) -> str:
        one, other = self.layer_numbers
        return f"layers {one} and {other}, {counted(self.tokens, 'token')}, {self.top_k} experts of each"

    def _display(self) -> Display:
        order = np.argsort(-self.counts, axis=None, kind="stable")[:8]
        rows = [
            (int(i), int(j), int(self.counts[i, j]), float(self.lift[i, j]))
            for i, j in zip(*np.unravel_index(order, self.counts.shape))
        ]
        head = f"Experts activated together: {self._size()}; {self.mutual_information_bits:.3g} bit"
        names = tuple(f"expert of layer {number}" for number in self.layer_numbers)
        return Display([head], [Table((*names, "tokens", "lift"), rows, "Most often")])
