"""The benchmarks of experts on small constellations: peers find the same, bounds hold. Never seconds."""

from __future__ import annotations

import csv
import importlib

import pytest

pytest.importorskip("scipy")
pytest.importorskip("networkx")


@pytest.fixture(scope="session")
def expert_results(repository):
    """A quick run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(repository / "benchmarks"))
        experts = importlib.import_module("experts")
        return experts, experts.measure(quick=True)


def test_experts_are_measured_beside_their_peers(expert_results):
    experts, found = expert_results
    peers = experts.expert_peers
    assert [row["solver"] for row in found.experiment] == [peers.OWN, peers.SCIPY, peers.NETWORKX]
    assert [row["slots"] for row in found.experiment] == [10, 10, 2]
    assert {(row["satellites"], row["schemes"]) for row in found.experiment} == {(144, 5)}
    assert all(row["proven"] == row["layers"] == 1 for row in found.placements if row["experts"] == 8)
    assert all(0 <= row["gap"] < 1 and row["sorted_above"] >= 0 for row in found.placements)
    (competing,), (gateways, threaded) = found.competing, found.gateways
    assert (competing["layers"], competing["experts"], competing["satellites"]) == (12, 8, 132)
    assert 0 < competing["gap"] < 0.2 and competing["below_subnets"] > 0
    assert gateways["token_latency_s"] <= gateways["central_s"] and 0 <= gateways["gap"] < 0.05
    assert gateways["paths_s"] > 0 and gateways["rest_s"] > 0
    assert (gateways["threads"], threaded["threads"]) == (1, 2)
    assert threaded["token_latency_s"] == pytest.approx(gateways["token_latency_s"], rel=1e-12)
    assert [row["method"] for row in found.growth] == ["sorted", "exchange"]
    assert found.growth[0]["gap"] is None and 0 < found.growth[1]["gap"] < 0.2
    assert found.growth[1]["token_latency_s"] < found.growth[0]["token_latency_s"]
    assert all(row["memory_bytes"] > 1e6 for row in found.growth)
    own, peer = found.balancer
    assert own["imbalance"] <= peer["imbalance"] and 0 <= own["gap"] < 1e-3 and peer["gap"] is None


def test_the_page_tells_of_experts(expert_results, tmp_path):
    experts, found = expert_results
    text = experts.section(found)
    assert text.startswith("## Experts\n")
    for row in found.experiment[1:]:
        assert experts.tables.times(row["ratio"]) in text
    experts.write(found, tmp_path)
    names = {f"experts-{name}.csv" for name in found._fields}
    assert {path.name for path in tmp_path.iterdir()} == names
    with (tmp_path / "experts-placements.csv").open(encoding="utf-8", newline="") as lines:
        assert len(list(csv.DictReader(lines))) == len(found.placements)


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize(
    "changes",
    [
        {"seam": "closed", "hop_s": 1e-4, "survival": 0.8},
        {"expert_s": 2e-3, "gateway_s": 3e-3, "max_turn_deg_per_s": 0.2, "alternating": True},
    ],
)
def test_the_experiment_written_out_is_the_same(load, changes, seed):
    peers, small = load("expert_peers"), load("experts").SMALL.replace(**changes)
    its = peers.own(small, seed)
    for route in (peers.with_scipy, peers.with_networkx):
        peers.compare(its, peers.written_out(small, seed, route), "a peer")


def test_another_latency_fails_the_comparison(load, monkeypatch):
    peers, small = load("expert_peers"), load("experts").SMALL
    right = peers.written_out

    def wrong(*given):
        return {name: (latency_s * (1 + 1e-6), cut) for name, (latency_s, cut) in right(*given).items()}

    monkeypatch.setattr(peers, "written_out", wrong)
    with pytest.raises(AssertionError, match=r"csgraph\.dijkstra"):
        peers.measure(small, few=2, rounds=1)


@pytest.mark.parametrize("good", [True, False])
def test_verdicts_follow_from_the_figures(load, good):
    experts, placements = load("experts"), load("expert_placements")
    peers = experts.expert_peers
    on = {1: 1056, 8: 132, 32: 33}
    rows = [
        {
            **case._asdict(),
            "satellites": on[case.parts],
            "proven": case.layers,
            "slowest_s": 0.9e-3 if good else 2.1,
            "gap": 4e-4 if good else 6e-4,
        }
        for case in placements.CASES
    ]
    solvers = {peers.OWN: 1.0, peers.SCIPY: 5.5 if good else 4.5, peers.NETWORKX: 110.0 if good else 90.0}
    took = {"layers": 32, "experts": 8, "satellites": 1024, "seconds": 24.0, "gap": 0.02 if good else 0.04}
    ways = {"satellites": 1056, "slots": 200, "paths_s": 1.9 if good else 2.1, "rest_s": 2.9 if good else 3.1}
    balanced = {"solver": experts.balancer_peer.OWN, "experts": 256, "replicas": 32, "devices": 32}
    balanced["median_s"] = 0.9e-3 if good else 1.1e-3
    found = experts.Results(
        experiment=[{"solver": name, "ratio": ratio} for name, ratio in solvers.items()],
        placements=rows,
        competing=[took],
        gateways=[ways],
        growth=[],
        balancer=[balanced],
    )
    targets = experts.targets(found)
    assert len(targets) == 2 + 2 + 2 + 4 + 4
    assert {met for _, _, met in targets} == {good}
    unproven = [{**row, "proven": 0} for row in rows]
    missed = [text for text, _, met in experts.targets(found._replace(placements=unproven)) if not met]
    assert sum("proven" in text for text in missed) == 6
