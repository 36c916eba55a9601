"""Codecs at the cuts of a plan: their names, or the compressors that bear them."""

from __future__ import annotations

from .._core.split import Plan
from ..codec.compressor import Compressor, Compressors, compressor_at


def codecs_at_cuts(plan: Plan) -> dict[int, str]:
    """The codecs of a plan's cuts, without those that send activations as they are.

    Parameters
    ----------
    plan : Plan
        Over a profile whose layers are the model's blocks.

    Returns
    -------
    dict of int to str
        Boundary, which is the number of blocks before it, to the codec's name in the problem's menu.

    Raises
    ------
    ValueError
        If there is no plan; names the status.

    Examples
    --------
    >>> import constellm as clm
    >>> problem = clm.paper.collaborative.problem(relays=0)
    >>> codecs = clm.split.codecs_at_cuts(clm.split.solve(problem))
    >>> list(codecs), codecs[24]
    ([6, 24, 30], 'gumbel-mask-0.05-b8')
    """
    return {k: name for k, name in _boundaries(plan).items() if name not in (None, "none")}


def compressors_at_cuts(plan: Plan, compressors: Compressors) -> dict[int, Compressor]:
    """The compressors of a plan's cuts, for `constellm.infer.infer`.

    Parameters
    ----------
    plan : Plan
        Over a profile whose layers are the model's blocks, such as `constellm.infer.OnnxModel.profile`.
    compressors : mapping of str to Compressor, or to a mapping of boundary to Compressor
        By the names of the codecs in the problem's menu, such as those of
        `constellm.infer.learned_compressors`. ``"none"`` need not be there: nothing is done.

    Returns
    -------
    dict of int to Compressor
        By boundary.

    Raises
    ------
    TypeError, ValueError
        If there is no plan (names the status), or a codec that it uses has no compressor, or none for its
        boundary.

    Examples
    --------
    >>> from constellm import codec, paper, split
    >>> plan = split.solve(paper.collaborative.problem(relays=0))
    >>> names = set(split.codecs_at_cuts(plan).values())
    >>> coders = {name: codec.Direct(codec.Scheme(bits=4)) for name in names}
    >>> split.compressors_at_cuts(plan, coders).keys() == split.codecs_at_cuts(plan).keys()
    True
    """
    return {
        k: compressor_at("compressors", compressors, name, k)
        for k, name in _boundaries(plan).items()
        if name is not None and (name in compressors or name != "none")
    }


def _boundaries(plan: Plan) -> dict[int, str | None]:
    if not plan.stages:
        raise ValueError(f"plan: no stages, its status is {plan.status!r}")
    return {stage.last_layer + 1: stage.codec for stage in plan.stages[:-1]}
