# Generated from the compiled module by `make stubs`; do not edit.
from __future__ import annotations
import numpy
import numpy.typing
import typing
__all__: list[str] = ['partition', 'test_head', 'train_head']
def partition(labels: numpy.typing.NDArray[numpy.int32], satellites: int, alpha: float | None, least: int, seed: int) -> numpy.typing.NDArray[numpy.int32]:
    """
    The satellite of each image.
    """
def test_head(features: numpy.typing.NDArray[numpy.float64], labels: numpy.typing.NDArray[numpy.int32], weights: numpy.typing.NDArray[numpy.float64], bias: numpy.typing.NDArray[numpy.float64]) -> tuple[int, float]:
    """
    Images that are right, and the mean loss.
    """
def train_head(features: numpy.typing.NDArray[numpy.float64], labels: numpy.typing.NDArray[numpy.int32], weights: numpy.typing.NDArray[numpy.float64], bias: numpy.typing.NDArray[numpy.float64], learning_rate: float, epochs: int, batch: int, weight_decay: float, proximal: float, seed: int) -> None:
    """
    Trains weights and bias in place.
    """
