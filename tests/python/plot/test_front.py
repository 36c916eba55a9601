"""Figures of fronts and comparisons."""

from __future__ import annotations

import math

import numpy as np
import pytest

from constellm import plot, split
from constellm.core.quantity import figure
from constellm.plot import palette


def test_pareto_separates_dominated_plans(plan_of):
    problem = plan_of("three-stages-lossy").problem
    plans = split.k_best(problem, 12)
    ax = plot.plot_pareto(plans)
    points = np.array([(plan.delay_s, plan.bytes) for plan in plans])
    dominated = [
        any(np.all(other <= point) and np.any(other < point) for other in points) for point in points
    ]  # fmt: skip
    assert 0 < sum(dominated) < len(plans)
    kept, hollow = (line for line in ax.lines if line.get_marker() == "o")
    assert sorted(hollow.get_xdata()) == sorted(points[dominated, 0])
    assert set(kept.get_xdata()) == set(points[~np.array(dominated), 0])
    assert ax.get_xlabel() == "delay (s)"
    assert ax.get_ylabel() == "data (MB)"


def test_pareto_takes_the_criteria_of_a_front(plan_of):
    problem = plan_of("three-stages-lossy").problem.replace(max_error=None)
    front = split.pareto_front(problem, ("error", "delay_s"))
    ax = plot.plot_pareto(front)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("error", "delay (s)")
    kept = next(line for line in ax.lines if line.get_marker() == "o")
    assert len(kept.get_xdata()) == len(front) > 1


def test_pareto_refuses_what_it_cannot_draw(plan_of):
    plan = plan_of("throughput")
    with pytest.raises(ValueError, match="y: 'colour'"):
        plot.plot_pareto([plan], y="colour")
    with pytest.raises(ValueError, match="front"):
        plot.plot_pareto([plan_of("infeasible")])


ROWS = [
    {"method": "optimal", "delay_s": 2.0, "bytes": 1e9, "status": "optimal"},
    {
        "method": "slow_$x$",
        "delay_s": 5.0,
        "bytes": 3e9,
        "status": "feasible",
        "delay_model": "tensor parallel",
    },
    {"method": "none", "delay_s": math.nan, "bytes": math.nan, "status": "no_plan_found"},
    {"method": "cheat", "delay_s": 1.0, "bytes": 1e8, "status": "breaks_limits"},
]


def test_comparison():
    ax = plot.plot_comparison(ROWS)
    ax.figure.canvas.draw()
    assert [text.get_text() for text in ax.texts] == [
        "2 s  (1×)", "5 s  (2.5×)", "no plan found", "1 s  (0.5×)  breaks limits",
    ]  # fmt: skip
    assert [bar.get_width() for bar in ax.patches] == [2.0, 5.0, 0.0, 1.0]
    assert [text.get_text() for text in ax.get_yticklabels()][1] == "slow_\\$x\\$\n(tensor parallel)"
    assert [text.get_text() for text in ax.child_axes[0].texts] == ["1 GB", "3 GB", "–", "100 MB"]
    from matplotlib.colors import to_hex

    assert to_hex(ax.patches[3].get_facecolor()) == palette.MUTED


def test_comparison_of_far_apart_delays_is_logarithmic():
    rows = [dict(row, bytes=None) for row in ROWS[:2]]
    rows[1]["delay_s"] = 1000.0
    ax = plot.plot_comparison(rows)
    assert ax.get_xscale() == "log"
    assert ax.child_axes == []
    # No bars: where they began would be arbitrary.
    assert len(ax.patches) == 0
    assert [line.get_xdata()[0] for line in ax.lines] == pytest.approx([2.0, 1000.0])


def test_a_factor_means_what_it_does_in_the_table(plan_of):
    table = split.compare(plan_of("error-limit").problem)
    ax = plot.plot_comparison(table)
    assert ax.get_xlabel().endswith(f", × relative to {table.reference}")
    for row, text in zip(table, ax.texts):
        if not math.isnan(row["speed_up"]):
            assert f"({figure(1 / row['speed_up'])}×)" in text.get_text()


def test_a_method_has_one_look():
    looks = {palette.method(name) for name in split.METHODS}
    assert palette.method("optimal").colour == palette.CYCLE[0]
    assert palette.method("fixed:x").colour == palette.MUTED
    assert len({look.colour for look in looks}) == len(looks) >= 10


def test_comparison_of_the_real_table(plan_of):
    table = split.compare(plan_of("error-limit").problem)
    ax = plot.plot_comparison(table)
    assert len(ax.get_yticklabels()) == len(table) > 3


def test_comparison_of_nothing():
    with pytest.raises(ValueError, match="no row"):
        plot.plot_comparison([])
