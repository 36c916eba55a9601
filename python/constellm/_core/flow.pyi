# Generated from the compiled module by `make stubs`; do not edit.
from __future__ import annotations
import constellm._core.network
import numpy
import numpy.typing
import typing
__all__: list[str] = ['Problem', 'bytes_of', 'greedy', 'maximum_flow', 'quickest', 'still_bound']
class Problem:
    """
    Where data is, where it is wanted, and who can send to whom when.
    """
    def __init__(self, contacts: constellm._core.network.ContactPlan, *, supply_bytes: numpy.typing.ArrayLike, storage_bytes: numpy.typing.ArrayLike, demand_bytes: numpy.typing.ArrayLike, sinks: list[int]) -> None:
        ...
    @property
    def wanted_bytes(self) -> float:
        ...
def bytes_of(values: numpy.typing.ArrayLike, name: str, nodes: int) -> numpy.typing.NDArray[numpy.float64]:
    ...
def greedy(problem: Problem, moments_s: numpy.typing.ArrayLike, time_limit_s: float) -> tuple[str, float, float, tuple[numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]], tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.bool_]] | None, tuple[int, int, int, int]]:
    """
    Over the slots between the moments.
    """
def maximum_flow(from_: numpy.typing.ArrayLike, to: numpy.typing.ArrayLike, capacity: numpy.typing.ArrayLike, source: int, target: int) -> tuple[int, numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.bool_]]:
    ...
def quickest(problem: Problem, time_limit_s: float, first_cells: int = 16) -> tuple[str, float, float, tuple[numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]], tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.bool_]] | None, tuple[int, int, int, int]]:
    """
    Status, finish_s, lower_bound_s, flows, cut, counters.
    """
def still_bound(problem: Problem) -> tuple[float, tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.bool_]] | None]:
    """
    Before which no plan ends, by cuts that do not change.
    """
