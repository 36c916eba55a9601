"""Services that tasks share, and tasks as graphs over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..core.checks import count, non_negative, positive
from .arguments import instances, made, put, text, texts, values_of


@dataclass(frozen=True)
class Service:
    """A component of a large model that tasks share: an encoder, a projector, a decoder, a head.

    Parameters
    ----------
    name : str
        Not empty, unique in its problem.
    flop : float
        Work of a request [FLOP], >= 0.
    memory_bytes : float
        Of a replica [B], >= 0.
    cost : float
        Of a replica, in a unit of the user's own, >= 0.
    nodes : sequence of str, optional
        Ids of those that may host it; None: all. Nodes without ``flop_per_s`` never do.

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the range.

    Examples
    --------
    >>> from constellm import services
    >>> services.Service("clip-image", flop=8.8e9, memory_bytes=172e6, cost=1.0).nodes is None
    True
    """

    name: str
    flop: float
    memory_bytes: float
    cost: float
    nodes: tuple[str, ...] | None

    def __init__(
        self,
        name: str,
        *,
        flop: float,
        memory_bytes: float,
        cost: float,
        nodes: Sequence[str] | None = None,
    ) -> None:
        put(
            self,
            name=text("name", name),
            flop=non_negative("flop", flop),
            memory_bytes=non_negative("memory_bytes", memory_bytes),
            cost=non_negative("cost", cost),
            nodes=None if nodes is None else texts("nodes", nodes),
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return made, (Service, values_of(self))


@dataclass(frozen=True)
class Input:
    """Data that a stage waits for.

    Parameters
    ----------
    from_ : int
        Position of an earlier stage of the task; -1: the task's source.
    bytes : float
        How much of it a request has [B], >= 0.

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the range.

    Examples
    --------
    >>> from constellm import services
    >>> services.Input(bytes=600e3)
    Input(from_=-1, bytes=600000.0)
    """

    from_: int = -1
    bytes: float = 0.0

    def __post_init__(self) -> None:
        put(self, from_=count("from_", self.from_, least=-1), bytes=non_negative("bytes", self.bytes))


@dataclass(frozen=True)
class Stage:
    """One use of a service by a task: it begins when its last input has come.

    Parameters
    ----------
    service : str
        Name of the service.
    inputs : sequence of Input
        At least one; two of one stage are two transfers.

    Raises
    ------
    TypeError, ValueError
        Naming the field and the value.

    Examples
    --------
    >>> from constellm import services
    >>> services.Stage("projector", [services.Input(0, bytes=2e6), services.Input(1, bytes=1e6)]).service
    'projector'
    """

    service: str
    inputs: tuple[Input, ...] = (Input(),)

    def __post_init__(self) -> None:
        put(self, service=text("service", self.service), inputs=instances("inputs", self.inputs, Input))


@dataclass(frozen=True)
class Task:
    """Requests of one kind: a graph of stages from a source to a sink.

    Parameters
    ----------
    name : str
        Not empty, unique in its problem.
    rate_per_s : float
        Requests in a second [1/s], > 0.
    source, sink : str
        Ids of the nodes that data comes from and the result goes to.
    stages : sequence of Stage
        At least one, each after its inputs; every one but the last feeds at least one other.
    output_bytes : float
        From the last stage to the sink [B], >= 0.
    deviation_per_s : float
        How much the rate may rise [1/s], >= 0.
    deadline_s : float, optional
        Longest delay of a request [s], > 0; None: none.
    weight : float
        What it counts where the tasks that are admitted are chosen, >= 0.

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the range.

    Examples
    --------
    >>> from constellm import services
    >>> services.Task("caption", rate_per_s=2.0, source="s0", sink="gateway",
    ...               stages=[services.Stage("encoder", [services.Input(bytes=6e5)])]).deadline_s is None
    True
    """

    name: str
    rate_per_s: float
    source: str
    sink: str
    stages: tuple[Stage, ...]
    output_bytes: float
    deviation_per_s: float
    deadline_s: float | None
    weight: float

    def __init__(
        self,
        name: str,
        *,
        rate_per_s: float,
        source: str,
        sink: str,
        stages: Sequence[Stage],
        output_bytes: float = 0.0,
        deviation_per_s: float = 0.0,
        deadline_s: float | None = None,
        weight: float = 1.0,
    ) -> None:
        in_order = instances("stages", stages, Stage)
        _check_stages(in_order)
        put(
            self,
            name=text("name", name),
            rate_per_s=positive("rate_per_s", rate_per_s),
            source=text("source", source),
            sink=text("sink", sink),
            stages=in_order,
            output_bytes=non_negative("output_bytes", output_bytes),
            deviation_per_s=non_negative("deviation_per_s", deviation_per_s),
            deadline_s=None if deadline_s is None else positive("deadline_s", deadline_s),
            weight=non_negative("weight", weight),
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return made, (Task, values_of(self))


def _check_stages(stages: tuple[Stage, ...]) -> None:
    fed = set()
    for k, stage in enumerate(stages):
        for i, one in enumerate(stage.inputs):
            if one.from_ >= k:
                raise ValueError(
                    f"stages[{k}].inputs[{i}].from_: {one.from_} is not in [-1, {k}), earlier stages"
                )
            fed.add(one.from_)
    for k in range(len(stages) - 1):
        if k not in fed:
            raise ValueError(f"stages[{k}]: no other stage waits for it; only the last one may")
