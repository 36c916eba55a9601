"""Decisions by enumeration: every row is its schedule, the best is the best, and ladders lead there."""

from __future__ import annotations

import itertools
import pickle
from math import ceil, inf, isnan

import numpy as np
import pytest

from constellm import codec, tune

MASK = codec.gumbel_mask(keep=[0.221])[0]
OPTIONS = {"cut": [None, 0, 1], "codec": [None, MASK], "cache": [False, True], "all_gather": [False, True]}


@pytest.fixture(scope="module")
def found(star, spectral):
    return tune.decide(spectral, star, rounds=3, options=OPTIONS)


def test_every_combination_is_there_once_by_its_schedule(found, star, spectral):
    schemes = []
    for values in itertools.product(*OPTIONS.values()):
        try:
            schemes.append(tune.SCHEMES["paper"].replace(**dict(zip(OPTIONS, values))))
        except ValueError:
            continue
    assert len(found.rows) == len(schemes) == 2 + 4 + 8
    for row in found.rows:
        assert schemes.count(row.scheme) == 1
        done = tune.schedule_rounds(spectral, star, row.scheme, rounds=3)
        assert (row.delay_s, row.sent_bytes, row.status) == (done.delay_s, done.sent_bytes, done.status)
    delays = [row.delay_s for row in found.rows]
    assert delays == sorted(delays)
    assert found.best.delay_s == min(delays) and found.best.scheme.codec == MASK
    again = pickle.loads(pickle.dumps(found))
    assert again == found  # figures that are not known are the same, too


def test_limits_leave_what_is_within(found, star, spectral):
    given = {"rounds": 3, "options": OPTIONS}
    exact = tune.decide(spectral, star, max_error=0.0, **given)
    assert exact.best.scheme.codec is None and not exact.rows[0].within
    assert [row.scheme for row in exact.rows] == [row.scheme for row in found.rows]
    small = tune.decide(spectral, star, max_memory_bytes=2e6, **given)
    assert small.best.scheme.cut == 0
    assert tune.decide(spectral, star, max_energy_j=1e9, **given).best is None  # powers are not known
    told = tune.decide(
        spectral, star, accuracy=lambda scheme: 0.9 if scheme.cut is None else 0.5, min_accuracy=0.8, **given
    )
    assert told.best.scheme.cut is None and told.rows[0].accuracy == 0.5
    with pytest.raises(ValueError, match="limits: nothing is within"):
        tune.decide(spectral, star, max_energy_j=1e9, **given).ladder()


def test_ladders_change_one_decision_at_a_time(found):
    for order in (None, ("all_gather", "cache", "codec"), ("codec",)):
        steps = found.ladder(order=order)
        assert steps[0][1].scheme == found.base and steps[-1][1] == found.best
        assert len({step for step, _ in steps}) == len(steps) == 4
    words = [step for step, _ in found.ladder(order=("all_gather", "cache", "codec"))]
    assert words[1:] == ["no all-gather", "cache", "codec gumbel-mask-0.221-b8"]
    delays = [row.delay_s for _, row in found.ladder()]
    assert delays == sorted(delays, reverse=True)
    with pytest.raises(ValueError, match="order: 'codecs' is not one of"):
        found.ladder(order=("codecs",))
    with pytest.raises(ValueError, match="base: .* was not tried"):
        tune.Decisions(found.rows[:3], found.base).ladder()


def test_decisions_that_only_go_together_are_changed_together(star, spectral):
    options = {"cut": [None, 1], "all_gather": [True, False]}
    fast = star.replace(board_flop_per_s=1e15)
    found = tune.decide(spectral, fast, rounds=2, options=options)
    assert found.best.scheme.cut is None
    words = [step for step, _ in found.ladder(order=("cut",))]
    assert words[1:] in (["no all-gather", "all on board"], ["all on board, no all-gather"])


def test_local_rounds_count_updates(star, spectral):
    found = tune.decide(
        spectral, star, rounds=7, base=tune.Scheme(cache=True), options={"local_rounds": [1, 2, 3]}
    )
    assert {row.scheme.local_rounds: row.rounds for row in found.rows} == {n: ceil(7 / n) for n in (1, 2, 3)}


def test_unfinished_schemes_come_last(star, spectral):
    close_s = np.maximum(np.minimum(star.contacts.close_s, 240.0), star.contacts.open_s)
    short = star.replace(contacts=star.contacts.replace(close_s=close_s))
    found = tune.decide(spectral, short, rounds=2)
    assert isnan(found.rows[-1].delay_s) and not found.rows[-1].within
    assert not isnan(found.rows[0].delay_s) and found.rows[-1].status == "unfinished"
    assert "unfinished" in found.to_table().to_csv() and repr(found) in found.summary()


def test_what_is_held_on_board(star, spectral):
    def held(**decisions):
        return tune.board_memory_bytes(spectral, star, tune.Scheme(**decisions))

    head, features = spectral.head_bytes, 500 * 3072.0
    embedding = sum(spectral.layer_weight_bytes[:1])
    assert held(cut=0) == head + features
    assert held() == head + embedding + features + 500 * spectral.cut_bytes(1)
    assert held(all_gather=True) == head + embedding + features + 11 * 500 * spectral.cut_bytes(1)
    assert held(cut=None) == head + sum(spectral.layer_weight_bytes)
    assert held(cut=None, cache=True) == held(cut=None) + features
    assert held(cut=0, all_gather=True) == held(cut=0) + 10 * 500 * spectral.image_bytes  # those of others
    for dtype in ("float32", "float16"):  # as updates travel
        adapters = held(cut=None, lora_rank=8, dtype=dtype) - held(cut=None)
        assert adapters == 4 * spectral.lora_parameters(8)


def test_a_contest_is_the_quotient_of_two_schedules(star, spectral):
    speeds, passes = [0.5e12, 2e12], [1, 4]
    given = {"rounds": 2, "board_flop_per_s": speeds, "passes": passes}
    found = tune.against(spectral, star, tune.Scheme(), **given)
    for i, speed in enumerate(speeds):
        own = star.replace(board_flop_per_s=speed)
        mine = tune.schedule_rounds(spectral, own, tune.Scheme(local_epochs=4), rounds=2)
        for k, times in enumerate(passes):
            its = tune.schedule_rounds(spectral, own, tune.Scheme(cut=None, local_epochs=times), rounds=2)
            assert found.ratio[i, k] == mine.delay_s / its.delay_s
    assert found == tune.against(spectral, star, tune.Scheme(), **given)
    assert (np.diff(found.ratio, axis=0) > 0).all() and (np.diff(found.ratio, axis=1) < 0).all()
    fair = tune.against(spectral, star, tune.Scheme(), rival=tune.SCHEMES["on-board-cached"], **given)
    assert (fair.ratio >= found.ratio).all()
    assert found.share(inf) == 1.0 and found.share(0.0) == 0.0
    assert repr(found) in found.summary()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"cuts": [1]}, "unexpected keyword argument 'cuts'; did you mean 'cut'"),
        ({"cut": []}, r"options\['cut'\]: must not be empty"),
        ({"cut": 1}, r"options\['cut'\]: expected several values, got 1"),
        ({"dtype": ["int8"]}, "dtype: 'int8' is not one of"),
        ([1], r"options: expected values by decision, got \[1\]"),
    ],
)
def test_what_are_no_options_is_refused(pair, spectral, options, said):
    with pytest.raises((ValueError, TypeError), match=said):
        tune.decide(spectral, pair, rounds=1, options=options)


def test_what_is_no_measure_of_accuracy_is_refused(pair, spectral):
    with pytest.raises(TypeError, match="accuracy: expected a function of a scheme, got 0.5"):
        tune.decide(spectral, pair, rounds=1, accuracy=0.5)


def test_wrong_contests_are_refused(pair, spectral):
    given = {"rounds": 1, "board_flop_per_s": [1e12], "passes": [1]}
    for changes, said in (
        ({"rival": tune.Scheme()}, "rival: cut 1, float32 is not all on board"),
        ({"board_flop_per_s": []}, "board_flop_per_s: must not be empty"),
        ({"passes": []}, "passes: must not be empty"),
        ({"passes": [0]}, r"passes\[0\]: 0 is not in \[1, inf\)"),
        ({"board_flop_per_s": [0]}, r"board_flop_per_s\[0\]: 0 is not in \(0, inf\)"),
    ):
        with pytest.raises(ValueError, match=said):
            tune.against(spectral, pair, tune.Scheme(), **{**given, **changes})
    with pytest.raises(ValueError, match="scheme: all on board, float32 is all on board itself"):
        tune.against(spectral, pair, tune.Scheme(cut=None), **given)
    with pytest.raises(ValueError, match=r"ratio: shape \(1, 1\) is not"):
        tune.Contest([1.0, 2.0], [1], [[1.0]])
