"""The study of satellite federated fine-tuning: a quick run, its verdicts, and its page."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from constellm import flow, paper, tune
from constellm.core.quantity import figure
from constellm.core.table import Table, distinct, only, where
from constellm.paper.report.claims import verdict
from constellm.paper.satellite_edge import (
    PARAMETERS,
    SETTINGS,
    SHELLS,
    STATIONS,
    STUDY,
    Scenario,
    contenders,
    embedding_codec,
)
from constellm.paper.satellite_edge.claims import claims
from constellm.paper.satellite_edge.experiments.greedy import METHODS
from constellm.paper.satellite_edge.experiments.rounds import steps
from constellm.paper.satellite_edge.trained import LOST, TRAINED, Case

for module in ("highspy", "matplotlib", "onnxruntime", "PIL"):
    pytest.importorskip(module)


DOCS = Path(__file__).parents[3] / "docs"
RESULTS = DOCS / "results" / "satellite-edge"
FIGURES = {
    "between-orbits",
    "contacts",
    "degradation",
    "fair",
    "greedy",
    "ladder",
    "over-time",
    "phases",
    "placement-methods",
    "rate-accuracy",
    "robustness",
    "sharing",
    "spiking",
    "thirds",
    "time-to-target",
    "training",
    "waiting",
}
HERE = {"shell": "6 × 11", "setting": "four polar stations"}


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("satellite-edge")
    assert paper.reproduce(folder, "satellite-edge", quick=True) == folder / "index.html"
    return folder


def stored(folder, name):
    return list(Table.read_csv(folder / f"{name}.csv"))


def test_every_figure_table_and_assumption_is_on_the_page(out):
    text = (out / "index.md").read_text(encoding="utf-8")
    assert {file.stem for file in (out / "figures").iterdir()} == FIGURES
    assert all(f"(figures/{stem}.png)" in text for stem in FIGURES)
    for parameter in PARAMETERS:
        assert parameter.source in text
    for experiment in STUDY.experiments:
        assert experiment.title in text and experiment.text in text


def test_verdicts_follow_from_the_rows(out):
    judged = stored(out / "rows", "claims")
    assert len(judged) == 26
    for row in judged:
        good, examined = row["holding"], row["examined"]
        assert row["verdict"] == verdict([True] * good + [False] * (examined - good))[0]


def test_messages_are_those_of_the_published_model(out):
    rows = {row["message"]: row for row in where(stored(out / "rows", "messages"), model="SpectralGPT")}
    assert rows["raw image"]["size_bytes"] == 393_216
    assert rows["embedding"]["size_bytes"] == 3_145_728
    assert rows["feature"]["size_bytes"] == 3_072
    assert rows["head"]["size_bytes"] == 30_760
    assert rows["encoder"]["size_bytes"] / 4 == pytest.approx(85.06e6, rel=1e-4)
    assert rows["head"]["all_flop"] * (1 - rows["head"]["board_share"]) / 2 == pytest.approx(
        106.3e9, rel=1e-3
    )


def test_the_claim_goes_with_passes_over_speed(out):
    """Passes times ratio is one number for a speed, but for what sums of heads take."""
    rows = where(stored(out / "rows", "thirds-cells"), scheme="float32")
    for speed in distinct(rows, "board_flop_per_s"):
        own = where(rows, board_flop_per_s=speed)
        products = [row["ratio"] * row["passes"] for row in own]
        assert max(products) == pytest.approx(min(products), rel=0.05)
    (summary,) = where(stored(out / "rows", "thirds"), scheme="float32")
    ratios = np.array([row["ratio"] for row in rows])
    counts = [(ratios < 1.0).sum(), (ratios <= 2 / 3).sum(), (ratios <= 1 / 3).sum(), len(rows)]
    assert counts == [summary[name] for name in ("faster", "by_33", "to_33", "cells")]
    assert summary["passes_for_to_33"] == pytest.approx(2 * summary["passes_for_by_33"])


def test_on_board_is_its_closed_form():
    scenario, work = Scenario(), tune.spectral_gpt()
    done = tune.schedule_rounds(work, scenario.fleet(), contenders()["all on board"], rounds=2)
    passes_s = 2 * 500 * (work.board_flop(work.layers) + work.head_training_flop) / 1e12
    ring = tune.all_reduce(11, work.head_bytes, rate_bps=1e9, hop_s=0.0)
    sums_s = done.delay_s - passes_s
    assert 2 * ring.delay_s < sums_s < 2.0


def test_settings_differ_as_they_say():
    for size in SHELLS.values():
        for changes in SETTINGS.values():
            scenario = Scenario(**size, **changes)
            fleet = scenario.fleet()
            assert len(fleet.satellites) == scenario.planes * scenario.satellites_per_plane
            assert fleet.stations == STATIONS[scenario.stations]
    assert Scenario().replace(links="none").fleet().contacts.from_.max() >= 66
    apart = Scenario(links="in planes").fleet().contacts
    between = (apart.from_ < 66) & (apart.to < 66)
    assert between.any() and (apart.from_[between] // 11 == apart.to[between] // 11).all()


def test_the_codec_is_the_measured_one():
    codec = embedding_codec()
    assert codec.ratio == pytest.approx(26.29, rel=1e-3)
    assert contenders()["codec"].sent_image_bytes(tune.spectral_gpt()) == pytest.approx(
        3_145_728 / codec.ratio
    )


def test_no_method_is_quicker_than_the_quickest(out):
    rows = stored(out / "rows", "greedy")
    assert distinct(rows, "method") == list(METHODS)
    for row in rows:
        assert 1.0 - 1e-9 <= row["median"] <= row["p90"] <= row["most"]
        assert 0 <= row["near"] + row["never"] <= row["cases"]


def test_rounds_change_when_a_model_is_ready_and_nothing_else():
    """Training is the same in all schemes in which all take part."""
    case = Case(Scenario(), 0.1, quick=True)
    slow, fast = (TRAINED[name](case) for name in ("all on board", "split, cached"))
    for name in ("accuracy", "cross_entropy", "updates"):
        assert [row[name] for row in slow] == [row[name] for row in fast]
    assert slow[-1]["time_s"] > fast[-1]["time_s"] > 0.0


def test_lost_satellites_never_train():
    case = Case(Scenario(), math.inf, lost=LOST[0], quick=True)
    assert len(case.fleet().satellites) == 60
    for name in ("split, cached, codec", "FedAvg"):
        rows = TRAINED[name](case)
        assert [row["updates"] for row in rows] == [0, 60, 120, 180]


def test_lost_stations_and_links_are_gone():
    assert Case(Scenario(), 0.1, lost=LOST[1]).fleet().stations == ("Inuvik", "Punta Arenas")
    whole, cut = (Case(Scenario(), 0.1, lost=lost).fleet() for lost in ("nothing", LOST[2]))
    between = np.isin(cut.contacts.from_ // 11, (2, 3)) & np.isin(cut.contacts.to // 11, (2, 3))
    assert (cut.contacts.from_[between] // 11 == cut.contacts.to[between] // 11).all()
    assert len(cut.contacts) < len(whole.contacts) and cut.rings == whole.rings


def test_documented_claims_are_those_of_the_stored_rows():
    """`tools/reproduction_docs.py` fills the page from the results of a full run, whose rows it keeps."""
    tables = {file.stem: stored(RESULTS, file.stem) for file in RESULTS.glob("*.csv")}
    judged = tables.pop("claims")
    assert claims(tables) == judged
    page = (DOCS / "satellite-edge.md").read_text(encoding="utf-8")
    assert Table.of(judged).to_markdown().strip() in page


def test_stored_rounds_are_found_again():
    rows = where(stored(RESULTS, "ladder"), **HERE)
    fleet = Scenario().fleet()
    for step in ("codec at the cut", "raw images, cached", "phases overlap"):
        done = tune.schedule_rounds(tune.spectral_gpt(), fleet, steps()[step], rounds=10)
        assert done.delay_s == pytest.approx(only(rows, step=step)["delay_s"], rel=1e-6)


def test_stored_steps_buy_what_the_page_says():
    rows = where(stored(RESULTS, "ladder"), **HERE)
    delay_s = {row["step"]: row["delay_s"] for row in rows}
    assert delay_s["as published"] / delay_s["no all-gather"] == pytest.approx(1.8, abs=0.05)
    assert delay_s["no all-gather"] / delay_s["features cached"] == pytest.approx(10, abs=0.5)
    assert delay_s["features cached"] / delay_s["codec at the cut"] == pytest.approx(7.5, abs=0.5)
    assert 5 * delay_s["raw images, cached"] == pytest.approx(delay_s["features cached"], rel=0.05)
    fair = where(stored(RESULTS, "fair"), scheme="float32, all-gather")
    assert [sum(row["ratio"] < 1.0 for row in fair), len(fair)] == [1, 20]


def test_the_greedy_is_near_where_links_are_fast_alone():
    rows = where(stored(RESULTS, "greedy"), method="intervals")
    assert max(row["median"] for row in rows if row["isl_by_ground"] >= 3) < 1.001
    assert max(row["most"] for row in rows if row["isl_by_ground"] < 0.4) > 1.75
    assert flow.METHODS.keys() >= {"intervals", "direct"}
    third = [row["most"] for row in rows if 0.3 < row["isl_by_ground"] < 0.4]
    assert max(third) == pytest.approx(1.9, abs=0.05)  # as the page says


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"links": "in plane"}, "links: 'in plane' is not one of 'all', 'in planes', 'none'"),
        ({"stations": ["Troll"]}, r"stations: \['Troll'\] is not one of 'one polar', "),
    ],
)
def test_names_that_are_none_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Scenario(**changes)


def test_queues_of_heads_would_leave_asynchronous_training_ahead():
    """What the claim says of contention, from the stored rows: bounded by one uplink for all."""
    rows = where(stored(RESULTS, "trained"), lost="nothing")
    ratios = []
    for codec in ("", ", codec"):
        for alpha in distinct(rows, "alpha"):
            one = only(rows, scheme=f"asynchronous split{codec}", alpha=alpha)
            other = only(rows, scheme=f"split, cached{codec}", alpha=alpha)
            ratios.append((one["target_s"] + one["updates"] * 30_760 * 8 / 1e8) / other["target_s"])
    (claimed,) = [row for row in stored(RESULTS, "claims") if row["claim"].startswith("asynchronous split")]
    assert f"queue for one uplink {figure(min(ratios))} to {figure(max(ratios))}×" in claimed["moves"]


def test_stored_placements_are_what_the_page_says():
    shared = where(stored(RESULTS, "sharing"), tasks=9)
    for seed in distinct(shared, "seed"):
        kept = {
            name: only(shared, seed=seed, variant=name)["memory_bytes"]
            for name in distinct(shared, "variant")
        }
        assert kept["all shared"] < 0.35 * kept["nothing shared"]
        assert kept["all shared"] < kept["encoders shared"] < kept["nothing shared"]
    demand = stored(RESULTS, "demand")
    for seed in distinct(demand, "seed"):
        by_rule = {row["rule"]: row for row in where(demand, seed=seed)}
        assert by_rule["box"]["cost"] == by_rule["upper corner"]["cost"] >= by_rule["nominal"]["cost"]
        assert by_rule["box"]["violated"] == 0.0 < by_rule["nominal"]["violated"]
        bearing = [
            row
            for row in where(stored(RESULTS, "robustness"), objective="cost", seed=seed)
            if row["cost"] == by_rule["nominal"]["cost"] and row["violated"] < 0.01
        ]
        assert 1.02 < bearing[0]["delay_s"] / by_rule["nominal"]["delay_s"] < 1.14
    prices = [where(stored(RESULTS, "robustness"), objective="cost", seed=s)[-1]["price"] for s in (0, 1, 5)]
    assert sorted(price > 0.0 for price in prices) == [False, False, True]
    spikes = where(stored(RESULTS, "degradation"), kind="spike", placed_for="box")
    assert all(row["kept_share"] == 1.0 for row in spikes if row["amount"] <= 2.0)
    beyond = [row["rerouted_share"] / row["kept_share"] for row in spikes if row["amount"] == 3.0]
    assert all(ratio == pytest.approx(2.0, abs=0.25) for ratio in beyond)


def test_no_heuristic_and_no_foresight_beats_what_is_proven():
    for row in stored(RESULTS, "placement-methods"):
        assert not row["over"] < 1.0
    rows = stored(RESULTS, "over-time")
    for row in rows:
        best = only(rows, seed=row["seed"], core="all may move", method="clairvoyant")
        assert best["status"] == "optimal" and row["cost"] >= best["cost"] - 1e-9


def test_stored_prices_are_found_again():
    from constellm.paper.satellite_edge.experiments.sharing import variants
    from constellm.paper.satellite_edge.placements import drawn, nominal, proven

    for seed in (0, 1):
        rows = where(stored(RESULTS, "sharing"), seed=seed, tasks=3)
        found = variants(nominal(drawn(seed, 3)))
        assert [row["variant"] for row in rows] == list(found)
        for row, problem in zip(rows, found.values()):
            plan = proven(problem)
            assert (plan.cost, plan.delay_s) == pytest.approx((row["cost"], row["delay_s"]))
            assert row["services"] == len(problem.services)


def test_several_tasks_of_one_pair_share_in_every_variant():
    from constellm.paper.satellite_edge.experiments.sharing import APART, WHOLE, variants
    from constellm.paper.satellite_edge.placements import drawn, nominal, pairs

    problem = nominal(drawn(0, 3))
    assert [task.name for task in problem.tasks][:2] == ["captioning/Sao Paulo", "captioning.2/Sao Paulo"]
    assert len(problem.tasks) == 4 and len(set(pairs(problem).values())) == 3
    found = variants(problem)
    assert len(found[WHOLE].services) == 3 and len(found[APART].services) == 9


def test_a_decoder_takes_as_long_as_claims_say():
    from constellm.paper.satellite_edge.placements import drawn

    problem = drawn(0, 6)
    (flop,) = (of.flop for of in problem.services if of.name == "decoder")
    times_s = [flop / node.flop_per_s for node in problem.network.nodes]
    assert (min(times_s), max(times_s)) == pytest.approx((0.06, 0.31), abs=0.005)
    (why,) = (row["why"] for row in stored(RESULTS, "claims") if "queues short" in row["claim"])
    assert "from 0.06 to 0.31 s" in why
