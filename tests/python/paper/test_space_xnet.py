"""The study of Space-XNet: a quick run, its verdicts, and the page of the documentation."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from constellm import moe, paper
from constellm.core.table import Table, distinct, only, where
from constellm.paper.report.claims import verdict
from constellm.paper.space_xnet import PAPER_S, PARAMETERS, STUDY, Scenario, reached
from constellm.paper.space_xnet.claims import claims
from constellm.paper.space_xnet.measured import measured
from constellm.paper.space_xnet.parameters import TOKEN_FLOP, TOKENS
from constellm.paper.space_xnet.scenario import reached_slots_s

pytest.importorskip("matplotlib")

DOCS = Path(__file__).parents[3] / "docs"
RESULTS = DOCS / "results" / "space-xnet"


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("space-xnet")
    assert paper.reproduce(folder, "space-xnet", quick=True) == folder / "index.html"
    return folder


def stored(folder, name):
    return list(Table.read_csv(folder / f"{name}.csv"))


def test_every_figure_table_and_assumption_is_on_the_page(out):
    text = (out / "index.md").read_text(encoding="utf-8")
    figures = {file.stem for file in (out / "figures").iterdir()}
    assert figures == {"gateways", "geometries", "layer-latency", "order", "places", "schemes", "sensitivity"}
    assert all(f"(figures/{stem}.png)" in text for stem in figures)
    for parameter in PARAMETERS:
        assert parameter.source in text
    for experiment in STUDY.experiments:
        assert experiment.title in text and experiment.text in text


def test_verdicts_follow_from_the_rows(out):
    judged = {row["claim"]: row for row in stored(out / "rows", "claims")}
    assert len(judged) == 17
    for row in judged.values():
        good, examined = row["holding"], row["examined"]
        assert row["verdict"] == verdict([True] * good + [False] * (examined - good))[0]
    assert judged["better survival lowers the latency"]["verdict"] == "holds"
    assert judged["a limit of 0.12 rad/s of the line of sight cuts links (implied)"]["holding"] == 0


def test_a_layer_waits_for_what_it_reaches(out):
    """`reached` by hand from path latencies and the closed form of two picks."""
    scenario = Scenario(slots=6, survival=0.7)
    one = scenario.arrangements(3, schemes=["rand-intra"])["rand-intra"]
    world = scenario.world(3)
    paths = moe.path_latencies(world, one.ring.gateways, scenario.times())
    total_s, cut = 0.0, 0
    for layer, hosts, ways_s in zip(one.problem.layers, one.placement, paths):
        at = [world.satellite_ids.index(id) for id in hosts]
        paths_s, w = ways_s[:, at], layer.weights / layer.weights.sum()
        slots_s = []
        for row in paths_s:
            pairs = [(i, j) for i in range(8) for j in range(8) if i != j]
            slots_s.append(sum(w[i] * w[j] / (1 - w[i]) * max(row[i], row[j]) for i, j in pairs))
        total_s += np.nanmean(slots_s)
        cut += np.isnan(slots_s).sum()
    assert cut > 0
    assert reached(one) == (pytest.approx(total_s, rel=1e-9), cut / (6 * 32))
    assert np.isnan(reached_slots_s(one)).sum() == cut


def test_a_layer_that_is_never_reached_waits_for_ever():
    one = Scenario(slots=2, survival=0.0).arrangements(0, schemes=["sorted"])["sorted"]
    assert reached(one) == (math.inf, 1.0)


def test_alternating_planes_are_within_half_a_spacing():
    ahead = np.array(Scenario(alternating=True).shell.plane_phase_deg)
    assert set(ahead.tolist()) <= {0.0, 360 / 64, 360 - 360 / 64}
    steady = np.array(Scenario().shell.plane_phase_deg)
    np.testing.assert_allclose(np.diff(steady) % 360, 360 / 64)


def test_the_default_geometry_is_that_of_the_preset():
    from constellm import orbit

    ours, preset = Scenario().shell, orbit.preset("space-xnet")
    one, other = (orbit.propagate(orbit.elements(shell), [0.0, 900.0]) for shell in (ours, preset))
    np.testing.assert_allclose(one.position_m, other.position_m, atol=1e-2)


def test_work_of_a_token_is_the_papers():
    assert pytest.approx(36.3e12, rel=1e-3) == TOKENS * TOKEN_FLOP


def test_documented_claims_are_those_of_the_stored_rows():
    """`tools/reproduction_docs.py` fills the page from the results of a full run, whose rows it keeps."""
    tables = {file.stem: stored(RESULTS, file.stem) for file in RESULTS.glob("*.csv")}
    judged = tables.pop("claims")
    assert claims(tables) == judged
    page = (DOCS / "space-xnet.md").read_text(encoding="utf-8")
    assert Table.of(judged).to_markdown().strip() in page


def test_stored_rows_are_found_again():
    rows = where(stored(RESULTS, "sensitivity"), assumption="survival")
    scenario = Scenario(slots=25, survival=0.9)
    for row in measured(scenario, 4, schemes=("sorted", "rand-intra-cg")):
        kept = only(rows, value=0.9, scheme=row["scheme"])
        assert row["token_latency_s"] == pytest.approx(kept["token_latency_s"], rel=1e-6)


def test_the_fitted_geometry_comes_near_the_papers_figures():
    rows = stored(RESULTS, "schemes")
    assert distinct(rows, "scheme") == list(moe.SCHEMES)
    for name, most in (("sorted", 0.03), ("rand-intra-cg", 0.03), ("rand-intra", 0.03), ("rand-place", 0.08)):
        row = only(rows, scheme=name)
        assert row["difference"] == pytest.approx(row["token_latency_s"] / (sum(PAPER_S[name]) / 2) - 1)
        assert abs(row["difference"]) < most
