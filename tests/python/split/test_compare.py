"""The table of a comparison."""

from __future__ import annotations

import csv
import io
import json
import math

import pytest

from constellm import codec, paper, split
from constellm.codec import Codec
from constellm.model import Layer
from constellm.network import Node
from constellm.split.comparison import COLUMNS

EXAMPLES = (
    "energy-limit", "error-limit", "infeasible", "measured-times", "node-overhead", "per-layer-codec",
    "relay-lossy", "root-sum-square", "source-is-sink", "three-stages-lossy", "throughput",
)  # fmt: skip


@pytest.fixture(scope="module")
def problem():
    return paper.collaborative.problem(ground_computes=True)


@pytest.fixture(scope="module")
def table(problem):
    return split.compare(problem)


def example(repository, name):
    return split.load_problem(repository / "tests" / "data" / "split" / f"{name}.json")


def test_all_methods_by_default(problem, table):
    names = [row["method"] for row in table]
    assert len(names) == len(table) == len(set(names))
    assert {f"fixed:{c.name}" for c in problem.codecs} < set(names)
    assert {"optimal", "galaxy", "pipeedge", "uniform"} < set(names)
    assert not {"quantise-only", "top-k-only"} & set(names)
    assert all(list(row) == list(COLUMNS) for row in table)


def test_families_join_when_the_menu_has_them(problem):
    both = problem.replace(codecs=codec.quantise(bits=[4, 8]) + codec.top_k(keep=[0.1]), max_error=None)
    table = split.compare(both, ["quantise-only", "top-k-only", "fixed:quantise-8", "optimal"])
    delays = [row["delay_s"] for row in table]
    assert min(delays) == delays[-1]
    assert delays[0] <= delays[2] * (1 + 1e-12)


def test_figures_are_the_evaluators(problem, table):
    for name in ("ground-only", "uniform", "scalar-a-star", "optimal"):
        plan = split.solve(problem, method=name)
        terms = split.evaluate(problem, plan)
        for figure in ("delay_s", "bottleneck_s", "bytes", "error", "energy_j"):
            assert table[name][figure] == getattr(terms, figure)


def test_speed_up_and_gap(table):
    ground, best = table["ground-only"], table["optimal"]
    assert table.reference == "ground-only" and ground["speed_up"] == 1.0
    assert best["speed_up"] == pytest.approx(ground["delay_s"] / best["delay_s"])
    assert best["gap"] <= 1e-9
    assert ground["gap"] == pytest.approx(1 - best["delay_s"] / ground["delay_s"])
    # no bound for another menu, another delay model, or no plan
    assert all(
        math.isnan(table[name]["gap"]) for name in ("pipeedge", "no-pipeline", "galaxy", "single-best")
    )


def test_rows_name_their_delay_model(problem, table):
    models = {row["method"]: row["delay_model"] for row in table}
    assert models.pop("no-pipeline") == "sequential"
    assert models.pop("galaxy") == "tensor parallel"
    assert set(models.values()) == {"pipeline"}
    plan = split.solve(problem, method="no-pipeline")
    overlapped = (problem.micro_batches - 1) * plan.bottleneck_s
    assert table["no-pipeline"]["delay_s"] == pytest.approx(
        problem.micro_batches * (plan.delay_s - overlapped)
    )


def test_added_codecs_and_broken_limits_are_said(problem, table):
    assert table["pipeedge"]["note"] == "adds to the menu: none"
    (line,) = (line for line in str(table).splitlines() if line.startswith("pipeedge"))
    assert line.endswith("[all: none]; adds to the menu: none") and "   [all" not in line
    strict = split.compare(problem.replace(max_error=1e-9), ["quantpipe", "optimal"])
    assert strict["quantpipe"]["breaks"].startswith("error: ")
    assert strict["quantpipe"]["status"] == "breaks_limits"
    assert not math.isnan(strict["quantpipe"]["delay_s"])


def test_text(repository):
    table = split.compare(example(repository, "source-is-sink"), ["single-satellite", "optimal"])
    head, *rows = str(table).splitlines()[1:]
    assert head.split()[:3] == ["method", "status", "delay"]
    assert [row.split()[:2] for row in rows] == [["single-satellite", "feasible"], ["optimal", "optimal"]]
    assert repr(table) == "Comparison('source-is-sink': 2 methods)"


def test_throughput_compares_bottlenecks(repository):
    table = split.compare(example(repository, "throughput"))
    best = table["optimal"]["bottleneck_s"]
    for row in table:
        if row["delay_model"] == "pipeline" and row["status"] == "feasible" and not row["note"]:
            assert row["bottleneck_s"] >= best * (1 - 1e-12)
            assert row["gap"] == pytest.approx(1 - best / row["bottleneck_s"], abs=1e-9)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example(repository, name):
    known = json.loads((repository / "tests" / "data" / "split" / f"{name}.plan.json").read_text())
    problem = example(repository, name)
    table = split.compare(problem)
    figure = "delay_s" if problem.objective == "delay" else "bottleneck_s"
    if known["status"] == "infeasible":
        assert table["optimal"]["status"] == "infeasible"
        return
    best = known[figure]
    assert table["optimal"][figure] == pytest.approx(best, rel=1e-9)
    for row in table:
        if row["status"] == "feasible" and not row["note"] and row["delay_model"] == "pipeline":
            assert row[figure] >= best * (1 - 1e-9), row["method"]


def test_infeasible_problem_has_rows_without_figures(repository):
    table = split.compare(example(repository, "infeasible"))
    assert table["optimal"]["status"] == "infeasible"
    assert all(math.isnan(row["gap"]) for row in table)
    assert str(table) and table.to_markdown()


def test_csv_reads_back(table, tmp_path):
    table.to_csv(tmp_path / "table.csv")
    text = (tmp_path / "table.csv").read_text(encoding="utf-8")
    assert text == table.to_csv()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [float(row["delay_s"]) for row in rows] == pytest.approx(
        [row["delay_s"] for row in table], nan_ok=True
    )


def test_markdown_and_html_escape(problem):
    codecs = [problem.codecs[0].replace(name="a|<i>")]
    table = split.compare(problem.replace(codecs=codecs, max_error=None), ["fixed:a|<i>"])
    lines = table.to_markdown().splitlines()
    assert len(lines) == 3 and "a\\|<i>" in lines[2]
    assert "a|&lt;i&gt;" in table._repr_html_() and "<i>" not in table._repr_html_()


def test_pandas(table):
    pandas = pytest.importorskip("pandas")
    frame = table.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert frame.loc["optimal", "delay_s"] == table["optimal"]["delay_s"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"methods": "optimal"}, TypeError, "several names"),
        ({"methods": ["optimal", "optimal"]}, ValueError, "twice"),
        ({"methods": ["best"]}, ValueError, "'best' is not one of"),
        ({"methods": ["quantise-only"]}, ValueError, "of group .quantise."),
        ({"methods": ["fixed:zip"]}, ValueError, "zip"),
        ({"methods": ["optimal"], "reference": "uniform"}, ValueError, "reference"),
        ({"time_limit_s": -1}, ValueError, "time_limit_s"),
    ],
)
def test_wrong_calls(problem, arguments, error, message):
    with pytest.raises(error, match=message):
        split.compare(problem, **arguments)


def test_unknown_row(table):
    with pytest.raises(KeyError):
        table["nonsense"]


def test_control_characters_of_names_stay_out_of_terminals():
    """An escape sequence in a node's id would recolour or clear the terminal of who compares."""
    node, red = Node(id="\x1b[31mred\x07", flop_per_s=1e12, memory_bytes=1e9), "?[31mred?"
    problem = split.Problem(
        layers=[Layer(name="l", flop=1.0, memory_bytes=1.0, output_bytes=1.0)], input_bytes=1.0, nodes=[node],
        links=[], source=node.id, sink=node.id, codecs=[Codec(name="none", ratio=1.0, error=0.0)],
    )  # fmt: skip
    table = split.compare(problem, ["optimal"])
    assert table["optimal"]["layers"].startswith(node.id)  # the row is as it is
    for shown in (str(table), table.to_markdown(), table._repr_html_()):
        assert red in shown and "\x1b" not in shown and "\x07" not in shown
