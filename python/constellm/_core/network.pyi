# Generated from the compiled module by `make stubs`; do not edit.
from __future__ import annotations
import collections.abc
import numpy
import numpy.typing
import typing
__all__: list[str] = ['ContactPlan', 'Contacts', 'Graph', 'Link', 'Network', 'Node', 'Nodes', 'Snapshot', 'Timeline', 'booked', 'earliest_arrivals', 'earliest_route', 'hops', 'latencies', 'shortest_paths']
class Node:
    """
    A computer, in orbit or on the ground. With `flop_per_s` 0 and no `layer_time_s` it only relays.
    
    Parameters
    ----------
    id : str
        unique in its network
    flop_per_s : float
        effective computing speed [FLOP/s], in [0, inf)
    memory_bytes : float
        room for layers [B], in [0, inf)
    power_w : float, default 0.0
        while computing [W], in [0, inf)
    tx_power_w : float, default 0.0
        while sending [W], in [0, inf)
    overhead_s : float, default 0.0
        fixed time per micro-batch of a hosting node [s], in [0, inf)
    codec_time_scale : float, default 1.0
        multiplies encode and decode times here, in [0, inf)
    layer_time_s : Sequence[float] | None, default None
        measured time of every layer per micro-batch, in place of flop / flop_per_s [layers] [s], in [0, inf)
    group : str | None, default None
        name for addressing several nodes at once
    
    Examples
    --------
    >>> import constellm as clm
    >>> made = clm.network.Node(id='s0', flop_per_s=1e12, memory_bytes=8e9)
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
    """
    Names of the fields of a record that are required, or that are not; `fields` says it now.
    """
    """
    Names of the fields of a record that are required, or that are not; `fields` says it now.
    """
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
    def _repr_html_(self) -> str:
        """
        The value as HTML: what it is, a picture where there is one, then tables.
        """
    def replace(self, **changes: typing.Any) -> typing.Self:
        """
        A copy with some fields changed.
        """
    def summary(self) -> str:
        """
        The value as text: what it is, then tables.
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
    A directed link. Its sender is `from_`, in files `from`: Python keeps that word for itself.
    
    Parameters
    ----------
    from_ : str
        id of the sender
    to : str
        id of the receiver
    rate_bps : float
        bits that it carries in a second [bit/s], in (0, inf)
    latency_s : float
        propagation; occupies nothing [s], in [0, inf)
    overhead_s : float, default 0.0
        fixed per message; occupies the link [s], in [0, inf)
    group : str | None, default None
        name for addressing several links at once
    
    Examples
    --------
    >>> import constellm as clm
    >>> made = clm.network.Link(from_='s0', to='s1', rate_bps=1e9, latency_s=0.01)
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
    """
    Names of the fields of a record that are required, or that are not; `fields` says it now.
    """
    """
    Names of the fields of a record that are required, or that are not; `fields` says it now.
    """
    @staticmethod
    def __getstate__(*args, **kwargs):
        ...
    @staticmethod
    def __setstate__(*args, **kwargs):
        ...
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __init__(self, *, from_: str, to: str, rate_bps: float, latency_s: float, overhead_s: float = ..., group: str | None = ...) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def _repr_html_(self) -> str:
        """
        The value as HTML: what it is, a picture where there is one, then tables.
        """
    def replace(self, **changes: typing.Any) -> typing.Self:
        """
        A copy with some fields changed.
        """
    def summary(self) -> str:
        """
        The value as text: what it is, then tables.
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
    
    Parameters
    ----------
    nodes : Sequence[Node]
        list of Node
    links : Sequence[Link]
        list of Link
    source : str | None, default None
        id of the node that has the input, or None
    sink : str | None, default None
        id of the node that wants the result, or None
    
    Examples
    --------
    >>> import constellm as clm
    >>> made = clm.network.Network(nodes=[clm.network.Node(id='s0', flop_per_s=1e12, memory_bytes=8e9)], links=[])
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
    """
    Names of the fields of a record that are required, or that are not; `fields` says it now.
    """
    """
    Names of the fields of a record that are required, or that are not; `fields` says it now.
    """
    @staticmethod
    def __getstate__(*args, **kwargs):
        ...
    @staticmethod
    def __repr__(network: Network) -> str:
        ...
    @staticmethod
    def __setstate__(*args, **kwargs):
        ...
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __init__(self, *, nodes: collections.abc.Sequence[Node], links: collections.abc.Sequence[Link], source: str | None = ..., sink: str | None = ...) -> None:
        ...
    def _repr_html_(self) -> str:
        """
        The value as HTML: what it is, a picture where there is one, then tables.
        """
    def replace(self, **changes: typing.Any) -> typing.Self:
        """
        A copy with some fields changed.
        """
    def summary(self) -> str:
        """
        The value as text: what it is, then tables.
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
class Nodes:
    """
    The nodes of a graph, in order: a sequence of Node. Graphs of one constellation share it.
    
    Parameters
    ----------
    nodes : Sequence[Node | str]
        with distinct ids, at least one; a text is the id of a node that relays
    
    Examples
    --------
    >>> import constellm as clm
    >>> made = clm.network.Nodes(["s0", "s1"])
    """
    __hash__: typing.ClassVar[None] = None
    @staticmethod
    def __getstate__(*args, **kwargs):
        ...
    @staticmethod
    def __setstate__(*args, **kwargs):
        ...
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __getitem__(self, position: int) -> Node:
        ...
    def __init__(self, nodes: collections.abc.Sequence[Node | str]) -> None:
        ...
    def __iter__(self) -> collections.abc.Iterator[Node]:
        ...
    def __len__(self) -> int:
        ...
    def __repr__(self) -> str:
        ...
    def _repr_html_(self) -> str:
        """
        The value as HTML: what it is, a picture where there is one, then tables.
        """
    def ids(self) -> list[str]:
        ...
    def position(self, id: str) -> int:
        """
        Where the node with this id stands; ValueError without one.
        """
    def summary(self) -> str:
        """
        The value as text: what it is, then tables.
        """
class Graph:
    """
    Nodes and directed links, validated once; links are columns, one entry a link, and arrays are read-only
    views. Nodes and links go by their positions. Copies share memory.
    
    Parameters
    ----------
    nodes : Nodes | Sequence[Node | str]
        a text is the id of a node that relays; the `nodes` of another graph are shared
    from_ : ArrayLike
        position of the sender of each link
    to : ArrayLike
        position of the receiver of each link; at most one link from one node to another
    rate_bps : ArrayLike
        bits that it carries in a second; one for all links, or one each [bit/s], in (0, inf)
    latency_s : ArrayLike, default 0.0
        propagation; occupies nothing; one for all links, or one each [s], in [0, inf)
    overhead_s : ArrayLike, default 0.0
        fixed per message; occupies the link; one for all links, or one each [s], in [0, inf)
    group : str | Sequence[str | None] | None, default None
        name for addressing several links at once; one for all links, or one each
    
    Examples
    --------
    >>> import constellm as clm
    >>> made = clm.network.Graph(["a", "b"], from_=[0], to=[1], rate_bps=1e9, latency_s=0.01)
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
    """
    Names of the fields of a record that are required, or that are not; `fields` says it now.
    """
    """
    Names of the fields of a record that are required, or that are not; `fields` says it now.
    """
    @staticmethod
    def __getstate__(*args, **kwargs):
        ...
    @staticmethod
    def __setstate__(*args, **kwargs):
        ...
    @staticmethod
    def from_network(network: Network) -> Graph:
        """
        The graph of a network; its endpoints are left.
        """
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __init__(self, nodes: Nodes | collections.abc.Sequence[Node | str], *, from_: numpy.typing.ArrayLike, to: numpy.typing.ArrayLike, rate_bps: numpy.typing.ArrayLike, latency_s: numpy.typing.ArrayLike = ..., overhead_s: numpy.typing.ArrayLike = ..., group: str | collections.abc.Sequence[str | None] | None = ...) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def _repr_html_(self) -> str:
        """
        The value as HTML: what it is, a picture where there is one, then tables.
        """
    def link(self, position: int) -> Link:
        """
        One link as a value.
        """
    def link_between(self, from_: str, to: str) -> int | None:
        """
        Position of the link from one node to another, or None.
        """
    def replace(self, **changes: typing.Any) -> Graph:
        """
        A copy with some fields changed; what is not changed is shared.
        """
    def summary(self) -> str:
        """
        The value as text: what it is, then tables.
        """
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The content of `to_network()` in plain values.
        """
    def to_network(self) -> Network:
        """
        The same as lists of Node and Link, without endpoints.
        """
    def to_networkx(self) -> typing.Any:
        """
        As a `networkx.DiGraph`: fields of nodes and links are attributes; `from_networkx` is the way back.
        """
    @property
    def from_(self) -> numpy.typing.NDArray[numpy.int32]:
        """
        position of the sender [links]
        """
    @property
    def group_of(self) -> numpy.typing.NDArray[numpy.int32]:
        """
        position in `groups`, -1 for none [links]
        """
    @property
    def groups(self) -> tuple[str, ...]:
        """
        names of groups of links
        """
    @property
    def in_begin(self) -> numpy.typing.NDArray[numpy.int32]:
        """
        where each node's links begin in `in_link` [nodes + 1]
        """
    @property
    def in_link(self) -> numpy.typing.NDArray[numpy.int32]:
        """
        links by receiver, of one receiver in their order [links]
        """
    @property
    def latency_s(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        propagation; occupies nothing [links] [s]
        """
    @property
    def link_count(self) -> int:
        """
        number of links
        """
    @property
    def nodes(self) -> Nodes:
        """
        the nodes; one object for graphs that share them
        """
    @property
    def out_begin(self) -> numpy.typing.NDArray[numpy.int32]:
        """
        where each node's links begin in `out_link` [nodes + 1]
        """
    @property
    def out_link(self) -> numpy.typing.NDArray[numpy.int32]:
        """
        links by sender, of one sender in their order [links]
        """
    @property
    def overhead_s(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        fixed per message; occupies the link [links] [s]
        """
    @property
    def rate_bps(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        bits that it carries in a second [links] [bit/s]
        """
    @property
    def to(self) -> numpy.typing.NDArray[numpy.int32]:
        """
        position of the receiver [links]
        """
class Snapshot:
    """
    The graph that holds over [t_s, t_s + valid_s).
    
    Parameters
    ----------
    t_s : float
        from when on it holds [s], in (-inf, inf)
    graph : Graph
        its nodes and links
    valid_s : float, default inf
        how long it holds [s], in (0, inf]
    lifetime_s : ArrayLike | None, default None
        how much longer each link lives, from t_s on; inf where no end is known; None: nothing is [s], in [0, inf]
    
    Examples
    --------
    >>> import constellm as clm
    >>> made = clm.network.Snapshot(0.0, clm.network.Graph(["a", "b"], from_=[0], to=[1], rate_bps=1e9), valid_s=60.0)
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
    """
    Names of the fields of a record that are required, or that are not; `fields` says it now.
    """
    """
    Names of the fields of a record that are required, or that are not; `fields` says it now.
    """
    @staticmethod
    def __getstate__(*args, **kwargs):
        ...
    @staticmethod
    def __setstate__(*args, **kwargs):
        ...
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __init__(self, t_s: float, graph: Graph, *, valid_s: float = ..., lifetime_s: numpy.typing.ArrayLike | None = ...) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def _repr_html_(self) -> str:
        """
        The value as HTML: what it is, a picture where there is one, then tables.
        """
    def replace(self, **changes: typing.Any) -> Snapshot:
        """
        A copy with some fields changed.
        """
    def summary(self) -> str:
        """
        The value as text: what it is, then tables.
        """
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The fields as plain Python values.
        """
    def to_networkx(self) -> typing.Any:
        """
        As a `networkx.DiGraph`, as of its graph, with ``t_s`` and ``valid_s``, and ``lifetime_s`` of links.
        """
    @property
    def graph(self) -> Graph:
        """
        its nodes and links
        """
    @property
    def lifetime_s(self) -> numpy.typing.NDArray[numpy.float64] | None:
        """
        how much longer each link lives, from t_s on; inf where no end is known; None: nothing is [s]
        """
    @property
    def t_s(self) -> float:
        """
        from when on it holds [s]
        """
    @property
    def valid_s(self) -> float:
        """
        how long it holds [s]
        """
class Contacts:
    """
    When links exist, in the order of opening, then of sender and receiver; columns.
    """
    __hash__: typing.ClassVar[None] = None
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __len__(self) -> int:
        ...
    def __repr__(self) -> str:
        ...
    def _repr_html_(self) -> str:
        """
        The value as HTML: what it is, a picture where there is one, then tables.
        """
    def summary(self) -> str:
        """
        The value as text: what it is, then tables.
        """
    @property
    def close_s(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        [contacts] [s]
        """
    @property
    def from_(self) -> numpy.typing.NDArray[numpy.int32]:
        """
        position of the sender [contacts]
        """
    @property
    def open_s(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        [contacts] [s]
        """
    @property
    def to(self) -> numpy.typing.NDArray[numpy.int32]:
        """
        position of the receiver [contacts]
        """
class Timeline:
    """
    Graphs of the same nodes, one after the other: a sequence of Snapshot. Graph i holds from t_s[i] until
    the next, the last until end_s. A link's lifetime is what is left of its contact; where the timeline's
    end cuts that off, no end is known.
    
    Parameters
    ----------
    t_s : ArrayLike
        from when on each graph holds; rises [s], in (-inf, inf)
    graphs : Sequence[Graph]
        of equal nodes, which they share from then on
    end_s : float, default inf
        until when the last one holds [s], in (t_s[-1], inf]
    
    Examples
    --------
    >>> import constellm as clm
    >>> made = clm.network.Timeline([0.0], [clm.network.Graph(["a", "b"], from_=[0], to=[1], rate_bps=1e9)], end_s=60.0)
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
    """
    Names of the fields of a record that are required, or that are not; `fields` says it now.
    """
    """
    Names of the fields of a record that are required, or that are not; `fields` says it now.
    """
    @staticmethod
    def __getstate__(*args, **kwargs):
        ...
    @staticmethod
    def __setstate__(*args, **kwargs):
        ...
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __getitem__(self, position: int) -> Snapshot:
        ...
    def __init__(self, t_s: numpy.typing.ArrayLike, graphs: collections.abc.Sequence[Graph], *, end_s: float = ...) -> None:
        ...
    def __len__(self) -> int:
        ...
    def __repr__(self) -> str:
        ...
    def _repr_html_(self) -> str:
        """
        The value as HTML: what it is, a picture where there is one, then tables.
        """
    def at(self, t_s: float) -> Snapshot:
        """
        The one that holds at `t_s` [s]; ValueError outside.
        """
    def next_change(self, t_s: float) -> float:
        """
        The first moment after `t_s` at which another snapshot holds [s]; inf in the last one.
        """
    def replace(self, **changes: typing.Any) -> Timeline:
        """
        A copy with some fields changed.
        """
    def summary(self) -> str:
        """
        The value as text: what it is, then tables.
        """
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The fields as plain Python values.
        """
    def to_xarray(self) -> typing.Any:
        """
        As an `xarray.Dataset` of ``rate_bps`` and ``latency_s`` (link, t_s), NaN where a link does not exist.
        
        A link has the coordinates ``from`` and ``to``, ids of its nodes. Refused above 50 million cells.
        """
    @property
    def closed(self) -> numpy.typing.NDArray[numpy.int32]:
        """
        links that are gone at t_s; 0 at the first [snapshots]
        """
    @property
    def contacts(self) -> Contacts:
        """
        every unbroken stretch of every link, clipped to the timeline
        """
    @property
    def end_s(self) -> float:
        """
        until when the last one holds [s]
        """
    @property
    def opened(self) -> numpy.typing.NDArray[numpy.int32]:
        """
        links that are new at t_s; 0 at the first [snapshots]
        """
    @property
    def t_s(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        from when on each graph holds [snapshots] [s]
        """
class ContactPlan:
    """
    Who can send to whom, from when to when, at what rate, and how long a bit is under way: contacts as
    columns, validated once; arrays are read-only views. Nodes and contacts go by their positions.
    Contacts of one pair may overlap: they are channels side by side, and a message takes one of them.
    
    Parameters
    ----------
    nodes : Nodes | Sequence[Node | str]
        a text is the id of a node that relays; the `nodes` of a graph are shared
    from_ : ArrayLike
        position of the sender of each contact
    to : ArrayLike
        position of the receiver of each contact
    open_s : ArrayLike
        from when on it sends; one for all contacts, or one each [s], in (-inf, inf)
    close_s : ArrayLike
        until when; a contact that closes as it opens carries nothing [s], in [open_s, inf]
    rate_bps : ArrayLike
        bits that it sends in a second [bit/s], in (0, inf)
    owlt_s : ArrayLike, default 0.0
        one-way light time: how long a bit is under way [s], in [0, inf)
    epoch : str | None, default None
        moment of time 0 in UTC, as 2026-03-01T12:00:00Z
    
    Examples
    --------
    >>> import constellm as clm
    >>> made = clm.network.ContactPlan(["a", "b"], from_=[0], to=[1], open_s=0.0, close_s=60.0, rate_bps=1e6, owlt_s=0.01)
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
    """
    Names of the fields of a record that are required, or that are not; `fields` says it now.
    """
    """
    Names of the fields of a record that are required, or that are not; `fields` says it now.
    """
    @staticmethod
    def __getstate__(*args, **kwargs):
        ...
    @staticmethod
    def __setstate__(*args, **kwargs):
        ...
    @staticmethod
    def from_timeline(timeline: Timeline, *, epoch: str | None = None) -> ContactPlan:
        """
        One contact for each of the timeline's `contacts`. It has the least rate that its link has while it is
        open, and the longest of latency and overhead together, so that the timeline keeps what the plan promises.
        """
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __init__(self, nodes: Nodes | collections.abc.Sequence[Node | str], *, from_: numpy.typing.ArrayLike, to: numpy.typing.ArrayLike, open_s: numpy.typing.ArrayLike, close_s: numpy.typing.ArrayLike, rate_bps: numpy.typing.ArrayLike, owlt_s: numpy.typing.ArrayLike = ..., epoch: str | None = ...) -> None:
        ...
    def __len__(self) -> int:
        ...
    def __repr__(self) -> str:
        ...
    def _repr_html_(self) -> str:
        """
        The value as HTML: what it is, a picture where there is one, then tables.
        """
    def at(self, t_s: float) -> Snapshot:
        """
        The links of the contacts that are open at `t_s` [s], in [open_s, close_s), until the next one
        opens or closes. Channels side by side are one link: their rates add up, its latency is the longest of
        theirs.
        """
    def replace(self, **changes: typing.Any) -> ContactPlan:
        """
        A copy with some fields changed.
        """
    def summary(self) -> str:
        """
        The value as text: what it is, then tables.
        """
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The fields as plain Python values.
        """
    def to_xarray(self) -> typing.Any:
        """
        As an `xarray.Dataset`: its columns over ``contact``, with the coordinates ``from`` and ``to``, ids.
        """
    @property
    def close_s(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        until when [contacts] [s]
        """
    @property
    def epoch(self) -> str | None:
        """
        moment of time 0 in UTC, as 2026-03-01T12:00:00Z
        """
    @property
    def from_(self) -> numpy.typing.NDArray[numpy.int32]:
        """
        position of the sender [contacts]
        """
    @property
    def nodes(self) -> Nodes:
        """
        the nodes; one object for plans and graphs that share them
        """
    @property
    def open_s(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        from when on it sends [contacts] [s]
        """
    @property
    def owlt_s(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        one-way light time: how long a bit is under way [contacts] [s]
        """
    @property
    def rate_bps(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        bits that it sends in a second [contacts] [bit/s]
        """
    @property
    def to(self) -> numpy.typing.NDArray[numpy.int32]:
        """
        position of the receiver [contacts]
        """
    @property
    def volume_bytes(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        what each contact carries at most: rate times duration [contacts] [B]
        """
def booked(plan: ContactPlan, contacts: numpy.typing.ArrayLike, start_s: numpy.typing.ArrayLike, end_s: numpy.typing.ArrayLike) -> ContactPlan:
    """
    The plan without the time of these transmissions.
    """
def earliest_arrivals(plan: ContactPlan, sources: numpy.typing.ArrayLike, t_s: numpy.typing.ArrayLike, size_bytes: numpy.typing.ArrayLike, threads: int) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.int32]]:
    """
    Start and size of each message (sources,), arrivals and hops (sources, nodes).
    """
def earliest_route(plan: ContactPlan, source: int, t_s: float, size_bytes: float, target: int) -> tuple[numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]] | None:
    """
    Contact, start and end of sending, and arrival of each hop (hops,).
    """
def hops(graph: Graph, start: int, backward: bool) -> numpy.typing.NDArray[numpy.int32]:
    """
    Hops from the node at this position, or to it (nodes,).
    """
def latencies(timeline: Timeline, sources: numpy.typing.ArrayLike, targets: numpy.typing.ArrayLike, relays: numpy.typing.ArrayLike | None, threads: int) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.int32]]:
    """
    Least latencies, and hops of their paths (snapshots, sources, targets).
    """
def shortest_paths(graph: Graph, sources: numpy.typing.ArrayLike, weight: numpy.typing.ArrayLike, relays: numpy.typing.ArrayLike | None, threads: int) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.int32]]:
    """
    Least costs and last links (sources, nodes).
    """
