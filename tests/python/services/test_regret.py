"""Methods and policies against a reference: every figure of the table by hand."""

from __future__ import annotations

import dataclasses
import math

import pytest

from constellm import services
from oracles.placed_services import chain_problem, three

METHODS = ("greedy", "random", "nearest", "monolith")


@pytest.fixture(scope="module")
def table() -> services.Regret:
    return services.regret(
        three(),
        [*METHODS, services.untrained(seed=1), services.untrained(seed=2, guard="nominal")][:5],
        planned_for=["worst", "nominal"],
        reference="tabu",
        seed=3,
    )


def test_every_row_is_what_its_cells_say(table):
    assert [(row["method"], row["planned_for"]) for row in table][:4] == [
        ("tabu", "worst"),
        ("tabu", "nominal"),
        ("greedy", "worst"),
        ("greedy", "nominal"),
    ]
    assert len(table) == 11 and len(table.cells) == 33
    for i, row in enumerate(table):
        assert tuple(row) == tuple(services.REGRET_COLUMNS)
        cells = table.cells[3 * i : 3 * i + 3]
        assert {(cell["method"], cell["planned_for"]) for cell in cells} == {
            (row["method"], row["planned_for"])
        }
        assert [cell["problem"] for cell in cells] == [0, 1, 2]
        assert row["planned"] == sum(cell["placement"] is not None for cell in cells) / 3
        regrets = [
            (cell["objective"] - cell["best"]) / cell["best"]
            for cell in cells
            if cell["placement"] is not None
        ]
        if regrets:
            assert row["regret"] == pytest.approx(sum(regrets) / len(regrets))
        else:
            assert math.isnan(row["regret"])


def test_every_cell_is_what_checks_say(table):
    for cell in table.cells:
        problem = three()[cell["problem"]]
        nominal = services.nominal_problem(problem)
        placement = cell["placement"]
        if placement is None:
            assert not cell["holds_worst"] and math.isnan(cell["objective"])
            continue
        assert cell["objective"] == services.evaluate(problem, placement).objective
        assert cell["holds_nominal"] == (services.check(nominal, placement) == [])
        assert cell["holds_worst"] == (services.check(problem, placement) == [])
        assert cell["holds_nominal"] >= cell["holds_worst"]  # what withstands the worst withstands the usual
        assert cell["holds_worst"] or cell["planned_for"] == "nominal"
        worst = services.worst_demand(problem, placement)
        assert cell["worst_load"] == worst.load / worst.limit
        side = nominal if cell["planned_for"] == "nominal" else problem
        if cell["method"] in services.METHODS:
            assert placement == services.solve(side, method=cell["method"], seed=3).placement


def test_the_best_has_no_regret(table):
    for demand in ("worst", "nominal"):
        for i in range(3):
            cells = [c for c in table.cells if (c["planned_for"], c["problem"]) == (demand, i)]
            best = min(cell["objective"] for cell in cells if cell["placement"] is not None)
            assert {cell["best"] for cell in cells} == {best}
    assert all(row["regret"] >= 0.0 and row["proven"] == 0.0 for row in table if row["planned"])
    named = services.regret(three(), ["greedy", "tabu"], reference="tabu")
    assert [row["method"] for row in named] == ["tabu", "greedy"]


def test_a_bound_makes_regret_larger_not_smaller():
    pytest.importorskip("highspy")
    table = services.regret(three()[:2], ["greedy"], reference="programme", reference_time_limit_s=20.0)
    for row in table:
        assert row["regret_at_most"] >= row["regret"] - 1e-12
    assert table.rows[0]["regret_at_most"] == pytest.approx(0.0, abs=1e-9)
    assert table.rows[0]["proven"] == table.rows[1]["proven"] == 1.0


def test_without_a_plan_there_is_no_regret_but_the_median_counts_it():
    problem = chain_problem(objective="cost", deadline_s=1e-6)
    row = services.regret([problem], [], reference="greedy").rows[0]
    assert row["planned"] == 0.0 and math.isnan(row["regret"]) and math.isnan(row["regret_median"])
    good = chain_problem(objective="cost")
    alone = good.replace(
        services=[services.Service("encoder", flop=1e11, memory_bytes=1e9, cost=0.0, nodes=["n2"])]
    )
    both = services.regret([good, alone], ["greedy"], reference="random")
    assert both.rows[1]["planned"] == 1.0


def test_it_shows_and_writes_what_it_has(table, tmp_path):
    assert repr(table) == "Regret(11 rows over 3 problems)"
    assert table.to_markdown().startswith("| method | planned for | planned | holds worst |")
    assert "greedy" in str(table)
    text = table.to_csv()
    assert text.splitlines()[0] == ",".join(services.REGRET_COLUMNS)
    assert len(text.splitlines()) == 12
    table.to_csv(tmp_path / "regret.csv")
    assert (tmp_path / "regret.csv").read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"problems": []}, ValueError, "problems: must not be empty"),
        ({"methods": "greedy"}, TypeError, "methods: expected several"),
        ({"methods": ["greed"]}, ValueError, r"methods\[0\]: 'greed' is not one of .*greedy"),
        ({"methods": [1]}, TypeError, r"methods\[0\]: expected"),
        ({"methods": ["greedy", "greedy"]}, ValueError, r"methods\[1\]: 'greedy' stands twice"),
        (
            {"methods": [dataclasses.replace(services.untrained(), name="greedy")]},
            ValueError,
            r"methods\[0\]: 'greedy' stands twice",  # once as the reference
        ),
        ({"planned_for": [["worst"]]}, TypeError, r"planned_for\[0\]: expected text"),
        ({"reference": "best"}, ValueError, "reference: 'best' is not one of"),
        ({"planned_for": []}, ValueError, "planned_for: must name a demand"),
        ({"planned_for": ["best"]}, ValueError, r"planned_for\[0\]: 'best' is not one of"),
        (
            {"planned_for": ["nominal"], "methods": [services.untrained()]},
            ValueError,
            "planned_for: lacks 'worst'",
        ),
        ({"time_limit_s": -1.0}, ValueError, "time_limit_s: "),
    ],
)
def test_what_is_refused(changes, error, message):
    given = {"problems": three()[:1], "methods": ["greedy"], "reference": "greedy"}
    with pytest.raises(error, match=message):
        services.regret(**{**given, **changes})
