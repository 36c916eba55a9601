"""The named scenarios: every value, where it stands, and what may not be."""

from __future__ import annotations

import inspect
import math
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from constellm import codec, model, network, paper
from constellm._core.split import evaluate
from constellm.paper.report.study import parameters_table
from constellm.split import Stage, solve

DOCS = Path(__file__).parents[3] / "docs" / "scenario.md"


def ends(problem):
    return {(link.from_, link.to): link for link in problem.links}


def test_the_ring_of_the_paper():
    problem = paper.collaborative.problem()
    computing, relays, ground = problem.nodes[:5], problem.nodes[5:12], problem.nodes[12]
    peaks = [10.24e12, 27.16e12, 5.17e12, 10.24e12, 27.16e12]
    assert [node.flop_per_s for node in computing] == pytest.approx([0.2 * peak for peak in peaks], rel=1e-3)
    assert [node.power_w for node in computing] == [30, 50, 15, 30, 50]
    assert {node.memory_bytes for node in computing} == {8e9}
    assert {(node.flop_per_s, node.memory_bytes, node.group) for node in relays} == {(0, 0, "relay")}
    assert (ground.id, ground.flop_per_s, ground.memory_bytes, ground.group) == ("ground", 0, 0, "ground")
    links = ends(problem)
    assert len(links) == 2 * 12 + 1
    assert {(link.rate_bps, link.latency_s) for link in links.values() if link.group == "isl"} == {
        (0.5e9, 11.9e-3)
    }
    assert all(
        (f"s{i}", f"s{(i + 1) % 12}") in links and (f"s{(i + 1) % 12}", f"s{i}") in links for i in range(12)
    )
    down = links["s4", "ground"]
    assert (down.rate_bps, down.latency_s, down.group) == (0.8e9, 1.7e-3, "s2g")
    assert (problem.source, problem.sink, problem.micro_batches) == ("s0", "ground", 8)
    assert problem.max_error == paper.collaborative.MAX_ERROR
    assert (problem.error_rule, problem.objective, problem.max_energy_j) == ("sum", "delay", None)
    assert list(problem.codecs) == codec.menu("gumbel-mask")


def test_the_model_of_the_paper():
    problem = paper.collaborative.problem()
    assert len(problem.layers) == 48
    assert {layer.memory_bytes for layer in problem.layers} == {12e9 / 48}
    # A batch of 64 in FP32 is 109.5 MB after a block, 8 of them an eighth.
    assert problem.layers[20].output_bytes == pytest.approx(109.5e6 / 8, rel=1e-3)
    assert sum(layer.flop for layer in problem.layers) == pytest.approx(8 * 967e9, rel=2e-3)
    assert problem.layers[-1].output_bytes == 8 * 45 * 4
    assert problem.input_bytes == 8 * 1920 * 1080 * 3


@pytest.mark.parametrize(("image", "pixels"), [("240p", 426 * 240), ("720p", 1280 * 720), ((100, 50), 5000)])
def test_image_size_changes_the_raw_bytes_only(image, pixels):
    small, large = paper.collaborative.problem(image=image), paper.collaborative.problem()
    assert small.input_bytes == 8 * pixels * 3
    assert small.layers == large.layers and small.network == large.network
    assert paper.collaborative.problem(image=image, bits_per_pixel=12).input_bytes == small.input_bytes / 2


@pytest.mark.parametrize(
    ("name", "layers", "footprint_bytes"),
    [
        ("vit-base/16", 12, 2e9),
        ("vit-large/16", 24, 4e9),
        ("vit-huge/14", 32, 7e9),
        ("vit-gigantic/14", 48, 12e9),
    ],
)
def test_footprints_are_stated_and_spread_evenly(name, layers, footprint_bytes):
    problem = paper.collaborative.problem(name)
    assert [layer.memory_bytes for layer in problem.layers] == [footprint_bytes / layers] * layers
    assert sum(layer.memory_bytes for layer in problem.layers) == pytest.approx(footprint_bytes)
    half = paper.collaborative.problem(name, footprint_bytes=footprint_bytes / 2)
    assert half.layers[0].memory_bytes == footprint_bytes / layers / 2


def test_other_models_keep_what_their_profile_says():
    profile = model.vit("vit-small/16", batch=8)
    assert (
        paper.collaborative.problem("vit-small/16").layers[0].memory_bytes == profile.layers[0].memory_bytes
    )
    given_profile = paper.collaborative.problem(profile)
    assert list(given_profile.layers) == profile.layers
    assert given_profile.input_bytes == 8 * 1920 * 1080 * 3, "raw images, not what the profile takes"


def test_ground_computes():
    ground = paper.collaborative.problem(ground_computes=True).nodes[-1]
    assert ground.flop_per_s == pytest.approx(0.2 * 160e12, rel=0.01)
    assert (ground.memory_bytes, ground.power_w) == (12e9, 285)
    halved = paper.collaborative.problem(ground_computes=True, precision="fp16-tensor-fp32-accumulate").nodes[
        -1
    ]
    assert halved.flop_per_s == ground.flop_per_s / 2


def test_plain_chain():
    problem = paper.collaborative.problem(relays=0)
    pairs = [("s0", "s1"), ("s1", "s2"), ("s2", "s3"), ("s3", "s4"), ("s4", "ground")]
    assert list(ends(problem)) == pairs
    assert problem.nodes == (*problem.nodes[:5], paper.collaborative.problem().nodes[-1])
    assert problem.nodes[:5] == paper.collaborative.problem().nodes[:5]


def test_hand_computed_delay_of_a_plan():
    """Five stages, each cut at 25.82: the terms by the formulas of the file format."""
    problem = paper.collaborative.problem()
    option = next(option.name for option in problem.codecs if option.name.startswith("gumbel-mask-0.221"))
    blocks = [(0, 5), (6, 21), (22, 24), (25, 31), (32, 47)]
    path = ["s0", "s1", "s2", "s3", "s4", "ground"]
    stages = [
        Stage(node=path[i], first_layer=first, last_layer=last, codec=option if i < 4 else None)
        for i, (first, last) in enumerate(blocks)
    ]
    terms = evaluate(problem, path, stages)
    # A block is 24·n·d² and so on: 20.145 GFLOP an image at n = 257, d = 1664, d_ff = 8192.
    block_flop = 8 * (2 * 257 * (4 * 1664**2 + 2 * 1664 * 8192) + 4 * 257**2 * 1664)
    assert problem.layers[1].flop == block_flop
    compute = [16 * block_flop / (0.2 * 27.164672e12), 7 * block_flop / (0.2 * 10.24e12)]
    assert terms.stages[1].time_s == pytest.approx(compute[0], rel=1e-12)
    assert terms.stages[3].time_s == pytest.approx(compute[1], rel=1e-12)
    hop = 8 * (257 * 1664 * 4 * 8) / problem.codecs[4].ratio / 0.5e9
    assert problem.codecs[4].name == option
    assert [term.time_s for term in terms.hops] == pytest.approx([hop] * 4 + [8 * 1440 / 0.8e9], rel=1e-12)
    # The whole batch of 64 takes 68 ms on an inter-satellite link, as the compression ladder has it.
    assert 8 * hop == pytest.approx(68e-3, rel=0.01)
    bottleneck = max(term.time_s for term in terms.stages)
    total = sum(term.time_s for term in terms.stages) + 4 * (hop + 11.9e-3) + 8 * 1440 / 0.8e9 + 1.7e-3
    assert terms.delay_s == pytest.approx(total + 7 * bottleneck, rel=1e-12)
    assert terms.error == pytest.approx(paper.collaborative.MAX_ERROR, rel=1e-12)
    assert terms.broken_limits == [], "four cuts at the paper's ratio are what the limit allows"


@pytest.mark.parametrize(("s2g_rate_bps", "speed_up"), [(0.8e9, 1.63), (0.4e9, 1.96), (0.2e9, 3.32)])
def test_speed_up_over_ground_only_at_1080p(s2g_rate_bps, speed_up):
    """Against an independent planner's figures for these assumptions."""
    plan = solve(paper.collaborative.problem(s2g_rate_bps=s2g_rate_bps))
    assert plan.status == "optimal"
    ground = paper.collaborative.problem(s2g_rate_bps=s2g_rate_bps, ground_computes=True)
    below = evaluate(
        ground, ["s0", "s1", "s2", "s3", "s4", "ground"], [Stage(node="ground", first_layer=0, last_layer=47)]
    )
    assert below.delay_s / plan.delay_s == pytest.approx(speed_up, rel=0.01)


def test_the_error_limit_couples_the_cuts():
    plan = solve(paper.collaborative.problem())
    assert plan.error <= paper.collaborative.MAX_ERROR
    assert len({stage.codec for stage in plan.stages[:-1]}) > 1, "cuts share one budget unequally"
    assert solve(paper.collaborative.problem(max_error=None)).delay_s < plan.delay_s
    assert solve(paper.collaborative.problem(max_error=0.1)).delay_s > plan.delay_s


def test_a_ground_that_computes_takes_most_layers():
    plan = solve(paper.collaborative.problem(ground_computes=True))
    assert plan.delay_s == pytest.approx(1.9, rel=0.03)
    last = plan.stages[-1]
    assert last.node == "ground" and last.last_layer - last.first_layer + 1 > 24


def test_numpy_values_serve_as_arguments():
    assert (
        paper.collaborative.problem(
            micro_batches=np.int64(8),
            relays=np.int32(7),
            power_modes_w=np.array([30, 50, 15, 30, 50]),
            s2g_rate_bps=np.float64(0.8e9),
            image=np.str_("1080p"),
        )
        == paper.collaborative.problem()
    )


def test_stronger_compression_everywhere_breaks_the_error_limit():
    problem = paper.collaborative.problem()
    blocks = [(0, 9), (10, 19), (20, 29), (30, 39), (40, 47)]
    stages = [
        Stage(
            node=f"s{i}", first_layer=first, last_layer=last, codec=problem.codecs[3].name if i < 4 else None
        )
        for i, (first, last) in enumerate(blocks)
    ]
    found = evaluate(problem, ["s0", "s1", "s2", "s3", "s4", "ground"], stages)
    assert found.error > paper.collaborative.MAX_ERROR and len(found.broken_limits) == 1


def test_propagation_is_that_of_the_ring():
    values = {parameter.name: parameter.value for parameter in paper.collaborative.PARAMETERS}
    length_m = network.ring_hop_m(values["satellites of the ring"], altitude_m=values["altitude of the ring"])
    assert length_m / network.LIGHT_M_PER_S == pytest.approx(values["propagation_s"], abs=0.05e-3)
    overhead_s = values["altitude of the ring"] / network.LIGHT_M_PER_S
    assert overhead_s == pytest.approx(values["s2g_propagation_s"], abs=0.05e-3)


def test_every_default_stands_in_the_table():
    values = {parameter.name: parameter.value for parameter in paper.collaborative.PARAMETERS}
    assert len(values) == len(paper.collaborative.PARAMETERS)
    for name, keyword in inspect.signature(paper.collaborative.problem).parameters.items():
        if name != "name":
            assert values[name] == keyword.default, name
    assert {parameter.status for parameter in paper.collaborative.PARAMETERS} == {
        "stated",
        "derived",
        "assumed",
    }
    assert all(parameter.source for parameter in paper.collaborative.PARAMETERS)
    assert values["relays"] == values["satellites of the ring"] - len(values["power_modes_w"])


def test_table_agrees_with_the_scenario():
    values = {parameter.name: parameter.value for parameter in paper.collaborative.PARAMETERS}
    peaks = [network.device(f"jetson-agx-orin-{mode}w", utilisation=1) for mode in (15, 30, 50)]
    assert [peak.peak_flop_per_s for peak in peaks] == list(values["peaks of the Orin at 15, 30, 50 W"])
    assert [network.DEVICES[peak.name]["clock_hz"] for peak in peaks] == list(
        values["clocks of the Orin at 15, 30, 50 W"]
    )
    server = network.device("rtx-4070-ti", utilisation=1)
    assert server.peak_flop_per_s == pytest.approx(values["peak of the ground's RTX 4070 Ti"], rel=1e-12)
    problem = paper.collaborative.problem()
    assert values["place of the source"] == problem.source
    assert (values["place of the ground link"], "ground") in ends(problem)
    assert problem.layers[-1].output_bytes == 8 * values["classes of the head"] * 4
    assert {node.tx_power_w for node in problem.nodes} == {values["transmit power"]}
    assert {option.encode_s_per_byte for option in problem.codecs} == {values["encode and decode time"]}


def test_documentation_shows_the_table():
    begin, end = "<!-- parameters -->\n", "\n<!-- end of parameters -->"
    shown = DOCS.read_text(encoding="utf-8").split(begin)[1].split(end)[0]
    assert shown + "\n" == parameters_table(paper.collaborative.PARAMETERS).to_markdown()


def test_edge_boards():
    problem = paper.collaborative.edge_boards()
    measured = model.pipeedge("google/vit-base-patch16-224")
    assert [node.id for node in problem.nodes] == [
        *(f"Minnowboard-E3845-{i}" for i in range(4)),
        *(f"RCC-VE-C2000-{i}" for i in range(4)),
    ]
    assert sum(problem.nodes[0].layer_time_s) == pytest.approx(13.058, abs=5e-4)
    assert sum(problem.nodes[4].layer_time_s) == pytest.approx(10.386, abs=5e-4)
    assert problem.nodes[0].memory_bytes == 2048e6
    assert {(link.rate_bps, link.latency_s) for link in problem.links} == {(1e9, 0.0)}
    assert [layer.output_bytes for layer in problem.layers[:3]] == [302592 * 32, 151296 * 32, 756480 * 32]
    assert list(problem.layers) == measured.profile.layers
    assert problem.input_bytes == 150528 * 32
    assert (problem.source, problem.sink) == ("Minnowboard-E3845-0", "RCC-VE-C2000-3")


def test_edge_boards_in_other_numbers():
    problem = paper.collaborative.edge_boards(
        "google/vit-large-patch16-224", boards={"RCC-VE-C2000": 1}, micro_batches=3
    )
    assert (len(problem.layers), len(problem.nodes), problem.links, problem.micro_batches) == (96, 1, (), 3)
    assert sum(problem.nodes[0].layer_time_s) == pytest.approx(35.840, abs=5e-4)


@given(
    micro_batches=st.sampled_from([1, 2, 4, 8, 16, 32, 64]),
    modes=st.lists(st.sampled_from([15, 30, 50]), min_size=1, max_size=6),
    relays=st.integers(0, 5),
    utilisation=st.floats(0.01, 1.0),
)
def test_parts_add_up_to_the_whole(micro_batches, modes, relays, utilisation):
    if relays > 0 and len(modes) + relays < 3:
        relays = 0
    problem = paper.collaborative.problem(
        micro_batches=micro_batches, power_modes_w=modes, relays=relays, utilisation=utilisation
    )
    assert problem.micro_batches * problem.input_bytes == 64 * 1920 * 1080 * 3
    assert problem.micro_batches * problem.layers[5].flop == pytest.approx(64 * 20.145e9, rel=1e-3)
    assert len(problem.nodes) == len(modes) + relays + 1
    assert all(node.flop_per_s <= 28e12 * utilisation for node in problem.nodes)
    assert pickle.loads(pickle.dumps(problem)) == problem


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"model": "vit-tremendous/14"}, ValueError, "'vit-tremendous/14' is neither a file nor one of"),
        ({"model": model.vit("vit-base/16", batch=4)}, ValueError, "model: for 4 images, .* is 8"),
        ({"image": "4k"}, ValueError, "4k"),
        ({"bits_per_pixel": 0}, ValueError, "bits_per_pixel: 0"),
        ({"batch": 0}, ValueError, r"batch: 0 is not in \[1, inf\)"),
        ({"batch": 64.0}, TypeError, "batch: expected an integer"),
        ({"micro_batches": 7}, ValueError, "micro_batches: 7 does not divide batch = 64"),
        ({"micro_batches": True}, TypeError, "micro_batches: expected an integer"),
        ({"power_modes_w": (30, 60)}, ValueError, r"power_modes_w\[1\]: 60 is not one of 15, 30, 50"),
        ({"power_modes_w": ()}, ValueError, "power_modes_w: "),
        ({"relays": -1}, ValueError, r"relays: -1 is not in \[0, inf\)"),
        ({"relays": 1, "power_modes_w": (30,)}, ValueError, r"relays: "),
        ({"relays": 2.0}, TypeError, "relays: expected an integer"),
        ({"precision": "int8"}, ValueError, "precision: 'int8'"),
        ({"utilisation": 1.5}, ValueError, r"utilisation: 1.5 is not in \(0, 1\]"),
        ({"memory_bytes": -1}, ValueError, "memory_bytes: -1"),
        ({"footprint_bytes": math.nan}, ValueError, "nan"),
        ({"isl_rate_bps": 0}, ValueError, "rate_bps: 0"),
        ({"s2g_propagation_s": -1}, ValueError, "latency_s: -1"),
        ({"codecs": []}, ValueError, "codecs"),
        ({"max_error": -0.1}, ValueError, "max_error: -0.1"),
        ({"name": "two words"}, ValueError, "name: 'two words'"),
        ({"s2g_rate": 1e9}, TypeError, "s2g_rate"),
    ],
)
def test_bad_scenarios(change, error, says):
    with pytest.raises(error, match=says):
        paper.collaborative.problem(**change)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"model": "vit-base/16"}, ValueError, "vit-base/16"),
        ({"boards": {"Pi": 4}}, ValueError, "boards: 'Pi' is not one of 'Minnowboard-E3845', 'RCC-VE-C2000'"),
        ({"boards": {}}, ValueError, "boards: names no board"),
        ({"boards": {"RCC-VE-C2000": 0}}, ValueError, r"boards\['RCC-VE-C2000'\]: 0 is not in \[1, inf\)"),
        ({"boards": {"RCC-VE-C2000": 1.5}}, TypeError, "expected an integer, got 1.5"),
        ({"rate_bps": 0}, ValueError, "rate_bps: 0"),
        ({"micro_batches": 0}, ValueError, "micro_batches: 0"),
    ],
)
def test_bad_boards(change, error, says):
    with pytest.raises(error, match=says):
        paper.collaborative.edge_boards(**change)
