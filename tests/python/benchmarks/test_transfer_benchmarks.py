"""The benchmarks of transfers on small constellations: peers find the same flows. Never seconds."""

from __future__ import annotations

import csv
import importlib

import numpy as np
import pytest

from constellm import flow


@pytest.fixture(scope="session")
def results(repository):
    """A quick run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(repository / "benchmarks"))
        transfers = importlib.import_module("transfers")
        return transfers, transfers.measure(quick=True)


def test_transfers_are_proven_and_peers_find_the_same(results):
    transfers, found = results
    assert [row["case"] for row in found.cases] == [case.name for case in transfers.QUICK_CASES]
    for row in found.cases:
        assert row["status"] == "optimal" and row["gap"] < 1e-9 and row["maximum_flows"] < 10
        assert row["slots:60"] >= 1 and row["intervals"] >= 1
    assert len(found.peers) == len(transfers.transfer_peers.contenders())
    assert len({row["arcs"] for row in found.peers}) == 1
    assert found.peers[0]["solver"] == transfers.transfer_peers.OWN and found.peers[0]["ratio"] <= 1.0
    assert len(transfers.targets(found)) == len(found.cases) + len(found.peers) - 1


def test_all_fits_through_the_finest_network_at_the_least_time_and_not_before(results):
    transfers, _ = results
    peers = transfers.transfer_peers
    problem = transfers.problem_of(transfers.QUICK_CASES[0])
    least_s = flow.solve(problem).finish_s
    for end_s, fits in ((least_s, True), (0.999 * least_s, False)):
        value = peers.by_own(peers.finest(problem, end_s))
        assert np.isclose(value, peers.UNITS, rtol=1e-9) == fits


def test_the_page_tells_of_transfers(results, tmp_path):
    transfers, found = results
    text = transfers.section(found)
    assert text.startswith("## Transfers\n")
    for row in found.peers[1:]:
        assert transfers.tables.times(row["ratio"]) in text
    transfers.write(found, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"transfers-cases.csv", "transfers-peers.csv"}
    with (tmp_path / "transfers-cases.csv").open(encoding="utf-8", newline="") as lines:
        assert len(list(csv.DictReader(lines))) == len(found.cases)
