"""Published measurements: PipeEdge's layer times and PipeDream's graphs."""

from __future__ import annotations

import os
from pathlib import Path

import networkx
import numpy as np
import pytest

from constellm import model
from constellm.model import measured

BOARDS = {"Minnowboard-E3845": (13.058, 44.518), "RCC-VE-C2000": (10.386, 35.840)}


@pytest.mark.parametrize(("size", "column", "layers"), [("base", 0, 48), ("large", 1, 96)])
def test_pipeedge(size, column, layers) -> None:
    table = model.pipeedge(f"google/vit-{size}-patch16-224")
    assert len(table.profile) == layers
    assert {name: round(sum(times), 3) for name, times in table.device_times.items()} == {
        name: totals[column] for name, totals in BOARDS.items()
    }
    # The computed cuts are the measured ones.
    computed = model.vit(f"vit-{size}/16", batch=8, granularity="sub-block")
    np.testing.assert_array_equal(table.profile.array("output_bytes"), computed.array("output_bytes"))
    np.testing.assert_array_equal(table.profile.array("flop"), computed.array("flop"))
    assert table.profile.input_bytes == computed.input_bytes == 150528 * 4 * 8
    assert table.device_memory_bytes == {"Minnowboard-E3845": 2048e6, "RCC-VE-C2000": 8192e6}
    assert set(table.device_rate_bps.values()) == {1e9}


def test_pipeedge_files_are_the_shipped_table() -> None:
    data = os.environ.get("CONSTELLM_DATA")
    if not data:
        pytest.skip("CONSTELLM_DATA is not set")
    tables = model.read_pipeedge(Path(data) / "pipeedge_vit_profiles")
    assert sorted(tables) == ["google/vit-base-patch16-224", "google/vit-large-patch16-224"]
    for name, table in tables.items():
        assert table == model.pipeedge(name)


def test_pipeedge_yaml(tmp_path) -> None:
    pytest.importorskip("yaml")
    (tmp_path / "models.yml").write_text(
        "none: {layers: 0, mem_MB: [], parameters_in: 0, parameters_out: []}\n"
        "mine: {layers: 2, mem_MB: [1, 2.5], parameters_in: 10, parameters_out: [4, 3]}\n",
        encoding="utf-8",
    )
    profile = "[{batch_size: 2, dtype: torch.float16, time_s: %s}]"
    devices = f"board: {{bw_Mbps: 10, mem_MB: 64, model_profiles: {{mine: {profile}}}}}\n"
    (tmp_path / "device_types.yml").write_text(devices % "[0.5, 0.25]", encoding="utf-8")
    table = model.read_pipeedge(tmp_path)["mine"]
    assert list(table.profile.array("memory_bytes")) == [1e6, 2.5e6]
    assert list(table.profile.array("output_bytes")) == [4 * 2 * 2, 3 * 2 * 2]
    assert table.profile.flop == 0
    assert table.device_times == {"board": [0.5, 0.25]}
    (tmp_path / "device_types.yml").write_text(devices % "[0.5]", encoding="utf-8")
    with pytest.raises(ValueError, match=r"mine\.board\.time_s: 1 values are not 2"):
        model.read_pipeedge(tmp_path / "models.yml", tmp_path / "device_types.yml")


MODELS = "mine: {layers: 1, mem_MB: [1], parameters_in: 10, parameters_out: [4]}\n"
DEVICES = """\
board: {bw_Mbps: 10, mem_MB: 64, model_profiles: {mine: [{batch_size: 2, dtype: torch.float16, time_s: [1]}]}}
"""
BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi")
)


@pytest.mark.parametrize(
    ("models", "devices", "error", "told"),
    [
        ("a: [", DEVICES, ValueError, r"models\.yml is no YAML: while parsing a flow"),
        ("a: " + "[" * 20_000, DEVICES, ValueError, "it is nested too deeply"),
        (BOMB, DEVICES, ValueError, "more than 1000000 values, aliases written out"),
        ("a: &a {layers: *a}", DEVICES, ValueError, "more than 1000000 values"),
        ("- 1\n", DEVICES, ValueError, "expected a mapping, got list"),
        ("mine: 3\n", DEVICES, TypeError, "mine: expected a mapping, got 3"),
        ("1: {layers: 1}\n", DEVICES, TypeError, "models: expected names, got 1"),
        (MODELS.replace("layers: 1, ", ""), DEVICES, ValueError, "mine: missing key 'layers'"),
        (
            MODELS.replace("layers: 1", "layers: 1.0"),
            DEVICES,
            TypeError,
            r"mine\.layers: .* integer, got 1\.0",
        ),
        (
            MODELS.replace("[4]", "[-4]"),
            DEVICES,
            ValueError,
            r"mine\.parameters_out\[0\]: -4 is not in",
        ),
        (
            MODELS.replace("[1]", "one"),
            DEVICES,
            TypeError,
            r"mine\.mem_MB: expected a list .*, got 'one'",
        ),
        (MODELS.replace("10", ".nan"), DEVICES, ValueError, r"mine\.parameters_in: nan is not in \[0, inf"),
        (MODELS, DEVICES.replace("64", "x"), TypeError, r"board\.mem_MB: expected a number, got 'x'"),
        (MODELS, DEVICES.replace("bw_Mbps: 10, ", ""), ValueError, "board: missing key 'bw_Mbps'"),
        (MODELS, "board: 3\n", TypeError, "board: expected a mapping, got 3"),
        (MODELS, DEVICES.replace("[{", "{").replace("}]", "}"), TypeError, r"mine: expected a list, got \{"),
        (MODELS, DEVICES.replace("size: 2", "size: []"), TypeError, r"board\.mine\.batch_size: .* got \[\]"),
        (MODELS, DEVICES.replace("[1]", "[.inf]"), ValueError, r"mine\.board\.time_s\[0\]: inf is not in"),
    ],
)
def test_pipeedge_tables_are_refused_by_name(tmp_path, models, devices, error, told) -> None:
    pytest.importorskip("yaml")
    (tmp_path / "models.yml").write_text(models, encoding="utf-8")
    (tmp_path / "device_types.yml").write_text(devices, encoding="utf-8")
    with pytest.raises(error, match=told):
        model.read_pipeedge(tmp_path)


@pytest.mark.parametrize(
    ("name", "layers", "parameters", "input_bytes"),
    [
        ("vgg16", 40, 138_357_544, 128 * 3 * 224**2 * 4),
        ("resnet50", 176, 25_557_032, 128 * 3 * 224**2 * 4),
        ("gnmt", 25, 193_765_952, 0),
    ],
)
def test_pipedream(name, layers, parameters, input_bytes) -> None:
    table = model.pipedream(name)
    assert len(table.profile) == len(table.device_times["gpu"]) == layers
    assert table.profile.parameters == parameters
    assert table.profile.input_bytes == input_bytes


@pytest.mark.parametrize("name", ["vgg16", "resnet50"])
def test_a_cut_carries_every_tensor_that_crosses(name) -> None:
    """Against networkx, from the edges: outputs of operators before a cut with a reader behind it."""
    operators, edges = measured._parse_graph(measured.DATA / "pipedream" / f"{name}.txt")
    graph = networkx.DiGraph(edges)
    order = list(networkx.lexicographical_topological_sort(graph))
    place = {node: i for i, node in enumerate(order)}
    inputs = [node for node in order if operators[node].is_input]
    expected = []
    for cut in range(len(inputs), len(order)):
        crossing = {a for a, b in edges if place[a] < cut + 1 <= place[b]}
        expected.append(sum(operators[node].output_bytes for node in crossing))
    expected[-1] = operators[order[-1]].output_bytes
    assert order[: len(inputs)] == inputs
    table = model.pipedream(name)
    np.testing.assert_array_equal(table.profile.array("output_bytes"), expected)
    data_loading = sum(operators[node].time_s for node in inputs)
    every_time = sum(operator.time_s for operator in operators.values())
    assert sum(table.device_times["gpu"]) == pytest.approx(every_time - data_loading)
    assert data_loading > 0


def test_skip_connections_cost_more_than_the_chain() -> None:
    """In a residual block the shortcut travels beside the branch: 1x1 convolutions, 56 x 56, batch 128."""
    output = model.pipedream("resnet50").profile.array("output_bytes")
    names = [layer.name for layer in model.pipedream("resnet50").profile.detail]
    narrow, wide = 128 * 56 * 56 * 64 * 4, 128 * 56 * 56 * 256 * 4
    second_block = names.index("node18 Conv2d")
    assert output[second_block - 1] == wide
    assert output[second_block] == wide + narrow


def graph_file(path, lines: str):
    path.write_text(lines, encoding="utf-8")
    return path


def node(identity: int, label: str, size: str, ms: float = 1.0) -> str:
    return (
        f"node{identity} -- {label} -- forward_compute_time={ms:.3f}, backward_compute_time=0.000, "
        f"activation_size={size}, parameter_size=8.000\n"
    )


def test_tuples_are_picked_apart_and_late_inputs_travel(tmp_path) -> None:
    path = graph_file(
        tmp_path / "graph.txt",
        node(1, "Input0", "100.0", 9.0)
        + node(2, "Input1", "1000.0", 9.0)
        + node(3, "LSTM(4, 4)", "[10.0; 20.0; 30.0]")
        + node(4, "__getitem__(0)", "10.0", 0.0)
        + node(5, "__getitem__(1)", "20.0", 0.0)
        + node(6, "Linear(4)", "5.0")
        + node(7, "Add", "7.0")
        + "\tnode1 -- node3\n\tnode3 -- node4\n\tnode3 -- node5\n\tnode4 -- node6\n"
        + "\tnode6 -- node7\n\tnode4 -- node7\n\tnode2 -- node7",
    )
    table = model.read_pipedream(path)
    assert [layer.name for layer in table.profile.detail] == ["node3 LSTM", "node6 Linear", "node7 Add"]
    # The first item is read twice, the second never; the second input waits for the last operator.
    assert list(table.profile.array("output_bytes")) == [1000 + 10, 1000 + 10 + 5, 7]
    assert table.profile.input_bytes == 1100
    assert table.device_times == {"gpu": [1e-3, 1e-3, 1e-3]}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("hello\n", "line 1: neither a node nor an edge"),
        (node(1, "Input", "1.0"), "no operator but inputs"),
        (node(1, "ReLU", "1.0") + "\tnode1 -- node2", "names node2, which has no line"),
        (node(1, "ReLU", "1.0") + node(2, "Add", "1.0") + "\tnode1 -- node2\n\tnode2 -- node1", "cycle"),
    ],
)
def test_bad_graphs(tmp_path, lines, message) -> None:
    with pytest.raises(ValueError) as error:
        model.read_pipedream(graph_file(tmp_path / "graph.txt", lines))
    assert message in str(error.value)


def test_unknown_names() -> None:
    with pytest.raises(ValueError, match="model: 'vgg19' is not one of gnmt, resnet50, vgg16"):
        model.pipedream("vgg19")
    with pytest.raises(ValueError, match="model: 'x' is not one of google/vit-base"):
        model.pipeedge("x")


def test_byte_order_marks_are_no_part_of_measured_files(tmp_path) -> None:
    graph = (measured.DATA / "pipedream" / "vgg16.txt").read_text(encoding="utf-8")
    (tmp_path / "vgg16.txt").write_text(graph, encoding="utf-8-sig")
    assert model.read_pipedream(tmp_path / "vgg16.txt") == model.pipedream("vgg16")
