"""Gateways over windows: between windows planned apart and a ring that stands still, and never worse."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pytest

from constellm import moe, orbit

SHELL = orbit.walker("w", planes=4, satellites_per_plane=6, altitude_m=800e3, inclination_deg=80.0)
WINDOWS = [[0.0, 200.0], [600.0, 800.0], [1200.0]]
GIVEN = {"weights": [[5, 3, 2], [2, 2, 1], [9, 3, 1]], "top_k": 2, "unreachable_s": 0.3}


def world(survival: float = 1.0) -> orbit.Constellation:
    return orbit.Constellation(SHELL, links=orbit.plus_grid(seam="open", survival=survival, seed=3))


def small_ring() -> moe.Ring:
    subnets = [subnet[:4] for subnet in moe.ring(SHELL, 3).subnets]
    return moe.Ring(subnets, [subnet[0] for subnet in subnets])


def slots_before() -> list[int]:
    return [0, *itertools.accumulate(map(len, WINDOWS))][: len(WINDOWS)]


def test_as_good_as_the_best_of_all_schedules() -> None:
    """Of latencies by `ring_problem`, with outages that go on from window to window."""
    sky, ring = world(survival=0.8), small_ring()
    latency_s = {}
    for w, (times, slot) in enumerate(zip(WINDOWS, slots_before())):
        for gateways in itertools.product(*ring.subnets):
            problem = moe.ring_problem(sky, moe.Ring(ring.subnets, gateways), times, **GIVEN, slot=slot)
            latency_s[w, gateways] = moe.solve(problem).token_latency_s
    every = list(itertools.product(*ring.subnets))
    tokens = [2.0, 1.0, 3.0]

    def least(move_s: float) -> float:
        until = {gateways: tokens[0] * latency_s[0, gateways] for gateways in every}
        for w in range(1, len(WINDOWS)):
            until = {
                after: tokens[w] * latency_s[w, after]
                + min(until[b] + move_s * sum(x != y for x, y in zip(b, after)) for b in every)
                for after in every
            }
        return min(until.values())

    for move_s in (0.0, 0.003, 0.02, 5.0):
        found = moe.gateway_schedule(sky, ring, WINDOWS, **GIVEN, move_s=move_s, tokens=tokens)
        expected = least(move_s)
        assert found.lower_bound_s <= expected * (1 + 1e-12)
        assert found.cost_s == pytest.approx(expected, rel=1e-9)
        assert found.gap < 0.02
        assert found.cost_s <= min(found.apart_s, found.still_s) * (1 + 1e-12)
        waited = sum(many * one for many, one in zip(tokens, found.token_latency_s))
        assert found.cost_s == pytest.approx(waited + move_s * sum(found.moves))
        for w, one in enumerate(found.rings):
            assert found.token_latency_s[w] == pytest.approx(latency_s[w, one.gateways], rel=1e-9)


def test_moves_that_are_free_leave_windows_apart_and_dear_ones_do_not_happen() -> None:
    sky, ring = world(survival=0.9), moe.ring(SHELL, 3)
    apart = [
        moe.best_gateways(sky, ring, times, **GIVEN, slot=slot)
        for times, slot in zip(WINDOWS, slots_before())
    ]
    free = moe.gateway_schedule(sky, ring, WINDOWS, **GIVEN, move_s=0)
    assert free.cost_s == pytest.approx(sum(one.token_latency_s for one in apart))
    assert free.lower_bound_s == pytest.approx(sum(one.lower_bound_s for one in apart))
    assert free.token_latency_s == pytest.approx([one.token_latency_s for one in apart])
    dear = moe.gateway_schedule(sky, ring, WINDOWS, **GIVEN, move_s=1.0)
    assert sum(dear.moves) == 0 and len(set(dear.rings)) == 1
    assert dear.cost_s == pytest.approx(dear.still_s) and dear.gap < 1e-3
    even = [[0.0, 200.0], [600.0, 800.0]]
    dear = moe.gateway_schedule(sky, ring, even, **GIVEN, move_s=1.0)
    still = moe.best_gateways(sky, ring, np.concatenate(even), **GIVEN)
    assert dear.cost_s == pytest.approx(2 * still.token_latency_s, rel=1e-9)
    assert dear.rings[0] == still.ring


def test_what_it_is_as_a_value() -> None:
    given = {**GIVEN, "move_s": 0.001}
    one = moe.gateway_schedule(world(), moe.ring(SHELL, 3), WINDOWS, **given)
    two = moe.gateway_schedule(world(), moe.ring(SHELL, 3), WINDOWS, **given, threads=2)
    assert one == two == pickle.loads(pickle.dumps(one))
    assert one.tokens == (1.0, 1.0, 1.0) and one.move_s == 0.001
    assert repr(one).startswith(f"GatewaySchedule(3 windows, {sum(one.moves)} moves, cost_s=")
    assert "without moves" in one.summary() and "token latency" in one._repr_html_()
    alone = moe.gateway_schedule(world(), moe.ring(SHELL, 3), WINDOWS[:1], **given)
    best = moe.best_gateways(world(), moe.ring(SHELL, 3), WINDOWS[0], **GIVEN)
    assert alone.rings == (best.ring,) and alone.cost_s == best.token_latency_s and alone.moves == ()


def test_where_no_ring_can_be_placed() -> None:
    subnets = [subnet[:3] for subnet in moe.ring(SHELL, 3).subnets]
    ring = moe.Ring(subnets, [subnet[0] for subnet in subnets])
    found = moe.gateway_schedule(world(), ring, WINDOWS, **GIVEN, move_s=0.1)
    assert found.cost_s == found.lower_bound_s == found.still_s == np.inf and found.gap == 0
    assert found.rings == (ring,) * 3 and set(found.token_latency_s) == {np.inf}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"windows": []}, ValueError, "windows: must not be empty"),
        ({"windows": 5}, TypeError, "windows: expected the times of each, got 5"),
        ({"windows": [[0.0], []]}, ValueError, r"windows\[1\]: times: must not be empty"),
        ({"windows": [0.0, 1.0]}, ValueError, r"windows\[0\]: times: expected shape \(slots,\), got \(\)"),
        ({"move_s": -1}, ValueError, r"move_s: -1 is not in \[0, inf\)"),
        ({"tokens": [1.0, 2.0]}, ValueError, r"tokens: shape \(2,\) does not broadcast to \(3,\)"),
        ({"tokens": [1.0, 0.0, 1.0]}, ValueError, r"tokens\[1\]: 0 is not in \(0, inf\)"),
        ({"weights": [[1.0, 1.0]]}, ValueError, "weights: of 1 layers, the ring has 3"),
        ({"ring": "ring"}, TypeError, "ring: expected a Ring"),
    ],
)
def test_what_is_refused(change: dict[str, object], error: type[Exception], message: str) -> None:
    given = {"world": world(), "ring": moe.ring(SHELL, 3), "windows": WINDOWS, "move_s": 0.1, **GIVEN}
    with pytest.raises(error, match=message):
        moe.gateway_schedule(**{**given, **change})
