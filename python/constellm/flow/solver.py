"""The quickest transfer: a thin face of the compiled solver."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core import flow as _core
from ..core.checks import instance, meant, real, short
from ..core.interrupt import check_on_interrupt, handed_over
from ..core.progress import waiting
from .checking import TOLERANCE
from .heuristics import direct_contacts, slot_moments
from .plan import Cut, Plan
from .problem import Problem

METHODS = {
    "optimal": "the quickest transfer with its proof, or a plan and how far it may be from the quickest",
    "slots:<seconds>": "the published greedy: a maximum flow in every slot of that length, over contacts "
    "that are open in the whole slot",
    "intervals": "the same between all openings and closings",
    "direct": "the quickest transfer over contacts from those who have data to those who want it",
}
"""What `solve` knows, and what each does."""

_KNOWN = {name.replace("<seconds>", "") for name in METHODS}

_Found = tuple[str, float, float, Any, Any, tuple[int, int, int, int]]
"""Status, finish_s, lower_bound_s, flows, cut and counters, as the core has them."""


def solve(
    problem: Problem,
    *,
    method: str = "optimal",
    time_limit_s: float = math.inf,
    on_interrupt: str = "return",
) -> Plan:
    """The plan by which all data is soonest where it is wanted.

    Parameters
    ----------
    problem : Problem
        Where data is, and where it is wanted.
    method : str
        One of `METHODS`; ``"slots:60"`` has slots of a minute.
    time_limit_s : float
        Stop after this time, with the best plan and a true bound [s], >= 0.
    on_interrupt : str
        What Ctrl-C does: ``"return"`` the best plan so far, of status ``"interrupted"``, or ``"raise"``
        `Interrupted`, which carries that plan, so that a loop over problems ends.

    Returns
    -------
    Plan

    Raises
    ------
    TypeError, ValueError
        For what is no problem, an unknown method or a wrong limit.
    Interrupted
        A `KeyboardInterrupt`; see `on_interrupt`.

    Examples
    --------
    >>> from constellm import flow, network
    >>> contacts = network.ContactPlan(
    ...     ["a", "b", "station"], from_=[0, 0, 1], to=[1, 2, 2], open_s=[0, 60, 30], close_s=[20, 90, 80],
    ...     rate_bps=8e6,
    ... )
    >>> problem = flow.Problem(contacts, supply_bytes={"a": 40e6}, sinks=["station"])
    >>> plan = flow.solve(problem)
    >>> plan.status, plan.finish_s, plan.cut
    ('optimal', 80.0, Cut(1 stretch, 3 nodes))
    """
    instance("problem", problem, Problem)
    limit_s = real("time_limit_s", time_limit_s, least=0)
    check_on_interrupt(on_interrupt)
    if not isinstance(method, str) or method.partition(":")[0] + ":" * (":" in method) not in _KNOWN:
        known = ", ".join(METHODS)
        raise ValueError(f"method: {short(method)} is not one of {known}{meant(str(method), METHODS)}")
    start = time.perf_counter()
    greedy = method.startswith(("slots", "intervals"))
    moments_s = slot_moments(problem, method) if greedy else None
    with waiting("solve", limit_s=limit_s):
        if method == "optimal":
            found = _core.quickest(problem._compiled, limit_s)
        else:
            found = _bounded(problem, moments_s, limit_s)
    status, finish_s, bound_s, flows, cut, counters = found
    plan = Plan(
        problem,
        status,
        finish_s,
        bound_s,
        *flows,
        None if cut is None else Cut(*cut),
        method,
        time.perf_counter() - start,
        *counters,
    )
    return handed_over(plan, interrupted=status == "interrupted", on_interrupt=on_interrupt)


def _bounded(problem: Problem, moments_s: NDArray[np.float64] | None, limit_s: float) -> _Found:
    """What the greedy finds in slots between the moments, else the direct way, with a bound for the whole."""
    bound_s, cut = _core.still_bound(problem._compiled)
    if math.isinf(bound_s):
        nothing = (np.array([], dtype=np.int32), *(np.array([]) for _ in range(3)))
        return "infeasible", math.nan, bound_s, nothing, cut, (0, 0, 0, 0)
    if moments_s is None:
        status, finish_s, flows, counters = _direct(problem, limit_s)
    else:
        status, finish_s, _, flows, _, counters = _core.greedy(problem._compiled, moments_s, limit_s)
    if status == "feasible" and finish_s <= bound_s * (1 + TOLERANCE):
        status = "optimal"
    return status, finish_s, bound_s, flows, cut, counters


def _direct(problem: Problem, limit_s: float) -> tuple[str, float, Any, tuple[int, int, int, int]]:
    """The quickest over the direct contacts alone, as a plan of the problem."""
    kept, contacts = direct_contacts(problem), problem.contacts
    names = ("from_", "to", "open_s", "close_s", "rate_bps", "owlt_s")
    part = problem.replace(
        contacts=contacts.replace(**{name: getattr(contacts, name)[kept] for name in names})
    )
    status, finish_s, _, (contact, *others), _, counters = _core.quickest(part._compiled, limit_s)
    known = {"optimal": "feasible", "infeasible": "no_plan_found"}
    flows = (kept[contact].astype(np.int32), *others)
    return known.get(status, status), finish_s, flows, counters
