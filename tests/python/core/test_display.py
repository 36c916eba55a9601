"""Displays in notebooks: tables that tell what they hold in any theme."""

from __future__ import annotations

import math
import re
import sys

import numpy as np
import pytest

import constellm as clm
from constellm.core import progress
from constellm.core.display import Display
from constellm.core.quantity import common_prefix, cut_in_the_middle
from constellm.core.table import Table


@pytest.fixture(scope="module")
def problem():
    return clm.paper.collaborative.problem(relays=0)


def values(problem):
    ring = clm.network.ring(60, flop_per_s=[1e12] * 30 + [2e12] * 30, memory_bytes=8e9, rate_bps=1e9)
    graph = clm.network.Graph(["a", "b"], from_=[0], to=[1], rate_bps=1e9, latency_s=0.01, group="isl")
    timeline = clm.network.Timeline([0.0, 5.0], [graph, graph], end_s=60.0)
    plan = clm.split.solve(problem)
    return {
        "network": (problem.network, "source s0, sink ground"),
        "large graph": (clm.network.Graph.from_network(ring), "1 TFLOP/s to 2 TFLOP/s"),
        "graph": (graph, "10 ms"),
        "nodes": (graph.nodes, "relays only"),
        "timeline": (timeline, "Timeline: 2 snapshots from 0 s to 60 s"),
        "snapshot": (timeline[0], "Snapshot at 0 s, holds for 5 s"),
        "contacts": (timeline.contacts, "Contacts: 1"),
        "contact plan": (clm.network.ContactPlan.from_timeline(timeline), "1 Gbit/s"),
        "menu": (clm.codec.none() + clm.codec.quantise(bits=[4]), "quantise-4"),
        "front": (clm.split.pareto_front(problem, ("delay_s", "error")), "delay (s)"),
        "comparison": (clm.split.compare(problem, ["uniform", "optimal"]), "× uniform"),
        "plan": (plan, "Stages, per micro-batch"),
        "evaluation": (clm.split.evaluate(problem, plan), "Hops, per micro-batch"),
        "calibration": (clm.infer.calibration(), "promised loss"),
        "profile": (clm.model.vit("vit-base/16"), "work (GFLOP)"),
        "passes": (clm.model.generation("llama-3-8b", prompt_tokens=8, new_tokens=8), "llama-3-8b decode"),
        "schedule": (clm.split.schedule(plan), "last finish"),
        "images": (clm.images.synthetic(11), "AnnualCrop"),
        "node": (problem.nodes[0], "2.05 TFLOP/s"),
        "link": (problem.links[0], "500 Mbit/s"),
        "codec": (problem.codecs[0], "ratio"),
        "stage": (plan.stages[0], "first layer"),
        "infeasibility": (clm.split.solve(problem.replace(max_error=1e-3)).infeasibility, "least error"),
    }


def test_every_value_shows_itself(problem):
    for name, (value, words) in values(problem).items():
        html, text = value._repr_html_(), value.summary()
        assert html.startswith('<div class="constellm">') and html.endswith("</div>"), name
        assert words in html and words in text, name
        assert len(repr(value)) < 300 or name in ("evaluation", "passes"), name


def test_what_is_wide_scrolls_below_a_head_that_stays(problem):
    for name, (value, _) in values(problem).items():
        head, *boxes = value._repr_html_().split('<div class="wide">')
        assert boxes and "<table" not in head and "<svg" not in head, name
        assert all(box.count("<table") + box.count("<svg") == 1 for box in boxes), name


def test_a_network_says_what_it_is_in_a_line(problem):
    assert repr(problem.network).startswith("Network(")
    assert repr(problem.network).endswith("links, source 's0', sink 'ground')")


def test_figures_of_records_have_their_units_and_three_digits():
    told = clm.network.Node(id="n", flop_per_s=1.23456e12, memory_bytes=8e9).summary()
    assert "  speed             1.23 TFLOP/s\n" in told and "  codec time scale  1\n" in told
    assert clm.codec.none()[0].replace(error=0.4701).summary().count("0.47\n") == 1


def test_a_plan_says_in_a_line_what_it_is(problem):
    plan, other = clm.split.solve(problem), clm.split.solve(problem, method="uniform")
    assert re.fullmatch(r"Plan\('.*': optimal, delay 5\.\d+ s, 4 stages, 12\.2 MB\)", repr(plan))
    assert repr(other).endswith(" MB, method uniform)")
    assert repr(clm.split.solve(problem.replace(max_error=1e-3))).endswith("': infeasible (error))")


def test_one_is_singular():
    alone = clm.network.Network(nodes=[clm.network.Node(id="n", flop_per_s=1e12, memory_bytes=1e9)], links=[])
    layer = clm.model.Layer(name="l", flop=1e9, memory_bytes=1.0, output_bytes=1.0)
    problem = clm.split.Problem(
        network=alone, source="n", sink="n", layers=[layer], input_bytes=1.0, codecs=clm.codec.none()
    )
    sizes = "1 layer, 1 node, 0 links, 1 codec"
    assert repr(problem) == f"Problem('problem': {sizes}, 1 micro-batch, objective delay)"
    assert problem.summary().startswith(f"Problem: {sizes}\n")
    assert "1 stage, " in repr(clm.split.solve(problem))
    assert repr(clm.split.pareto_front(problem)).startswith("ParetoFront(1 plan by ")
    assert repr(clm.split.compare(problem, ["optimal"])).endswith(": 1 method)")
    assert repr(clm.images.synthetic(1, classes=["River"])) == (
        "ImageSet('synthetic', 1 image of 64 × 64 px, 1 class)"
    )


def test_a_menu_is_a_list():
    menu = clm.codec.quantise(bits=[4, 8])
    assert isinstance(menu, list) and menu == list(menu)
    for joined in (menu + list(menu), list(menu) + menu):
        assert type(joined) is type(menu) and len(joined) == 4
    with pytest.raises(TypeError):
        menu + (menu[0],)  # noqa: RUF005


def test_generation_shows_both_phases():
    passes = clm.model.generation("llama-3-8b", prompt_tokens=512, new_tokens=128)
    network = clm.network.chain(4, flop_per_s=40e12, memory_bytes=8e9, rate_bps=2.5e9, two_way=True)
    prefill = clm.split.Problem(model=passes.prefill, network=network, codecs=clm.codec.none())
    asked = clm.split.GenerationProblem(
        prefill=prefill, decode=passes.decode, new_tokens=128, memory_bandwidth_bytes_per_s=200e9
    )
    found = clm.split.solve_generation(asked)
    assert "memory bandwidth 200 GB/s" in asked.summary() and "array" not in repr(asked)
    assert "first token after 207 ms, then 75.5 ms a token" in found.summary()
    assert "<svg" in found._repr_html_() and "array" not in repr(found)
    nowhere = clm.split.GenerationProblem(
        prefill=prefill.replace(nodes=[node.replace(memory_bytes=1.0) for node in prefill.nodes]),
        decode=passes.decode, new_tokens=128,
    )  # fmt: skip
    assert "infeasible" in clm.split.solve_generation(nowhere).summary()


def test_a_bandwidth_in_bits_is_an_old_name(problem):
    decode = np.ones((len(problem.layers), 3))
    with pytest.warns(DeprecationWarning, match="memory_bandwidth_bytes_per_s"):
        old = clm.split.GenerationProblem(problem, decode, 2, memory_bandwidth_bps=8e9)
    assert old == clm.split.GenerationProblem(problem, decode, 2, memory_bandwidth_bytes_per_s=1e9)
    with pytest.warns(DeprecationWarning, match="bit/s"):
        assert old.memory_bandwidth_bps == 8e9
    state = {**old.__dict__, "memory_bandwidth_bps": 8e9}
    del state["memory_bandwidth_bytes_per_s"]
    state["_arguments"] = {**old._arguments, "memory_bandwidth_bps": [8e9] * len(problem.nodes)}
    del state["_arguments"]["memory_bandwidth_bytes_per_s"]
    again = object.__new__(clm.split.GenerationProblem)
    again.__setstate__(state)
    assert again == old


def test_every_column_has_one_unit():
    rows = [{"id": "a_b", "delay_s": 0.0032, "bytes": 1661920.0}, {"id": "c", "delay_s": 1.5, "bytes": 3e9}]
    table = Table.of([*rows, {"id": "d", "delay_s": math.nan, "bytes": 2e6}])
    assert table.with_units_in_head().to_text() == (
        "id   delay (s)  data (MB)\na_b  0.0032     1.66\nc    1.5        3000\nd    –          2\n"
    )
    assert table.to_latex().splitlines()[:5] == [
        r"\begin{tabular}{lrr}",
        r"\toprule",
        r"id & delay (s) & data (MB) \\",
        r"\midrule",
        r"a\_b & 0.0032 & 1.662 \\",
    ]


def test_latex_is_escaped():
    text = Table(("a & b",), ((r"x_1 \ 50 % {é} # ~ ^ $ → µ",),)).to_latex()
    assert r"a \& b \\" in text
    assert (
        r"x\_1 \textbackslash{} 50 \% \{é\} \# \textasciitilde{} \textasciicircum{} \$ $\to$ \textmu{} \\"
        in text
    )


def test_long_ids_are_cut_in_the_middle():
    assert cut_in_the_middle("starlink-550/3/7", 16) == "starlink-550/3/7"
    assert cut_in_the_middle("starlink-550/3/7", 10) == "starl…/3/7"


def test_prefixes():
    assert common_prefix([1e6, math.nan, 2e3], "B") == ("M", 1e6)
    assert common_prefix([], "B") == ("", 1.0)


def test_names_stay_text():
    html = Display(["<b>"], [Table(("<i>",), (("<u>",),))]).html()
    assert "&lt;b&gt;" in html and "&lt;i&gt;" in html and "&lt;u&gt;" in html


def test_long_cells_wrap_and_figures_stand_right():
    html = Table(("words", "delay"), (("x" * 33, "3.2 ms"), ("–", "4 s"))).to_html()
    assert '<td class="long">' in html and '<td class="figure">3.2 ms</td>' in html
    assert '<th>words</th><th class="figure">delay</th>' in html


def test_bars_show_to_who_waits_alone(monkeypatch, capsys):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(progress, "_PATIENCE_S", 0.0)

    def shown():
        with progress.bar(2, unit="plans") as move_on:
            move_on(1)
            move_on(1)
        return capsys.readouterr().err

    assert not progress.watched() and shown() == ""
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert progress.watched() and "/2 [" in shown()
    monkeypatch.setenv("TQDM_DISABLE", "1")
    assert not progress.watched() and shown() == ""


def test_a_bar_that_is_asked_for_says_what_it_needs(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with progress.bar(2, unit="plans") as move_on:
        move_on(1)
    with pytest.raises(ImportError, match=r"constellm\[sweep\]"), progress.bar(2, unit="x", progress=True):
        pass


def test_waiting_tells_how_long_and_cleans_up(monkeypatch, capsys):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(progress, "_shows", lambda asked: True)
    monkeypatch.setattr(progress, "_PATIENCE_S", 0.0)
    task = progress._Task("solve", 60.0)
    task.tell()
    task.bar.close()
    assert "solve 0 s of at most 60 s" in capsys.readouterr().err
    with progress.waiting("solve", limit_s=math.inf):
        assert len(progress._watch._tasks) == 1
    assert progress._watch._tasks == []
