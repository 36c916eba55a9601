# Generated from the compiled module by `make stubs`; do not edit.
from __future__ import annotations
import numpy
import numpy.typing
import typing
__all__: list[str] = ['Hosting', 'Problem', 'activation_shares', 'cheapest_ring', 'evaluate', 'evaluate_hosting', 'exchange', 'expected_latency_s', 'gateway_costs', 'host', 'sampling_weights', 'solve', 'sorted']
class Problem:
    """
    Experts of several layers that want satellites.
    """
    def __init__(self, name: str, top_k: int, satellites: list[str], unreachable_s: float | None, layers: list[tuple[numpy.typing.ArrayLike, numpy.typing.ArrayLike, float]]) -> None:
        ...
class Hosting:
    """
    A problem with several experts on a satellite, and copies of experts.
    """
    def __init__(self, problem: Problem, places: list[int], service_s: numpy.typing.ArrayLike, copies: list[list[int]], most_activations: numpy.typing.ArrayLike) -> None:
        ...
def activation_shares(weights: numpy.typing.ArrayLike, top_k: int) -> numpy.typing.NDArray[numpy.float64]:
    ...
def cheapest_ring(costs: list[numpy.typing.ArrayLike]) -> tuple[list[int], float]:
    ...
def evaluate(problem: Problem, placement: list[list[int]]) -> tuple[float, numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]:
    """
    Token latency, by layer (layers,), by slot (layers, slots).
    """
def evaluate_hosting(hosting: Hosting, placement: list[list[list[int]]]) -> tuple[float, numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]:
    """
    Token latency, by layer (layers,), by slot (layers, slots), executions (slots, satellites).
    """
def exchange(problem: Problem, time_limit_s: float) -> tuple[str, list[list[int]], float, float, int]:
    """
    Status, placement, token_latency_s, lower_bound_s, nodes.
    """
def expected_latency_s(weights: numpy.typing.ArrayLike, latency_s: numpy.typing.ArrayLike, top_k: int) -> float:
    """
    Expected maximum over the picks.
    """
def gateway_costs(weights: numpy.typing.ArrayLike, top_k: int, from_s: numpy.typing.ArrayLike, to_s: numpy.typing.ArrayLike, own: numpy.typing.ArrayLike, unreachable_s: float | None, threads: int) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]:
    """
    Value and bound between gateways (gateways, next).
    """
def host(hosting: Hosting, seed: int, time_limit_s: float) -> tuple[str, list[list[list[int]]], float, float, float, int]:
    """
    Status, placement, token_latency_s, lower_bound_s, anew_s, nodes.
    """
def sampling_weights(shares: numpy.typing.ArrayLike, top_k: int) -> numpy.typing.NDArray[numpy.float64]:
    ...
def solve(problem: Problem, time_limit_s: float) -> tuple[str, list[list[int]], float, float, int]:
    """
    Status, placement, token_latency_s, lower_bound_s, nodes.
    """
def sorted(problem: Problem) -> tuple[str, list[list[int]], float, float, int]:
    """
    Status, placement, token_latency_s, lower_bound_s, nodes.
    """
