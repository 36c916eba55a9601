"""Rounds of random fleets: what holds whatever the contacts, images and speeds."""

from __future__ import annotations

import numpy as np
import pytest

from constellm import flow, tune
from python.tune.fleets import SMALL, random_fleet


@pytest.fixture
def fleets(random_problems):
    return [random_fleet(np.random.default_rng(seed)) for seed in range(random_problems // 3)]


def test_phases_follow_each_other_and_keep_every_rule(fleets):
    finished = 0
    for i, fleet in enumerate(fleets):
        scheme = tune.Scheme(cut=i % 3, all_gather=i % 2 == 1, local_rounds=1 + i % 2)
        found = tune.schedule_round(SMALL, fleet, scheme, start_s=float(i % 7))
        for way in (found.down, found.back):
            assert way is None or flow.check(way.problem, way) == ()
        end = found.start_s
        for phase in found.phases:
            assert phase.start_s == pytest.approx(end)
            end = phase.end_s
            assert phase.energy_j >= 0.0 and phase.sent_bytes >= 0.0
        if found.status == "unfinished":
            assert end == np.inf
            continue
        finished += 1
        assert found.finish_s == end
        assert sum(phase.adds_s for phase in found.phases) == pytest.approx(found.delay_s)
        sent = {phase.name: phase.sent_bytes for phase in found.phases}
        assert sent["down"] >= fleet.images.sum() * SMALL.cut_bytes(scheme.cut) * (1 - 1e-6)
        assert sent["back"] >= fleet.images.sum() * SMALL.feature_bytes * (1 - 1e-6)
    assert finished > len(fleets) / 4


def test_overlaps_are_never_later(fleets):
    for i, fleet in enumerate(fleets):
        scheme = tune.Scheme(cut=i % 3)
        whole = tune.schedule_round(SMALL, fleet, scheme)
        parts = tune.schedule_round(SMALL, fleet, scheme.replace(chunks=2 + i % 5))
        if whole.status == "unfinished":
            continue
        image_s = SMALL.server_flop(i % 3) / fleet.server_flop_per_s
        before = {phase.name: phase.end_s for phase in whole.phases}
        after = {phase.name: phase.end_s for phase in parts.phases}
        for name in ("embed", "down", "server", "back"):
            if name in before and name in after:
                assert after[name] <= before[name] + image_s + 0.01, (i, name)
        assert sum(phase.adds_s for phase in parts.phases) == pytest.approx(parts.finish_s)
        for way in (parts.down, parts.back):
            assert flow.check(way.problem, way) == ()


def test_features_are_there_when_updates_begin(fleets):
    """Holdings of each satellite, played from the plan, at the moment at which it is said to have its own."""
    from constellm.tune.transfers import way_back

    for fleet in fleets:
        wanted = {id: float(n) * SMALL.feature_bytes for id, n in zip(fleet.satellites, fleet.images)}
        way = way_back(fleet, 0.0, wanted, time_limit_s=np.inf)
        if not way.finish_s < np.inf:
            continue
        plan, contacts = way.plan, way.plan.problem.contacts
        met = way.met_s(wanted)
        assert max(met.values()) <= way.finish_s * (1 + 1e-9)
        for id, moment in met.items():
            at = contacts.nodes.position(id)
            for t in np.linspace(moment, way.finish_s, 9):
                share = np.clip((t - plan.start_s) / (plan.end_s - plan.start_s), 0.0, 1.0) * plan.sent_bytes
                held = (
                    share[contacts.to[plan.contact] == at].sum()
                    - share[contacts.from_[plan.contact] == at].sum()
                )
                assert held >= wanted[id] - 2e-9 * sum(wanted.values())


def test_limits_only_leave_what_is_within(fleets):
    for fleet in fleets[:20]:
        found = tune.decide(SMALL, fleet, rounds=2)
        energies = sorted(row.energy_j for row in found.rows if row.within)
        if not energies:
            continue
        middle = energies[len(energies) // 2]
        some = tune.decide(SMALL, fleet, rounds=2, max_energy_j=middle)
        assert some.best.energy_j <= middle
        assert some.best.delay_s >= found.best.delay_s
        assert [row.delay_s for row in some.rows if row.within] == [
            row.delay_s for row in found.rows if row.within and row.energy_j <= middle
        ]
