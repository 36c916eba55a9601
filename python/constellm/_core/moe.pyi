# Generated from the compiled module by `make stubs`; do not edit.
from __future__ import annotations
import numpy
import numpy.typing
import typing
__all__: list[str] = ['Problem', 'activation_shares', 'balance', 'cheapest_ring', 'check_drift', 'evaluate', 'evaluate_schedule', 'exchange', 'expected_latency_s', 'gateway_costs', 'replan', 'sampling_weights', 'solve', 'sorted']
class Problem:
    """
    Experts of several layers that want satellites.
    """
    def __init__(self, name: str, top_k: int, satellites: list[str], unreachable_s: float | None, layers: list[tuple[numpy.typing.ArrayLike, numpy.typing.ArrayLike, float]]) -> None:
        ...
def activation_shares(weights: numpy.typing.ArrayLike, top_k: int) -> numpy.typing.NDArray[numpy.float64]:
    ...
def balance(loads: numpy.typing.NDArray[numpy.float64], devices: int, places: int) -> tuple[numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]:
    """
    Expert on each place (layers, devices, places), copies (layers, experts), loads (layers, devices), bounds.
    """
def cheapest_ring(costs: list[numpy.typing.ArrayLike]) -> tuple[list[int], float]:
    ...
def check_drift(windows: list[Problem], tokens: numpy.typing.ArrayLike, move_s: numpy.typing.ArrayLike, start: list[list[int]] | None) -> None:
    """
    Raises ValueError for what does not fit together.
    """
def evaluate(problem: Problem, placement: list[list[int]]) -> tuple[float, numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]:
    """
    Token latency, by layer (layers,), by slot (layers, slots).
    """
def evaluate_schedule(windows: list[Problem], tokens: numpy.typing.ArrayLike, move_s: numpy.typing.ArrayLike, start: list[list[int]] | None, placements: list[list[list[int]]]) -> tuple[float, numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.int32]]:
    """
    Cost, latency of a token, cost of moving and experts moved, by window.
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
def replan(windows: list[Problem], tokens: numpy.typing.ArrayLike, move_s: numpy.typing.ArrayLike, start: list[list[int]] | None, time_limit_s: float) -> tuple[str, list[list[list[int]]], float, int]:
    """
    Status, placements, lower_bound_s, nodes.
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
