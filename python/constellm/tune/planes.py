"""Planes as they are joined at a moment: whole rings, or the chains that missing links leave of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..network import ContactPlan
from .collectives import Collective

Exchange = Callable[..., Collective]
"""`all_gather` or `all_reduce`."""


@dataclass(frozen=True)
class Piece:
    """Satellites of one plane that are joined in a row."""

    members: tuple[str, ...]
    links: str
    """``ring`` or ``chain``."""
    rate_bps: float
    """The least of its links."""
    hop_s: float
    """The longest light time of its links."""

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Neighbours that it joins."""
        return neighbours(self.members) if self.links == "ring" else list(zip(self.members, self.members[1:]))

    def exchange(self, kind: Exchange, size_bytes: float, links: str = "ring") -> Collective:
        """`all_gather` or `all_reduce` of its members, by `links` where it is a whole ring."""
        if len(self.members) == 1:
            return Collective(0.0, 0.0)
        links = links if self.links == "ring" else self.links
        return kind(len(self.members), size_bytes, rate_bps=self.rate_bps, hop_s=self.hop_s, links=links)

    def spread_s(self, message_bytes: float) -> float:
        """Until all members have what one of them has: to both sides, from wherever it is."""
        k = len(self.members)
        hops = k // 2 if self.links == "ring" else k - 1
        return hops * (8.0 * message_bytes / self.rate_bps + self.hop_s) if hops else 0.0


Link = tuple[float, float, float]
"""Rate [bit/s], light time [s], close [s]."""


def open_links(contacts: ContactPlan, t_s: float) -> dict[tuple[str, str], Link]:
    """Contacts that are open at a moment, by their ends; of several the one that closes last."""
    rows = np.flatnonzero((contacts.open_s <= t_s) & (t_s < contacts.close_s))
    ids, found = contacts.nodes.ids(), {}
    for row in rows[np.argsort(contacts.close_s[rows], kind="stable")].tolist():
        pair = ids[contacts.from_[row]], ids[contacts.to[row]]
        found[pair] = (
            float(contacts.rate_bps[row]),
            float(contacts.owlt_s[row]),
            float(contacts.close_s[row]),
        )
    return found


def neighbours(ring: Sequence[str]) -> list[tuple[str, str]]:
    """Of a ring; two members have one link."""
    k = len(ring)
    return [(ring[i], ring[(i + 1) % k]) for i in range(k if k > 2 else k - 1)]


def pieces(ring: Sequence[str], links: dict[tuple[str, str], Link]) -> list[Piece]:
    """What is joined of a ring, both ways."""
    k = len(ring)
    joined = [(a, b) in links and (b, a) in links for a, b in neighbours(ring)]
    if k > 2 and all(joined):
        return [_piece(tuple(ring), "ring", links)]
    # A chain begins behind a missing link; of two members, or one, the ring is a chain itself.
    first = joined.index(False) + 1 if k > 2 else 0
    turned, found, row = [*ring[first:], *ring[:first]], [], list[str]()
    for id in turned:
        if row and not ((row[-1], id) in links and (id, row[-1]) in links):
            found.append(row)
            row = []
        row.append(id)
    found.append(row)
    return [_piece(tuple(row), "chain", links) for row in found]


def lasting_pieces(
    contacts: ContactPlan,
    rings: Sequence[Sequence[str]],
    t_s: float,
    exchange: Callable[[Piece], Collective],
) -> list[tuple[Piece, Collective]]:
    """What is joined of all rings for as long as an exchange within it takes, and that exchange."""
    every, found = open_links(contacts, t_s), []
    for ring in rings:
        both_ways = [pair for a, b in neighbours(ring) for pair in ((a, b), (b, a))]
        links = {pair: every[pair] for pair in both_ways if pair in every}
        while True:
            planned = [(piece, exchange(piece)) for piece in pieces(ring, links)]
            ends = {id: t_s + done.delay_s for piece, done in planned for id in piece.members}
            stay = {pair: link for pair, link in links.items() if link[2] >= ends.get(pair[0], t_s)}
            if len(stay) == len(links):
                break
            links = stay
        found += planned
    return found


def _piece(members: tuple[str, ...], links: str, known: dict[tuple[str, str], Link]) -> Piece:
    pairs = Piece(members, links, np.inf, 0.0).pairs
    used = [known[pair] for a, b in pairs for pair in ((a, b), (b, a))]
    rate_bps = min((link[0] for link in used), default=np.inf)
    return Piece(members, links, rate_bps, max((link[1] for link in used), default=0.0))
