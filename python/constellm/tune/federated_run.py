"""What federated training gives: the model, and how it came to be over simulated time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.checks import real
from ..core.display import Display, Displayed
from ..core.optional import optional_import
from ..core.quantity import counted, quantity
from ..core.table import Table
from .modes import Mode

FINISHED, TIME_LIMIT, OUT_OF_CONTACT = "finished", "time_limit", "out_of_contact"


@dataclass(frozen=True, eq=False, repr=False)
class FederatedRun(Displayed):
    """Federated training over simulated time; what `federate` gives.

    Examples
    --------
    See `constellm.tune.federate`.
    """

    mode: Mode
    """How updates were taken in."""
    status: str
    """``"finished"``: all rounds; ``"time_limit"``: the next would end after ``until_s``;
    ``"out_of_contact"``: no update can come any more."""
    history: Table
    """A row for the start and for each version of the global model; see `federate`."""
    parameters: tuple[np.ndarray, ...]
    """The global model at the end; not to be written."""

    def __post_init__(self) -> None:
        sealed = []
        for part in self.parameters:
            copy = np.array(part)
            copy.flags.writeable = False
            sealed.append(copy)
        object.__setattr__(self, "parameters", tuple(sealed))

    def column(self, name: str) -> np.ndarray:
        """A column of the history as an array (versions + 1,).

        Raises
        ------
        ValueError
            If there is none of that name.
        """
        if name not in self.history.columns:
            raise ValueError(f"name: {name!r} is not one of {', '.join(self.history.columns)}")
        place = self.history.columns.index(name)
        return np.array([row[place] for row in self.history.rows])

    @property
    def accuracy(self) -> float:
        """Of the global model at the end."""
        return float(self.column("accuracy")[-1])

    @property
    def time_s(self) -> float:
        """When the last version stood [s]."""
        return float(self.column("time_s")[-1])

    def time_to(self, accuracy: float) -> float:
        """When the global model was first at least so accurate [s]; inf where it never was."""
        there = np.flatnonzero(self.column("accuracy") >= real("accuracy", accuracy))
        return float(self.column("time_s")[there[0]]) if there.size else math.inf

    def to_pandas(self) -> Any:
        """The history as a ``pandas.DataFrame``, indexed by version.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        pandas = optional_import("pandas", extra="sweep", purpose="to_pandas needs pandas")
        return pandas.DataFrame(self.history.rows, columns=self.history.columns).set_index("version")

    def to_xarray(self) -> Any:
        """The history as an ``xarray.Dataset`` over ``version``, ``time_s`` as a coordinate.

        Raises
        ------
        ImportError
            If xarray is not installed.
        """
        xarray = optional_import("xarray", extra="sweep", purpose="to_xarray needs xarray")
        names = [name for name in self.history.columns if name != "version"]
        data = xarray.Dataset(
            {name: ("version", self.column(name)) for name in names},
            coords={"version": self.column("version")},
        )
        return data.set_coords("time_s")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FederatedRun):
            return NotImplemented
        return (
            (self.mode, self.status) == (other.mode, other.status)
            and self.history == other.history
            and same_bits(self.parameters, other.parameters)
        )

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return FederatedRun, (self.mode, self.status, self.history, self.parameters)

    def __repr__(self) -> str:
        versions = counted(len(self.history) - 1, "version")
        return (
            f"FederatedRun({type(self.mode).__name__}, {self.status!r}, {versions} in "
            f"{quantity(self.time_s, 's')}, accuracy {self.accuracy:.4f})"
        )

    def _display(self) -> Display:
        return Display([repr(self), repr(self.mode)], [self.history])


def same_bits(one: Sequence[np.ndarray], other: Sequence[np.ndarray]) -> bool:
    """Whether arrays agree in shape, type and every bit."""
    return len(one) == len(other) and all(
        (a.shape, a.dtype, a.tobytes()) == (b.shape, b.dtype, b.tobytes()) for a, b in zip(one, other)
    )
