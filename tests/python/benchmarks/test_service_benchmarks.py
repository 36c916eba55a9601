"""The benchmarks of services on small grids: peers find the same, and what is told follows. Never seconds."""

from __future__ import annotations

import csv
import importlib

import pytest

pytest.importorskip("highspy", reason="the programmes need the extra solver")


@pytest.fixture(scope="session")
def results(repository):
    """A quick run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(repository / "benchmarks"))
        benchmark = importlib.import_module("services")
        return benchmark, benchmark.measure(quick=True)


def test_small_grids_are_proven_and_peers_find_the_same(results):
    benchmark, found = results
    assert len(found.cases) == sum(len(aim.seeds) for aim in benchmark.QUICK_AIMS)
    assert {row["status"] for row in found.cases} == {"optimal"}
    assert max(row["gap"] for row in found.cases) < 1e-9
    assert min(row["start_gap"] for row in found.cases) > -1e-9
    peers = benchmark.service_peers
    assert [row["solver"] for row in found.peers] == [peers.OWN, *peers.SOLVERS]
    values = [row["value"] for row in found.peers if not row["stopped"]]
    assert values == pytest.approx([values[0]] * len(values), rel=1e-6)


def test_targets_follow_from_the_rows(results):
    benchmark, found = results
    aim = benchmark.AIMS[3]
    row = {**found.cases[0], "case": aim.case.name, "words": aim.words, "gap": 0.0}
    rows = [{**row, "seconds": s} for s in (*[aim.within_s] * aim.least, 1000.0, 1000.0, 1000.0)]
    for fewer, met in ((0, True), (1, False)):
        told = benchmark.targets(benchmark.Results(rows[fewer:], []))[0]
        assert told[1:] == (f"{aim.least - fewer} of {10 - fewer}", met)
    slow = {**found.peers[1], "ratio": 2.9}
    assert benchmark.targets(benchmark.Results([], [slow]))[0][1:] == ("2.90×", False)


def test_the_page_tells_of_services(results, tmp_path):
    benchmark, found = results
    benchmark.write(found, "* then and there\n", tmp_path)
    text = (tmp_path / "services-speed.md").read_text(encoding="utf-8")
    assert text.count("* then and there") == text.count("## Targets") == 1
    for row in found.peers[1:]:
        assert benchmark.tables.times(row["ratio"]) in text
    rows = tmp_path / "benchmarks"
    assert {path.name for path in rows.iterdir()} == {"services-cases.csv", "services-peers.csv"}
    with (rows / "services-cases.csv").open(encoding="utf-8", newline="") as lines:
        assert len(list(csv.DictReader(lines))) == len(found.cases)


def test_cases_are_the_same_each_time_and_have_plans(load):
    cases = load("service_cases")
    small = cases.IRIDIUM._replace(planes=3, satellites_per_plane=4, services=6, tasks=4)
    assert cases.data_of(small, 1) == cases.data_of(small, 1) != cases.data_of(small, 2)
    problem = cases.problem_of(small, 1)
    assert (len(problem.network.nodes), len(problem.services), len(problem.tasks)) == (12, 6, 4)
    assert all(task.deadline_s > 0 for task in problem.tasks)
