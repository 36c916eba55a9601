# Generated from the compiled module by `make stubs`; do not edit.
from __future__ import annotations
import collections.abc
import constellm._core.network
import numpy
import numpy.typing
import typing
__all__: list[str] = ['Problem', 'Routes', 'broken', 'evaluate', 'keeps_limits']
class Problem:
    """
    What is to be placed where, by positions.
    """
    def __init__(self, graph: constellm._core.network.Graph, services: list[tuple[str, float, float, float, list[int]]], tasks: list[tuple[str, float, float, int, int, list[tuple[int, list[tuple[int, float]]]], float, float, float]], *, max_utilisation: float, budget: float, max_cost: float, objective: str, life_s: list[float], samples: tuple[list[float], int] | None) -> None:
        ...
    def limits(self) -> tuple[list[float], list[float], list[float], list[float], float]:
        """
        With their room: of nodes' loads, links' loads, memory, deadlines, cost; infinite: none.
        """
    @property
    def first_transfer(self) -> list[int]:
        """
        Where each task's transfers begin, and where all end.
        """
    @property
    def hosts(self) -> list[list[int]]:
        """
        Of each service the nodes that may host it and compute.
        """
    @property
    def transfers(self) -> list[tuple[int, int, int, float]]:
        """
        Task, stage it comes from, stage it goes to, bytes; -1: source, sink.
        """
class Routes:
    """
    Ways of the least time for a problem's transfers.
    """
    def __init__(self, problem: Problem) -> None:
        ...
    def links(self, transfer: int, origin: int, target: int) -> numpy.typing.NDArray[numpy.int32]:
        """
        In the order of travel.
        """
    def seconds(self, transfer: int, origin: int) -> numpy.typing.NDArray[numpy.float64]:
        """
        To every node.
        """
def broken(problem: Problem, routes: Routes, replicas: collections.abc.Sequence[collections.abc.Sequence[int]], assignment: collections.abc.Sequence[collections.abc.Sequence[int]]) -> list[str]:
    """
    Every rule that a placement breaks.
    """
def evaluate(problem: Problem, routes: Routes, replicas: collections.abc.Sequence[collections.abc.Sequence[int]], assignment: collections.abc.Sequence[collections.abc.Sequence[int]]) -> tuple[float, float, float, numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64], int]:
    """
    cost, delay_s, rejected_weight, task_delay_s, node_load_flop_per_s, link_load_bps, memory_bytes, broken_samples.
    """
def keeps_limits(problem: Problem, routes: Routes, replicas: collections.abc.Sequence[collections.abc.Sequence[int]], assignment: collections.abc.Sequence[collections.abc.Sequence[int]]) -> bool:
    """
    The same as one answer.
    """
