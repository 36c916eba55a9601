"""Rate and delay of a link as they were recorded."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.checks import decimal, positive, real, short
from ..core.display import Display, Displayed
from ..core.files import read_text
from ..core.quantity import counted, quantity
from ..core.table import Table
from ..core.value import Value
from ..network import ContactPlan, Graph, Node, Timeline
from .constellation_parts import instants

_COLUMNS = ("time_s", "one_way_delay_ms", "rate_bps")
_SHIPPED = Path(__file__).parent / "data" / "leocc" / "starlink-120s.csv"

End = Union[str, Node]


@dataclass(frozen=True, eq=False, repr=False, init=False)
class LinkTrace(Value, Displayed):
    """Rate and one-way delay of a link in one direction, each sample holding until the next.

    Parameters
    ----------
    time_s : array_like, shape (samples,)
        When each sample begins, rising [s].
    delay_s : array_like, shape (samples,)
        One-way delay, in [0, inf) [s].
    rate_bps : array_like, shape (samples,)
        In [0, inf); 0 where nothing is carried [bit/s].
    stop_s : float
        When the last sample ends [s].

    Raises
    ------
    ValueError, TypeError
        For arrays that are not alike, times that do not rise, and figures out of range; names the sample.

    Examples
    --------
    >>> from constellm import orbit
    >>> trace = orbit.LinkTrace([0.0, 1.0], [0.01, 0.02], [50e6, 70e6], stop_s=2.0)
    >>> float(trace.mean_rate_bps(0.5, 2.0))
    63333333.333333336
    """

    time_s: NDArray[np.float64]
    """When each sample begins (samples,) [s]."""
    delay_s: NDArray[np.float64]
    """One-way (samples,) [s]."""
    rate_bps: NDArray[np.float64]
    """(samples,) [bit/s]"""
    stop_s: float
    """When the last sample ends [s]."""

    def __init__(self, time_s: ArrayLike, delay_s: ArrayLike, rate_bps: ArrayLike, *, stop_s: float) -> None:
        for field, values in (("time_s", time_s), ("delay_s", delay_s), ("rate_bps", rate_bps)):
            array = np.array(values)
            if array.dtype.kind not in "iuf" or array.ndim != 1 or not len(array):
                raise TypeError(f"{field}: expected numbers of shape (samples,), got {short(values)}")
            array = array.astype(np.float64)
            if len(array) != len(getattr(self, "time_s", array)):
                raise ValueError(f"{field}: {len(array)} samples, time_s has {len(self.time_s)}")
            for i in np.flatnonzero(~_in_range(field, array))[:1]:
                raise ValueError(f"{field}[{i}]: {array[i]:g} is not in {_range(field)}")
            array.flags.writeable = False
            object.__setattr__(self, field, array)
        for i in np.flatnonzero(~(np.diff(self.time_s) > 0))[:1]:
            raise ValueError(f"time_s[{i + 1}]: {self.time_s[i + 1]:g} is not after {self.time_s[i]:g}")
        object.__setattr__(self, "stop_s", real("stop_s", stop_s))
        if not self.time_s[-1] < self.stop_s < np.inf:
            raise ValueError(f"stop_s: {self.stop_s:g} is not in ({self.time_s[-1]:g}, inf)")

    def __len__(self) -> int:
        """How many samples."""
        return len(self.time_s)

    def _edges_s(self) -> NDArray[np.float64]:
        return np.append(self.time_s, self.stop_s)

    def mean_rate_bps(self, start_s: ArrayLike, stop_s: ArrayLike) -> NDArray[np.float64]:
        """The mean rate over stretches of time.

        Parameters
        ----------
        start_s, stop_s : array_like
            Within the trace, of one shape or a scalar; each stop after its start [s].

        Returns
        -------
        ndarray
            Bits carried over the time that it takes [bit/s].

        Raises
        ------
        ValueError
            For a stretch that is not within the trace, or has no length.

        Examples
        --------
        >>> import numpy as np
        >>> from constellm import orbit
        >>> trace = orbit.sample_link_trace()
        >>> seconds = np.arange(3.0)
        >>> (trace.mean_rate_bps(seconds, seconds + 1.0) / 1e6).round(1).tolist()
        [52.8, 59.8, 62.1]
        """
        start, stop = np.broadcast_arrays(np.asarray(start_s, float), np.asarray(stop_s, float))
        first_s = float(self.time_s[0])
        within = (first_s <= start) & (start < stop) & (stop <= self.stop_s)
        for a, b in zip(start[~within].tolist(), stop[~within].tolist()):
            raise ValueError(f"start_s: [{a:g}, {b:g}] is no stretch within [{first_s:g}, {self.stop_s:g}]")
        edges_s = self._edges_s()
        bits = np.concatenate([[0.0], np.cumsum(self.rate_bps * np.diff(edges_s))])
        carried = np.interp(stop, edges_s, bits) - np.interp(start, edges_s, bits)
        return np.asarray(carried / (stop - start))

    def binned(self, step_s: float, *, quantile: float = 0.5) -> LinkTrace:
        """The trace in samples of one length, one a bin.

        Parameters
        ----------
        step_s : float
            Length of a bin; the last one may be shorter [s].
        quantile : float
            Of the delays of the samples that the bin meets, in [0, 1]; 0.5 is their median.

        Returns
        -------
        LinkTrace
            With mean rates: every bin carries what its samples carry.

        Raises
        ------
        ValueError, TypeError
            If the step is not positive, the bins more than 10 million, or the quantile out of range.

        Examples
        --------
        >>> from constellm import orbit
        >>> slow = orbit.sample_link_trace().binned(1.0, quantile=0.9)
        >>> len(slow), round(float(slow.delay_s.max()), 4)
        (120, 0.0239)
        """
        step_s = positive("step_s", step_s)
        quantile = real("quantile", quantile, least=0.0, most=1.0)
        first_s = float(self.time_s[0])
        begin_s = instants(first_s, self.stop_s, step_s)
        ends_s = np.append(begin_s[1:], self.stop_s)
        # A sample that begins at an edge but for rounding is behind it.
        rounding_s = 1e-9 * min(step_s, self.stop_s - first_s)
        first = np.searchsorted(self.time_s, begin_s + rounding_s) - 1
        last = np.searchsorted(self.time_s, ends_s - rounding_s)
        delays = [float(np.quantile(self.delay_s[a:b], quantile)) for a, b in zip(first, last)]
        return LinkTrace(begin_s, delays, self.mean_rate_bps(begin_s, ends_s), stop_s=self.stop_s)

    def contact_plan(self, sender: End, receiver: End) -> ContactPlan:
        """A contact for each sample that carries anything.

        Parameters
        ----------
        sender, receiver : str or Node
            The ends of the link, which has this one direction; an id is a node that computes nothing.

        Returns
        -------
        ContactPlan
            Of two nodes. The light time of a contact is the sample's delay.

        Raises
        ------
        ValueError, TypeError
            What `network.Node` and `network.ContactPlan` refuse.

        Examples
        --------
        >>> from constellm import orbit
        >>> orbit.sample_link_trace().binned(1.0).contact_plan("dish", "gateway")
        ContactPlan(2 nodes, 120 contacts)
        """
        carries, edges_s = self.rate_bps > 0.0, self._edges_s()
        return ContactPlan(
            [_node(sender), _node(receiver)],
            from_=np.zeros(int(carries.sum()), dtype=np.int32),
            to=np.ones(int(carries.sum()), dtype=np.int32),
            open_s=edges_s[:-1][carries],
            close_s=edges_s[1:][carries],
            rate_bps=self.rate_bps[carries],
            owlt_s=self.delay_s[carries],
        )

    def timeline(self, sender: End, receiver: End) -> Timeline:
        """A network of two nodes for each sample, without a link where nothing is carried.

        Parameters
        ----------
        sender, receiver : str or Node
            As of `contact_plan`.

        Returns
        -------
        Timeline

        Raises
        ------
        ValueError, TypeError
            What `network.Node` and `network.Timeline` refuse.

        Examples
        --------
        >>> from constellm import orbit
        >>> orbit.sample_link_trace().binned(1.0).timeline("dish", "gateway")
        Timeline(120 snapshots from 0 s to 119.9 s, 1 contacts)
        """
        nodes = [_node(sender), _node(receiver)]
        graphs: list[Graph] = []
        for delay_s, rate_bps in zip(self.delay_s.tolist(), self.rate_bps.tolist()):
            links = 1 if rate_bps > 0.0 else 0
            graphs.append(
                Graph(
                    graphs[0].nodes if graphs else nodes,
                    from_=[0] * links,
                    to=[1] * links,
                    rate_bps=[rate_bps] * links,
                    latency_s=[delay_s] * links,
                )
            )
        return Timeline(self.time_s, graphs, end_s=self.stop_s)

    def _columns(self) -> tuple[NDArray[np.float64], ...]:
        return self.time_s, self.delay_s, self.rate_bps

    def __repr__(self) -> str:
        return f"LinkTrace({counted(len(self), 'sample')} from {self.time_s[0]:g} s to {self.stop_s:g} s)"

    def _display(self) -> Display:
        mean_bps = float(self.mean_rate_bps(self.time_s[0], self.stop_s))
        rows = [
            (name, *(quantity(float(np.quantile(values, q)), unit) for q in (0.05, 0.5, 0.95)))
            for name, values, unit in (("rate", self.rate_bps, "bit/s"), ("delay", self.delay_s, "s"))
        ]
        head = f"Trace of a link: {counted(len(self), 'sample')}, mean rate {quantity(mean_bps, 'bit/s')}"
        return Display([head], [Table(("of the samples", "5 %", "median", "95 %"), rows)])


def _node(end: Any) -> Node:
    if isinstance(end, Node):
        return end
    return Node(id=end, flop_per_s=0.0, memory_bytes=0.0)


def read_link_trace(path: str | os.PathLike[str]) -> LinkTrace:
    """Read a trace from CSV with the columns ``time_s``, ``one_way_delay_ms`` and ``rate_bps``.

    Parameters
    ----------
    path : path
        The header first, then at least two samples. The last one is as long as the one before.

    Returns
    -------
    LinkTrace

    Raises
    ------
    OSError, ValueError
        Where it cannot be read, or a line is not what it should be: names the line and the column.

    Examples
    --------
    >>> import pathlib
    >>> from constellm import orbit
    >>> _ = pathlib.Path("link.csv").write_text("time_s,one_way_delay_ms,rate_bps\\n0,12,0\\n0.5,11,48e6\\n")
    >>> orbit.read_link_trace("link.csv")
    LinkTrace(2 samples from 0 s to 1 s)
    """
    name = repr(os.fspath(path))
    reader = csv.reader(io.StringIO(read_text(path)), strict=True)
    try:
        header = next(reader, [])
        if tuple(header) != _COLUMNS:
            raise ValueError(f"expected the columns {','.join(_COLUMNS)}, got {short(','.join(header))}")
        rows: list[list[float]] = []
        for line in reader:
            if len(line) != len(_COLUMNS):
                raise ValueError(f"expected {len(_COLUMNS)} values, got {len(line)}")
            rows.append([_number(column, text) for column, text in zip(_COLUMNS, line)])
            if len(rows) > 1 and not rows[-1][0] > rows[-2][0]:
                raise ValueError(f"time_s: {rows[-1][0]:g} is not after {rows[-2][0]:g}")
        if len(rows) < 2:
            raise ValueError("expected at least two samples")
    except (csv.Error, ValueError) as error:
        raise ValueError(f"{name}: line {max(reader.line_num, 1)}: {error}") from None
    time_s, delay_ms, rate_bps = np.array(rows).T
    stop_s = round(float(time_s[-1] + (time_s[-1] - time_s[-2])), 9)  # of decimals, without their rounding
    return LinkTrace(time_s, 1e-3 * delay_ms, rate_bps, stop_s=stop_s)


def _number(column: str, text: str) -> float:
    try:
        value = decimal(text)
    except ValueError as error:
        raise ValueError(f"{column}: {error}") from None
    if not _in_range(column, value):
        raise ValueError(f"{column}: {text} is not in {_range(column)}")
    return value


def _in_range(field: str, values: Any) -> Any:
    return np.isfinite(values) & ((field == "time_s") | (values >= 0.0))


def _range(field: str) -> str:
    return "(-inf, inf)" if field == "time_s" else "[0, inf)"


def sample_link_trace() -> LinkTrace:
    """A recorded Starlink access link over two minutes in samples of 0.1 s, which the package brings.

    Returns
    -------
    LinkTrace
        From the traces of LeoCC (SIGCOMM 2025), MIT licence.

    Examples
    --------
    >>> from constellm import orbit
    >>> print(orbit.sample_link_trace().summary(), end="")
    Trace of a link: 1199 samples, mean rate 48.7 Mbit/s
    <BLANKLINE>
      of the samples  5 %          median       95 %
      rate            33.6 Mbit/s  48.6 Mbit/s  66.4 Mbit/s
      delay           8.5 ms       10.5 ms      12 ms
    """
    return read_link_trace(_SHIPPED)
