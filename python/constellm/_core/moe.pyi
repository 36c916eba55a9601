# Generated from the compiled module by `make stubs`; do not edit.
from __future__ import annotations
import collections.abc
import numpy
import numpy.typing
import typing
__all__: list[str] = ['Chain', 'Hosting', 'Problem', 'activation_shares', 'broken', 'cheapest_ring', 'evaluate', 'evaluate_chain', 'evaluate_hosting', 'exchange', 'expected_latency_s', 'gateway_costs', 'host', 'sampling_weights', 'schedule_rings', 'solve', 'solve_chain', 'sorted', 'trace_latency']
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
class Chain:
    """
    Experts that hand tokens on to each other.
    """
    def __init__(self, affinities: list[numpy.typing.NDArray[numpy.float64]], closing: numpy.typing.NDArray[numpy.float64] | None, distance_s: numpy.typing.NDArray[numpy.float64], compute_s: numpy.typing.NDArray[numpy.float64], places: list[int]) -> None:
        ...
def activation_shares(weights: numpy.typing.ArrayLike, top_k: int) -> numpy.typing.NDArray[numpy.float64]:
    ...
def broken(problem: Problem, placement: list[list[int]]) -> list[str]:
    """
    What keeps it from being one.
    """
def cheapest_ring(costs: list[numpy.typing.ArrayLike]) -> tuple[list[int], float]:
    ...
def evaluate(problem: Problem, placement: list[list[int]]) -> tuple[float, numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]:
    """
    Token latency, by layer (layers,), by slot (layers, slots).
    """
def evaluate_chain(chain: Chain, hosts: list[int]) -> tuple[float, numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]:
    """
    Token latency, from layer to layer, computing by layer.
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
def schedule_rings(values: collections.abc.Sequence[collections.abc.Sequence[numpy.typing.ArrayLike]], bounds: collections.abc.Sequence[collections.abc.Sequence[numpy.typing.ArrayLike]], move_s: float) -> tuple[list[list[int]], float, float, float, float]:
    """
    Gateways of each window, what they cost, a bound of all, and what windows planned apart and one ring for all cost.
    """
def solve(problem: Problem, time_limit_s: float) -> tuple[str, list[list[int]], float, float, int]:
    """
    Status, placement, token_latency_s, lower_bound_s, nodes.
    """
def solve_chain(chain: Chain, seed: int, time_limit_s: float) -> tuple[str, list[int], float, float, int]:
    """
    Status, hosts, token_latency_s, lower_bound_s, nodes.
    """
def sorted(problem: Problem) -> tuple[str, list[list[int]], float, float, int]:
    """
    Status, placement, token_latency_s, lower_bound_s, nodes.
    """
def trace_latency(problem: Problem, placement: list[list[int]], expert_ids: numpy.typing.NDArray[numpy.uint16], first_slot: int, end_slot: int) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]:
    """
    By slot, mean over the tokens (layers, slots); by token (tokens,).
    """
