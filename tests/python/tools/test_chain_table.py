"""The table of chains in docs/chains.md: how its rows come about, and that the page has them."""

import re

import numpy as np
import pytest


@pytest.fixture(scope="module")
def tables(tool):
    return tool("chain_table")


def test_knowing_more_costs_less(tables):
    found = tables.row("law", 2, 1)
    order = [found[name] for name in ("aware", "blind", "central", "random")]
    assert order == sorted(order)
    assert found["plan"].lower_bound_s < found["plan"].token_latency_s < found["blind"]
    assert found["ring"] > 2 * found["aware"]


def test_the_page_has_every_case(tables):
    page = tables.PAGE.read_text(encoding="utf-8")
    block = re.search(r"<!-- chains -->\n(.*)\n<!-- end of chains -->", page, re.S)[1]
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.split("\n")]
    assert tuple(head[: len(tables.HEAD)]) == tables.HEAD
    assert [(domain, int(layers), int(places)) for domain, layers, places, *_ in rows] == tables.CASES
    for row in rows:
        random, central, ring, blind, aware = (
            np.nan if cell == "–" else float(cell.removesuffix(" s")) for cell in row[3:8]
        )
        assert aware < blind < central < random and not ring <= blind
