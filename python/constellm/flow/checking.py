"""Which rules of the format a plan breaks: found anew from its flows, whoever made them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..core.checks import instance
from ..core.quantity import counted
from .cuts import crosses, cut_capacity, is_sink
from .plan import Cut, Plan
from .problem import Problem

TOLERANCE = 1e-9
"""Of the total bytes for conservation and storage, relative for rates and times."""
ROUNDING = 1e-14
"""Of the total bytes: what sums of what crosses a cut are known to."""

MOST_RATE = 1e60
"""Bytes a second that no contact has: sums of less stay numbers."""

_STATUSES = {
    "optimal": True,
    "feasible": True,
    "infeasible": False,
    "no_plan_found": False,
    "time_limit": None,
    "interrupted": None,
}
"""Whether there are flows to it; None: perhaps."""

_Floats = NDArray[np.float64]


def check(problem: Problem, plan: Plan) -> tuple[str, ...]:
    """Every rule of the format `constellm.transfer-plan` that a plan breaks.

    Flows lie within their contacts, and all flows of one are never faster than it; at every moment no node
    has sent what it has not yet got, and none but a sink holds more than its storage; sinks send nothing; all
    that is wanted has arrived by ``finish_s``, which is no later than the flows say; the bound is not above
    it, a certificate proves the bound, and the status says what is so.

    Parameters
    ----------
    problem : Problem
        That it should be a plan of.
    plan : Plan
        From `solve`, a file, or elsewhere.

    Returns
    -------
    tuple of str
        In words with figures; empty for a plan that is right, to 1e-9 of the total bytes and of rates and
        times.

    Raises
    ------
    TypeError
        For anything else than a problem and a plan.

    Notes
    -----
    What a node holds is the sum of what its flows brought and took, linear between their starts and ends; it
    is compared there with 0 and its storage. The capacity of a cut X by a moment T is what no flow avoids::

        Σ supply(v ∉ X₀) + Σ storage(v ∈ Xⱼ, v ∉ Xⱼ₊₁) + Σ rate(Xⱼ → outside) · |stretch j before T|

    and, where there are demands, what may stay inside: Σ demand(v in the last X), or Σ storage of these less
    what is over in all, if that is less. A certificate proves a bound T if by any moment before it all that
    is less than what is wanted.

    Examples
    --------
    >>> import dataclasses
    >>> from constellm import flow, network
    >>> contacts = network.ContactPlan(
    ...     ["satellite", "station"], from_=[0], to=[1], open_s=30.0, close_s=90.0, rate_bps=8e6
    ... )
    >>> problem = flow.Problem(contacts, supply_bytes=[2e6, 0.0], sinks=["station"])
    >>> plan = flow.solve(problem)
    >>> flow.check(problem, plan)
    ()
    >>> flow.check(problem, dataclasses.replace(plan, end_s=[31.0], finish_s=31.0, lower_bound_s=30.0))
    ('status: optimal, with a lower_bound_s of 30.0 below finish_s, 31.0', 'flows[0]: contacts[0] sends ...')
    """
    instance("problem", problem, Problem)
    instance("plan", plan, Plan)
    return tuple(broken_rules(problem, plan))


def broken_rules(problem: Problem, plan: Plan) -> Iterator[str]:
    """`check`, one rule after the other."""
    yield from _claims(plan)
    if plan.cut is not None:
        yield from _certificate(problem, plan, plan.cut)
    if math.isnan(plan.finish_s):
        if len(plan.contact):
            yield f"finish_s: missing, and there are {counted(len(plan.contact), 'flow')}"
        return
    outside = (plan.contact < 0) | (plan.contact >= len(problem.contacts))
    for i in np.flatnonzero(outside).tolist():
        yield f"flows[{i}].contact: {plan.contact[i]} is not in [0, {len(problem.contacts) - 1}]"
    if outside.any():
        return
    unreal = list(_unreal_flows(plan))
    yield from unreal
    yield from _within_contacts(problem, plan)
    yield from _finish(plan)
    if not unreal:
        yield from _rates(problem, plan)
        yield from _holdings(problem, plan)


# ---- what a plan says of itself ----------------------------------------------------------------


def _claims(plan: Plan) -> Iterator[str]:
    """What status, finish and bound say that is not so of each other."""
    finish_s, bound_s = plan.finish_s, plan.lower_bound_s
    if plan.status not in _STATUSES:
        yield f"status: {plan.status!r} is not one of {', '.join(_STATUSES)}"
    expected, finished = _STATUSES.get(plan.status), not math.isnan(finish_s)
    if expected is not None and finished != expected:
        yield f"finish_s: {'missing' if expected else repr(finish_s)}, and the status is {plan.status}"
    if finished and not 0.0 <= finish_s < math.inf:
        yield f"finish_s: {finish_s!r} is not in [0, inf)"
    if math.isnan(bound_s) or bound_s < 0.0:
        yield f"lower_bound_s: {bound_s!r} is not in [0, inf]"
    elif plan.status == "infeasible" and bound_s < math.inf:
        yield f"lower_bound_s: {bound_s!r}, and the status is infeasible"
    elif finished and bound_s > finish_s * (1 + TOLERANCE):
        yield f"lower_bound_s: {bound_s!r} is above finish_s, {finish_s!r}"
    elif plan.status == "optimal" and finish_s - bound_s > TOLERANCE * finish_s:
        yield f"status: optimal, with a lower_bound_s of {bound_s!r} below finish_s, {finish_s!r}"


def _certificate(problem: Problem, plan: Plan, cut: Cut) -> Iterator[str]:
    """What the certificate does not prove."""
    nodes = len(problem.supply_bytes)
    if cut.source_side.shape[1] != nodes:
        yield f"certificate: {cut.source_side.shape[1]} nodes are not the problem's {nodes}"
        return
    wanted, bound_s = problem.wanted_bytes, plan.lower_bound_s
    if plan.status == "infeasible":
        crossed = cut_capacity(problem, cut, math.inf)
        if not crossed < wanted:
            yield f"certificate: its cut lets {crossed!r} B through, of {wanted!r} B: it may be feasible"
    elif 0.0 < bound_s < math.inf:
        early_s = bound_s * (1 - TOLERANCE)
        by_then = cut_capacity(problem, cut, bound_s)
        room = ROUNDING * float(problem.supply_bytes[~is_sink(problem)].sum())
        missing = wanted - min(by_then, cut_capacity(problem, cut, early_s))
        # All may have crossed by the bound, and no sooner, only where some of it crosses just before.
        if missing < -room or (missing <= room and not crosses(problem, cut, early_s, bound_s)):
            yield (
                f"certificate: its cut lets {by_then!r} B through {'by' if missing < -room else 'before'} "
                f"lower_bound_s, {bound_s!r}, and {wanted!r} B are wanted"
            )


# ---- flows -------------------------------------------------------------------------------------


def _unreal_flows(plan: Plan) -> Iterator[str]:
    """Flows that have no rate."""
    for i in np.flatnonzero(~((plan.start_s < plan.end_s) & np.isfinite(plan.end_s - plan.start_s))).tolist():
        yield f"flows[{i}].end_s: {plan.end_s[i]} is not in ({plan.start_s[i]}, inf)"
    for i in np.flatnonzero(~((plan.sent_bytes >= 0.0) & np.isfinite(plan.sent_bytes))).tolist():
        yield f"flows[{i}].bytes: {plan.sent_bytes[i]} is not in [0, inf)"
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        rate = plan.sent_bytes / (plan.end_s - plan.start_s)
    for i in np.flatnonzero((rate > MOST_RATE) & np.isfinite(plan.sent_bytes)).tolist():
        if plan.start_s[i] < plan.end_s[i]:
            yield f"flows[{i}].bytes: {plan.sent_bytes[i]} by {plan.end_s[i]} s is faster than any contact"


def _within_contacts(problem: Problem, plan: Plan) -> Iterator[str]:
    """Flows out of their contact's time, or out of sinks."""
    contacts, which = problem.contacts, plan.contact
    early = plan.start_s < contacts.open_s[which] * (1 - TOLERANCE)
    late = plan.end_s > contacts.close_s[which] * (1 + TOLERANCE)
    for i in np.flatnonzero(early).tolist():
        c = int(which[i])
        yield f"flows[{i}].start_s: {plan.start_s[i]} is before contacts[{c}] opens, at {contacts.open_s[c]}"
    for i in np.flatnonzero(late).tolist():
        c = int(which[i])
        yield f"flows[{i}].end_s: {plan.end_s[i]} is after contacts[{c}] closes, at {contacts.close_s[c]}"
    for i in np.flatnonzero(is_sink(problem)[contacts.from_[which]] & (plan.sent_bytes > 0.0)).tolist():
        yield f"flows[{i}]: the sink {_id(problem, int(contacts.from_[which[i]]))} sends on"


def _finish(plan: Plan) -> Iterator[str]:
    """Where finish_s is not when the last flow ends."""
    for i in np.flatnonzero(plan.end_s > plan.finish_s * (1 + TOLERANCE)).tolist():
        yield f"flows[{i}].end_s: {plan.end_s[i]} is after finish_s, {plan.finish_s!r}"
    last_s = float(plan.end_s.max(initial=0.0))
    if plan.finish_s * (1 - TOLERANCE) > last_s:
        yield f"finish_s: {plan.finish_s!r} is later than the last flow ends, at {last_s!r}"


def _rates(problem: Problem, plan: Plan) -> Iterator[str]:
    """Contacts that send faster than they can."""
    contacts = problem.contacts
    rate = plan.sent_bytes / (plan.end_s - plan.start_s)
    most = contacts.rate_bps / 8 * (1 + TOLERANCE)
    # The length of a flow is known to the last bits of its ends only.
    blur = 1 + 4 * np.finfo(float).eps * plan.end_s / (plan.end_s - plan.start_s)
    for i in np.flatnonzero(rate > most[plan.contact] * blur).tolist():
        c = plan.contact[i]
        yield (
            f"flows[{i}]: contacts[{c}] sends {8 * rate[i]} bit/s, more than its rate_bps, "
            f"{contacts.rate_bps[c]}"
        )
    order = np.lexsort((plan.start_s, plan.contact))
    if _overlaps(plan, order):
        at = _Course(plan.contact, plan.start_s, plan.end_s, np.minimum(rate, most[plan.contact]))
        excess = (
            np.maximum(at.rate - most[at.of], 0.0) * at.lasts
        )  # bytes: flows that meet may overlap by a bit
        sent, over = (
            np.bincount(plan.contact, plan.sent_bytes, len(most)),
            np.bincount(at.of, excess, len(most)),
        )
        for c, worst in at.worst(np.where((over > TOLERANCE * sent)[at.of], excess, 0.0)):
            yield (
                f"contacts[{c}]: its flows send {8 * at.rate[worst]} bit/s together at "
                f"{at.time_s[worst]} s, more than its rate_bps, {contacts.rate_bps[c]}"
            )


def _overlaps(plan: Plan, order: NDArray[np.intp]) -> bool:
    """Whether two flows of one contact do, in the order of contact and start."""
    same = plan.contact[order[1:]] == plan.contact[order[:-1]]
    return bool((same & (plan.start_s[order[1:]] < plan.end_s[order[:-1]])).any())


def _holdings(problem: Problem, plan: Plan) -> Iterator[str]:
    """Nodes that send what they have not got, hold more than they can, or lack what they want in the end."""
    contacts = problem.contacts
    rate = plan.sent_bytes / (plan.end_s - plan.start_s)
    ends = (contacts.to[plan.contact], contacts.from_[plan.contact])
    total = float(problem.supply_bytes[~is_sink(problem)].sum())
    room = TOLERANCE * total
    at = _Course(
        np.concatenate(ends), np.tile(plan.start_s, 2), np.tile(plan.end_s, 2), np.concatenate((rate, -rate))
    )
    holds = problem.supply_bytes[at.of] + at.brought
    for v, worst in at.worst(-holds - room):
        yield (
            f"node {_id(problem, v)} has sent {-holds[worst]} B more than it had got by {at.time_s[worst]} s"
        )
    most = np.where(is_sink(problem), np.inf, problem.storage_bytes)
    for v, worst in at.worst(holds - most[at.of] - room):
        yield (
            f"node {_id(problem, v)} holds {holds[worst]} B at {at.time_s[worst]} s, more than its "
            f"storage_bytes, {most[v]}"
        )
    final = problem.supply_bytes + np.bincount(ends[0], plan.sent_bytes, len(most))
    final -= np.bincount(ends[1], plan.sent_bytes, len(most))
    if problem.sinks:
        left = float(final[~is_sink(problem)].sum())
        if left > room:
            yield f"finish_s: {left!r} B of {problem.wanted_bytes!r} B have not arrived by {plan.finish_s!r}"
    # Where little is wanted of much the tolerance is that of the little, but for rounding.
    room = max(TOLERANCE * problem.wanted_bytes, 1e-14 * total)
    for v in np.flatnonzero((problem.demand_bytes > 0.0) & (final < problem.demand_bytes - room)).tolist():
        yield (
            f"finish_s: node {_id(problem, v)} holds {final[v]} B by {plan.finish_s}, less than its "
            f"demand_bytes, {problem.demand_bytes[v]}"
        )


class _Course:
    """What flows at constant rates bring to their owners (nodes, contacts) over time, between all their ends.

    Rates are summed as whole numbers, so that none is left over when as many have ended as have begun: of a
    unit, and what remains of each of a much smaller one, as slow flows go on where a fast one ends.
    """

    def __init__(self, owner: NDArray[np.int32], start_s: _Floats, end_s: _Floats, rate: _Floats) -> None:
        owners, times_s = np.tile(owner, 2), np.concatenate((start_s, end_s))
        order = np.lexsort((times_s, owners))
        self.of, self.time_s = owners[order], times_s[order]
        """Whose, and when (events,)."""
        changes = np.concatenate((rate, -rate))[order]
        busy = np.concatenate((np.abs(rate), -np.abs(rate)))[order]
        most = max(float(np.abs(np.cumsum(busy)).max(initial=0.0)), 1e-250)
        unit = 2.0 ** (math.frexp(most)[1] - 61)
        self.rate = np.zeros(len(order))
        for size in (unit, unit * 2.0**-40):
            whole = np.rint(changes / size).astype(np.int64)
            changes = changes - whole * size
            self.rate += np.cumsum(whole) * size
        """From the event on (events,)."""
        self.lasts = np.diff(self.time_s, append=self.time_s[-1:])
        """Until the next event; of no meaning at the last one of an owner, where the rate is 0 (events,)."""
        before = np.cumsum(self.rate * self.lasts) - self.rate * self.lasts
        first = np.ones(len(order), dtype=bool)
        first[1:] = self.of[1:] != self.of[:-1]
        self.brought = before - before[np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))]
        """Since time 0, by the event (events,)."""

    def worst(self, excess: _Floats) -> Iterator[tuple[int, int]]:
        """Owners with an event whose `excess` is above 0, with the one where it is greatest."""
        broken = np.flatnonzero(excess > 0.0)
        greatest = broken[np.lexsort((-excess[broken], self.of[broken]))]
        owners, first = np.unique(self.of[greatest], return_index=True)
        yield from zip(owners.tolist(), greatest[first].tolist())


def _id(problem: Problem, node: int) -> str:
    return repr(problem.contacts.nodes[node].id)
