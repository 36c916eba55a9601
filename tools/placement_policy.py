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
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from constellm import services
from constellm.core.quantity import quantity
from constellm.core.table import Row, Table
from constellm.services.learned.adversary import demand_rule, rates_of, used

ROOT = Path(__file__).parents[1]
WEIGHTS = ROOT / "python" / "constellm" / "services" / "data"
OUT = ROOT / "docs" / "results" / "satellite-edge"
PAGE = ROOT / "docs" / "services-learned.md"
TRAINED = range(1_000, 1_064)
MEASURED = range(100, 110)
STEPS, MORE_STEPS = 49_152, 24_576
LEARNING_RATE, MORE_LEARNING_RATE = 3e-3, 2e-3
PENALTY, MORE_PENALTY = 1.0, 3.0
TRIES = 16
SECONDS = 15.0  # of the reference for each problem
REFERENCE = "optimal"
BUDGET = 3.0  # of tasks whose rates rise at once, where an adversary has to choose
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
            penalty=PENALTY if is_first else MORE_PENALTY,
            name=name,
            **LEARNED[name],
        )
        policy.save(weights(name))
        print(name, policy.told)


def policies() -> list[services.Policy]:
    """As they are, and the one that withstands the worst with more than one try."""
    found = [services.load_policy(weights(name)) for name in LEARNED]
    many = [replace(one, name=f"{one.name} × {TRIES}", tries=TRIES) for one in found[:2]]
    return [*found, *many, services.untrained(seed=1)]


def measure() -> None:
    table = services.regret(
        [problem(seed) for seed in MEASURED],
        [*METHODS, *policies()],
        planned_for=("worst", "nominal"),
        reference=REFERENCE,
        reference_time_limit_s=SECONDS,
        time_limit_s=SECONDS,
        seed=1,
    )
    table.to_csv(OUT / "regret.csv")
    Table.of(adversaries()).to_csv(OUT / "adversary.csv")


def adversaries() -> list[Row]:
    """How much of the raise that the exact adversary finds others do, on placements not seen before."""
    policy = services.load_policy(weights("ppo-nominal"))
    rows = []
    for name, budget in (("box", None), (f"Γ = {BUDGET:g}", BUDGET)):
        known, new = placed(policy, TRAINED, budget), placed(policy, MEASURED, budget)
        learned = services.train_adversary(known, seed=1)
        for who, rule in (("chance", "random"), ("learned", learned), ("exact", "worst")):
            rows.append({"demand": name, "adversary": who, "placements": len(new), **found_by(rule, new)})
    return rows


def placed(
    policy: services.Policy, seeds: Sequence[int], budget: float | None
) -> list[tuple[services.Problem, services.Placement]]:
    found = []
    for seed in seeds:
        placement = policy.placement(problem(seed))
        if placement is not None:
            found.append((problem(seed).replace(budget=budget), placement))
    return found


def found_by(rule: Any, given: Sequence[tuple[services.Problem, services.Placement]]) -> Row:
    random = np.random.Generator(np.random.PCG64(1))
    shares, most = [], []
    for of, placement in given:
        takes = used(of, placement)
        usual = (takes @ rates_of(of, np.zeros(len(of.tasks)))).max()
        worst = services.worst_demand(of, placement)
        here = (takes @ rates_of(of, demand_rule(rule)(of, placement, random))).max()
        most.append(here)
        shares.append((here - usual) / (worst.load / worst.limit - usual))
    return {"share_of_exact": float(np.mean(shares)), "worst_load": float(np.mean(most))}


def write_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name, table in (("regret", regret_table()), ("adversary", adversary_table())):
        block = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end of {name} -->)", re.DOTALL)
        text, count = block.subn(lambda _, shown=table: shown.to_markdown(), text)
        assert count == 1, name
    PAGE.write_text(text, encoding="utf-8")


def regret_table() -> Table:
    rows = []
    for row in Table.read_csv(OUT / "regret.csv"):
        rows.append(
            {
                "method": row["method"],
                "planned for": row["planned_for"],
                "with a plan": percent(row["planned"]),
                "holds in the worst case": percent(row["holds_worst"]),
                "largest load then": percent(row["worst_load"]),
                "regret": percent(row["regret"], 1),
                "median": percent(row["regret_median"], 1),
                "at most": percent(row["regret_at_most"], 1),
                "time": quantity(row["seconds"], "s", digits=2),
            }
        )
    return Table.of(rows)


def adversary_table() -> Table:
    return Table.of(
        {
            "demand": row["demand"],
            "adversary": row["adversary"],
            "share of the exact raise": percent(row["share_of_exact"]),
            "largest load": percent(row["worst_load"]),
        }
        for row in Table.read_csv(OUT / "adversary.csv")
    )


def percent(share: float, digits: int = 0) -> str:
    return "–" if np.isnan(share) else "∞" if np.isinf(share) else f"{share:.{digits}%}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
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
