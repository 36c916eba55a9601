"""Ways down and back of random rounds against linear programmes that know no places, antennas or pieces."""

from __future__ import annotations

import numpy as np
import pytest

from constellm import tune
from python.tune.fleets import SMALL, random_fleet

pytest.importorskip("scipy")
FEATURE_BYTES = SMALL.feature_bytes


class Programme:
    """Bytes over contacts and from moment to moment; every node keeps what it has."""

    def __init__(self, fleet, t_s, until_s, moments_s=()):
        plan = fleet.contacts
        self.fleet, ids = fleet, plan.nodes.ids()
        self.place = {id: i for i, id in enumerate(ids)}
        contacts = [
            (ids[a], ids[b], open_s - t_s, close_s - t_s, rate_bps / 8)
            for a, b, open_s, close_s, rate_bps in zip(
                plan.from_, plan.to, plan.open_s, plan.close_s, plan.rate_bps
            )
        ]
        ends = {0.0, until_s, *moments_s, *(end for row in contacts for end in row[2:4])}
        moments = sorted(end for end in ends if 0.0 <= end <= until_s)
        self.spans = list(zip(moments, moments[1:]))
        self.columns, self.most, self.limits = [], [], []
        for station in fleet.stations if fleet.antennas is not None else ():
            for end in (0, 1):
                through = [row[4] for row in contacts if row[end] == station]
                for k, (start_s, stop_s) in enumerate(self.spans) if through else ():
                    self.limit((end, station, k), fleet.antennas * max(through) * (stop_s - start_s))
        for sender, receiver, open_s, close_s, rate in contacts:
            for k, (start_s, stop_s) in enumerate(self.spans):
                if open_s <= start_s and stop_s <= close_s:
                    held = [(0, sender, k), (1, receiver, k)]
                    self.flow([(sender, k, -1), (receiver, k, 1)], rate * (stop_s - start_s), held)
        for id in ids:
            for k in range(len(self.spans) - 1):
                self.flow([(id, k, -1), (id, k + 1, 1)], np.inf)

    def limit(self, name, most):
        """On a sum of flows."""
        self.limits.append((name, most))

    def flow(self, ends, most, held=(), *, counts=False):
        """Bytes that change what nodes have in some spans; counted where they have arrived."""
        self.columns.append((ends, set(held), counts))
        self.most.append(most)

    def arrives(self):
        """The most that can."""
        from scipy.optimize import linprog
        from scipy.sparse import lil_array

        kept = lil_array((len(self.place) * len(self.spans), len(self.columns)))
        limited = lil_array((max(len(self.limits), 1), len(self.columns)))
        rows = {name: i for i, (name, _) in enumerate(self.limits)}
        for j, (ends, held, _) in enumerate(self.columns):
            for id, k, sign in ends:
                kept[self.place[id] * len(self.spans) + k, j] += sign
            for name in held & rows.keys():
                limited[rows[name], j] = 1
        found = linprog(
            [-float(counts) for _, _, counts in self.columns],
            A_ub=limited.tocsr(),
            b_ub=[most for _, most in self.limits] or [0.0],
            A_eq=kept.tocsr(),
            b_eq=np.zeros(kept.shape[0]),
            bounds=[(0.0, most) for most in self.most],
        )
        return -found.fun


def down(fleet, t_s, until_s, pieces):
    """The most that is at stations by a moment, of pieces (who have it, from when on, bytes)."""
    programme = Programme(fleet, t_s, until_s, [first_s for _, first_s, _ in pieces])
    for i, (members, first_s, size) in enumerate(pieces):
        programme.limit(i, size)
        for k, (start_s, _) in enumerate(programme.spans):
            for id in members if start_s >= first_s else ():
                programme.flow([(id, k, 1)], size, [i])
    for id in fleet.stations:
        for k in range(len(programme.spans)):
            programme.flow([(id, k, -1)], np.inf, counts=True)
    return programme.arrives()


def back(fleet, t_s, until_s, demands):
    """The most that is at satellites by a moment, each up to what it wants, from all stations."""
    programme = Programme(fleet, t_s, until_s)
    for id in fleet.stations:
        for k in range(len(programme.spans)):
            programme.flow([(id, k, 1)], np.inf)
    for id, size in demands.items():
        programme.flow([(id, len(programme.spans) - 1, -1)], size, counts=True)
    return programme.arrives()


def is_least(most_by, found_s, total):
    """Whether all can be there by that moment, and not a little before; never where there is none."""
    if not np.isfinite(found_s):
        return most_by(1e3) < total * (1 - 1e-9)
    return most_by(found_s * (1 + 1e-6)) >= total * (1 - 1e-9) > most_by(found_s * (1 - 1e-6))


def pieces_of(fleet, scheme):
    """Who have what from when on, since the way down was asked for."""
    each = dict(zip(fleet.satellites, fleet.images.tolist()))
    image_bytes = SMALL.cut_bytes(scheme.cut)
    if scheme.all_gather:
        return [(ring, 0.0, sum(each[id] for id in ring) * image_bytes) for ring in fleet.rings]
    chunks = scheme.chunks
    embed_s = SMALL.board_flop(scheme.cut) / fleet.board_flop_per_s
    return [
        ((id,), (i + 1) * n * embed_s / chunks if chunks > 1 else 0.0, n * image_bytes / chunks)
        for id, n in each.items()
        for i in range(chunks)
    ]


def test_ways_are_the_quickest(random_problems):
    tried = 0
    for seed in range(random_problems // 8):
        fleet = random_fleet(np.random.default_rng(5000 + seed))
        changes = [{}, {"all_gather": True}, {"chunks": 3}][seed % 3]
        scheme = tune.Scheme(cut=seed % 2, **changes)
        found = tune.schedule_round(SMALL, fleet, scheme)
        ends = {phase.name: phase.end_s for phase in found.phases}
        asked_s = 0.0 if scheme.chunks > 1 else max(ends.get("embed", 0.0), ends.get("all-gather", 0.0))
        pieces = pieces_of(fleet, scheme)
        total = sum(size for _, _, size in pieces)
        took_s = ends["down"] - asked_s
        assert is_least(lambda t, a=asked_s, p=pieces, f=fleet: down(f, a, t, p), took_s, total), seed
        if "back" not in ends:
            continue
        tried += 1
        demands = {id: n * FEATURE_BYTES for id, n in zip(fleet.satellites, fleet.images.tolist())}
        begin_s = ends["server"]
        took_s = ends["back"] - begin_s
        total = sum(demands.values())
        assert is_least(lambda t, b=begin_s, d=demands, f=fleet: back(f, b, t, d), took_s, total), seed
    assert tried
