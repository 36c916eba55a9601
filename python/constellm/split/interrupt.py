"""Whether Ctrl-C ended a search."""

from __future__ import annotations

from .._core.split import Plan


def was_interrupted(plan: Plan) -> bool:
    """Whether Ctrl-C ended the search, or the explanation of why there is no plan."""
    if plan.status == "infeasible" and plan.infeasibility is not None:
        return plan.infeasibility.stopped == "interrupted"
    return plan.status == "interrupted"
