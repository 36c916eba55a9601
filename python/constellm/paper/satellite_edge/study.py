"""Satellite edge intelligence as a study: federated fine-tuning, and microservices."""

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
    >>> print(paper.satellite_edge.parameters_markdown().splitlines()[0])
    | parameter | value | status | source or reason |
    """
    return parameters_table(PARAMETERS).to_markdown().rstrip("\n")


STUDY = Study(
    name="satellite-edge",
    title="Satellite edge intelligence: rounds scheduled and trained, microservices placed with proof",
    introduction=(
        "What comes out here beside what the review of Shi, Zhu, Jiang, Kuang and Letaief (arXiv "
        "2504.01676, 2025) and its companions say of satellite federated fine-tuning, and of inference by "
        "microservices. They were known here through abstracts and summaries: which constellation, which "
        "stations, which rates, how many images, how fast satellites compute and how many passes they make "
        "is not told, and all of it is assumed. Transfers are quickest ones with proof, contacts those of "
        "orbits and of real stations; placements are optimal with proof, or say that they are not."
    ),
    verdicts=(
        "A verdict is computed from the stored rows: a claim holds when it does in every examined setting, "
        "holds in a region when it does in some, and does not hold when it does in none. Claims that the "
        "texts do not make in words, but that their design rests on, are marked as implied. Under “here” "
        "stands: 66 satellites on six planes, four polar stations, 0.3 Gbit/s down, 1 Gbit/s between "
        "satellites, 500 images each, an effective TFLOP/s on board."
    ),
    parameters=PARAMETERS,
    experiments=EXPERIMENTS,
    claims=claims,
)
"""The study as `constellm.paper.reproduce` computes it: parameters, experiments, claims."""
