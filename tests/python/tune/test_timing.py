"""Delays: closed forms of constant ones, and earliest arrivals over a contact plan by another way."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

from constellm import network, orbit, tune
from python.tune.small import SATELLITES, contact_plan, contact_timing


def test_constant_delays() -> None:
    computing = tune.Computing(epoch_s=[1.0, 2.0], before_s=0.5, ready_s=[0.0, 100.0], power_w=4.0)
    timing = tune.ConstantTiming(2, down_s=[3.0, math.inf], up_s=7.0, message_bytes=9, computing=computing)
    assert timing.down(0, 10.0) == (10.0, 13.0, 9.0, 0.0)
    assert timing.down(1, 10.0) == (math.inf, math.inf, 0.0, 0.0)
    assert timing.up(1, 10.0) == (10.0, 17.0, 9.0, 0.0)
    assert [computing.done_s(s, 10.0, epochs=3) for s in (0, 1)] == [13.5, 106.5]
    assert [computing.energy_j(s, epochs=3) for s in (0, 1)] == [14.0, 26.0]


def direct(plan: network.ContactPlan, a: str, b: str, t_s: float, size_bytes: float) -> float:
    """When a message of one hop arrives, contact by contact."""
    ids = [node.id for node in plan.nodes]
    best = math.inf
    for from_, to, opens, closes, rate, owlt in zip(
        plan.from_, plan.to, plan.open_s, plan.close_s, plan.rate_bps, plan.owlt_s
    ):
        start = max(t_s, opens)
        took = 8 * size_bytes / rate
        if (ids[from_], ids[to]) == (a, b) and start < closes and start + took <= closes:
            best = min(best, start + took + owlt)
    return best


@pytest.mark.parametrize("size_bytes", [0.0, 1e6])
def test_over_a_plan_of_ground_links_alone_passages_are_those_of_direct_contacts(size_bytes: float) -> None:
    """To a station, as no message gains by way of another satellite when all are served by stations alone."""
    plan = contact_plan(hours=3)
    timing = contact_timing(plan, message_bytes=size_bytes)
    for t_s in np.linspace(0.0, 3 * 3600.0, 13):
        for s, name in enumerate(SATELLITES):
            down = min(direct(plan, station, name, t_s, size_bytes) for station in ("north", "south"))
            up = min(direct(plan, name, station, t_s, size_bytes) for station in ("north", "south"))
            found = timing.down(s, t_s), timing.up(s, t_s)
            assert [way.arrival_s for way in found] == pytest.approx([down, up], rel=1e-12)
            for way, sends in zip(found, (0.0, 10.0)):
                if math.isinf(way.arrival_s):
                    assert way == (math.inf, math.inf, 0.0, 0.0)
                    continue
                assert way.sent_bytes == size_bytes
                assert way.energy_j == pytest.approx(sends * 8 * size_bytes / 1e8)
            if size_bytes and math.isfinite(found[0].arrival_s):  # the model leaves when the contact opens
                assert t_s <= found[0].start_s < found[0].arrival_s < found[0].start_s + 0.2


def test_a_server_in_orbit_and_a_delay_on_the_ground() -> None:
    plan = network.ContactPlan(
        ["north", "south", "a", "b"],
        from_=[0, 2, 2, 3],
        to=[2, 0, 3, 2],
        open_s=[10, 10, 0, 0],
        close_s=[20, 20, 99, 99],
        rate_bps=8e3,
    )
    ground = {"server": ["north", "south"], "message_bytes": 1e3, "ground_s": 3.0, "transmit_w": 5.0}
    timing = tune.ContactTiming(plan, ["a", "b"], **ground)
    # The model has to have left the server 3 s before the contact opens.
    assert timing.down(1, 0.0) == (7.0, 12.0, 2e3, 5.0)
    assert timing.up(1, 0.0) == (0.0, 14.0, 2e3, 10.0)
    assert timing.down(0, 9.0) == (9.0, 13.0, 1e3, 0.0)
    nothing = tune.ContactTiming(plan, ["a", "b"], **{**ground, "message_bytes": 0.0})
    assert nothing.down(1, 0.0) == (7.0, 10.0, 0.0, 0.0)  # a model without bytes leaves as early as any
    # What the server takes to send does not count, wherever it is.
    in_orbit = tune.ContactTiming(plan, ["b"], server="a", message_bytes=1e3, transmit_w=5.0)
    assert in_orbit.down(0, 50.0) == (50.0, 51.0, 1e3, 0.0)
    its_own = tune.ContactTiming(plan, ["a", "b"], server="a", message_bytes=1e3)
    assert its_own.up(0, 7.0) == (7.0, 7.0, 0.0, 0.0) and its_own.up(1, 7.0).arrival_s == 8.0


def test_later_is_never_earlier_and_lost_contacts_never_help() -> None:
    whole, lost = (
        contact_plan(),
        contact_plan(outages=[orbit.Outage("north"), orbit.Outage("s/0/1", start=9e3)]),
    )
    times = np.linspace(0.0, 2e4, 41)
    for s in range(6):
        for way in ("down", "up"):
            full, less = (
                [getattr(contact_timing(plan), way)(s, t).arrival_s for t in times] for plan in (whole, lost)
            )
            assert full == sorted(full)
            assert all(a <= b for a, b in zip(full, less))
    assert math.isinf(contact_timing(lost).up(1, 9e3).arrival_s)


def test_values() -> None:
    timing = contact_timing()
    assert pickle.loads(pickle.dumps(timing)) == timing
    assert (
        timing.fingerprint() == contact_timing().fingerprint() != contact_timing(ground_s=1.0).fingerprint()
    )
    assert "north, south" in timing.summary() and "6 satellites" in repr(timing)
    constant = tune.ConstantTiming(2, up_s=np.array([1.0, 2.0]))
    assert pickle.loads(pickle.dumps(constant)) == constant == tune.ConstantTiming(2, up_s=[1, 2])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tune.ConstantTiming(0), r"satellites: 0 is not in \[1, inf\)"),
        (lambda: tune.ConstantTiming(2, up_s=[1.0]), "up_s: 1 of them for 2 satellites"),
        (lambda: tune.ConstantTiming(2, up_s=[1.0, -1.0]), r"up_s\[1\]: -1.0 is not in \[0, inf\]"),
        (lambda: tune.ConstantTiming(2, down_s="1"), "down_s: expected a number"),
        (lambda: tune.ConstantTiming(2, message_bytes=math.inf), "message_bytes: inf is not in"),
        (lambda: tune.Computing(epoch_s=math.inf), "epoch_s: inf is not in"),
        (lambda: tune.Computing(power_w=math.nan), "power_w: nan is not in"),
        (
            lambda: tune.ConstantTiming(2, computing=tune.Computing(epoch_s=[1, 2, 3])),
            "computing.epoch_s: 3 of them for 2 satellites",
        ),
        (lambda: contact_timing(server="west"), r"server\[0\]: 'west' is no node of the plan"),
        (lambda: contact_timing(server=[]), "server: expected one id or more"),
        (lambda: contact_timing(transmit_w=-1.0), "transmit_w: -1.0 is not in"),
    ],
)
def test_bad_inputs(call: object, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        call()
