"""Figures of rounds, ladders and contests: what is drawn where."""

from __future__ import annotations

import pytest

from constellm import network, plot, tune


@pytest.fixture(scope="module")
def fleet():
    plan = network.ContactPlan(
        ["a", "b", "g"], from_=[0, 1, 0, 2], to=[1, 0, 2, 0], open_s=0.0, close_s=1e3, rate_bps=1e9
    )
    return tune.Fleet(plan, [["a", "b"]], ["g"], images=100, board_flop_per_s=1e12, server_flop_per_s=1e15)


def test_phases_stand_where_they_are(fleet):
    for scheme in (tune.Scheme(all_gather=True), tune.Scheme(chunks=4)):
        found = tune.schedule_round(tune.spectral_gpt(), fleet, scheme, start_s=10.0)
        ax = plot.plot_phases(found)
        names = [label.get_text() for label in ax.get_yticklabels()]
        assert names == [phase.name for phase in found.phases]
        drawn = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in ax.patches]
        for i, phase in enumerate(found.phases):
            (pale, middle), (start, end) = drawn[2 * i : 2 * i + 2]
            assert pale == pytest.approx(phase.start_s - 10.0) and middle == pytest.approx(start)
            assert end - start == pytest.approx(phase.adds_s)
            assert end == pytest.approx(phase.end_s - 10.0)


def test_many_rounds_and_those_that_never_end(fleet):
    many = tune.schedule_rounds(tune.spectral_gpt(), fleet, rounds=3)
    ax = plot.plot_phases(many)
    assert ax.get_title(loc="left").startswith("3 rounds, cut 1, float32: ")
    few = fleet.replace(contacts=fleet.contacts.replace(close_s=2.0))
    ax = plot.plot_phases(tune.schedule_round(tune.spectral_gpt(), few))
    assert "never ends" in [text.get_text() for text in ax.texts]


def test_ladders_and_contests(fleet):
    found = tune.decide(tune.spectral_gpt(), fleet, rounds=2)
    ax = plot.plot_ladder(found.ladder())
    assert len(ax.get_yticklabels()) == len(found.ladder())
    contest = tune.against(
        tune.spectral_gpt(),
        fleet,
        tune.Scheme(),
        rounds=2,
        board_flop_per_s=[1e12, 2e12, 4e12],
        passes=[1, 3],
    )
    ax = plot.plot_contest(contest)
    assert ax.get_xscale() == "log"
    with pytest.raises(ValueError, match="passes: expected two at least, rising"):
        plot.plot_contest(tune.Contest([1.0, 2.0], [1], [[1.0], [1.0]]))
    with pytest.raises(ValueError, match="steps: there is none"):
        plot.plot_ladder([])
