"""What a round leaves open: where the model is cut, what travels, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from .._core.codec import Codec
from ..core.checks import count, instance, known_keywords, short
from ..flow import METHODS
from ..flow.heuristics import slot_length_s
from .collectives import LINKS
from .workload import Workload

AGGREGATIONS = ("tree", "chain", "ring", "gossip", "ground")
"""Between orbits: over the earliest tree, a chain of planes, one ring over all satellites, gossip among
planes, or the ground; see `aggregate`."""

DTYPES = {"float32": 1.0, "float16": 0.5}
"""Of activations, features and updates as they travel, with their share of float32's bytes."""


@dataclass(frozen=True)
class Scheme:
    """The decisions of a round; `SCHEMES` has those of benchmarks and of the paper.

    Parameters
    ----------
    cut : int or None
        So many layers are on board, and what the last of them hands on goes to the server: 0 the images, 1
        what the embedding makes of them; None: all layers are on board, and nothing goes to the server.
    codec : codec.Codec, optional
        Of what crosses the cut, with its ratio against float32 and its times; not for images.
    dtype : {"float32", "float16"}
        Of activations without a codec, features and updates as they travel.
    all_gather : bool
        Whether planes exchange what crosses the cut over their rings first, so that any satellite of a plane
        can send any of it down.
    cache : bool
        Whether features, which embedding and encoder as they are frozen never change, are kept from the
        first round on.
    chunks : int
        In so many parts are images embedded, exchanged and sent, each as soon as it can be; 1: a phase
        begins when the one before has ended.
    local_epochs : int
        Passes over the images of each update of the head. On board, where features are not cached, each of
        them computes them anew.
    local_rounds : int
        Updates, each summed within its plane, before planes sum up with each other.
    lora_rank : int
        Of adapters in the encoder that are tuned beside the head; 0: the head alone. More only with all
        layers on board and no cache, for features change then.
    links : {"ring", "two-way ring"}
        How planes use their rings; see `LINKS`.
    aggregation : str
        See `AGGREGATIONS`.
    transfer : str
        How data goes down, one of `flow.METHODS`: ``"optimal"``, or the published greedy as ``"slots:60"``.
        Others than the optimal one with one chunk alone.

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the range.

    Examples
    --------
    >>> from constellm import tune
    >>> tune.SCHEMES["paper"].replace(cache=True).describe()
    'cut 1, float32, all-gather, cached'
    """

    cut: int | None = 1
    codec: Codec | None = None
    dtype: str = "float32"
    all_gather: bool = False
    cache: bool = False
    chunks: int = 1
    local_epochs: int = 1
    local_rounds: int = 1
    lora_rank: int = 0
    links: str = "ring"
    aggregation: str = "tree"
    transfer: str = "optimal"

    def __post_init__(self) -> None:
        if self.cut is not None:
            object.__setattr__(self, "cut", count("cut", self.cut, least=0))
        if self.codec is not None:
            instance("codec", self.codec, Codec)
            if not self.cut:
                raise ValueError(f"codec: there is no activation at the cut {self.cut}")
            if self.dtype != "float32":
                raise ValueError("codec: its ratio is against float32; expected that dtype beside it")
        for field in ("all_gather", "cache"):
            instance(field, getattr(self, field), bool)
        for field in ("chunks", "local_epochs", "local_rounds"):
            object.__setattr__(self, field, count(field, getattr(self, field)))
        object.__setattr__(self, "lora_rank", count("lora_rank", self.lora_rank, least=0))
        for field, known in (
            ("dtype", tuple(DTYPES)),
            ("links", LINKS[:2]),
            ("aggregation", AGGREGATIONS),
        ):
            if getattr(self, field) not in known:
                raise ValueError(
                    f"{field}: {short(getattr(self, field))} is not one of {', '.join(map(repr, known))}"
                )
        check_method("transfer", self.transfer)
        if self.transfer != "optimal" and self.chunks > 1:
            raise ValueError(f"transfer: {self.transfer!r} does not wait for chunks; expected 'optimal'")
        if self.all_gather and self.cut is None:
            raise ValueError("all_gather: with all layers on board there is nothing to exchange")
        if self.lora_rank and (self.cut is not None or self.cache):
            raise ValueError("lora_rank: adapters are tuned with all layers on board and nothing cached")

    def sent_image_bytes(self, workload: Workload) -> float:
        """What an image sends over the cut [B]."""
        if self.cut is None:
            return 0.0
        size = workload.cut_bytes(self.cut)
        if self.codec is not None:
            return size / self._at_cut("ratio", self.codec.ratio, self.codec.layer_ratio)
        return size * DTYPES[self.dtype] if self.cut else size

    def feature_bytes(self, workload: Workload) -> float:
        """What comes back for an image [B]."""
        return 0.0 if self.cut is None else workload.feature_bytes * DTYPES[self.dtype]

    @property
    def error(self) -> float:
        """That of the codec at the cut; 0 without one."""
        if self.codec is None:
            return 0.0
        return self._at_cut("error", self.codec.error, self.codec.layer_error)

    def update_bytes(self, workload: Workload) -> float:
        """What is summed up [B]."""
        return workload.lora_bytes(self.lora_rank) * DTYPES[self.dtype]

    def describe(self) -> str:
        """The decisions in a few words."""
        words = ["all on board" if self.cut is None else "raw images" if self.cut == 0 else f"cut {self.cut}"]
        words.append(self.codec.name if self.codec is not None else self.dtype)
        words += [name for name, on in (("all-gather", self.all_gather), ("cached", self.cache)) if on]
        words += [
            f"{of.name.replace('_', ' ')} {getattr(self, of.name)}"
            for of in fields(self)[5:]
            if getattr(self, of.name) != of.default
        ]
        return ", ".join(words)

    def replace(self, **changes: Any) -> Scheme:
        """A copy with some of the decisions changed."""
        given = {of.name: getattr(self, of.name) for of in fields(self)}
        known_keywords("replace()", changes, given)
        return Scheme(**{**given, **changes})

    def _at_cut(self, name: str, value: float, by_layer: Sequence[float] | None) -> float:
        """A figure of the codec behind the last layer on board."""
        if not by_layer:
            return value
        assert self.codec is not None and self.cut
        if self.cut > len(by_layer):
            raise ValueError(f"codec: {self.codec.name!r} has no {name} for the cut {self.cut}")
        return float(by_layer[self.cut - 1])


def check_method(field: str, method: Any) -> None:
    """ValueError or TypeError where flows have no such method."""
    if instance(field, method, str).startswith("slots:"):
        slot_length_s(method)
    elif method not in METHODS:
        raise ValueError(f"{field}: {short(method)} is not one of {', '.join(map(repr, METHODS))}")


SCHEMES: dict[str, Scheme] = {
    "on-board": Scheme(cut=None),
    "on-board-cached": Scheme(cut=None, cache=True),
    "raw-to-ground": Scheme(cut=0),
    "fedavg-ground": Scheme(cut=None, aggregation="ground"),
    "network-flow": Scheme(),
    "paper": Scheme(all_gather=True),
}
"""Benchmarks by name: everything on board, with features anew in every round or cached; raw images to the
ground; everything on board and updates over ground stations alone; embeddings by exact flows; and satellite
federated fine-tuning as published, float32 with an all-gather in every round, whose slots have no published
length: here its transfers are the quickest, and no greedy does better."""
