# Generated from the compiled module by `make stubs`; do not edit.
from __future__ import annotations
import collections.abc
import constellm._core.codec
import constellm._core.model
import constellm._core.network
import constellm.codec
import constellm.network
import numpy
import numpy.typing
import typing
from . import sweeping
__all__: list[str] = ['Evaluation', 'HopTerms', 'Infeasibility', 'Plan', 'Problem', 'Stage', 'StageTerms', 'baseline_names', 'check_generation', 'evaluate', 'evaluate_generation', 'figures', 'k_best', 'optimal_gap', 'pareto_front', 'propose', 'restored_plan', 'solve', 'solve_by', 'solve_generation', 'structural_faults', 'sweeping', 'tensor_parallel']
class Problem:
    """
    What is to be run where, under which limits. Immutable and validated once; the values are those of
    the file format `constellm.split-problem`.
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
    @staticmethod
    def __getstate__(*args, **kwargs):
        ...
    @staticmethod
    def __setstate__(*args, **kwargs):
        ...
    @staticmethod
    def _repr_html_(problem: Problem) -> str:
        """
        The problem as HTML tables.
        """
    @staticmethod
    def summary(problem: Problem) -> str:
        """
        The problem as text: its size and limits, then layers, nodes, links and codecs as tables.
        """
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __init__(self, *, model: typing.Any = None, network: constellm.network.Network | constellm.network.Graph | constellm.network.Snapshot | None = None, name: str = ..., layers: collections.abc.Sequence[constellm._core.model.Layer] | None = None, input_bytes: float | None = None, nodes: collections.abc.Sequence[constellm._core.network.Node] | None = None, links: collections.abc.Sequence[constellm._core.network.Link] | None = None, source: str | None = None, sink: str | None = None, micro_batches: int = ..., codecs: collections.abc.Sequence[constellm._core.codec.Codec], max_error: float | None = ..., max_energy_j: float | None = ..., error_rule: str = ..., objective: str = ...) -> None:
        """
        `model` is anything with `.layers` (Layer) and `.input_bytes`, or give these two; `network` a Network,
        Graph or Snapshot, or give its nodes and links. `source` and `sink` are ids; left out, they are the network's own. Wrong values raise
        ValueError or TypeError that names the field, the value and the range.
        """
    def __repr__(self) -> str:
        ...
    def replace(self, **changes: typing.Any) -> Problem:
        """
        A copy with some of the constructor's keywords changed.
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
    def __init__(self, *, node: str, first_layer: int, last_layer: int, codec: str | None = ...) -> None:
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
    What a stage of a plan takes, per micro-batch.
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
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
    What a hop of a plan takes, per micro-batch.
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
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
    def __init__(self, **fields: typing.Any) -> None:
        ...
    def __iter__(self) -> typing.Iterator[str]:
        ...
    def __len__(self) -> int:
        ...
    def __repr__(self) -> str:
        ...
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
    """
    __hash__: typing.ClassVar[None] = None
    fields: typing.ClassVar[tuple]
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
    Why a problem has no plan, and how much would do; None where nothing would.
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
    def __init__(self, *, reason: str, least_error: float | None = ..., least_energy_j: float | None = ..., least_memory_factor: float | None = ..., least_error_alone: float | None = ..., least_energy_alone_j: float | None = ..., stopped: str | None = ...) -> None:
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
    A solver's answer: what it found, and what it proved. Figures are the evaluator's; NaN where there is no plan.
    """
    __hash__: typing.ClassVar[None] = None
    @staticmethod
    def __getstate__(*args, **kwargs):
        ...
    @staticmethod
    def __setstate__(*args, **kwargs):
        ...
    @staticmethod
    def _repr_html_(plan: Plan) -> str:
        """
        The plan as HTML tables with a picture of its pipeline.
        """
    @staticmethod
    def summary(plan: Plan) -> str:
        """
        The plan as text: what was found and proven, then stages and hops as tables.
        """
    def __eq__(self, other: typing.Any) -> bool:
        """
        Same problem, status, path and stages; counters and seconds do not count.
        """
    def __repr__(self) -> str:
        ...
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
    def codecs(self) -> tuple[constellm.codec.Codec, ...]:
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
        no plan has a smaller objective [s]; NaN where nothing was proven, infinite where no plan exists
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
    def stages(self) -> list[Stage]:
        """
        the hosting nodes' shares, in path order
        """
    @property
    def status(self) -> str:
        """
        'optimal', 'feasible', 'infeasible', 'no_plan_found', 'time_limit' or 'interrupted'
        """
def baseline_names() -> list[str]:
    """
    Benchmark methods that make a plan, without the family 'fixed:<codec>'.
    """
def check_generation(prefill: Problem, decode: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], *, memory_bandwidth_bps: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex], new_tokens: typing.SupportsInt | typing.SupportsIndex, token_bytes: typing.SupportsFloat | typing.SupportsIndex) -> None:
    """
    Raises ValueError that names field, value and range.
    """
def evaluate(problem: Problem, path: collections.abc.Sequence[str], stages: collections.abc.Sequence[Stage]) -> Evaluation:
    """
    Every term of a plan; raises ValueError with what makes it no plan.
    """
def evaluate_generation(prefill: Problem, decode: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], *, memory_bandwidth_bps: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex], new_tokens: typing.SupportsInt | typing.SupportsIndex, token_bytes: typing.SupportsFloat | typing.SupportsIndex, path: collections.abc.Sequence[str], stages: collections.abc.Sequence[Stage]) -> dict:
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
def restored_plan(problem: Problem, *, path: collections.abc.Sequence[str], stages: collections.abc.Sequence[Stage], status: str, method: str, lower_bound_s: typing.SupportsFloat | typing.SupportsIndex, seconds: typing.SupportsFloat | typing.SupportsIndex, counters: collections.abc.Mapping[str, typing.SupportsInt | typing.SupportsIndex], added_codecs: typing.SupportsInt | typing.SupportsIndex, broken_limits: collections.abc.Sequence[str], infeasibility: Infeasibility | None) -> Plan:
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
def solve_generation(prefill: Problem, decode: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], *, memory_bandwidth_bps: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex], new_tokens: typing.SupportsInt | typing.SupportsIndex, token_bytes: typing.SupportsFloat | typing.SupportsIndex, time_limit_s: typing.SupportsFloat | typing.SupportsIndex) -> tuple[Plan, str, float]:
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
