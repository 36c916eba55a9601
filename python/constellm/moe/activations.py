"""How often each expert of a mixture-of-experts model is activated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.checks import count, non_negative, short
from ..core.display import Display, Displayed
from ..core.optional import optional_import
from ..core.plain import as_text
from ..core.quantity import counted
from ..core.table import Table
from ..core.value import Value
from .arguments import as_array, as_layer_numbers
from .solver import sampling_weights

if TYPE_CHECKING:
    import xarray

_ROUNDING = 1e-9  # relative, of counts that were computed from shares


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Activations(Value, Displayed):
    """Activations of every expert, layer by layer: of a table, of a trace, or of both added up.

    A token activates `top_k` different experts of each layer. The share of an expert is that of all
    activations of its layer; `top_k` times the share is the probability that a token activates it.

    Parameters
    ----------
    counts : array_like, shape (layers, experts)
        Tokens that activated the expert, >= 0; they need not be whole, so that shares will do. An expert has
        at most a `top_k`-th of its layer's.
    top_k : int
        Experts that a token activates in each layer, in [1, experts].
    layer_numbers : sequence of int, optional
        The model's numbers of the layers, rising; default: 0, 1, 2, …
    name : str
        Of the model, the text, or both.

    Raises
    ------
    ValueError, TypeError
        For counts that no tokens can have made: names layer, expert and range.

    Examples
    --------
    >>> from constellm import moe
    >>> found = moe.Activations([[60, 20, 15, 5], [30, 30, 20, 20]], top_k=1)
    >>> found.shares[0].tolist(), found.top_over_uniform.round(2).tolist()
    ([0.6, 0.2, 0.15, 0.05], [2.4, 1.2])
    """

    counts: NDArray[np.float64]
    """Tokens that activated the expert (layers, experts)."""
    top_k: int
    layer_numbers: tuple[int, ...]
    """The model's own; the rows have positions 0, 1, 2, …"""
    name: str

    def __init__(
        self,
        counts: ArrayLike,
        *,
        top_k: int,
        layer_numbers: Sequence[int] | None = None,
        name: str = "",
    ) -> None:
        array = as_array("counts", counts, "layers, experts").astype(np.float64)
        top_k = count("top_k", top_k, most=array.shape[1])
        for layer, expert in np.argwhere(~(np.isfinite(array) & (array >= 0.0)))[:1].tolist():
            raise ValueError(f"counts[{layer}][{expert}]: {array[layer, expert]:g} is not in [0, inf)")
        with np.errstate(over="ignore"):
            totals = array.sum(axis=1)
        for layer in np.flatnonzero(~((totals > 0.0) & np.isfinite(totals)))[:1].tolist():
            raise ValueError(f"counts[{layer}]: their sum, {totals[layer]:g}, is not in (0, inf)")
        tokens = totals / top_k
        too_often = array > tokens[:, None] * (1.0 + _ROUNDING)
        for layer, expert in np.argwhere(too_often)[:1].tolist():
            raise ValueError(
                f"counts[{layer}][{expert}]: {array[layer, expert]:g} is not in [0, {tokens[layer]:g}], "
                f"the layer's tokens: each activates {top_k} different experts"
            )
        array.flags.writeable = False
        object.__setattr__(self, "counts", array)
        object.__setattr__(self, "top_k", top_k)
        object.__setattr__(self, "layer_numbers", as_layer_numbers(layer_numbers, len(array)))
        object.__setattr__(self, "name", as_text("name", name))

    @property
    def layers(self) -> int:
        """How many layers."""
        return len(self.counts)

    @property
    def experts(self) -> int:
        """How many experts a layer has."""
        return self.counts.shape[1]

    @property
    def tokens(self) -> NDArray[np.float64]:
        """Tokens of each layer: its activations ÷ `top_k` (layers,)."""
        return self.counts.sum(axis=1) / self.top_k

    @property
    def shares(self) -> NDArray[np.float64]:
        """Of each expert in the activations of its layer, which sum to 1 (layers, experts)."""
        shares: NDArray[np.float64] = self.counts / self.counts.sum(axis=1, keepdims=True)
        return shares

    @property
    def top_over_uniform(self) -> NDArray[np.float64]:
        """Share of the busiest expert ÷ what it were if all were alike (layers,)."""
        top: NDArray[np.float64] = self.shares.max(axis=1) * self.experts
        return top

    @property
    def log_share_sd(self) -> NDArray[np.float64]:
        """Standard deviation of ln share over the experts; NaN where one was never activated (layers,)."""
        logs = np.log(self.shares, where=self.shares > 0.0, out=np.full(self.shares.shape, np.nan))
        return np.asarray(logs.std(axis=1))

    @property
    def zipf_exponent(self) -> NDArray[np.float64]:
        """Of the Zipf law most likely to make these counts, experts ranked by them (layers,).

        It gives the expert of rank r a share in proportion to r^-s. The likelihood is largest where the mean
        of ln r by that law is the mean by the shares (Clauset, Shalizi and Newman, SIAM Review 51(4), 2009,
        section 3, for a law that ends). 0 where all are alike, inf where one expert has all activations; NaN
        of a single expert.
        """
        ranked = -np.sort(-self.shares, axis=1)
        return np.array([_zipf_exponent(layer) for layer in ranked])

    def __add__(self, other: Activations) -> Activations:
        """Of both together, for the same layers, experts and `top_k`."""
        if not isinstance(other, Activations):
            return NotImplemented
        self._check_alike(other)
        name = self.name if self.name == other.name else " + ".join(filter(None, (self.name, other.name)))
        return Activations(
            self.counts + other.counts, top_k=self.top_k, layer_numbers=self.layer_numbers, name=name
        )

    def with_prior(self, prior: float) -> Activations:
        """With so many activations more of every expert: none then is said never to be activated.

        A half each is Jeffreys' prior. What was not seen in a few thousand tokens still has a sampling weight
        above 0, as placement wants it.

        Parameters
        ----------
        prior : float
            In [0, inf).

        Raises
        ------
        ValueError, TypeError
            For any other.

        Examples
        --------
        >>> from constellm import moe
        >>> moe.Activations([[8, 2, 0]], top_k=1).with_prior(0.5).counts.tolist()
        [[8.5, 2.5, 0.5]]
        """
        counts = self.counts + non_negative("prior", prior)
        return Activations(counts, top_k=self.top_k, layer_numbers=self.layer_numbers, name=self.name)

    def sampling_weights(self) -> NDArray[np.float64]:
        """Weights under which tokens that draw their experts one after the other have these shares.

        By `constellm.moe.sampling_weights`, layer by layer; of one expert a token they are the shares.

        Returns
        -------
        ndarray, shape (layers, experts)
            Each layer sums to 1.

        Raises
        ------
        ValueError
            For an expert that no token activated, to which `with_prior` gives a little, or that all did.

        Examples
        --------
        >>> from constellm import moe
        >>> found = moe.sample_activations("mixtral-8x7b", domain="c4")
        >>> found.sampling_weights()[0, :3].round(4).tolist(), found.shares[0, :3].round(4).tolist()
        ([0.1373, 0.1184, 0.1202], [0.1363, 0.119, 0.1207])
        """
        rows = []
        for number, shares in zip(self.layer_numbers, self.shares):
            try:
                rows.append(sampling_weights(shares, self.top_k))
            except ValueError as error:
                raise ValueError(f"layer {number}: {error}") from None
        return np.array(rows)

    def distance(self, other: Activations) -> NDArray[np.float64]:
        """How far the shares of both are apart: half the sum of absolute differences (layers,).

        The total variation distance: the share of activations that would have to go to other experts. Of
        two stretches of one trace it is how far the load drifted, sampling noise included.

        Parameters
        ----------
        other : Activations
            Of the same layers, experts and `top_k`.

        Raises
        ------
        ValueError, TypeError
            Where they are not alike.

        Examples
        --------
        >>> from constellm import moe
        >>> arxiv, github = (moe.sample_activations("olmoe-1b-7b", domain=d) for d in ("arxiv", "github"))
        >>> arxiv.distance(github).round(2).tolist()
        [0.21, 0.2, 0.28]
        """
        self._check_alike(other)
        gap: NDArray[np.float64] = 0.5 * np.abs(self.shares - other.shares).sum(axis=1)
        return gap

    def _check_alike(self, other: Any) -> None:
        if not isinstance(other, Activations):
            raise TypeError(f"other: expected an Activations, got {short(other)}")
        for field in ("layer_numbers", "experts", "top_k"):
            mine, its = getattr(self, field), getattr(other, field)
            if mine != its:
                raise ValueError(f"{field}: {short(its)} of the other are not {short(mine)}")

    def __repr__(self) -> str:
        return f"Activations({self._size()})"

    def _size(self) -> str:
        size = f"{counted(self.layers, 'layer')} of {counted(self.experts, 'expert')}, {self.top_k} a token"
        return f"{self.name!r}, {size}" if self.name else size

    def _display(self) -> Display:
        columns = (self.layer_numbers, self.tokens, self.top_over_uniform, self.zipf_exponent)
        rows = [
            (number, f"{tokens:.0f}", *map(float, rest))
            for number, tokens, *rest in zip(*columns, self.log_share_sd)
        ]
        heads = ("layer", "tokens", "top ÷ uniform", "Zipf exponent", "sd of ln share")
        return Display([f"Activations of experts: {self._size()}"], [Table(heads, rows)])

    def to_xarray(self) -> xarray.Dataset:
        """As an `xarray.Dataset` of counts and shares over ``layer``, by its number, and ``expert``."""
        xarray = optional_import("xarray", extra="sweep", purpose="this needs xarray")
        dims = ("layer", "expert")
        return xarray.Dataset(
            {"counts": (dims, self.counts), "shares": (dims, self.shares)},
            {"layer": list(self.layer_numbers), "expert": np.arange(self.experts)},
            {"name": self.name, "top_k": self.top_k},
        )


def _zipf_exponent(ranked: NDArray[np.float64]) -> float:
    log_rank = np.log(np.arange(1, len(ranked) + 1))
    mean = float(ranked @ log_rank)
    if len(ranked) == 1 or mean == 0.0:
        return float("nan") if len(ranked) == 1 else float("inf")
    # The law's mean falls in s. Counts below 2^53 have a mean above 2^-53 ln 2, which s = 60 stays below.
    low, high = 0.0, 60.0
    for _ in range(60):
        s = 0.5 * (low + high)
        law = np.exp(-s * log_rank)
        if law @ log_rank > mean * law.sum():
            low = s
        else:
            high = s
    return low
