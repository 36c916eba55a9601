"""The labelled result of a sweep."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.console import for_console
from ..core.deprecation import moved_names
from ..core.display import Display, Displayed
from ..core.optional import optional_import
from ..core.quantity import figure, quantity
from ..core.table import Table
from .rows import Rows
from .system import System

if TYPE_CHECKING:
    import pandas
    import xarray


@dataclass(frozen=True)
class SweepResult(Displayed):
    """Arrays over the axes of a sweep, where xarray is not installed.

    Its figures and axes are attributes: ``found.delay_s`` [s], ``found.rate_bps``. Selecting, averaging and
    drawing by labels are xarray's, which the extra ``[sweep]`` brings; `run` then returns a Dataset.

    Examples
    --------
    >>> from constellm import paper, sweep
    >>> found = sweep.run(paper.collaborative.problem(relays=0), rate_bps=[1e8, 1e9], max_error=[0.5, 1.0])
    >>> found["delay_s"].shape
    (2, 2)
    """

    dims: tuple[str, ...]
    """Names of the axes, in the order given; ``method`` is the last where several were."""
    coords: dict[str, NDArray[Any]]
    """Of each dimension its values, read-only."""
    variables: dict[str, NDArray[Any]]
    """Read-only, of the dimensions' shape: the figures, ``status`` and ``message``; ``plan`` where kept."""
    units: dict[str, str]
    """SI, of variables and dimensions; empty for a pure number."""
    attrs: dict[str, Any]
    """``problem``, ``method``, ``constellm`` (the version)."""
    docs: dict[str, str] = field(default_factory=dict)
    """What the variables are, a sentence each."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the dimensions."""
        return tuple(len(self.coords[dim]) for dim in self.dims)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A variable or the values of a dimension."""
        if name not in self.variables and name not in self.coords:
            raise KeyError(f"{name!r}; there are {', '.join([*self.variables, *self.coords])}")
        return self.variables[name] if name in self.variables else self.coords[name]

    def __getattr__(self, name: str) -> NDArray[Any]:
        """A variable or the values of a dimension, as a Dataset gives them."""
        if name.startswith("_") or name in ("variables", "coords"):  # of a copy in the making
            raise AttributeError(name)
        if name in self.variables or name in self.coords:
            return self[name]
        raise AttributeError(
            f"{name!r}: a SweepResult has {', '.join([*self.variables, *self.coords])}; selecting, averaging "
            "and drawing by labels are xarray's: pip install 'constellm[sweep]' gives a Dataset instead"
        )

    def __repr__(self) -> str:
        sizes = ", ".join(f"{dim}: {len(self.coords[dim])}" for dim in self.dims)
        names, counts = np.unique(self.variables["status"], return_counts=True)
        return f"SweepResult({sizes}; {', '.join(f'{n} {name}' for name, n in zip(names, counts))})"

    def _display(self) -> Display:
        axes = []
        for dim in self.dims:
            values = self.coords[dim]
            if values.dtype.kind in "iuf":
                ends = [self._quantity(dim, end) for end in (values[0], values[-1])]
            else:
                ends = [str(values[0]), str(values[-1])]
            axes.append((dim, str(len(values)), " … ".join(dict.fromkeys(ends))))
        figures = []
        for name, values in self.variables.items():
            numbers = values[np.isfinite(values)] if values.dtype.kind in "iuf" else values[:0]
            if numbers.size:
                ends = [self._quantity(name, end) for end in (numbers.min(), numbers.max())]
                figures.append((name, *ends, self.docs.get(name, "")))
        return Display(
            [for_console(repr(self)), "with 'constellm[sweep]' installed, an xarray.Dataset instead"],
            [
                Table(("axis", "values", "from … to"), axes, "Axes"),
                Table(("figure", "least", "most", "what"), figures, "Figures"),
            ],
        )

    def _quantity(self, name: str, value: float) -> str:
        unit = self.units.get(name)
        return quantity(value, unit) if unit else figure(float(value))

    def to_xarray(self) -> xarray.Dataset:
        """As an `xarray.Dataset` with units in the attributes."""
        xarray = optional_import("xarray", extra="sweep", purpose="this needs xarray")
        variables = {}
        for name, values in self.variables.items():
            attrs = {"long_name": self.docs[name]} if name in self.docs else {}
            variables[name] = (self.dims, values, _with_units(attrs, self.units.get(name)))
        coords = {dim: (dim, self.coords[dim], _with_units({}, self.units.get(dim))) for dim in self.dims}
        return xarray.Dataset(variables, coords, self.attrs)

    def to_pandas(self) -> pandas.DataFrame:
        """As a table: a row for every cell and method, dimensions first."""
        pandas = optional_import("pandas", extra="sweep", purpose="this needs pandas")
        places = np.unravel_index(np.arange(np.prod(self.shape, dtype=int)), self.shape)
        columns = {dim: self.coords[dim][place] for dim, place in zip(self.dims, places)}
        return pandas.DataFrame({**columns, **{name: v.ravel() for name, v in self.variables.items()}})


def to_table(found: xarray.Dataset | SweepResult, *names: str) -> Table:
    """The cells of a sweep as rows: the axes, then its variables.

    Parameters
    ----------
    found : SweepResult or xarray.Dataset
        Of `run`.
    *names : str
        Of variables; default: all but ``message``.

    Returns
    -------
    constellm.core.table.Table
        With `to_latex`, `to_markdown` and `to_csv`.

    Raises
    ------
    KeyError
        For a name that is no variable.

    Examples
    --------
    >>> from constellm import paper, sweep
    >>> found = sweep.run(paper.collaborative.problem(), rate_bps=[1e8, 1e9])
    >>> print(sweep.to_table(found, "status").to_markdown(), end="")
    | rate | status |
    | --- | --- |
    | 100 Mbit/s | optimal |
    | 1 Gbit/s | optimal |
    """
    dims = [str(dim) for dim in found.dims]
    shape = tuple(len(found[dim]) for dim in dims)
    places = np.unravel_index(np.arange(np.prod(shape, dtype=int)), shape)
    chosen = names or [str(name) for name in found.variables if name not in (*dims, "message")]
    columns = [np.asarray(found[dim])[place].tolist() for dim, place in zip(dims, places)]
    columns += [np.asarray(found[name]).ravel().tolist() for name in chosen]
    return Table((*dims, *chosen), tuple(zip(*columns)))


def _with_units(attrs: dict[str, str], unit: str | None) -> dict[str, str]:
    return {**attrs, "units": unit} if unit else attrs


__getattr__ = moved_names(__name__, {"Table": "constellm.sweep.result.GatheredRows"})


class GatheredRows:
    """The rows of a sweep as they come in; those that did not stay ``interrupted``."""

    def __init__(self, system: System, rows: int, keep_answers: bool = False) -> None:
        self.system = system
        self.columns = system.empty_columns(rows)
        self.messages = np.full(rows, "", dtype=object)
        self.answers = np.full(rows, None, dtype=object) if keep_answers else None

    def accept(self, rows: Rows) -> None:
        """Put `rows` in their places."""
        for name, values in rows.columns.items():
            self.columns[name][rows.index] = values
        for index, text in rows.messages.items():
            self.messages[index] = text
        if self.answers is not None:
            for index, answer in zip(rows.index, rows.answers):
                self.answers[index] = answer

    def result(self, description: dict[str, Any]) -> SweepResult:
        """All of it, labelled after `Grid.description`."""
        method = description["method"]
        several = not isinstance(method, str)
        coords = {a["name"]: axis_labels(a) for a in description["axes"]}
        units = {a["name"]: a["unit"] for a in description["axes"]}
        if several:
            coords["method"] = np.array(method)
        shape = tuple(len(values) for values in coords.values())
        variables = {c.name: self.columns[c.name] for c in self.system.columns}
        variables["status"] = np.array(self.system.statuses)[self.columns["status"]]
        variables["message"] = self.messages
        if self.answers is not None:
            variables[self.system.answer] = self.answers
        variables = {name: values.reshape(shape) for name, values in variables.items()}
        for array in (*variables.values(), *coords.values()):
            array.flags.writeable = False
        attrs = {"problem": description["problem"], "constellm": description["constellm"]}
        if not several:
            attrs["method"] = method
        units.update({column.name: column.unit for column in self.system.columns})
        docs = {column.name: column.doc for column in self.system.columns}
        return SweepResult(tuple(coords), coords, variables, units, attrs, docs)


def axis_labels(axis: dict[str, Any]) -> NDArray[Any]:
    """Coordinates of an axis of a description, where numbers that are not finite are texts."""
    if axis["numbers"]:
        return np.array([float(value) if isinstance(value, str) else value for value in axis["values"]])
    return np.array(axis["values"])


def best_form(result: SweepResult) -> xarray.Dataset | SweepResult:
    """A Dataset where xarray is installed."""
    try:
        return result.to_xarray()
    except ImportError:
        return result
