"""Figures of federated training."""

from __future__ import annotations

import pytest

from constellm import plot, tune
from python.tune.small import contact_timing, task


def test_runs_are_steps_by_name():
    runs = {
        "rounds": tune.federate(task(), contact_timing(), rounds=3),
        "buffer": tune.federate(task(), contact_timing(), rounds=5, mode=tune.Buffered(size=3)),
    }
    ax = plot.plot_training(runs)
    drawn = [line for line in ax.lines if len(line.get_xdata()) > 1]
    assert [line.get_label() for line in drawn] == list(runs)
    for line, run in zip(drawn, runs.values()):
        assert line.get_drawstyle() == "steps-post"
        assert line.get_xdata().tolist() == run.column("time_s").tolist()
        assert line.get_ydata().tolist() == run.column("accuracy").tolist()
    assert ax.get_ylabel() == "accuracy (%)"
    logarithmic = plot.plot_training(runs, log=True)
    assert (logarithmic.get_xscale(), logarithmic.get_xlabel()) == ("log", "time (s)")
    assert logarithmic.xaxis.get_major_formatter()(2e4) == "20k"
    ax = plot.plot_training(runs["rounds"], x="energy_j", y="cross_entropy")
    assert ax.get_legend() is None and ax.get_xlabel() == "energy (kJ)"


def test_what_has_no_such_column_is_refused():
    run = tune.federate(task(), tune.ConstantTiming(6), rounds=1)
    with pytest.raises(ValueError, match="x: 'time' is no column of the history; did you mean 'time_s'"):
        plot.plot_training(run, x="time")
    with pytest.raises(ValueError, match="runs: expected at least one"):
        plot.plot_training({})
