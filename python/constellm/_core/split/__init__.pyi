# Generated from the compiled module by `make stubs`; do not edit.
from __future__ import annotations
import collections.abc
import constellm._core.codec
import constellm._core.model
import constellm._core.network
import constellm.network
import numpy
import numpy.typing
import typing
from . import sweeping
__all__: list[str] = ['Evaluation', 'GenerationTerms', 'HopTerms', 'Infeasibility', 'Plan', 'Problem', 'Stage', 'StageTerms', 'baseline_names', 'check_generation', 'evaluate', 'evaluate_generation', 'figures', 'k_best', 'optimal_gap', 'pareto_front', 'propose', 'restored_plan', 'solve', 'solve_by', 'solve_generation', 'structural_faults', 'sweeping', 'tensor_parallel']
class Problem:
    """
    A model to be run on a network under limits. Immutable and validated once; the values are those of
    the file format `constellm.split-problem`.
    
    Parameters
    ----------
    model : Any, default None
        anything with `.layers` (Layer) and `.input_bytes`, in place of these two
    network : Network | Graph | Snapshot | None, default None
        in place of `nodes` and `links`; `source` and `sink`, left out, are its own
    name : str, default 'problem'
        1 to 100 characters of [A-Za-z0-9._-]
    layers : Sequence[Layer] | None, default None
        in execution order
    input_bytes : float | None, default None
        raw input per micro-batch, at the source [B], in [0, inf)
    nodes : Sequence[Node] | None, default None
        of the network
    links : Sequence[Link] | None, default None
        of the network
    source : str | None, default None
        id of the node that has the input
    sink : str | None, default None
        id of the node that wants the result
    micro_batches : int, default 1
        identical micro-batches that flow through the pipeline, in [1, 2^53]
    codecs : Sequence[Codec]
        the menu: names are unique
    max_error : float | None, default None
        of the accumulated error, or None, in [0, inf)
    max_energy_j : float | None, default None
        of the energy of all micro-batches, or None [J], in [0, inf)
    error_rule : str, default 'sum'
        'sum' or 'root_sum_square'
    objective : str, default 'delay'
        'delay' or 'throughput'
    
    Examples
    --------
    >>> import constellm as clm
    >>> made = clm.split.Problem(model=clm.model.vit('vit-base/16', batch=8), codecs=clm.codec.menu('quantise'), network=clm.network.chain(3, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9))
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
    def __init__(self, *, codecs: collections.abc.Sequence[constellm._core.codec.Codec], model: typing.Any = ..., network: constellm.network.Network | constellm.network.Graph | constellm.network.Snapshot | None = ..., name: str = ..., layers: collections.abc.Sequence[constellm._core.model.Layer] | None = ..., input_bytes: float | None = ..., nodes: collections.abc.Sequence[constellm._core.network.Node] | None = ..., links: collections.abc.Sequence[constellm._core.network.Link] | None = ..., source: str | None = ..., sink: str | None = ..., micro_batches: int = ..., max_error: float | None = ..., max_energy_j: float | None = ..., error_rule: str = ..., objective: str = ...) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def _repr_html_(self) -> str:
        """
        The value as HTML: what it is, a picture where there is one, then tables.
        """
    def replace(self, **changes: typing.Any) -> Problem:
        """
        A copy with some of the constructor's keywords changed.
        """
    def summary(self) -> str:
        """
        The value as text: what it is, then tables.
        """
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The content of a `constellm.split-problem` file.
        """
    @property
    def codecs(self) -> tuple[constellm._core.codec.Codec, ...]:
        """
        the menu: names are unique
        """
    @property
    def error_rule(self) -> str:
        """
        'sum' or 'root_sum_square'
        """
    @property
    def input_bytes(self) -> float:
        """
        raw input per micro-batch, at the source [B]
        """
    @property
    def layers(self) -> tuple[constellm._core.model.Layer, ...]:
        """
        in execution order
        """
    @property
    def links(self) -> tuple[constellm._core.network.Link, ...]:
        """
        of the network
        """
    @property
    def max_energy_j(self) -> float | None:
        """
        of the energy of all micro-batches, or None [J]
        """
    @property
    def max_error(self) -> float | None:
        """
        of the accumulated error, or None
        """
    @property
    def micro_batches(self) -> int:
        """
        identical micro-batches that flow through the pipeline
        """
    @property
    def name(self) -> str:
        """
        1 to 100 characters of [A-Za-z0-9._-]
        """
    @property
    def network(self) -> constellm.network.Network:
        """
        nodes and links, and this problem's endpoints
        """
    @property
    def nodes(self) -> tuple[constellm._core.network.Node, ...]:
        """
        of the network
        """
    @property
    def objective(self) -> str:
        """
        'delay' or 'throughput'
        """
    @property
    def sink(self) -> str:
        """
        id of the node that wants the result
        """
    @property
    def source(self) -> str:
        """
        id of the node that has the input
        """
class Stage:
    """
    One hosting node's share of the layers.
    
    Parameters
    ----------
    node : str
        id of the host
    first_layer : int
        0-based, in [0, 2^31)
    last_layer : int
        0-based, inclusive, in [0, 2^31)
    codec : str | None, default None
        name of the codec of what it sends on; None after the last layer
    
    Examples
    --------
    >>> import constellm as clm
    >>> made = clm.split.Stage(node='s0', first_layer=0, last_layer=3, codec='quantise-4')
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
    def __init__(self, *, node: str, first_layer: int, last_layer: int, codec: str | None = ...) -> None:
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
    def codec(self) -> str | None:
        """
        name of the codec of what it sends on; None after the last layer
        """
    @property
    def first_layer(self) -> int:
        """
        0-based
        """
    @property
    def last_layer(self) -> int:
        """
        0-based, inclusive
        """
    @property
    def node(self) -> str:
        """
        id of the host
        """
class StageTerms:
    """
    Time and memory of a stage of a plan, per micro-batch.
    
    Parameters
    ----------
    node : str
        id of the host
    first_layer : int
        0-based, in [0, 2^31)
    last_layer : int
        0-based, inclusive, in [0, 2^31)
    codec : str | None, default None
        name of the codec of what it sends on; None after the last layer
    overhead_s : float
        of its node [s], in [0, inf)
    decode_s : float
        what it received [s], in [0, inf)
    compute_s : float
        its layers [s], in [0, inf)
    encode_s : float
        what it sends on [s], in [0, inf)
    time_s : float
        the sum of the four [s], in [0, inf)
    memory_bytes : float
        of its layers [B], in [0, inf)
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
    def __contains__(self, key):
        ...
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __getitem__(self, key: str) -> typing.Any:
        ...
    def __init__(self, *, node: str, first_layer: int, last_layer: int, overhead_s: float, decode_s: float, compute_s: float, encode_s: float, time_s: float, memory_bytes: float, codec: str | None = ...) -> None:
        ...
    def __iter__(self) -> typing.Iterator[str]:
        ...
    def __len__(self) -> int:
        ...
    def __repr__(self) -> str:
        ...
    def _repr_html_(self) -> str:
        """
        The value as HTML: what it is, a picture where there is one, then tables.
        """
    def get(self, key, default = None):
        """
        D.get(k[,d]) -> D[k] if k in D, else d.  d defaults to None.
        """
    def items(self):
        """
        D.items() -> a set-like object providing a view on D's items
        """
    def keys(self):
        """
        D.keys() -> a set-like object providing a view on D's keys
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
    def values(self):
        """
        D.values() -> an object providing a view on D's values
        """
    @property
    def codec(self) -> str | None:
        """
        name of the codec of what it sends on; None after the last layer
        """
    @property
    def compute_s(self) -> float:
        """
        its layers [s]
        """
    @property
    def decode_s(self) -> float:
        """
        what it received [s]
        """
    @property
    def encode_s(self) -> float:
        """
        what it sends on [s]
        """
    @property
    def first_layer(self) -> int:
        """
        0-based
        """
    @property
    def last_layer(self) -> int:
        """
        0-based, inclusive
        """
    @property
    def memory_bytes(self) -> float:
        """
        of its layers [B]
        """
    @property
    def node(self) -> str:
        """
        id of the host
        """
    @property
    def overhead_s(self) -> float:
        """
        of its node [s]
        """
    @property
    def time_s(self) -> float:
        """
        the sum of the four [s]
        """
class HopTerms:
    """
    Bytes and time of a hop of a plan, per micro-batch.
    
    Parameters
    ----------
    from_ : str
        id of the sender
    to : str
        id of the receiver
    bytes : float
        that cross it [B], in [0, inf)
    time_s : float
        occupies the link [s], in [0, inf)
    latency_s : float
        propagation [s], in [0, inf)
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
    def __contains__(self, key):
        ...
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __getitem__(self, key: str) -> typing.Any:
        ...
    def __init__(self, *, from_: str, to: str, bytes: float, time_s: float, latency_s: float) -> None:
        ...
    def __iter__(self) -> typing.Iterator[str]:
        ...
    def __len__(self) -> int:
        ...
    def __repr__(self) -> str:
        ...
    def _repr_html_(self) -> str:
        """
        The value as HTML: what it is, a picture where there is one, then tables.
        """
    def get(self, key, default = None):
        """
        D.get(k[,d]) -> D[k] if k in D, else d.  d defaults to None.
        """
    def items(self):
        """
        D.items() -> a set-like object providing a view on D's items
        """
    def keys(self):
        """
        D.keys() -> a set-like object providing a view on D's keys
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
    def values(self):
        """
        D.values() -> an object providing a view on D's values
        """
    @property
    def bytes(self) -> float:
        """
        that cross it [B]
        """
    @property
    def from_(self) -> str:
        """
        id of the sender
        """
    @property
    def latency_s(self) -> float:
        """
        propagation [s]
        """
    @property
    def time_s(self) -> float:
        """
        occupies the link [s]
        """
    @property
    def to(self) -> str:
        """
        id of the receiver
        """
class Evaluation:
    """
    Every term of what a plan is worth.
    
    Parameters
    ----------
    delay_s : float
        from the start until the sink has the last result [s], in [0, inf)
    bottleneck_s : float
        longest stage or hop per micro-batch [s], in [0, inf)
    error : float
        accumulated error, in [0, inf)
    energy_j : float
        of all micro-batches [J], in [0, inf)
    bytes : float
        over all hops and micro-batches [B], in [0, inf)
    objective_s : float
        the problem's objective: delay or bottleneck [s], in [0, inf)
    stages : Sequence[StageTerms]
        in path order
    hops : Sequence[HopTerms]
        in path order
    broken_limits : Sequence[str]
        a text each; none for a plan that keeps them all
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
    def __contains__(self, key):
        ...
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __getitem__(self, key: str) -> typing.Any:
        ...
    def __init__(self, *, delay_s: float, bottleneck_s: float, error: float, energy_j: float, bytes: float, objective_s: float, stages: collections.abc.Sequence[StageTerms], hops: collections.abc.Sequence[HopTerms], broken_limits: collections.abc.Sequence[str]) -> None:
        ...
    def __iter__(self) -> typing.Iterator[str]:
        ...
    def __len__(self) -> int:
        ...
    def __repr__(self) -> str:
        ...
    def _repr_html_(self) -> str:
        """
        The value as HTML: what it is, a picture where there is one, then tables.
        """
    def get(self, key, default = None):
        """
        D.get(k[,d]) -> D[k] if k in D, else d.  d defaults to None.
        """
    def items(self):
        """
        D.items() -> a set-like object providing a view on D's items
        """
    def keys(self):
        """
        D.keys() -> a set-like object providing a view on D's keys
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
    def values(self):
        """
        D.values() -> an object providing a view on D's values
        """
    @property
    def bottleneck_s(self) -> float:
        """
        longest stage or hop per micro-batch [s]
        """
    @property
    def broken_limits(self) -> list[str]:
        """
        a text each; none for a plan that keeps them all
        """
    @property
    def bytes(self) -> float:
        """
        over all hops and micro-batches [B]
        """
    @property
    def delay_s(self) -> float:
        """
        from the start until the sink has the last result [s]
        """
    @property
    def energy_j(self) -> float:
        """
        of all micro-batches [J]
        """
    @property
    def error(self) -> float:
        """
        accumulated error
        """
    @property
    def hops(self) -> tuple[HopTerms, ...]:
        """
        in path order
        """
    @property
    def objective_s(self) -> float:
        """
        the problem's objective: delay or bottleneck [s]
        """
    @property
    def stages(self) -> tuple[StageTerms, ...]:
        """
        in path order
        """
class Infeasibility:
    """
    The reason for which a problem has no plan, and how much would do; None where nothing would.
    
    Parameters
    ----------
    reason : str
        'no_route' from source to sink; 'no_host', no node on a route computes; 'memory', 'error' or 'energy', the first that no plan keeps even without the limits after it; 'limits', each can be kept, but not all at once; 'unknown', the time ran out
    least_error : float | None, default None
        max_error that would do, every other limit kept, in [0, inf)
    least_energy_j : float | None, default None
        max_energy_j that would do, every other limit kept [J], in [0, inf)
    least_memory_factor : float | None, default None
        by which the memory of every node must grow, every other limit kept, in [0, inf)
    least_error_alone : float | None, default None
        of any plan that fits the memory, whatever its energy, in [0, inf)
    least_energy_alone_j : float | None, default None
        of any plan that fits the memory, whatever its error [J], in [0, inf)
    stopped : str | None, default None
        None, or 'time_limit' or 'interrupted' where not everything was worked out
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
    def __init__(self, *, reason: str, least_error: float | None = ..., least_energy_j: float | None = ..., least_memory_factor: float | None = ..., least_error_alone: float | None = ..., least_energy_alone_j: float | None = ..., stopped: str | None = ...) -> None:
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
    def least_energy_alone_j(self) -> float | None:
        """
        of any plan that fits the memory, whatever its error [J]
        """
    @property
    def least_energy_j(self) -> float | None:
        """
        max_energy_j that would do, every other limit kept [J]
        """
    @property
    def least_error(self) -> float | None:
        """
        max_error that would do, every other limit kept
        """
    @property
    def least_error_alone(self) -> float | None:
        """
        of any plan that fits the memory, whatever its energy
        """
    @property
    def least_memory_factor(self) -> float | None:
        """
        by which the memory of every node must grow, every other limit kept
        """
    @property
    def reason(self) -> str:
        """
        'no_route' from source to sink; 'no_host', no node on a route computes; 'memory', 'error' or 'energy', the first that no plan keeps even without the limits after it; 'limits', each can be kept, but not all at once; 'unknown', the time ran out
        """
    @property
    def stopped(self) -> str | None:
        """
        None, or 'time_limit' or 'interrupted' where not everything was worked out
        """
class Plan:
    """
    A solver's answer: what it found, and what it proved. Figures are the evaluator's; NaN where there
    is no plan.
    
    Attributes
    ----------
    problem : Problem
        the problem it answers
    status : str
        'optimal', 'feasible', 'infeasible', 'no_plan_found', 'time_limit' or 'interrupted'
    delay_s : float
        from the start until the sink has the last result [s], in [0, inf)
    bottleneck_s : float
        longest stage or hop per micro-batch [s], in [0, inf)
    error : float
        accumulated error, in [0, inf)
    energy_j : float
        of all micro-batches [J], in [0, inf)
    bytes : float
        over all hops and micro-batches [B], in [0, inf)
    objective_s : float
        the problem's objective: delay or bottleneck [s], in [0, inf)
    lower_bound_s : float
        no plan has a smaller objective; NaN where nothing was proven, infinite where no plan exists [s], in (-inf, inf)
    gap : float
        (objective - lower bound) / objective, in (-inf, inf)
    path : Sequence[str]
        ids of the nodes from source to sink
    stages : Sequence[Stage]
        the hosting nodes' shares, in path order
    codecs : Sequence[Codec]
        that the method brought along: used by the plan, and added to the menu of `problem`
    method : str
        name of the method that made it
    infeasibility : Infeasibility | None
        why the problem has no plan, and how much would do; None where there is one, or it is not proven
    broken_limits : Sequence[str]
        limits that the plan of a benchmark method breaks, for which it is none
    counters : dict[str, int]
        labels made, dominated, expanded; most waiting; backward passes; intervals
    seconds : float
        spent by the solver [s], in (-inf, inf)
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
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The content of a `constellm.split-plan` file.
        """
    @property
    def bottleneck_s(self) -> float:
        """
        longest stage or hop per micro-batch [s]
        """
    @property
    def broken_limits(self) -> list[str]:
        """
        limits that the plan of a benchmark method breaks, for which it is none
        """
    @property
    def bytes(self) -> float:
        """
        over all hops and micro-batches [B]
        """
    @property
    def codecs(self) -> tuple[constellm._core.codec.Codec, ...]:
        """
        that the method brought along: used by the plan, and added to the menu of `problem`
        """
    @property
    def counters(self) -> dict[str, int]:
        """
        labels made, dominated, expanded; most waiting; backward passes; intervals
        """
    @property
    def delay_s(self) -> float:
        """
        from the start until the sink has the last result [s]
        """
    @property
    def energy_j(self) -> float:
        """
        of all micro-batches [J]
        """
    @property
    def error(self) -> float:
        """
        accumulated error
        """
    @property
    def gap(self) -> float:
        """
        (objective - lower bound) / objective
        """
    @property
    def infeasibility(self) -> Infeasibility | None:
        """
        why the problem has no plan, and how much would do; None where there is one, or it is not proven
        """
    @property
    def lower_bound_s(self) -> float:
        """
        no plan has a smaller objective; NaN where nothing was proven, infinite where no plan exists [s]
        """
    @property
    def method(self) -> str:
        """
        name of the method that made it
        """
    @property
    def objective_s(self) -> float:
        """
        the problem's objective: delay or bottleneck [s]
        """
    @property
    def path(self) -> list[str]:
        """
        ids of the nodes from source to sink
        """
    @property
    def problem(self) -> Problem:
        """
        the problem it answers
        """
    @property
    def seconds(self) -> float:
        """
        spent by the solver [s]
        """
    @property
    def stages(self) -> tuple[Stage, ...]:
        """
        the hosting nodes' shares, in path order
        """
    @property
    def status(self) -> str:
        """
        'optimal', 'feasible', 'infeasible', 'no_plan_found', 'time_limit' or 'interrupted'
        """
class GenerationTerms:
    """
    What a plan of the prefill is worth for the whole generation.
    
    Parameters
    ----------
    ttft_s : float
        time to the first token: delay of the prefill [s], in [0, inf)
    token_s : float
        per further token: once round the loop; infinite where no route leads back [s], in [0, inf]
    total_s : float
        ttft_s + (new_tokens - 1) * token_s [s], in [0, inf]
    decode_bottleneck_s : float
        longest decode stage or hop [s], in [0, inf)
    energy_j : float
        of prefill and decode [J], in [0, inf]
    bytes : float
        over all hops, of prefill and decode [B], in [0, inf]
    tokens_per_s : float
        of all requests: min(requests / token_s, 1 / decode_bottleneck_s) [1/s], in [0, inf]
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
    def __contains__(self, key):
        ...
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __getitem__(self, key: str) -> typing.Any:
        ...
    def __init__(self, *, ttft_s: float, token_s: float, total_s: float, decode_bottleneck_s: float, energy_j: float, bytes: float, tokens_per_s: float) -> None:
        ...
    def __iter__(self) -> typing.Iterator[str]:
        ...
    def __len__(self) -> int:
        ...
    def __repr__(self) -> str:
        ...
    def _repr_html_(self) -> str:
        """
        The value as HTML: what it is, a picture where there is one, then tables.
        """
    def get(self, key, default = None):
        """
        D.get(k[,d]) -> D[k] if k in D, else d.  d defaults to None.
        """
    def items(self):
        """
        D.items() -> a set-like object providing a view on D's items
        """
    def keys(self):
        """
        D.keys() -> a set-like object providing a view on D's keys
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
    def values(self):
        """
        D.values() -> an object providing a view on D's values
        """
    @property
    def bytes(self) -> float:
        """
        over all hops, of prefill and decode [B]
        """
    @property
    def decode_bottleneck_s(self) -> float:
        """
        longest decode stage or hop [s]
        """
    @property
    def energy_j(self) -> float:
        """
        of prefill and decode [J]
        """
    @property
    def token_s(self) -> float:
        """
        per further token: once round the loop; infinite where no route leads back [s]
        """
    @property
    def tokens_per_s(self) -> float:
        """
        of all requests: min(requests / token_s, 1 / decode_bottleneck_s) [1/s]
        """
    @property
    def total_s(self) -> float:
        """
        ttft_s + (new_tokens - 1) * token_s [s]
        """
    @property
    def ttft_s(self) -> float:
        """
        time to the first token: delay of the prefill [s]
        """
def baseline_names() -> list[str]:
    """
    Benchmark methods that make a plan, without the family 'fixed:<codec>'.
    """
def check_generation(prefill: Problem, decode: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], *, memory_bandwidth_bytes_per_s: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex], new_tokens: typing.SupportsInt | typing.SupportsIndex, token_bytes: typing.SupportsFloat | typing.SupportsIndex) -> None:
    """
    Raises ValueError that names field, value and range.
    """
def evaluate(problem: Problem, path: collections.abc.Sequence[str], stages: collections.abc.Sequence[Stage]) -> Evaluation:
    """
    Every term of a plan; raises ValueError with what makes it no plan.
    """
def evaluate_generation(prefill: Problem, decode: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], *, memory_bandwidth_bytes_per_s: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex], new_tokens: typing.SupportsInt | typing.SupportsIndex, token_bytes: typing.SupportsFloat | typing.SupportsIndex, path: collections.abc.Sequence[str], stages: collections.abc.Sequence[Stage], requests: typing.SupportsInt | typing.SupportsIndex) -> GenerationTerms:
    """
    See `constellm.split.GenerationProblem.evaluate`.
    """
def k_best(problem: Problem, k: typing.SupportsInt | typing.SupportsIndex, *, time_limit_s: typing.SupportsFloat | typing.SupportsIndex) -> tuple[list, bool]:
    """
    See `constellm.split.k_best`.
    """
def pareto_front(problem: Problem, criteria: collections.abc.Sequence[str], *, epsilon: typing.SupportsFloat | typing.SupportsIndex, time_limit_s: typing.SupportsFloat | typing.SupportsIndex) -> tuple[list, str]:
    """
    See `constellm.split.pareto_front`.
    """
def propose(problem: Problem, method: str, *, time_limit_s: float) -> dict[str, typing.Any]:
    """
    What a benchmark method decides, limits broken or not.
    """
def restored_plan(**fields: typing.Any) -> Plan:
    """
    See `constellm.split.plan_from_dict`.
    """
def solve(problem: Problem, *, time_limit_s: typing.SupportsFloat | typing.SupportsIndex, intervals: bool, heuristic: bool, dominance: bool, resource_bound: bool, unroll: bool) -> Plan:
    """
    The exact search; see `constellm.split.solve`.
    """
def solve_by(problem: Problem, method: str, *, time_limit_s: float) -> Plan:
    """
    The plan of a benchmark method; none where that would break a limit.
    """
def solve_generation(prefill: Problem, decode: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], *, memory_bandwidth_bytes_per_s: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex], new_tokens: typing.SupportsInt | typing.SupportsIndex, token_bytes: typing.SupportsFloat | typing.SupportsIndex, time_limit_s: typing.SupportsFloat | typing.SupportsIndex) -> tuple[Plan, str, float]:
    """
    See `constellm.split.solve_generation`.
    """
def structural_faults(problem: Problem, path: collections.abc.Sequence[str], stages: collections.abc.Sequence[Stage]) -> list[str]:
    """
    Why path and stages are no plan of the problem; empty for a plan.
    """
def tensor_parallel(problem: Problem) -> dict[str, typing.Any] | None:
    """
    Galaxy's tensor parallelism by its own delay model; None where it does not apply.
    """
figures: tuple = ('delay_s', 'bottleneck_s', 'error', 'energy_j', 'bytes')
optimal_gap: float = 1e-09
