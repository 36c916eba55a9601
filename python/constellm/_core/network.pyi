# Generated from the compiled module by `make stubs`; do not edit.
from __future__ import annotations
import collections.abc
import typing
__all__: list[str] = ['Link', 'Network', 'Node']
class Node:
    """
    A computer, in orbit or on the ground. With `flop_per_s` 0 and no `layer_time_s` it only relays.
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
    @staticmethod
    def __getstate__(*args, **kwargs):
        ...
    @staticmethod
    def __setstate__(*args, **kwargs):
        ...
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __init__(self, *, id: str, flop_per_s: float, memory_bytes: float, power_w: float = ..., tx_power_w: float = ..., overhead_s: float = ..., codec_time_scale: float = ..., layer_time_s: collections.abc.Sequence[float] | None = ..., group: str | None = ...) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def replace(self, **changes: typing.Any) -> typing.Self:
        """
        A copy with some fields changed.
        """
    def to_dict(self) -> dict:
        """
        The fields as plain Python values, as in the file formats.
        """
    @property
    def codec_time_scale(self) -> float:
        """
        multiplies encode and decode times here
        """
    @property
    def flop_per_s(self) -> float:
        """
        effective computing speed [FLOP/s]
        """
    @property
    def group(self) -> str | None:
        """
        name for addressing several nodes at once
        """
    @property
    def id(self) -> str:
        """
        unique in its network
        """
    @property
    def layer_time_s(self) -> list[float] | None:
        """
        measured time of every layer per micro-batch, in place of flop / flop_per_s [layers] [s]
        """
    @property
    def memory_bytes(self) -> float:
        """
        room for layers [B]
        """
    @property
    def overhead_s(self) -> float:
        """
        fixed time per micro-batch of a hosting node [s]
        """
    @property
    def power_w(self) -> float:
        """
        while computing [W]
        """
    @property
    def tx_power_w(self) -> float:
        """
        while sending [W]
        """
class Link:
    """
    A directed link. `network.link` makes one without the reserved word `from`.
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
    @staticmethod
    def __getstate__(*args, **kwargs):
        ...
    @staticmethod
    def __setstate__(*args, **kwargs):
        ...
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __init__(self, **fields: typing.Any) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def replace(self, **changes: typing.Any) -> typing.Self:
        """
        A copy with some fields changed.
        """
    def to_dict(self) -> dict:
        """
        The fields as plain Python values, as in the file formats.
        """
    @property
    def from_(self) -> str:
        """
        id of the sender
        """
    @property
    def group(self) -> str | None:
        """
        name for addressing several links at once
        """
    @property
    def latency_s(self) -> float:
        """
        propagation; occupies nothing [s]
        """
    @property
    def overhead_s(self) -> float:
        """
        fixed per message; occupies the link [s]
        """
    @property
    def rate_bps(self) -> float:
        """
        bits that it carries in a second [bit/s]
        """
    @property
    def to(self) -> str:
        """
        id of the receiver
        """
class Network:
    """
    Nodes and directed links. `source` and `sink` are the endpoints of problems that name none themselves.
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
    @staticmethod
    def __getstate__(*args, **kwargs):
        ...
    @staticmethod
    def __setstate__(*args, **kwargs):
        ...
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __init__(self, *, nodes: collections.abc.Sequence[Node], links: collections.abc.Sequence[Link], source: str | None = ..., sink: str | None = ...) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def replace(self, **changes: typing.Any) -> typing.Self:
        """
        A copy with some fields changed.
        """
    def to_dict(self) -> dict:
        """
        The fields as plain Python values, as in the file formats.
        """
    @property
    def links(self) -> tuple[Link, ...]:
        """
        list of Link
        """
    @property
    def nodes(self) -> tuple[Node, ...]:
        """
        list of Node
        """
    @property
    def sink(self) -> str | None:
        """
        id of the node that wants the result, or None
        """
    @property
    def source(self) -> str | None:
        """
        id of the node that has the input, or None
        """
