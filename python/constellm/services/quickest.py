"""How soon a request can be answered if it is alone: what deadlines are measured by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..network import Graph, shortest_paths
from .tasks import Service, Task


class Quickest:
    """Least delays of single requests in a graph; tables of times are kept for each size of data."""

    def __init__(self, graph: Graph, services: Sequence[Service]) -> None:
        self._graph = graph
        self._speed = np.array([node.flop_per_s for node in graph.nodes])
        self._ids = {node.id: i for i, node in enumerate(graph.nodes)}
        self._compute_s = {service.name: self._seconds(service) for service in services}
        self._ways: dict[float, NDArray[np.float64]] = {}

    def delay_s(self, task: Task) -> float:
        """Of a task whose stages feed one other each; infinite where there is no way.

        The best end of a stage on each node from the best of its inputs: exact, for the inputs of a stage
        then share none of the stages before them.
        """
        _refuse_shared(task)
        source, sink = self._ids[task.source], self._ids[task.sink]
        ends: list[NDArray[np.float64]] = []
        for stage in task.stages:
            begin = np.zeros(len(self._speed))
            for of in stage.inputs:
                way = self._way(of.bytes)
                come = way[source] if of.from_ < 0 else (ends[of.from_][:, None] + way).min(axis=0)
                begin = np.maximum(begin, come)
            ends.append(begin + self._compute_s[stage.service])
        return float((ends[-1] + self._way(task.output_bytes)[:, sink]).min())

    def _seconds(self, service: Service) -> NDArray[np.float64]:
        """Of the service on each node; infinite where it may not run."""
        may = self._speed > 0
        if service.nodes is not None:
            hosts = [self._ids[id] for id in service.nodes]
            may &= np.isin(np.arange(len(may)), hosts)
        return np.divide(service.flop, self._speed, out=np.full(len(may), np.inf), where=may)

    def _way(self, size_bytes: float) -> NDArray[np.float64]:
        if size_bytes not in self._ways:
            weight = self._graph.latency_s + 8.0 * size_bytes / self._graph.rate_bps
            self._ways[size_bytes] = shortest_paths(self._graph, weight=weight).cost
        return self._ways[size_bytes]


def _refuse_shared(task: Task) -> None:
    fed: dict[int, int] = {}
    for k, stage in enumerate(task.stages):
        for source in {of.from_ for of in stage.inputs if of.from_ >= 0}:
            if fed.setdefault(source, k) != k:
                raise ValueError(f"task {task.name!r}: stage {source} feeds more than one other")
