"""The benchmarks run on small instances, and all solvers return the same optimum. Counts, never seconds."""

from __future__ import annotations

import csv
import importlib
import math
import sys

import pytest

from constellm import split
from constellm.core.table import Table
from constellm.paper.collaborative import MAX_ERROR
from oracles.random_problems import random_chain

pytest.importorskip("scipy")
pytest.importorskip("networkx")


@pytest.fixture
def built_peers(load):
    """The contenders that can run here: Boost's needs its program."""
    contenders = load("compare_peers").CONTENDERS
    if load("boost_labels").PROGRAM.exists():
        return contenders
    return [peer for peer in contenders if peer.script != "boost_labels.py"]


def small_chain():
    sizes = {"layers": 8, "nodes": 3, "codecs": 3, "micro_batches": 4, "max_error": 0.1}
    return split.problem_from_dict(random_chain(5, **sizes))


def test_every_peer_returns_the_optimum(load, built_peers):
    rows = load("compare_peers").compare(small_chain(), peers=built_peers, rounds=2, cap_s=60, solves=3)
    assert [r["solver"] for r in rows] == ["constellm", *(peer.name for peer in built_peers)]
    assert [r["runs"] for r in rows] == [6] + [2] * len(built_peers)
    assert not any(r["capped"] for r in rows)


def test_another_optimum_fails_the_comparison(load, monkeypatch):
    compare_peers = load("compare_peers")
    problem = small_chain()
    wrong = {"objective": split.solve(problem).delay_s * (1 + 1e-5), "seconds": 1.0}
    monkeypatch.setattr(compare_peers, "run_peer", lambda *_: wrong)
    with pytest.raises(AssertionError, match="HiGHS"):
        compare_peers.compare(problem, rounds=1, solves=1)


def test_a_stopped_peer_counts_with_its_cap(load, monkeypatch):
    compare_peers = load("compare_peers")
    monkeypatch.setattr(compare_peers, "run_peer", lambda *_: None)
    rows = compare_peers.compare(small_chain(), rounds=3, cap_s=7, solves=1)
    assert [(r["least_s"], r["runs"], r["capped"]) for r in rows[1:]] == [(7, 1, True)] * 4
    assert "> 7.00 s" in compare_peers.table(rows)


def test_a_search_over_its_cap_is_stopped(load, monkeypatch, tmp_path):
    compare_peers = load("compare_peers")
    monkeypatch.setattr(compare_peers, "PEERS", tmp_path)
    (tmp_path / "endless.py").write_text("while True: pass\n")
    (tmp_path / "broken.py").write_text("raise SystemExit(3)\n")
    monkeypatch.setattr(compare_peers, "START_UP_S", 1)
    peer = compare_peers.Peer("endless", "endless.py", 1e-9)
    assert compare_peers.run_peer(peer, tmp_path / "none.json", 1, 1.0) is None
    with pytest.raises(RuntimeError, match=r"broken\.py: ended with 3"):
        broken = compare_peers.Peer("broken", "broken.py", 1e-9)
        compare_peers.run_peer(broken, tmp_path / "none.json", 1, 1.0)


def test_growth_has_a_row_for_each_size_and_method(load):
    scaling = load("scaling")
    rows = scaling.measure(
        axes={"layers": (6, 12), "max_error": (0.1,)}, seeds=(1, 2), large_limits=(), cap_s=0.2
    )
    assert len(rows) == 2 * 3
    assert [r["layers"] for r in rows] == [6, 6, 12, 12, 48, 48]
    assert {r["chains"] for r in rows} == {2}
    assert all(r["capped"] == 0 for r in rows if r["method"] == "intervals")
    assert scaling.table(rows).count("\n") == 2 + 3
    pytest.importorskip("matplotlib")
    (legend,) = (ax.get_legend() for ax in scaling.draw(rows).axes if ax.get_legend())
    assert [text.get_text() for text in legend.get_texts()][-1] == "most chains stopped at the cap"


def test_ablations_leave_out_one_part_at_a_time(load, monkeypatch):
    ablations = load("ablations")
    monkeypatch.setattr(ablations, "instances", lambda: {"small": small_chain()})
    rows = ablations.measure()
    assert [r["search"] for r in rows] == list(ablations.PARTS)
    optimum = rows[0]["delay_s"]
    assert all(math.isclose(r["delay_s"], optimum, rel_tol=1e-9) for r in rows)
    assert all(r["dominated"] == 0 for r in rows if "dominance" in r["search"])
    assert all(r["intervals"] == 1 for r in rows if "intervals" in r["search"])


def test_a_scalar_search_loses(load):
    rows = load("ablations").measure_scalar(problems=30)
    losses = [r["loss"] for r in rows if r["loss"] is not None]
    assert len(losses) > 10
    assert max(losses) > 0.01
    assert min(losses) >= -1e-9


def rows_at_default(ratio, median_s):
    at = {
        "max_error": MAX_ERROR,
        "least_s": median_s,
        "median_s": median_s,
        "capped": False,
    }
    names = (
        "HiGHS, mixed-integer programme",
        "Boost `r_c_shortest_paths`",
        "networkx, label setting in Python",
    )
    peers = [{**at, "solver": name, "ratio": ratio} for name in names]
    return [{**at, "solver": "constellm", "ratio": 1.0}, *peers]


def sky_rows(constellations, good):
    """Rows of which all targets, or none, are met."""
    peers, own = constellations.orbit_peers, constellations.orbit_peers.OWN

    def rows(ratio, *names, **figures):
        at = {"median_s": 0.05 if good else 5.0, "least_s": 0.05, "runs": 1, **figures}
        return [
            {**at, "solver": own, "ratio": 1.0},
            *({**at, "solver": name, "ratio": ratio} for name in names),
        ]

    return constellations.Results(
        states=rows(6.0 if good else 4.0, peers.SGP4, shell="s", states=2_000_000),
        sight=rows(1.1 if good else 0.9, peers.TREE, peers.TREE_ALONE, shell="s", pairs=1),
        routing=rows(3.1 if good else 2.9, *constellations.ROUTING_PEERS, nodes=9, sources=2, snapshots=1),
        passes=[
            {
                "solver": own,
                "satellites": 5293,
                "seconds": 9.0 if good else 11.0,
                "memory_bytes": 9e8 if good else 2e9,
            }
        ],
        growth=[],
    )


@pytest.mark.parametrize("good", [True, False])
def test_verdicts_follow_from_the_figures(load, good, monkeypatch):
    run = load("run")
    for system in (run.experts, run.transfers):
        monkeypatch.setattr(system, "targets", lambda met: [("system", "found", met)])
    took = {"axis": "large", "method": "intervals", "median_s": 0.005 if good else 0.5, "max_error": 1}
    large = [{**took, "micro_batches": m} for m in run.scaling.LARGE_MICRO_BATCHES]
    sweep = {"plans_per_s": {"2": 31_000 if good else 4000}, "speedup": {"2": 1.9 if good else 1.7}}
    peers = rows_at_default(20_000 if good else 2, 4e-5 if good else 2e-4)
    text = run.verdicts(
        run.Results(peers, large, sweep, [], [], sky_rows(run.constellations, good), good, good)
    )
    assert text.count("| met |") == (16 if good else 0)
    assert text.count("| **missed** |") == (0 if good else 16)


def test_numbers_as_words(load):
    tables = load("tables")
    assert [tables.seconds(s) for s in (123.4, 1.5, 0.0123, 1e-4)] == ["123 s", "1.50 s", "12.3 ms", "100 µs"]
    assert [tables.times(r) for r in (23407.4, 5.678, 0.5)] == ["23,407×", "5.68×", "0.500×"]


def test_the_stored_page_belongs_to_its_rows(load, repository):
    """Every peer's ratio of the stored rows is on the page."""
    docs = repository / "docs"
    compare_peers, tables = load("compare_peers"), load("tables")
    page = (docs / "benchmarks.md").read_text(encoding="utf-8")
    with (docs / "benchmarks" / "peers.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert {r["solver"] for r in rows} == {"constellm", *(peer.name for peer in compare_peers.CONTENDERS)}
    for r in rows:
        if r["solver"] != "constellm":
            assert tables.times(float(r["ratio"])) in page


def test_a_stored_run_without_caps_goes_into_the_page(load, tmp_path):
    run = load("run")
    file = tmp_path / "rows.csv"
    assert run.to_the_end(file) == ""
    stamp = {"date": "2026-01-02", "commit": "abc1234", "runs": 1}
    Table.of([{**stamp, **r} for r in rows_at_default(20_000, 9e-5)]).to_csv(file)
    text = run.to_the_end(file)
    assert "2026-01-02, commit abc1234" in text
    assert text.count("20,000×") == 3


def test_the_speed_of_sweeps_is_told(load, monkeypatch, tmp_path, capsys):
    speed = load("sweep_speed")
    out = tmp_path / "speed.json"
    command = ["--rates", "2", "--limits", "2", "--rounds", "1", "--threads", "1", "--json", str(out)]
    monkeypatch.setattr("sys.argv", ["sweep_speed.py", *command])
    speed.main()
    assert "4 plans of collaborative" in capsys.readouterr().out and out.exists()


@pytest.fixture(scope="session")
def sky_results(repository):
    """A quick run of the benchmarks of constellations."""
    pytest.importorskip("sgp4")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(repository / "benchmarks"))
        constellations = importlib.import_module("constellations")
        return constellations, constellations.measure(quick=True)


def test_constellations_are_measured_beside_their_peers(sky_results):
    constellations, found = sky_results
    peers = constellations.orbit_peers
    assert [row["solver"] for row in found.states] == [peers.OWN, peers.SGP4]
    assert found.states[0]["states"] == 66 * 50
    names = [peers.OWN, peers.TREE, peers.TREE_ALONE, peers.CHUNKS, peers.DENSE]
    assert [row["solver"] for row in found.sight] == names
    assert {row["pairs"] for row in found.sight} == {found.sight[0]["pairs"]}
    routed = [row["solver"] for row in found.routing]
    assert routed[0] == peers.OWN and routed[-1] == constellations.routing_peers.THREADS
    assert constellations.routing_peers.SCIPY in routed
    assert {(row["nodes"], row["sources"], row["snapshots"]) for row in found.routing} == {(66, 4, 3)}
    own = [row for row in found.passes if row["solver"].startswith(peers.OWN)]
    assert len(own) == 2 and own[0]["passes"] == own[1]["passes"] > 500
    assert {row["satellites"] for row in found.growth} == {50, 200}
    counts = {(r["satellites"], r["task"]): r["found"] for r in found.growth}
    assert (counts[50, "states"], counts[200, "states"], counts[200, "routing"]) == (50, 200, 32 * 200)
    assert all(0 < counts[50, task] < counts[200, task] for task in ("sight", "grid", "nearest"))


def test_the_page_tells_of_constellations(sky_results, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    constellations, found = sky_results
    text = constellations.section(found)
    assert text.startswith("## Constellations\n") and "](benchmarks/constellations.png)" in text
    for row in (*found.states[1:], *found.sight[1:]):
        assert constellations.tables.times(row["ratio"]) in text
    assert len(constellations.targets(found)) == 6
    constellations.write(found, tmp_path)
    assert (tmp_path / "constellations.png").stat().st_size > 5000
    with (tmp_path / "constellations-routing.csv").open(encoding="utf-8", newline="") as lines:
        assert [row["solver"] for row in csv.DictReader(lines)] == [r["solver"] for r in found.routing]


def test_absent_peers_are_named(sky_results, monkeypatch):
    constellations, found = sky_results
    there = found._replace(
        routing=[r for r in found.routing if r["solver"] != constellations.routing_peers.IGRAPH],
        passes=[r for r in found.passes if r["solver"] != constellations.passes.SKYFIELD],
    )
    told = constellations.absent(there)
    assert told.startswith(" Not installed, and so absent: ")
    assert constellations.routing_peers.IGRAPH in told and constellations.passes.SKYFIELD in told
    monkeypatch.setitem(sys.modules, "igraph", None)  # importing it now raises ImportError
    assert constellations.routing_peers.with_igraph() is None
