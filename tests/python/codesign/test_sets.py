"""Sets of cuts that plans have."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from constellm import codec, codesign, model, network, split


def plans(limits: list[float], solved: list[float]) -> Iterator[split.Plan]:
    """Plans of three stages whose codecs grow finer with the limit; notes what was solved."""
    profile = model.from_arrays(
        flop=[1e6] * 6, memory_bytes=[1e6] * 6, output_bytes=[1e6] * 6, input_bytes=1e6
    )
    rows = [{"name": f"c{i}", "ratio": 2.0 + i, "error": 0.1 * i} for i in range(4)]
    for limit in limits:
        solved.append(limit)
        yield split.solve(
            split.Problem(
                model=profile,
                network=network.chain(
                    3, flop_per_s=1e6, memory_bytes=2e6 if limit < 1.0 else 1.0, rate_bps=1e6
                ),
                codecs=codec.from_table(rows),
                max_error=limit,
            )
        )


def test_each_set_once_in_the_order_of_the_plans() -> None:
    solved: list[float] = []
    found = codesign.planned_sets(plans([0.61, 0.41, 0.6, 0.21, 0.01], solved), 3)
    assert found == [{2: "c3", 4: "c3"}, {2: "c2", 4: "c2"}, {2: "c1", 4: "c1"}]
    assert solved == [0.61, 0.41, 0.6, 0.21], "no more plans than are needed"


def test_known_sets_and_plans_without_stages_do_not_count() -> None:
    known = [{2: "c3", 4: "c3"}]
    found = codesign.planned_sets(plans([0.61, 2.0, 0.41], []), 5, known=known)
    assert found == [{2: "c2", 4: "c2"}]
    solved: list[float] = []
    assert codesign.planned_sets(plans([0.61], solved), 0) == [] == solved


def test_a_negative_number_is_refused() -> None:
    with pytest.raises(ValueError, match="most: -1"):
        codesign.planned_sets([], -1)
