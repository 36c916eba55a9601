"""The quickest transfer: a thin face of the compiled solver."""

from __future__ import annotations

import math
import time
from typing import Any

from .._core import flow as _core
from ..core.checks import instance, meant, real, short
from ..core.interrupt import check_on_interrupt, handed_over
from ..core.progress import waiting
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
    ('optimal', 80.0, Cut(2 stretches, 3 nodes))
    """
    instance("problem", problem, Problem)
    limit_s = real("time_limit_s", time_limit_s, least=0)
    check_on_interrupt(on_interrupt)
    if not isinstance(method, str) or method.partition(":")[0] + ":" * (":" in method) not in _KNOWN:
        known = ", ".join(METHODS)
        raise ValueError(f"method: {short(method)} is not one of {known}{meant(str(method), METHODS)}")
    start = time.perf_counter()
    moments_s = slot_moments(problem, method) if method.startswith(("slots", "intervals")) else None
    with waiting("solve", limit_s=limit_s):
        if moments_s is not None:
            found = _core.greedy(problem._compiled, moments_s, limit_s)
        elif method == "direct":
            found = _direct(problem, limit_s)
        else:
            found = _core.quickest(problem._compiled, limit_s)
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


def _direct(problem: Problem, limit_s: float) -> Any:
    """What the core finds over the direct contacts alone, as a plan of the problem."""
    kept = direct_contacts(problem)
    contacts = problem.contacts
    columns = {
        name: getattr(contacts, name)[kept]
        for name in ("from_", "to", "open_s", "close_s", "rate_bps", "owlt_s")
    }
    part = problem.replace(contacts=contacts.replace(**columns))
    status, finish_s, _, flows, _, counters = _core.quickest(part._compiled, limit_s)
    known = {"optimal": "feasible", "infeasible": "no_plan_found"}
    return known.get(status, status), finish_s, 0.0, (kept[flows[0]], *flows[1:]), None, counters
