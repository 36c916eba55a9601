"""Files, the absent library, and the rules for axes."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from constellm import plot
from constellm.plot import style


def test_equal_figures_give_equal_files(tmp_path, plan_of):
    plan = plan_of("node-overhead")
    kinds = []
    for folder in ("a", "b"):
        files = plot.save_figure(plot.plot_gantt(plan).figure, tmp_path / folder, "gantt")
        assert files == [tmp_path / folder / "gantt.png", tmp_path / folder / "gantt.pdf"]
        kinds.append([file.read_bytes() for file in files])
    assert kinds[0] == kinds[1]
    assert kinds[0][0].startswith(b"\x89PNG")
    assert kinds[0][1].startswith(b"%PDF")
    assert b"CreationDate" not in kinds[0][1]


@pytest.mark.parametrize("name", ["", "a/b", "..", "."])
def test_a_file_name_is_one(tmp_path, plan_of, name):
    figure = plot.plot_network(plan_of("node-overhead")).figure
    with pytest.raises(ValueError, match="name"):
        plot.save_figure(figure, tmp_path, name)


HIDDEN = """
import sys
import constellm
from constellm import plot, split
assert not [name for name in sys.modules if name.split('.')[0] == 'matplotlib'], 'imported too early'
sys.modules['matplotlib'] = None
plan = split.solve(split.load_problem(sys.argv[1]))
assert '<svg' in plan._repr_html_()
for draw in plot.plot_plan, plot.plot_gantt, plot.plot_network:
    try:
        draw(plan)
    except ImportError as error:
        assert "constellm[plot]" in str(error), error
    else:
        raise AssertionError('drew without matplotlib')
"""


def test_without_matplotlib(repository):
    problem = repository / "tests/data/split/node-overhead.json"
    done = subprocess.run([sys.executable, "-c", HIDDEN, problem], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("values", "geometric"),
    [
        (np.geomspace(1, 10, 5), True),
        ([8, 4, 2, 1], True),
        ([1, 2, 3], False),
        ([0, 1, 2], False),
        ([1, 10], False),
        ([5, 5, 5], False),
        (["a", "b", "c"], False),
    ],
)
def test_is_geometric(values, geometric):
    assert style.is_geometric(values) is geometric


@pytest.mark.parametrize(
    ("values", "unit", "expected"),
    [
        ([0.002, 0.9], "s", ("m", 1e-3)),
        ([5000.0], "s", ("", 1.0)),
        ([1e9, 2e9], "B", ("G", 1e9)),
        ([1e30], "B", ("P", 1e15)),
        ([1e-12], "J", ("µ", 1e-6)),
        ([0.0, np.nan], "J", ("", 1.0)),
        ([1000.0], "W", ("k", 1e3)),
    ],
)
def test_common_prefix(values, unit, expected):
    assert style.common_prefix(values, unit) == pytest.approx(expected)


def test_names_are_short_plain_and_on_one_line():
    assert style.name("a$b$\n") == r"a\$b\$?"
    assert style.name("x" * 30) == "x" * 12 + "…" + "x" * 11


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("rate_bps", ("rate", "bit/s")),
        ("nodes[satellite].flop_per_s *", ("speed of nodes satellite, as a factor", "")),
        ("links[s0->s1].rate_bps", ("rate of links s0 → s1", "bit/s")),
        ("nodes.overhead_s", ("overhead of nodes", "s")),
    ],
)
def test_addresses_in_words(field, expected):
    assert style.field_words(field) == expected


def test_a_series_keeps_the_looks_of_methods():
    """Whichever others stand beside a method and in whatever order, as in two panels of a figure."""
    from constellm.plot import palette

    optimal, uniform = palette.method("optimal"), palette.method("uniform")
    assert palette.series(["uniform", "optimal chain"]) == [uniform, optimal]
    assert palette.series(["optimal chain", "ground only", "uniform split"])[::2] == [optimal, uniform]
    others = palette.series(["a", "optimal", "b"])
    assert others[1] == optimal
    assert len({look.colour for look in others}) == len({look.marker for look in others}) == 3
    assert len(palette.series([str(i) for i in range(20)])) == 20
    dashed = palette.lines([str(i) for i in range(9)])
    assert dashed[0]["color"] == dashed[8]["color"] and dashed[0]["linestyle"] != dashed[8]["linestyle"]
