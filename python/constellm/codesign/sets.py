"""Sets of cuts worth measuring, because plans have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .._core.split import Plan
from ..core.checks import count
from ..split import codecs_at_cuts


def planned_sets(
    plans: Iterable[Plan], most: int, *, known: Iterable[Mapping[int, str]] = ()
) -> list[dict[int, str]]:
    """Distinct sets of several cuts with a codec, in the order of the plans that have them.

    Parameters
    ----------
    plans : iterable of Plan
        Over the blocks of one network. No more are taken than are needed, so that they may be solved one by
        one; those without stages do not count.
    most : int
        How many sets.
    known : iterable of mapping of int to str
        Boundary → codec: sets that are not wanted again.

    Returns
    -------
    list of dict of int to str
        Boundary → codec, for `constellm.infer.measure`.

    Examples
    --------
    >>> from constellm import codesign, paper, split
    >>> problem = paper.collaborative.problem(relays=0)
    >>> plans = split.k_best(problem, 3)
    >>> len(codesign.planned_sets(plans, most=2))
    2
    """
    most = count("most", most, least=0)
    seen = {tuple(cuts.items()) for cuts in known}
    found: list[dict[int, str]] = []
    for plan in plans if most else ():
        cuts = codecs_at_cuts(plan) if plan.stages else {}
        if len(cuts) > 1 and tuple(cuts.items()) not in seen:
            seen.add(tuple(cuts.items()))
            found.append(cuts)
            if len(found) == most:
                break
    return found
