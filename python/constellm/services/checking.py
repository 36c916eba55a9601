"""Which rules a placement breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core import services as _core
from ..core.checks import instance
from .evaluation import placement_in
from .placement import Placement, positions_of
from .problem import Problem

if TYPE_CHECKING:
    from .plan import Plan


def check(problem: Problem, placement: Placement | Plan) -> list[str]:
    """Every rule that a placement breaks.

    Parameters
    ----------
    problem : Problem
        That it should be a placement of.
    placement : Placement or Plan
        From `solve`, a file, or elsewhere.

    Returns
    -------
    list of str
        A sentence each, which names ids, value and limit: memory, loads of nodes and links in the worst case,
        deadlines, cost, lives of links. Of a placement that cannot be (replicas that are missing or not
        allowed, no way) that, memory and cost alone. Empty: it is allowed.

    Raises
    ------
    TypeError, ValueError
        For unknown names and ids, and wrong lengths; for a plan without a placement.

    Examples
    --------
    >>> from constellm import network, services
    >>> chain = network.chain(2, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9, latency_s=0.01)
    >>> a, b = (node.id for node in chain.nodes)
    >>> stage = services.Stage("encoder", [services.Input(bytes=6e5)])
    >>> problem = services.Problem(
    ...     network=chain, services=[services.Service("encoder", flop=2e10, memory_bytes=9e9, cost=1.0)],
    ...     tasks=[services.Task("detect", rate_per_s=3.0, source=a, sink=b, stages=[stage])])
    >>> services.check(problem, services.Placement({"encoder": [b]}, {"detect": [b]}))
    ["node 's1': the memory of its replicas of 9e+09 B is above the limit, 8000000008.000001 B"]
    """
    instance("problem", problem, Problem)
    positions = positions_of(problem, placement_in(placement))
    return _core.broken(problem._compiled, problem._routes, *positions)
