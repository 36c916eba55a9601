"""Train the policies of docs/services-learned.md, and hold them against methods and the exact optimum.

``python tools/placement_policy.py --train`` from the root of the sources writes the weights that ship,
python/constellm/services/data/policy-*.npz; ``--measure`` writes docs/results/satellite-edge/regret.csv,
adversary.csv and what the page shows of them; ``--page`` the page alone, from the rows that are there.
One thread; some minutes each.

Problems are those of `constellm.services.scenario` over Iridium NEXT, whose rates may rise by 60 % all at
once (a box); seeds of training and of measuring are apart. First a policy learns at nominal rates; the
others start from it: one whose choices have to withstand the worst case, one against a demand that is
always the worst, one in turns with an adversary that learns.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from constellm import services
from constellm.core.table import Table

ROOT = Path(__file__).parents[1]
WEIGHTS = ROOT / "python" / "constellm" / "services" / "data"
OUT = ROOT / "docs" / "results" / "satellite-edge"
PAGE = ROOT / "docs" / "services-learned.md"
TRAINED = range(1_000, 1_064)
MEASURED = range(12)
STEPS, MORE_STEPS = 49_152, 16_384
LEARNING_RATE, MORE_LEARNING_RATE = 3e-3, 1e-3
TRIES = 16
SECONDS = 20.0  # of the reference for each problem
METHODS = ("annealing", "tabu", "genetic", "greedy", "monolith", "nearest", "random")
LEARNED: dict[str, dict[str, Any]] = {
    "ppo-nominal": {"guard": "nominal", "demand": "nominal"},
    "ppo-worst": {"guard": "worst", "demand": "nominal"},
    "ppo-corner": {"guard": "nominal", "demand": "worst"},
    "ppo-adversary": {"guard": "nominal", "demand": "learned"},
}
"""The first is the start of the others."""


def problem(seed: int) -> services.Problem:
    return services.scenario(seed=seed, requests_per_s=30.0, deviation=0.6)


def weights(name: str) -> Path:
    return WEIGHTS / f"policy-{name}.npz"


def train(names: Sequence[str]) -> None:
    problems = [problem(seed) for seed in TRAINED]
    first = next(iter(LEARNED))
    for name in names:
        is_first = name == first
        policy = services.train_policy(
            problems,
            steps=STEPS if is_first else MORE_STEPS,
            seed=1,
            start=None if is_first else services.load_policy(weights(first)),
            learning_rate=LEARNING_RATE if is_first else MORE_LEARNING_RATE,
            name=name,
            **LEARNED[name],
        )
        policy.save(weights(name))
        print(name, policy.told)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", nargs="*", metavar="NAME", choices=list(LEARNED))
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--page", action="store_true")
    given = parser.parse_args(arguments)
    if given.train is not None:
        train(given.train or list(LEARNED))
    if given.measure:
        measure()
    if given.measure or given.page:
        write_page()


if __name__ == "__main__":
    main()
