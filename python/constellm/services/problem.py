"""What is to be placed where: services, tasks, a network and limits."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core import services as _core
from .._core.network import Graph, Network, Snapshot
from ..core.checks import known_keywords, meant, non_negative, real, short
from ..core.display import Display, Displayed
from ..core.quantity import counted, quantity
from ..core.table import Table
from ..core.value import Value
from .arguments import array, graph_of, instances, made, put, values_of
from .tasks import Service, Task

OBJECTIVES = {
    "cost": "the sum of the costs of replicas, ties by mean delay",
    "delay": "the mean delay by nominal rates, ties by cost",
    "admitted": "the weight of tasks that are not admitted, ties by cost",
}
"""What `Problem.objective` may be; all are minimised."""

_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True, eq=False, repr=False)
class Problem(Value, Displayed):
    """Which services run where, and which replica serves which stage?

    Format `constellm.services-problem`. Data between two nodes takes the route of the least time for its
    size, latency + 8 · bytes / rate of each link; on one node it takes none.

    Parameters
    ----------
    network : network.Graph, Network or Snapshot
        Nodes with ``flop_per_s`` and ``memory_bytes``, links with ``rate_bps`` and ``latency_s``. A node
        without ``flop_per_s`` relays, sends and receives, and hosts nothing. Kept as a graph: the lifetimes
        of a snapshot's links are not taken, `life_s` tells them.
    services : sequence of Service
        At least one.
    tasks : sequence of Task
        At least one.
    max_utilisation : float
        Of nodes and links, in (0, 1].
    budget : float, optional
        At most so many tasks have their raised rate at the same time, a fraction of one counted as such,
        >= 0; None: all of them.
    max_cost : float, optional
        Of all replicas, >= 0; None: none.
    objective : str
        One of ``"cost"``, ``"delay"`` (the mean by nominal rates) and ``"admitted"``: the weight of the tasks
        that are *not* admitted. All are minimised.
    life_s : array_like, shape (links,), optional
        How long after a request came each link still lives [s]; infinite: for ever. A link that data alone
        takes longer to cross is not there for it, and each transfer has to leave each of its links in time.
    samples : array_like, shape (samples, tasks), optional
        Rates [1/s] in place of a demand set: then there are neither deviations nor a budget.
    risk : float
        Share of the samples, rounded down, in which a node or a link may have too much, in [0, 1].
    name : str
        1 to 100 characters of ``[A-Za-z0-9._-]``.

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the range; also for figures whose sums are no numbers, and for a
        network with times of its own (``overhead_s``, ``layer_time_s``).

    Examples
    --------
    >>> from constellm import network, services
    >>> chain = network.chain(3, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9, latency_s=0.01)
    >>> ids = chain.nodes[0].id, chain.nodes[2].id
    >>> encoder = services.Service("encoder", flop=2e10, memory_bytes=1e9, cost=1.0)
    >>> stage = services.Stage("encoder", [services.Input(bytes=6e5)])
    >>> task = services.Task("detect", rate_per_s=3.0, source=ids[0], sink=ids[1], stages=[stage])
    >>> services.Problem(network=chain, services=[encoder], tasks=[task])
    Problem('services': 3 nodes, 2 links, 1 service, 1 task, least cost)
    """

    network: Graph
    services: tuple[Service, ...]
    tasks: tuple[Task, ...]
    max_utilisation: float
    budget: float | None
    max_cost: float | None
    objective: str
    life_s: NDArray[np.float64] | None
    """(links,)"""
    samples: NDArray[np.float64] | None
    """(samples, tasks)"""
    risk: float
    name: str

    def __init__(
        self,
        *,
        network: Graph | Network | Snapshot,
        services: Sequence[Service],
        tasks: Sequence[Task],
        max_utilisation: float = 1.0,
        budget: float | None = None,
        max_cost: float | None = None,
        objective: str = "cost",
        life_s: ArrayLike | None = None,
        samples: ArrayLike | None = None,
        risk: float = 0.0,
        name: str = "services",
    ) -> None:
        if not isinstance(name, str):
            raise TypeError(f"name: expected text, got {short(name)}")
        if not _NAME.fullmatch(name):
            raise ValueError(f"name: {short(name)} is not 1 to 100 characters of [A-Za-z0-9._-]")
        if not isinstance(objective, str):
            raise TypeError(f"objective: expected text, got {short(objective)}")
        if objective not in OBJECTIVES:
            known = ", ".join(map(repr, OBJECTIVES))
            raise ValueError(
                f"objective: {short(objective)} is not one of {known}{meant(objective, OBJECTIVES)}"
            )
        utilisation = real("max_utilisation", max_utilisation)
        if not 0.0 < utilisation <= 1.0:
            raise ValueError(f"max_utilisation: {short(max_utilisation)} is not in (0, 1]")
        put(
            self,
            network=graph_of(network),
            services=instances("services", services, Service),
            tasks=instances("tasks", tasks, Task),
            max_utilisation=utilisation,
            budget=None if budget is None else non_negative("budget", budget),
            max_cost=None if max_cost is None else non_negative("max_cost", max_cost),
            objective=objective,
            life_s=array("life_s", life_s, ("links",)),
            samples=array("samples", samples, ("samples", "tasks")),
            risk=real("risk", risk, least=0.0, most=1.0),
            name=name,
        )
        if self.samples is None and self.risk != 0.0:
            raise ValueError(f"risk: {short(risk)} is not in [0, 0]: there are no samples")
        if self.samples is not None and (self.samples.shape[1] != len(self.tasks) or not self.samples.size):
            raise ValueError(
                f"samples: shape {self.samples.shape} is not (samples, {len(self.tasks)}), the tasks"
            )
        self._compiled  # noqa: B018  (so that what is wrong is said now)

    @cached_property
    def _compiled(self) -> _core.Problem:
        return _compiled(self)

    @cached_property
    def _routes(self) -> _core.Routes:
        return _core.Routes(self._compiled)

    @property
    def may_break(self) -> int:
        """So many samples may have too much on a node or a link: ``risk`` of them, rounded down."""
        # A share such as 0.29 of a hundred is 28.999999999999996.
        return 0 if self.samples is None else math.floor(self.risk * len(self.samples) + 1e-9)

    def replace(self, **changes: Any) -> Problem:
        """A copy with some of the parameters changed."""
        parameters = values_of(self)
        known_keywords("replace", changes, parameters)
        return Problem(**{**parameters, **changes})

    def __reduce__(self) -> tuple[Any, ...]:
        return made, (Problem, values_of(self))

    def __repr__(self) -> str:
        return f"Problem({self._size()})"

    def _size(self) -> str:
        nodes, links = len(self.network.nodes), len(self.network.rate_bps)
        parts = [counted(nodes, "node"), counted(links, "link"), counted(len(self.services), "service")]
        goal = "most admitted" if self.objective == "admitted" else f"least {self.objective}"
        return f"{self.name!r}: {', '.join([*parts, counted(len(self.tasks), 'task'), goal])}"

    def _display(self) -> Display:
        hosts = [counted(len(nodes), "node") for nodes in self._compiled.hosts]
        of_services = [
            (s.name, quantity(s.flop, "FLOP"), quantity(s.memory_bytes, "B"), f"{s.cost:g}", where)
            for s, where in zip(self.services, hosts)
        ]
        of_tasks = [
            (
                task.name,
                " → ".join([task.source, *(stage.service for stage in task.stages), task.sink]),
                quantity(task.rate_per_s, "1/s"),
                quantity(task.deviation_per_s, "1/s"),
                "–" if task.deadline_s is None else quantity(task.deadline_s, "s"),
            )
            for task in self.tasks
        ]
        return Display(
            [f"Problem {self._size()}", *self._limits()],
            [
                Table(("service", "work", "memory", "cost", "may run on"), of_services),
                Table(("task", "stages", "rate", "may rise by", "deadline"), of_tasks),
            ],
        )

    def _limits(self) -> list[str]:
        limits = [f"nodes and links are used to {self.max_utilisation:.0%} at most"]
        if self.samples is not None:
            limits.append(
                f"{len(self.samples)} samples of demand, of which {self.may_break} may have too much"
            )
        elif any(task.deviation_per_s for task in self.tasks):
            raised = "all tasks" if self.budget is None else f"{self.budget:g} tasks at most"
            limits.append(f"rates of {raised} may rise at once")
        if self.max_cost is not None:
            limits.append(f"replicas cost {self.max_cost:g} at most")
        if self.life_s is not None:
            limits.append(f"{counted(int(np.isfinite(self.life_s).sum()), 'link')} end")
        return ["; ".join(limits)]


def _compiled(problem: Problem) -> _core.Problem:
    place = {node.id: v for v, node in enumerate(problem.network.nodes)}
    of_service: dict[str, int] = {}
    for s, service in enumerate(problem.services):
        if of_service.setdefault(service.name, s) != s:
            first = of_service[service.name]
            raise ValueError(
                f"services[{s}].name: {short(service.name)} is the name of services[{first}] too"
            )

    def node(where: str, id: str) -> int:
        if id not in place:
            raise ValueError(f"{where}: {short(id)} is not the id of a node")
        return place[id]

    services = []
    for s, service in enumerate(problem.services):
        where = f"services[{s}].nodes"
        nodes = service.nodes
        hosts = (
            range(len(place)) if nodes is None else [node(f"{where}[{i}]", v) for i, v in enumerate(nodes)]
        )
        services.append((service.name, service.flop, service.memory_bytes, service.cost, sorted(hosts)))
    tasks = []
    for t, task in enumerate(problem.tasks):
        stages = []
        for k, stage in enumerate(task.stages):
            if stage.service not in of_service:
                where = f"tasks[{t}].stages[{k}].service"
                hint = meant(stage.service, of_service)
                raise ValueError(f"{where}: {short(stage.service)} is not the name of a service{hint}")
            stages.append((of_service[stage.service], [(one.from_, one.bytes) for one in stage.inputs]))
        ends = (node(f"tasks[{t}].source", task.source), node(f"tasks[{t}].sink", task.sink))
        deadline_s = math.inf if task.deadline_s is None else task.deadline_s
        rates = (task.rate_per_s, task.deviation_per_s)
        tasks.append((task.name, *rates, *ends, stages, task.output_bytes, deadline_s, task.weight))
    samples = None
    if problem.samples is not None:
        samples = (problem.samples.ravel().tolist(), problem.may_break)
    if problem.life_s is not None and len(problem.life_s) != len(problem.network.rate_bps):
        links = len(problem.network.rate_bps)
        raise ValueError(f"life_s: shape {problem.life_s.shape} is not ({links},), the links")
    return _core.Problem(
        problem.network,
        services,
        tasks,
        max_utilisation=problem.max_utilisation,
        budget=math.inf if problem.budget is None else problem.budget,
        max_cost=math.inf if problem.max_cost is None else problem.max_cost,
        objective=problem.objective,
        life_s=[] if problem.life_s is None else problem.life_s.tolist(),
        samples=samples,
    )
