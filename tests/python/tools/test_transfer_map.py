"""The map of greedy against quickest in docs/transfers.md: its rows come about so, and the page has them."""

import numpy as np
import pytest

from constellm import flow
from constellm.core.table import Table


@pytest.fixture(scope="module")
def tables(tool):
    return tool("transfer_map")


@pytest.fixture(scope="module")
def stored(tables):
    return list(Table.read_csv(tables.CSV))


def test_rows_are_what_is_found_now(tables, stored):
    """The greedy may take another maximum flow; the quickest is the same to the last digit that is stored."""
    for at in (0, 700, 1500, len(stored) - 1):
        row = stored[at]
        case = tables.Case(*(row[name] for name in tables.Case._fields))
        (ratio,) = (one for one in tables.RATIOS if np.isclose(one, row["ratio"]))
        problem = tables.problem_of(tables.contacts_of(case, row["start_s"]), case, ratio, row["images"])
        plan = flow.solve(problem)
        assert plan.status == row["status"] == "optimal" and flow.check(problem, plan) == ()
        assert plan.finish_s == pytest.approx(row["optimal_s"], rel=1e-6)
        greedy = flow.solve(problem, method="intervals")
        assert (
            greedy.finish_s == pytest.approx(row["intervals_s"], rel=0.1)
            and flow.check(problem, greedy) == ()
        )


def test_nothing_is_sooner_than_the_quickest(tables, stored):
    assert len(stored) == len(tables.SHELLS) * 4 * 2 * 2 * len(tables.STARTS_S) * len(tables.RATIOS) * 3
    for method in (*tables.METHODS, tables.TURNED):
        assert tables.ratios(stored, method).min() >= 1 - 1e-6


def test_the_page_has_the_tables(tables, stored):
    page = tables.PAGE.read_text(encoding="utf-8")
    for name, content in (
        ("methods", tables.by_method(stored)),
        ("order", tables.by_order(stored)),
        ("map", tables.by_ratio(stored)),
    ):
        assert f"<!-- {name} -->\n{content}\n<!-- end of {name} -->" in page


def test_the_page_says_what_the_rows_say(tables, stored):
    """Its figures in words, in their order."""

    def found(method, ratio, links="grid", antennas="many"):
        part = [
            row
            for row in stored
            if (row["links"], row["antennas"]) == (links, antennas) and np.isclose(row["ratio"], ratio)
        ]
        return tables.ratios(part, method)

    fast = [3.0, 10.0]
    assert 1.02 < max(found("intervals", ratio).max() for ratio in fast) < 1.035
    assert [round(100 * np.median(found("slots:10", ratio)) - 100) for ratio in fast] == [2, 2]
    assert 1.055 < max(found("slots:10", ratio).max() for ratio in fast) < 1.065
    assert np.median(found("intervals", 1.0)) < 1.01 and round(found("intervals", 1.0).max(), 2) == 1.29
    slow = found("intervals", 1 / 3)
    assert (round(np.median(slow), 2), round(np.percentile(slow, 90, method="higher"), 2)) == (1.29, 1.73)
    assert slow.max() > 2 and round(np.median(found("intervals", 0.1)), 1) == 1.5
    rings = [found("intervals", ratio, "ring", "one") for ratio in fast]
    assert round(np.median(rings[0]), 2) == 1.02 and round(max(ring.max() for ring in rings), 2) == 1.25
    worst = max(stored, key=lambda row: row["intervals_s"] / row["optimal_s"])
    assert (worst["links"], worst["stations"]) == ("ring", "4 middle")
    assert round(worst["intervals_s"] / worst["optimal_s"], 1) == 4.6
    assert round(np.median(tables.ratios(stored, "slots:60")), 2) == 1.13
    assert (
        np.median(tables.ratios(stored, "slots:300")) > 2 and np.median(tables.ratios(stored, "direct")) > 5
    )
    flows = np.array([row["maximum_flows"] for row in stored])
    assert (np.median(flows), np.percentile(flows, 90)) == (3, 7)
