"""The Space-XNet paper as a study."""

from __future__ import annotations

from ..report.study import Study, parameters_table
from .claims import claims
from .experiments import EXPERIMENTS
from .parameters import PARAMETERS


def parameters_markdown() -> str:
    """`PARAMETERS` as a Markdown table.

    Returns
    -------
    str

    Examples
    --------
    >>> from constellm import paper
    >>> print(paper.space_xnet.parameters_markdown().splitlines()[0])
    | parameter | value | status | source or reason |
    """
    return parameters_table(PARAMETERS).to_markdown().rstrip("\n")


STUDY = Study(
    name="space-xnet",
    title="Space-XNet: experts over a thousand satellites, reproduced",
    introduction=(
        "What comes out here beside what the paper of Wang, Yang, Sheng, Letaief and Huang (arXiv "
        "2605.00515, 2026) reports. It was known here through its abstract and summaries of its text; no "
        "equation of it was at hand, nor the spread of its planes, their phase, the seam, the spacing of "
        "its slots and what compute it charges. The geometry under “here” is a fit: of those tried it "
        "comes closest to the four latencies that the paper reports, by an angular limit that is read in "
        "degrees and lies just below the fastest turn of a link. It is no evidence of what the authors "
        "did. Propagation alone is counted."
    ),
    verdicts=(
        "A verdict is computed from the stored rows: a claim holds when it does in every examined setting, "
        "holds in a region when it does in some, and does not hold when it does in none. Under “here” stands "
        "the fitted geometry: planes over 360°, half a spacing of phase, the seam open, links cut at 0.12 "
        "degrees a second, survival 0.95 drawn anew in every slot, 200 slots over an orbit, 16 draws."
    ),
    parameters=PARAMETERS,
    experiments=EXPERIMENTS,
    claims=claims,
)
"""The study as `constellm.paper.reproduce` computes it: parameters, experiments, claims."""
