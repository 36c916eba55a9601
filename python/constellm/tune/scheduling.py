"""Rounds on their contacts: every phase as early as it can be."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, nan

import numpy as np
from numpy.typing import NDArray

from ..core.checks import count, instance, non_negative
from .aggregation import aggregate
from .collectives import Collective, all_gather, all_reduce
from .contacts import cut_out
from .fleet import Fleet
from .planes import Piece, lasting_pieces
from .rounds import Phase, Round, Rounds
from .scheme import Scheme
from .transfers import Pieces, Transfer, way_back, way_down
from .workload import Workload


def schedule_round(
    workload: Workload,
    fleet: Fleet,
    scheme: Scheme | None = None,
    *,
    start_s: float = 0.0,
    cached: bool = False,
    time_limit_s: float = inf,
) -> Round:
    """A round on its contacts: every phase as early as it can be, the transfers quickest with proof.

    Parameters
    ----------
    workload : Workload
    fleet : Fleet
    scheme : Scheme, optional
        The decisions; default: the embedding on board, float32, exact transfers.
    start_s : float
        When it begins [s], >= 0.
    cached : bool
        Whether features are there already: it begins with the update. Not for a scheme that makes them anew
        on board in every pass.
    time_limit_s : float
        For each transfer [s].

    Returns
    -------
    Round

    Raises
    ------
    TypeError, ValueError
        For a cut that the workload has not, and values of other kinds.

    Notes
    -----
    With ``chunks=1`` each phase begins when the one before has ended for all, and the delay is the sum:

    - *embed*: max over satellites of images × (work on board / speed + encoding of the codec);
    - *all-gather*: `all_gather` of the largest member's data in each plane, the slowest plane;
    - *down*: the quickest transfer to the stations (`flow.solve`), or that of another method, of data that
      after an all-gather may leave from any member of its plane;
    - *server*: all images × (remaining work / speed + decoding);
    - *back*: the quickest transfer from the server, behind all stations, of every satellite's features;
    - *update*: max of images × epochs × work of the head (forward, and the gradient of its weights);
    - *all-reduce*: in each plane, the slowest; *between orbits*: `aggregate`.

    With more chunks the first four overlap. Chunk j of a satellite is embedded at j times a chunk's time,
    handed on by the all-gather at the pace of the slower of both, and can go down from then on; the way down
    is planned with these moments, exactly, over links that carry nothing else while their plane exchanges.
    The server works on what has arrived, in the limit of small images, plus one image at the end. The way
    back begins when the server is done; then a satellite updates as soon as its own features are there, and a
    plane sums up as soon as its members have and the way back no longer needs its links.

    A ring at which a link is missing at the time is a chain; what is no longer joined sums up and gathers by
    itself. Light time counts within planes and in trees, not in transfers, and writing and reading on board
    takes no time.

    Examples
    --------
    >>> from constellm import network, tune
    >>> plan = network.ContactPlan(
    ...     ["a", "b", "g"], from_=[0, 1, 0, 2], to=[1, 0, 2, 0], open_s=0, close_s=1e4, rate_bps=1e9
    ... )
    >>> fleet = tune.Fleet(
    ...     plan, [["a", "b"]], ["g"], images=100, board_flop_per_s=1e12, server_flop_per_s=1e15
    ... )
    >>> spectral = tune.spectral_gpt()
    >>> for name in ("paper", "network-flow", "on-board"):
    ...     found = tune.schedule_round(spectral, fleet, tune.SCHEMES[name])
    ...     print(name, round(found.delay_s, 2), found.critical_path)
    paper 7.63 ('embed', 'all-gather', 'down', 'server', 'back', 'update', 'all-reduce')
    network-flow 5.11 ('embed', 'down', 'server', 'back', 'update', 'all-reduce')
    on-board 21.29 ('update', 'all-reduce')
    """
    instance("workload", workload, Workload)
    instance("fleet", fleet, Fleet)
    scheme = Scheme() if scheme is None else instance("scheme", scheme, Scheme)
    if scheme.cut is not None:
        count("scheme.cut", scheme.cut, least=0, most=workload.layers - 1)
    if instance("cached", cached, bool) and scheme.cut is None and not scheme.cache:
        raise ValueError(f"cached: {scheme.describe()} keeps no features")
    run = _Run(workload, fleet, scheme, non_negative("start_s", start_s), time_limit_s)
    if not cached:
        run.features()
    run.updates()
    return run.round()


def schedule_rounds(
    workload: Workload,
    fleet: Fleet,
    scheme: Scheme | None = None,
    *,
    rounds: int,
    start_s: float = 0.0,
    time_limit_s: float = inf,
) -> Rounds:
    """Rounds one after the other: each begins when the one before has ended, on the contacts of that time.

    Parameters
    ----------
    workload, fleet, scheme, start_s, time_limit_s
        As of `schedule_round`. A scheme that caches features brings them down in the first round alone.
    rounds : int
        At least 1.

    Returns
    -------
    Rounds
        Up to the first that is unfinished when the contacts end.

    Raises
    ------
    TypeError, ValueError
        As `schedule_round`.

    Examples
    --------
    >>> from constellm import network, tune
    >>> plan = network.ContactPlan(
    ...     ["a", "b", "g"], from_=[0, 1, 0, 2], to=[1, 0, 2, 0], open_s=0, close_s=1e4, rate_bps=1e9
    ... )
    >>> fleet = tune.Fleet(
    ...     plan, [["a", "b"]], ["g"], images=100, board_flop_per_s=1e12, server_flop_per_s=1e15
    ... )
    >>> for cache in (False, True):
    ...     found = tune.schedule_rounds(tune.spectral_gpt(), fleet, tune.Scheme(cache=cache), rounds=10)
    ...     print(round(found.delay_s, 2), round(found.seconds("down"), 2))
    51.11 50.33
    5.11 5.03
    """
    wanted, found = count("rounds", rounds), list[Round]()
    scheme = Scheme() if scheme is None else instance("scheme", scheme, Scheme)
    while len(found) < wanted and (not found or found[-1].status != "unfinished"):
        one = schedule_round(
            workload,
            fleet,
            scheme,
            start_s=found[-1].finish_s if found else start_s,
            cached=scheme.cache and bool(found),
            time_limit_s=time_limit_s,
        )
        found.append(one)
    return Rounds(tuple(found), wanted)


class _Run:
    """A round while it is laid out."""

    def __init__(
        self, workload: Workload, fleet: Fleet, scheme: Scheme, start_s: float, time_limit_s: float
    ) -> None:
        self.workload, self.fleet, self.scheme, self.start_s = workload, fleet, scheme, start_s
        self.time_limit_s = time_limit_s
        self.names, self.overlap = fleet.satellites, scheme.chunks > 1
        self.position = {id: i for i, id in enumerate(self.names)}
        self.phases: list[Phase] = []
        self.ready_s = np.full(len(self.names), start_s)  # when each satellite can begin its update
        self.free_s = np.full(len(self.names), start_s)  # when the ways have left the links of its plane
        self.summed = fleet.rings  # who have the same update
        self.contacts = fleet.contacts  # that are left to the way down
        self.down: Transfer | None = None
        self.back: Transfer | None = None

    def round(self) -> Round:
        ways = [way.plan for way in (self.down, self.back) if way is not None]
        status = next((way.status for way in ways if way.status != "optimal"), "optimal")
        if self.unfinished:
            status = "unfinished"
        plans = (None if way is None else way.plan for way in (self.down, self.back))
        return Round(self.workload, self.fleet, self.scheme, self.start_s, status, tuple(self.phases), *plans)

    @property
    def now_s(self) -> float:
        """When all phases so far have ended."""
        return max((phase.end_s for phase in self.phases), default=self.start_s)

    @property
    def unfinished(self) -> bool:
        return bool(self.phases) and not self.phases[-1].end_s < inf

    def add(
        self,
        name: str,
        start_s: float,
        end_s: float,
        *,
        sent_bytes: float = 0.0,
        busy: Iterable[tuple[float, float | None]] = (),
        detail: str = "",
    ) -> None:
        """A phase; `busy` are seconds of work and their powers."""
        energy_j = sum(0.0 if s == 0.0 else nan if power is None else s * power for s, power in busy)
        adds_s = max(end_s - self.now_s, 0.0)
        start_s, end_s, adds_s, sent_bytes = map(float, (start_s, end_s, adds_s, sent_bytes))
        self.phases.append(Phase(name, start_s, end_s, adds_s, sent_bytes, float(energy_j), detail))

    # --- until features are on board -----------------------------------------------------------------

    def features(self) -> None:
        """Images are embedded, go down, and their features come back; or are made on board to be kept."""
        workload, fleet, scheme, t_s = self.workload, self.fleet, self.scheme, self.start_s
        cut = workload.layers if scheme.cut is None else scheme.cut
        if scheme.cut is None and not scheme.cache:
            return  # every epoch makes them anew: part of the update
        image_s = workload.board_flop(cut) / fleet.board_flop_per_s
        if scheme.codec is not None:
            image_s += scheme.codec.encode_s_per_byte * workload.cut_bytes(cut)
        embed_s = fleet.images * image_s
        if image_s > 0.0:
            last, busy = self.names[int(np.argmax(embed_s))], [(embed_s.sum(), fleet.powers.board_w)]
            self.add("embed", t_s, t_s + embed_s.max(), busy=busy, detail=last)
        if scheme.cut is None:
            self.ready_s = t_s + (embed_s if self.overlap else np.full_like(embed_s, embed_s.max()))
            return
        self.send_down(embed_s)
        if not self.unfinished:
            self.serve(cut)
            self.send_back()

    def send_down(self, embed_s: NDArray[np.float64]) -> None:
        fleet, scheme, t_s = self.fleet, self.scheme, self.now_s
        chunks = scheme.chunks
        data_bytes = fleet.images * scheme.sent_image_bytes(self.workload)
        if scheme.all_gather:
            made = self.gather(data_bytes, embed_s / chunks, t_s)
        else:
            made = {
                (id,): Pieces(size / chunks, chunk_s, chunk_s, chunks)
                for id, size, chunk_s in zip(self.names, data_bytes.tolist(), (embed_s / chunks).tolist())
            }
        if self.overlap:
            begin_s = self.start_s + min(one.first_s for one in made.values() if one.size_bytes)
            asked_s = self.start_s
        else:
            begin_s = asked_s = self.now_s
            made = {members: Pieces(one.total_bytes) for members, one in made.items()}
        left = fleet.replace(contacts=self.contacts)
        self.down = way_down(left, asked_s, made, method=scheme.transfer, time_limit_s=self.time_limit_s)
        self.add_way("down", begin_s, asked_s, self.down)

    def gather(
        self, data_bytes: NDArray[np.float64], chunk_s: NDArray[np.float64], t_s: float
    ) -> dict[tuple[str, ...], Pieces]:
        """What planes have together, chunk by chunk, and when since the round's start."""
        fleet, chunks = self.fleet, self.scheme.chunks
        made: dict[Piece, Pieces] = {}
        chunk_takes_s: dict[Piece, float] = {}
        begin_s = self.start_s if self.overlap else t_s

        def exchange(piece: Piece) -> Collective:
            own = self.positions(piece.members)
            size, embed_s = data_bytes[own], float(chunk_s[own].max())
            one_s = 0.0
            if size.any():
                one_s = piece.exchange(all_gather, float(size.max()) / chunks, self.scheme.links).delay_s
            pace_s, first_s = max(embed_s, one_s), embed_s + one_s
            made[piece] = Pieces(float(size.sum()) / chunks, first_s, pace_s, chunks)
            chunk_takes_s[piece] = one_s
            # Steps wait for the largest block, but each is sent as large as it is.
            delay_s = first_s + (chunks - 1) * pace_s if self.overlap else one_s
            return Collective(delay_s, (len(own) - 1) * float(size.sum()))

        found = lasting_pieces(fleet.contacts, fleet.rings, begin_s, exchange)
        last, whole = max(found, key=lambda one: one[1].delay_s)
        busy_s = sum(8.0 * done.sent_bytes / piece.rate_bps for piece, done in found)
        self.add(
            "all-gather",
            self.start_s + float(chunk_s.min()) if self.overlap else t_s,
            begin_s + whole.delay_s,
            sent_bytes=sum(done.sent_bytes for _, done in found),
            busy=[(busy_s, fleet.powers.isl_w)],
            detail=f"ring of {last.members[0]}",
        )
        if self.overlap:
            for piece, _ in found:
                self.take_links(piece, made[piece], chunk_takes_s[piece])
        return {piece.members: made[piece] for piece, _ in found}

    def take_links(self, piece: Piece, made: Pieces, takes_s: float) -> None:
        """From the way down, while chunks go around a plane."""
        first_s = self.start_s + made.first_s
        ends = [first_s + i * made.step_s for i in range(made.count)]
        spans = [(end - takes_s, end) for end in ends]
        if made.step_s <= takes_s:  # one follows the other
            spans = [(spans[0][0], spans[-1][1])]
        position = self.contacts.nodes.position
        links = [(position(a), position(b)) for a, b in piece.pairs]
        if links and takes_s > 0.0:
            self.contacts = cut_out(self.contacts, [], links, spans)

    def serve(self, cut: int) -> None:
        """The server computes the layers behind the cut."""
        workload, fleet, codec = self.workload, self.fleet, self.scheme.codec
        image_s = workload.server_flop(cut) / fleet.server_flop_per_s
        if codec is not None:
            image_s += codec.decode_s_per_byte * workload.cut_bytes(cut)
        work_s = float(fleet.images.sum()) * image_s
        start_s, end_s = self.now_s, self.now_s + work_s
        if self.overlap:
            assert self.down is not None
            time_s, arrived = self.down.arrived()
            start_s = self.start_s + float(time_s[np.flatnonzero(arrived > 0.0)[0] - 1])
            left_s = (1.0 - arrived / arrived[-1]) * work_s
            end_s = max(self.now_s, self.start_s + float((time_s + left_s).max())) + min(image_s, work_s)
        self.add("server", start_s, end_s, busy=[(work_s, fleet.powers.server_w)])

    def send_back(self) -> None:
        fleet, t_s = self.fleet, self.now_s
        wanted = fleet.images * self.scheme.feature_bytes(self.workload)
        demands = {id: float(size) for id, size in zip(self.names, wanted) if size}
        self.back = way_back(fleet, t_s, demands, time_limit_s=self.time_limit_s)
        self.add_way("back", t_s, t_s, self.back)
        if not self.unfinished:
            self.ready_s[:] = t_s + self.back.finish_s
            if self.overlap:
                met_s = self.back.met_s(demands)
                self.ready_s = t_s + np.array([met_s.get(id, 0.0) for id in self.names])
                for ring in fleet.rings:
                    self.free_s[self.positions(ring)] = t_s + self.back.last_sent_s(ring)

    def add_way(self, name: str, begin_s: float, asked_s: float, way: Transfer) -> None:
        sent, powers = way.sent(), self.fleet.powers
        watts = {"isl": powers.isl_w, "down": powers.down_w, "up": powers.up_w}
        self.add(
            name,
            begin_s,
            asked_s + way.finish_s if way.finish_s < inf else inf,
            sent_bytes=sum(size for size, _ in sent.values()),
            busy=[(seconds, watts[kind]) for kind, (_, seconds) in sent.items()],
            detail=way.plan.status,
        )

    # --- from features to the sum of all heads -------------------------------------------------------

    def updates(self) -> None:
        """Satellites update, planes sum up as often as asked for, and then with each other."""
        scheme = self.scheme
        if self.unfinished:
            return
        over_all = scheme.aggregation in ("ring", "ground")  # in place of the last sums of planes
        for i in range(scheme.local_rounds):
            self.update()
            if not (over_all and i == scheme.local_rounds - 1):
                self.sum_planes()
        t_s = float(self.ready_s.max())
        size = scheme.update_bytes(self.workload)
        done = aggregate(self.fleet, size, start_s=t_s, method=scheme.aggregation, summed=self.summed)
        if done.delay_s > 0.0:
            powers, sent = self.fleet.powers, done.sent_bytes
            busy = [(done.isl_s, powers.isl_w), (done.down_s, powers.down_w), (done.up_s, powers.up_w)]
            self.add("between orbits", t_s, done.finish_s, sent_bytes=sent, busy=busy, detail=done.detail)

    def update(self) -> None:
        workload, fleet, scheme = self.workload, self.fleet, self.scheme
        if scheme.lora_rank:
            flop = workload.lora_training_flop(scheme.lora_rank)
        else:
            flop = workload.head_training_flop
            if scheme.cut is None and not scheme.cache:
                flop += workload.board_flop(workload.layers)
        update_s = scheme.local_epochs * fleet.images * flop / fleet.board_flop_per_s
        start_s, self.ready_s = float(self.ready_s.min()), self.ready_s + update_s
        last, busy = self.names[int(np.argmax(self.ready_s))], [(update_s.sum(), fleet.powers.board_w)]
        self.add("update", start_s, float(self.ready_s.max()), busy=busy, detail=last)
        if not self.overlap:
            self.ready_s[:] = self.ready_s.max()

    def sum_planes(self) -> None:
        fleet, scheme, size = self.fleet, self.scheme, self.scheme.update_bytes(self.workload)
        rings_at: dict[float, list[tuple[str, ...]]] = {}
        can_s = np.maximum(self.ready_s, self.free_s)
        for ring in fleet.rings:
            rings_at.setdefault(float(can_s[self.positions(ring)].max()), []).append(ring)
        found: list[tuple[float, Piece, Collective]] = []
        for t_s, rings in rings_at.items():
            planned = lasting_pieces(
                fleet.contacts, rings, t_s, lambda piece: piece.exchange(all_reduce, size, scheme.links)
            )
            found += [(t_s, piece, done) for piece, done in planned]
        for t_s, piece, done in found:
            self.ready_s[self.positions(piece.members)] = t_s + done.delay_s
        summed = [piece.members for _, piece, _ in found]
        self.summed = tuple(sorted(summed, key=lambda members: min(self.positions(members))))
        found = [one for one in found if one[1].pairs]
        if found:
            t_s, last, done = max(found, key=lambda one: one[0] + one[2].delay_s)
            self.add(
                "all-reduce",
                min(begin_s for begin_s, _, _ in found),
                t_s + done.delay_s,
                sent_bytes=sum(done.sent_bytes for _, _, done in found),
                busy=[
                    (sum(8.0 * done.sent_bytes / one.rate_bps for _, one, done in found), fleet.powers.isl_w)
                ],
                detail=f"ring of {last.members[0]}",
            )
        if not self.overlap:
            self.ready_s[:] = self.ready_s.max()

    def positions(self, ids: Iterable[str]) -> list[int]:
        """Of satellites in the order of the fleet."""
        return [self.position[id] for id in ids]
