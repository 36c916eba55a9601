# Generated from the compiled module by `make stubs`; do not edit.
from __future__ import annotations
import collections.abc
import constellm._core.network
import numpy
import numpy.typing
import typing
__all__: list[str] = ['Problem', 'Routes', 'annealing', 'broken', 'evaluate', 'explored', 'genetic', 'greedy', 'keeps_limits', 'monolith', 'nearest', 'random', 'reduced_hosts', 'search', 'shaved', 'tabu']
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
def annealing(problem: Problem, routes: Routes, time_limit_s: float, seed: int, threads: int, *, moves: int | None = None, chains: int = 4, start: tuple[list[list[int]], list[list[int]]] | None = None) -> tuple[str, tuple[list[list[int]], list[list[int]]] | None, float, bool, int, int]:
    """
    Of None so many moves as the size of the problem is worth.
    """
def broken(problem: Problem, routes: Routes, replicas: collections.abc.Sequence[collections.abc.Sequence[int]], assignment: collections.abc.Sequence[collections.abc.Sequence[int]]) -> list[str]:
    """
    Every rule that a placement breaks.
    """
def evaluate(problem: Problem, routes: Routes, replicas: collections.abc.Sequence[collections.abc.Sequence[int]], assignment: collections.abc.Sequence[collections.abc.Sequence[int]]) -> tuple[float, float, float, numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64], int]:
    """
    cost, delay_s, rejected_weight, task_delay_s, node_load_flop_per_s, link_load_bps, memory_bytes, broken_samples.
    """
def explored(problem: Problem, routes: Routes, hosts: list[list[int]], start: tuple[list[list[int]], list[list[int]]] | None, most_nodes: int, most_gap: float, time_limit_s: float) -> tuple[bool, list[list[int]], float, tuple[list[list[int]], list[list[int]]] | None, int, bool]:
    """
    Branch and bound of the first term alone with the given nodes of each slot, so many nodes of the tree at most, and its root alone where that leaves more than the relative gap: whether the best plan is proven, what is left of each slot in better ones, a lower bound, the best plan, nodes of the tree, whether Ctrl-C ended it.
    """
def genetic(problem: Problem, routes: Routes, time_limit_s: float, seed: int, threads: int) -> tuple[str, tuple[list[list[int]], list[list[int]]] | None, float, bool, int, int]:
    ...
def greedy(problem: Problem, routes: Routes, time_limit_s: float, seed: int, threads: int) -> tuple[str, tuple[list[list[int]], list[list[int]]] | None, float, bool, int, int]:
    ...
def keeps_limits(problem: Problem, routes: Routes, replicas: collections.abc.Sequence[collections.abc.Sequence[int]], assignment: collections.abc.Sequence[collections.abc.Sequence[int]]) -> bool:
    """
    The same as one answer.
    """
def monolith(problem: Problem, routes: Routes, time_limit_s: float, seed: int, threads: int) -> tuple[str, tuple[list[list[int]], list[list[int]]] | None, float, bool, int, int]:
    ...
def nearest(problem: Problem, routes: Routes, time_limit_s: float, seed: int, threads: int) -> tuple[str, tuple[list[list[int]], list[list[int]]] | None, float, bool, int, int]:
    ...
def random(problem: Problem, routes: Routes, time_limit_s: float, seed: int, threads: int) -> tuple[str, tuple[list[list[int]], list[list[int]]] | None, float, bool, int, int]:
    ...
def reduced_hosts(problem: Problem, routes: Routes, value: float, steps: int, time_limit_s: float) -> tuple[bool, list[list[int]], float, tuple[list[list[int]], list[list[int]]] | None, int, bool]:
    """
    Whether there can be a plan whose first term is at most the value, the nodes of each slot in such plans, a lower bound of all plans, the best plan met, how many bounds, whether Ctrl-C ended it.
    """
def search(problem: Problem, routes: Routes, time_limit_s: float, seed: int = 0, threads: int = 1, start: tuple[list[list[int]], list[list[int]]] | None = None, nodes: int | None = None) -> tuple[str, tuple[list[list[int]], list[list[int]]] | None, float, bool, int, int]:
    """
    Branch and bound with Lagrangian bounds, of so many nodes of its tree at most.
    """
def shaved(problem: Problem, routes: Routes, allowed: typing.Annotated[numpy.typing.ArrayLike, numpy.uint8], deadline_s: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex], least: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], most: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], cost_limit: typing.SupportsFloat | typing.SupportsIndex, time_limit_s: typing.SupportsFloat | typing.SupportsIndex, branches: typing.SupportsInt | typing.SupportsIndex) -> tuple:
    """
    Nodes that plans within the limits can have, and the search for one: allowed (stages · nodes,), least and most replicas, whether there is none, whether all was seen, a placement, branches, whether Ctrl-C ended it.
    """
def tabu(problem: Problem, routes: Routes, time_limit_s: float, seed: int, threads: int) -> tuple[str, tuple[list[list[int]], list[list[int]]] | None, float, bool, int, int]:
    ...
