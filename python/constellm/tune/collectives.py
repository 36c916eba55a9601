"""What it takes a plane of satellites to exchange data over its ring: closed forms."""

from __future__ import annotations

from dataclasses import dataclass

from ..core.checks import count, meant, non_negative, positive, short

LINKS = ("ring", "two-way ring", "chain")
"""How members are joined: a ring of which one direction is used, or both at once; a chain, what is left of a
ring where a link is missing, of which both are."""


@dataclass(frozen=True)
class Collective:
    """What an exchange among the members of a ring or chain takes; see `all_gather` and `all_reduce`.

    Examples
    --------
    >>> from constellm import tune
    >>> tune.all_gather(4, 1e6, rate_bps=8e6, hop_s=0.5)
    Collective(delay_s=4.5, sent_bytes=12000000.0)
    """

    delay_s: float
    """From when all members begin until the last one has what it is to have [s]."""
    sent_bytes: float
    """Over all links together [B]."""


def all_gather(
    members: int, block_bytes: float, *, rate_bps: float, hop_s: float, links: str = "ring"
) -> Collective:
    """Every member has a block and wants those of the others.

    Parameters
    ----------
    members : int
        K.
    block_bytes : float
        b, the largest of the blocks: every step waits for it [B], >= 0.
    rate_bps : float
        R, of each link in each direction [bit/s].
    hop_s : float
        d, the longest way of a bit between neighbours [s], >= 0.
    links : {"ring", "two-way ring", "chain"}
        See `LINKS`.

    Returns
    -------
    Collective
        ``ring`` and ``chain``: (K − 1)(8b/R + d), every block one hop farther in each step; ``two-way
        ring``: (K − 1) 8b/(2R) + ⌊K/2⌋ d, blocks go both ways to the middle, of an even ring the last one by
        halves. (K − 1) K b are sent.

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the range.

    Notes
    -----
    Of a ring the form is that of Patarasuk and Yuan, *Bandwidth optimal all-reduce algorithms for clusters
    of workstations*, J. Parallel Distrib. Comput. 69 (2009). No member of a two-way ring receives faster
    than over both links, and the farthest is ⌊K/2⌋ hops away: nothing is quicker there.

    Examples
    --------
    >>> from constellm import tune
    >>> for links in tune.LINKS:
    ...     print(tune.all_gather(11, 1.5e9, rate_bps=1e9, hop_s=0.0135, links=links).delay_s)
    120.135
    60.0675
    120.135
    """
    k, block = count("members", members), non_negative("block_bytes", block_bytes)
    transmit_s = 8.0 * block / positive("rate_bps", rate_bps)
    hop_s = non_negative("hop_s", hop_s)
    if links == "two-way ring" and k > 2:  # two members have one link
        delay_s = (k - 1) * transmit_s / 2.0 + (k // 2) * hop_s
    elif links in LINKS:
        delay_s = (k - 1) * (transmit_s + hop_s)
    else:
        raise ValueError(
            f"links: {short(links)} is not one of {', '.join(map(repr, LINKS))}{meant(str(links), LINKS)}"
        )
    return Collective(delay_s, float(k * (k - 1) * block))


def all_reduce(
    members: int, message_bytes: float, *, rate_bps: float, hop_s: float, links: str = "ring"
) -> Collective:
    """Every member has a message, and wants the sum of all.

    First each member comes to have a K-th of the sum, which is `all_gather` of blocks of S/K played
    backwards, then it is played forwards.

    Parameters
    ----------
    members, rate_bps, hop_s, links
        As of `all_gather`.
    message_bytes : float
        S [B], >= 0.

    Returns
    -------
    Collective
        ``ring`` and ``chain``: 2 (K − 1)(8S/(K R) + d); ``two-way ring``: 2 ((K − 1) 8S/(2 K R) + ⌊K/2⌋ d).
        2 (K − 1) S are sent. Adding up takes no time.

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the range.

    Examples
    --------
    >>> from constellm import tune
    >>> head = tune.spectral_gpt().head_bytes
    >>> round(tune.all_reduce(11, head, rate_bps=1e9, hop_s=0.0135).delay_s, 4)
    0.2704
    """
    k = count("members", members)
    block_bytes = non_negative("message_bytes", message_bytes) / k
    half = all_gather(k, block_bytes, rate_bps=rate_bps, hop_s=hop_s, links=links)
    return Collective(2.0 * half.delay_s, 2.0 * half.sent_bytes)
