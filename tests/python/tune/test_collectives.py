"""Rings and chains: the closed forms against exchanges that are played block by block."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from constellm import tune

B, R, D = 3e6, 8e6, 0.25  # a block is sent in 3 s
SECONDS = 8 * B / R


def played(members, links):
    """All-gather of one block each, every link sending one block after the other; when, and how much is sent.

    Each node hands on what it gets, in the order in which it comes; parts are (origin, share of the block).
    """
    k = members
    ends = {}  # of a directed link: what it is to send, as (origin, share, hop)
    for origin in range(k):
        if links == "chain":
            ways = [(1, k - 1 - origin, []), (-1, origin, [])]
        elif links == "ring":
            ways = [(1, k - 1, [])]
        else:  # to the middle both ways; in an even ring the last hop by halves
            whole = (k - 1) // 2
            half = [0.5] if k % 2 == 0 else []
            ways = [(1, whole, half), (-1, whole, half)]
        for step, hops, last in ways:
            shares = [1.0] * hops + last
            for hop, share in enumerate(shares):
                node = (origin + step * hop) % k
                ends.setdefault((node, step), []).append((hop, origin, share))
    arrived = {(origin, origin): 0.0 for origin in range(k)}
    has = {(node, origin): [] for node in range(k) for origin in range(k)}
    free = dict.fromkeys(ends, 0.0)
    sent = 0.0
    for hop in range(k):
        for (node, step), queue in ends.items():
            for at, origin, share in queue:
                if at != hop:
                    continue
                before = (origin, node, step)
                start = max(free[node, step], 0.0 if hop == 0 else arrived[before])
                free[node, step] = start + share * SECONDS
                to = (node + step) % k
                arrived[origin, to, step] = free[node, step] + D
                has[to, origin].append((share, free[node, step] + D))
                sent += share * B
    end = 0.0
    for (node, origin), parts in has.items():
        if node != origin:
            assert sum(share for share, _ in parts) == 1.0, "everybody has every block once"
            end = max(end, *(time for _, time in parts))
    return end, sent


@pytest.mark.parametrize(("members", "links"), [*itertools.product(range(2, 14), tune.LINKS)])
def test_all_gather_is_what_is_played(members, links):
    found = tune.all_gather(members, B, rate_bps=R, hop_s=D, links=links)
    end, sent = played(members, "chain" if members == 2 else links)  # two have one link
    assert found.delay_s == pytest.approx(end, rel=1e-12)
    assert found.sent_bytes == pytest.approx(sent, rel=1e-12) == members * (members - 1) * B


@pytest.mark.parametrize("members", range(2, 12))
def test_all_reduce_sums_in_so_many_steps(members):
    """The ring's steps on real numbers: everybody has the sum, after 2 (K - 1) blocks of a K-th."""
    k = members
    data = np.random.default_rng(k).normal(size=(k, k))
    total, steps, own = data.sum(axis=0), 0, data.copy()
    for step in range(k - 1):  # scatter: node i passes block i - step on
        sent = [own[i, (i - step) % k] for i in range(k)]
        for i in range(k):
            own[(i + 1) % k, (i - step) % k] += sent[i]
        steps += 1
    for step in range(k - 1):  # gather: node i has block i + 1 whole
        sent = [own[i, (i + 1 - step) % k] for i in range(k)]
        for i in range(k):
            own[(i + 1) % k, (i + 1 - step) % k] = sent[i]
        steps += 1
    assert np.allclose(own, total)
    found = tune.all_reduce(k, B, rate_bps=R, hop_s=D)
    assert found.delay_s == pytest.approx(steps * (SECONDS / k + D))
    assert found.sent_bytes == pytest.approx(steps * k * B / k)


def test_both_directions_are_never_slower_and_bring_at_most_half():
    for members, hop_s in itertools.product(range(3, 30), (0.0, 0.01, 10.0)):
        for kind in (tune.all_gather, tune.all_reduce):
            one = kind(members, B, rate_bps=R, hop_s=hop_s).delay_s
            both = kind(members, B, rate_bps=R, hop_s=hop_s, links="two-way ring").delay_s
            assert one / 2 - 1e-12 <= both <= one


def test_the_published_example():
    """Eleven satellites of a plane, 500 embeddings each: the trial's 126 s at 1 Gbit/s."""
    size = 500 * tune.spectral_gpt().cut_bytes(1)
    assert round(tune.all_gather(11, size, rate_bps=1e9, hop_s=0.0135).delay_s) == 126
    assert round(tune.all_gather(11, size, rate_bps=0.1e9, hop_s=0.0135).delay_s) == 1258


def test_one_member_exchanges_nothing():
    for kind, links in itertools.product((tune.all_gather, tune.all_reduce), tune.LINKS):
        assert kind(1, B, rate_bps=R, hop_s=D, links=links) == tune.Collective(0.0, 0.0)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rate_bps": 0.0}, r"rate_bps: 0.0 is not in \(0, inf\)"),
        ({"rate_bps": float("inf")}, r"rate_bps: inf is not in \(0, inf\)"),
        ({"hop_s": -1}, r"hop_s: -1 is not in \[0, inf\)"),
        ({"links": "star"}, "links: 'star' is not one of 'ring', 'two-way ring', 'chain'"),
    ],
)
def test_what_is_no_ring_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        tune.all_gather(3, B, **{"rate_bps": R, "hop_s": D, **changes})
    with pytest.raises(ValueError, match=said):
        tune.all_reduce(3, B, **{"rate_bps": R, "hop_s": D, **changes})
    with pytest.raises(ValueError, match=r"members: 0 is not in \[1, inf\)"):
        tune.all_gather(0, B, rate_bps=R, hop_s=D)
    with pytest.raises(ValueError, match=r"message_bytes: -1.0 is not in"):
        tune.all_reduce(2, -1.0, rate_bps=R, hop_s=D)
