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
