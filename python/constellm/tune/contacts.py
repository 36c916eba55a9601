"""Contact plans moved in time, played backwards, and without what is lost."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network import ContactPlan


def chosen(plan: ContactPlan, rows: NDArray[np.bool_], **columns: NDArray[Any]) -> ContactPlan:
    """The contacts of these rows, with other columns where they are given (contacts,) for all rows."""
    given = {
        name: columns.get(name, getattr(plan, name))[rows]
        for name in ("from_", "to", "open_s", "close_s", "rate_bps", "owlt_s")
    }
    return ContactPlan(plan.nodes, **given)


def moved(plan: ContactPlan, t_s: float) -> ContactPlan:
    """What is left of a plan at a moment, which becomes time 0."""
    open_s, close_s = np.maximum(plan.open_s - t_s, 0.0), plan.close_s - t_s
    return chosen(plan, close_s > open_s, open_s=open_s, close_s=close_s)


def backwards(plan: ContactPlan, end_s: float) -> ContactPlan:
    """The plan played from `end_s` back to 0: whoever sent receives.

    The earliest arrivals in it are the latest departures of what is to be there at `end_s`. Light goes before
    the bits are sent then, so that contacts move by its time.
    """
    ends = {"from_": plan.to, "to": plan.from_}
    close_s = np.minimum(plan.close_s, end_s)
    times = {"open_s": end_s - close_s - plan.owlt_s, "close_s": end_s - plan.open_s - plan.owlt_s}
    return chosen(plan, plan.open_s < end_s, **ends, **times)


def cut_out(
    plan: ContactPlan,
    nodes: Sequence[int],
    pairs: Sequence[tuple[int, int]],
    spans: Sequence[tuple[float, float]],
) -> ContactPlan:
    """The plan without contacts of these nodes and pairs, either way, in spans from a start to a stop."""
    hit = np.isin(plan.from_, nodes) | np.isin(plan.to, nodes)
    for a, b in pairs:
        hit |= ((plan.from_ == a) & (plan.to == b)) | ((plan.from_ == b) & (plan.to == a))
    starts, stops = np.array(sorted(spans)).T
    # A contact that is hit leaves a piece before the first span and one behind each; others stay as they are.
    row = np.repeat(np.arange(len(plan)), np.where(hit, len(starts) + 1, 1))
    open_s, close_s = plan.open_s[row], plan.close_s[row]
    of_hit, pieces = hit[row], int(hit.sum())
    open_s[of_hit] = np.maximum(open_s[of_hit], np.tile(np.append(-inf, stops), pieces))
    close_s[of_hit] = np.minimum(close_s[of_hit], np.tile(np.append(starts, inf), pieces))
    kept = open_s < close_s
    return ContactPlan(
        plan.nodes,
        from_=plan.from_[row][kept],
        to=plan.to[row][kept],
        open_s=open_s[kept],
        close_s=close_s[kept],
        rate_bps=plan.rate_bps[row][kept],
        owlt_s=plan.owlt_s[row][kept],
        epoch=plan.epoch,
    )
