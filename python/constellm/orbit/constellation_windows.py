"""What windows of a constellation's links need and tell: motions of its satellites, lifetimes of links."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core import orbit as _core
from .._core.orbit import Shell
from ..core.epoch import Epoch
from ..network import Graph
from .constellation_parts import Part
from .motion import elements
from .sgp4_states import Sgp4

# SGP4 has no closed form between its samples: eight neighbours of this spacing interpolate it to millimetres
# in low orbits.
_SAMPLE_S = 60.0
_BEYOND = 4
_MOST_SAMPLES = 50_000_000

_JOINT_S = 2e-3  # between windows, each of whose ends is found to a millisecond, that are one


def sample_times(start_s: float, stop_s: float, satellites: int) -> NDArray[np.float64]:
    """When SGP4 is asked for states that are to tell of a span; ValueError where they are too many."""
    samples = max(int(np.ceil((stop_s - start_s) / _SAMPLE_S)), 0) + 1 + 2 * _BEYOND
    if samples * satellites > _MOST_SAMPLES:
        raise ValueError(
            f"stop: {satellites} satellites of SGP4 over {stop_s - start_s:g} s are more than "
            f"{_MOST_SAMPLES} states; ask for a shorter span"
        )
    return start_s + _SAMPLE_S * np.arange(-_BEYOND, samples - _BEYOND, dtype=np.float64)


def motions_of(
    parts: Sequence[Part], moved: Sequence[Shell | Sgp4], epoch: Epoch, start_s: float, stop_s: float
) -> list[Any]:
    """Motions of the parts of a constellation that know a span; `moved` is what moves each part.

    Raises
    ------
    ValueError
        Where SGP4 has too many states in it.
    """
    motions: list[Any] = []
    for part, mover in zip(parts, moved):
        if not isinstance(mover, Sgp4):
            motions.append(_core.AnalyticMotion(elements(mover), mover.propagator))
            continue
        samples_s = sample_times(start_s, stop_s, len(part.ids))
        states = mover.propagate(samples_s, epoch=epoch)
        motions.append(
            _core.SampledMotion(states.position_m, states.velocity_m_per_s, float(samples_s[0]), _SAMPLE_S)
        )
    return motions


def lifetimes_s(graph: Graph, windows: _core.Windows, t_s: float, stop_s: float) -> NDArray[np.float64]:
    """How much longer each link lives, by its windows from then on; inf where it lives on at their stop."""
    columns = (windows.from_, windows.to, windows.open_s, windows.close_s)
    closes: dict[tuple[int, int], float] = {}
    for a, b, open_s, close_s in zip(*(column.tolist() for column in columns)):
        # In the order of opening. Where one rule hands a pair to another, its link lives on.
        if open_s <= closes.get((a, b), t_s) + _JOINT_S:
            closes[a, b] = max(close_s, closes.get((a, b), t_s))
    # A link that has no window closes within the millisecond to which they are found.
    lives_s = [
        np.inf if close_s >= stop_s else close_s - t_s
        for close_s in (closes.get(pair, t_s) for pair in zip(graph.from_.tolist(), graph.to.tolist()))
    ]
    return np.array(lives_s, dtype=np.float64)
