"""Mixtures of experts spread over computers: layers of experts, and the gateways that choose among them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import numpy as np

from ..core.checks import count, instance, non_negative, short
from ..core.display import Display, Displayed
from ..core.quantity import quantity
from ..core.table import Table
from .text import tokens_given

_FIGURES = (
    "gateway_flop_per_token",
    "expert_flop_per_token",
    "gateway_bytes",
    "expert_bytes",
    "message_bytes",
    "cache_bytes",
    "gateway_parameters",
    "expert_parameters",
)
_SHOWN = ("experts", "top_k", *_FIGURES[:6])


@dataclass(frozen=True)
class MixtureLayer:
    """One layer of experts, all alike, and the gateway that chooses among them.

    A token goes from the gateway to `top_k` of the experts, and what they make of it to the next layer's
    gateway, which adds it up.

    Parameters
    ----------
    name : str
        Label.
    experts, top_k : int
        Experts of the layer, >= 1, and those that each token takes, in [1, experts].
    gateway_flop_per_token, expert_flop_per_token : float
        Computation for one token, at the gateway and at one expert that it takes [FLOP], >= 0.
    gateway_bytes, expert_bytes : float
        Weights kept by the gateway, and by one expert [B], >= 0.
    message_bytes : float
        Hidden state of one token, as it travels to an expert and on [B], >= 0.
    cache_bytes : float
        Keys and values that the gateway keeps of one sequence [B], >= 0.
    gateway_parameters, expert_parameters : float
        Numbers behind `gateway_bytes` and `expert_bytes`, >= 0; 0 where they are not known.
    parts : tuple of str
        What is counted in the gateway, by the names of a profile's layers.

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the allowed range.

    Examples
    --------
    >>> from constellm import model
    >>> layer = model.MixtureLayer("layer", experts=8, top_k=2, gateway_flop_per_token=2e8,
    ...     expert_flop_per_token=3e8, gateway_bytes=1e8, expert_bytes=3e8, message_bytes=8192)
    >>> layer.flop_per_token
    800000000.0
    """

    name: str
    experts: int
    top_k: int
    gateway_flop_per_token: float
    expert_flop_per_token: float
    gateway_bytes: float
    expert_bytes: float
    message_bytes: float
    cache_bytes: float = 0.0
    gateway_parameters: float = 0.0
    expert_parameters: float = 0.0
    parts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError(f"name: expected text, got {short(self.name)}")
        object.__setattr__(self, "experts", count("experts", self.experts))
        object.__setattr__(self, "top_k", count("top_k", self.top_k, most=self.experts))
        for field in _FIGURES:
            object.__setattr__(self, field, non_negative(field, getattr(self, field)))
        parts = (self.parts,) if isinstance(self.parts, str) else tuple(self.parts)
        object.__setattr__(self, "parts", tuple(instance(f"parts[{i}]", x, str) for i, x in enumerate(parts)))

    @property
    def flop_per_token(self) -> float:
        """Computation of the gateway and of the experts that a token takes [FLOP]."""
        return self.gateway_flop_per_token + self.top_k * self.expert_flop_per_token

    @property
    def parameters(self) -> float:
        """Parameters of the gateway and of all experts."""
        return self.gateway_parameters + self.experts * self.expert_parameters

    @property
    def active_parameters(self) -> float:
        """Parameters of the gateway and of the experts that a token takes."""
        return self.gateway_parameters + self.top_k * self.expert_parameters


@dataclass(frozen=True)
class Mixture(Displayed):
    """A mixture of experts, layer by layer, for one token that passes all of them.

    The layers form a ring: what the last one's experts make of a token goes to the first gateway, where the
    next token begins.

    Parameters
    ----------
    name : str
        Label.
    layers : sequence of MixtureLayer
        At least one, in the order in which a token passes them.
    context_tokens : float
        Tokens that the token sees, itself included, >= 1.
    dtype : str
        Type of an element of the hidden state.
    note : str
        Where the figures come from and what is assumed.

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the allowed range.

    Examples
    --------
    >>> from constellm import model
    >>> mixture = model.mixture("olmoe-1b-7b", context_tokens=1024)
    >>> len(mixture), mixture.layers[0].experts, mixture.layers[0].top_k
    (16, 64, 8)
    >>> f"{mixture.parameters / 1e9:.1f} G, {mixture.active_parameters / 1e9:.1f} G of them for a token"
    '6.9 G, 1.3 G of them for a token'
    >>> mixture.array("expert_bytes")[:2]
    array([12582912., 12582912.])
    """

    name: str
    layers: tuple[MixtureLayer, ...]
    context_tokens: float
    dtype: str = "float16"
    note: str = ""

    def __post_init__(self) -> None:
        for field in ("name", "dtype", "note"):
            if not isinstance(getattr(self, field), str):
                raise TypeError(f"{field}: expected text, got {short(getattr(self, field))}")
        layers = tuple(instance(f"layers[{i}]", x, MixtureLayer) for i, x in enumerate(self.layers))
        if not layers:
            raise ValueError("layers: a mixture needs at least one, got none")
        object.__setattr__(self, "layers", layers)
        object.__setattr__(self, "context_tokens", tokens_given("context_tokens", self.context_tokens))

    def __len__(self) -> int:
        return len(self.layers)

    def array(self, field: str) -> np.ndarray:
        """One figure of every layer.

        Parameters
        ----------
        field : str
            Any numeric field of `MixtureLayer`.

        Returns
        -------
        ndarray of float64, shape (layers,)
            In the field's unit.
        """
        if field not in (*_SHOWN, *_FIGURES):
            raise ValueError(f"field: {field!r} is not one of {', '.join((*_SHOWN[:2], *_FIGURES))}")
        return np.array([float(getattr(layer, field)) for layer in self.layers])

    @property
    def flop_per_token(self) -> float:
        """Computation of one token, at all gateways and at the experts that it takes [FLOP]."""
        return sum(layer.flop_per_token for layer in self.layers)

    @property
    def parameters(self) -> float:
        """Parameters of all gateways and experts; a shared matrix counts once."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def active_parameters(self) -> float:
        """Parameters but those of experts that a token does not take."""
        return sum(layer.active_parameters for layer in self.layers)

    @property
    def weight_bytes(self) -> float:
        """Weights of all gateways and experts [B]."""
        return sum(layer.gateway_bytes + layer.experts * layer.expert_bytes for layer in self.layers)

    @property
    def cache_bytes(self) -> float:
        """Keys and values of one sequence, at all gateways [B]."""
        return sum(layer.cache_bytes for layer in self.layers)

    def __repr__(self) -> str:
        return (
            f"Mixture({self.name!r}, {len(self.layers)} layers, {self.parameters / 1e6:,.1f} M parameters, "
            f"{self.active_parameters / 1e6:,.1f} M and {quantity(self.flop_per_token, 'FLOP')} for a token "
            f"that sees {self.context_tokens:g})"
        )

    def _display(self) -> Display:
        rows = []
        for figures, group in groupby(self.layers, key=lambda layer: [getattr(layer, x) for x in _SHOWN]):
            names = [layer.name for layer in group]
            label = names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}"
            rows.append((f"{len(names)} ×", label, *figures))
        table = Table(("", "layer", *_SHOWN), rows, "Each of the layers")
        first = f"The first gateway holds {', '.join(self.layers[0].parts)}." if self.layers[0].parts else ""
        lines = [repr(self), *filter(None, (first, self.note))]
        return Display(lines, [table.with_units_in_head()])
