"""Rounds phase by phase: closed forms, sums, overlaps, what never hurts, and rounds that never end."""

from __future__ import annotations

import pickle
from math import isnan

import numpy as np
import pytest

from constellm import codec, flow, network, tune

SCHEMES = [
    tune.Scheme(cut=None),
    tune.Scheme(cut=None, cache=True, local_epochs=3),
    tune.Scheme(cut=None, lora_rank=8),
    tune.Scheme(cut=0),
    tune.Scheme(),
    tune.Scheme(cut=3, dtype="float16"),
    tune.Scheme(all_gather=True, links="two-way ring"),
    tune.Scheme(codec=codec.gumbel_mask(keep=[0.221])[0]),
    tune.Scheme(local_rounds=3, local_epochs=2),
    tune.Scheme(aggregation="chain"),
    tune.Scheme(aggregation="ring"),
    tune.Scheme(aggregation="gossip"),
    tune.Scheme(cut=None, aggregation="ground"),
]


def ids_of(scheme):
    """A name of each scheme."""
    return scheme.describe().replace(" ", "-")


def test_a_round_by_hand(pair, spectral):
    """Satellite b sends over a to the station: every phase by its closed form."""
    found = tune.schedule_round(spectral, pair, tune.Scheme(all_gather=True), start_s=5.0)
    size = 100 * 3_145_728.0
    embed = 100 * spectral.board_flop(1) / 1e12
    gather = 8 * size / 1e9 + 0.01
    down = 2 * 8 * size / 1e9  # b's data has a's antenna as its only way
    server = 200 * spectral.server_flop(1) / 1e15
    back = 2 * 8 * 100 * 3072 / 1e9
    update = 100 * 4 * 768 * 10 / 1e12
    reduce = 2 * (8 * 30_760 / 2 / 1e9 + 0.01)
    expected = [embed, gather, down, server, back, update, reduce]
    assert [phase.name for phase in found.phases] == list(tune.PHASES[:-1])
    takes = [phase.delay_s for phase in found.phases]
    assert takes == pytest.approx(expected, rel=1e-9)
    assert found.delay_s == pytest.approx(sum(takes)) and found.finish_s == 5.0 + found.delay_s
    assert found.critical_path == tune.PHASES[:-1] and found.status == "optimal"
    sent = {phase.name: phase.sent_bytes for phase in found.phases}
    assert sent["all-gather"] == 2 * size and sent["all-reduce"] == pytest.approx(2 * 30_760)
    assert sent["down"] == pytest.approx(2 * size, rel=1e-6) and sent["update"] == 0.0
    assert sent["back"] == pytest.approx(3 * 100 * 3072, rel=1e-6)


def test_energy_is_power_times_seconds_of_work(pair, spectral):
    powers = tune.Powers(board_w=20.0, server_w=400.0, isl_w=5.0, down_w=7.0, up_w=11.0)
    found = tune.schedule_round(spectral, pair.replace(powers=powers))
    size = 8 * 100 * 3_145_728.0 / 1e9
    feature = 8 * 100 * 3072 / 1e9
    expected = {
        "embed": 20 * 200 * spectral.board_flop(1) / 1e12,
        "down": 5 * size + 7 * 2 * size,
        "server": 400 * 200 * spectral.server_flop(1) / 1e15,
        "back": 11 * 2 * feature + 5 * feature,
        "update": 20 * 200 * spectral.head_training_flop / 1e12,
        "all-reduce": 5 * 2 * 8 * 30_760 / 1e9,
    }
    energy = {phase.name: phase.energy_j for phase in found.phases}
    assert energy == pytest.approx(expected, rel=1e-6)
    assert found.energy_j == pytest.approx(sum(expected.values()))
    unknown = tune.schedule_round(spectral, pair.replace(powers=tune.Powers(board_w=20.0)))
    assert isnan(unknown.energy_j) and unknown.phases[0].energy_j == pytest.approx(expected["embed"])


@pytest.mark.parametrize("scheme", SCHEMES, ids=ids_of)
def test_phases_add_up(star, spectral, scheme):
    found = tune.schedule_round(spectral, star, scheme, start_s=100.0)
    assert found.status == "optimal" and found.phases
    end = 100.0
    for phase in found.phases:
        assert phase.start_s >= 100.0 and phase.end_s >= phase.start_s
        assert phase.start_s == pytest.approx(end) and phase.adds_s == pytest.approx(phase.delay_s)
        end = phase.end_s
    assert found.finish_s == end
    assert sum(phase.adds_s for phase in found.phases) == pytest.approx(found.delay_s)
    assert sum(found.seconds(name) for name in tune.PHASES) == pytest.approx(found.delay_s)
    for way in (found.down, found.back):
        assert (way is None) == (scheme.cut is None)


@pytest.mark.parametrize("scheme", SCHEMES, ids=ids_of)
def test_chunks_overlap(star, spectral, scheme):
    whole = tune.schedule_round(spectral, star, scheme)
    found = tune.schedule_round(spectral, star, scheme.replace(chunks=8))
    assert found.status == "optimal"
    assert sum(phase.adds_s for phase in found.phases) == pytest.approx(found.delay_s)
    # Hops of chunks go around the ring more often; the rest can only be sooner, but for the last image.
    late = 8 * 10 * 2 * 0.0142 if scheme.all_gather else 0.0
    assert found.delay_s <= whole.delay_s + late + 0.005


def test_finer_chunks_are_never_later(star, spectral):
    slow = star.replace(board_flop_per_s=2e10)  # embedding takes 7.5 s
    delays = [
        tune.schedule_round(spectral, slow, tune.Scheme(chunks=chunks)).delay_s for chunks in (1, 2, 4, 8, 16)
    ]
    assert all(later <= sooner + 0.005 for sooner, later in zip(delays, delays[1:]))
    assert delays[-1] < delays[0] - 5.0


def test_the_server_works_on_what_has_arrived(star, spectral):
    """Against a server that is played in small steps."""
    slow = star.replace(server_flop_per_s=5e13)
    found = tune.schedule_round(spectral, slow, tune.Scheme(cut=0, chunks=4))
    down, server = (next(p for p in found.phases if p.name == name) for name in ("down", "server"))
    plan, stations = found.down, [found.down.problem.contacts.nodes.position(id) for id in star.stations]
    into = np.isin(plan.problem.contacts.to[plan.contact], stations)
    total = star.images.sum() * spectral.image_bytes
    pace = spectral.image_bytes / (spectral.server_flop(0) / 5e13)
    step, t, done = 0.02, 0.0, 0.0
    while done < total * (1 - 1e-9):
        t += step
        share = np.clip((t - plan.start_s[into]) / (plan.end_s[into] - plan.start_s[into]), 0, 1)
        done = min(done + step * pace, float((share * plan.sent_bytes[into]).sum()))
    assert server.end_s == pytest.approx(t, abs=2 * step + 0.005)
    assert down.end_s < server.end_s < down.end_s + total / pace


def test_the_way_down_is_the_quickest_transfer(star, spectral):
    found = tune.schedule_round(spectral, star, tune.Scheme(cut=0))
    supply = dict.fromkeys(star.satellites, 500 * spectral.image_bytes)
    problem = flow.Problem(star.contacts, supply_bytes=supply, sinks=star.stations)
    assert found.seconds("down") == pytest.approx(flow.solve(problem).finish_s, rel=1e-9)


@pytest.mark.parametrize(
    "changes", [{}, {"all_gather": True}, {"chunks": 4}, {"all_gather": True, "chunks": 4}]
)
@pytest.mark.parametrize("antennas", [None, 1])
def test_transfers_keep_every_rule(star, spectral, changes, antennas):
    found = tune.schedule_round(spectral, star.replace(antennas=antennas), tune.Scheme(**changes))
    for way in (found.down, found.back):
        assert flow.check(way.problem, way) == ()
        assert way.lower_bound_s == pytest.approx(way.finish_s, rel=1e-9)


def test_one_antenna_a_station_is_the_volume_by_its_rate(pair, star, spectral):
    capped = tune.schedule_round(spectral, star.replace(antennas=1), tune.Scheme())
    size = 33_000 * spectral.cut_bytes(1)
    least_s = 8 * size / (3 * 0.3e9)
    assert least_s <= capped.seconds("down") <= 1.2 * least_s
    free = tune.schedule_round(spectral, star)
    many = tune.schedule_round(spectral, star.replace(antennas=50))
    assert many.seconds("down") == pytest.approx(free.seconds("down"), rel=1e-9)
    delays = [tune.schedule_round(spectral, star.replace(antennas=n)).delay_s for n in (1, 2, 4)]
    assert delays == sorted(delays, reverse=True) and delays[0] > free.delay_s


def test_more_never_hurts(star, spectral):
    base = tune.schedule_round(spectral, star).delay_s
    plan = star.contacts
    for better in (
        star.replace(server_flop_per_s=2e15),
        star.replace(board_flop_per_s=4e12),
        star.replace(images=400),
        star.replace(contacts=plan.replace(rate_bps=2 * plan.rate_bps)),
    ):
        assert tune.schedule_round(spectral, better).delay_s < base
    for worse in (
        star.without("Troll"),
        star.without(links=[(star.satellites[0], star.satellites[1])]),
        star.without("Svalbard", start_s=30.0, stop_s=90.0),
    ):
        assert tune.schedule_round(spectral, worse).delay_s >= base - 1e-9


def test_other_names_change_nothing(star, spectral):
    plan = star.contacts
    order = np.random.default_rng(1).permutation(len(plan.nodes))
    names = [f"x{i}" for i in range(len(order))]
    place = np.argsort(order)  # node i stands at place[i] now
    new = {id: names[place[i]] for i, id in enumerate(plan.nodes.ids())}
    rows = np.random.default_rng(2).permutation(len(plan))
    columns = {name: getattr(plan, name)[rows] for name in ("open_s", "close_s", "rate_bps", "owlt_s")}
    turned = network.ContactPlan(names, from_=place[plan.from_[rows]], to=place[plan.to[rows]], **columns)
    fleet = star.replace(
        contacts=turned,
        rings=[[new[id] for id in ring] for ring in star.rings],
        stations=[new[id] for id in star.stations],
    )
    for scheme in (tune.Scheme(all_gather=True), tune.Scheme(cut=0), tune.Scheme(cut=None)):
        one, other = (tune.schedule_round(spectral, given, scheme) for given in (star, fleet))
        assert one.delay_s == pytest.approx(other.delay_s, rel=1e-9)


def test_satellites_without_images_wait_for_nothing(star, spectral):
    images = np.zeros(66)
    images[3] = 500
    found = tune.schedule_round(spectral, star.replace(images=images), tune.Scheme(all_gather=True))
    assert found.status == "optimal"
    assert found.seconds("server") == pytest.approx(500 * spectral.server_flop(1) / 1e15)
    sent = {phase.name: phase.sent_bytes for phase in found.phases}
    assert sent["all-gather"] == pytest.approx(10 * 500 * spectral.cut_bytes(1))  # of one member alone
    assert (
        tune.schedule_round(spectral, star.replace(images=images), tune.Scheme(chunks=5)).status == "optimal"
    )


def test_a_ring_with_a_missing_link_is_a_chain(star, spectral):
    scheme = tune.Scheme(cut=None, links="two-way ring")
    ring = tune.schedule_round(spectral, star, scheme)
    a, b = star.rings[0][4:6]
    chain = tune.schedule_round(spectral, star.without(links=[(a, b)]), scheme)
    assert chain.seconds("all-reduce") > 1.5 * ring.seconds("all-reduce")
    lost = tune.schedule_round(spectral, star.without([a, star.rings[0][8]]), scheme)
    assert lost.status == "optimal"  # two pieces, each sums up by itself, and with each other


def test_rounds_follow_each_other_and_features_are_kept(star, spectral):
    every = tune.schedule_rounds(spectral, star, tune.Scheme(), rounds=4, start_s=50.0)
    assert [one.start_s for one in every.rounds[1:]] == [one.finish_s for one in every.rounds[:-1]]
    assert every.delay_s == pytest.approx(sum(one.delay_s for one in every.rounds))
    for one in every.rounds:
        assert one == tune.schedule_round(spectral, star, tune.Scheme(), start_s=one.start_s)
    kept = tune.schedule_rounds(spectral, star, tune.Scheme(cache=True), rounds=4, start_s=50.0)
    assert kept.rounds[0].delay_s == every.rounds[0].delay_s
    for one in kept.rounds[1:]:
        assert [phase.name for phase in one.phases] == ["update", "all-reduce", "between orbits"]
    assert kept.seconds("down") == kept.rounds[0].seconds("down") and kept.status == "optimal"


def test_on_board_features_are_made_anew_or_kept(star, spectral):
    forward = 500 * spectral.board_flop(spectral.layers) / 1e12
    head = 500 * spectral.head_training_flop / 1e12
    anew = tune.schedule_rounds(spectral, star, tune.Scheme(cut=None, local_epochs=3), rounds=2)
    assert anew.seconds("update") == pytest.approx(2 * 3 * (forward + head)) and anew.seconds("embed") == 0.0
    kept = tune.schedule_rounds(spectral, star, tune.Scheme(cut=None, cache=True, local_epochs=3), rounds=2)
    assert kept.seconds("embed") == pytest.approx(forward)
    assert kept.seconds("update") == pytest.approx(2 * 3 * head)
    lora = tune.schedule_round(spectral, star, tune.Scheme(cut=None, lora_rank=4))
    assert lora.seconds("update") == pytest.approx(500 * spectral.lora_training_flop(4) / 1e12)
    assert lora.phases[1].sent_bytes == pytest.approx(6 * 2 * 10 * spectral.lora_bytes(4))


def test_contacts_that_end_too_soon_leave_a_round_unfinished(star, spectral):
    found = tune.schedule_rounds(spectral, star, tune.Scheme(), rounds=100)
    assert found.status == "unfinished" and isnan(found.delay_s) and len(found.rounds) < 100
    last = found.rounds[-1]
    assert last.phases[-1].name == "down" and last.phases[-1].end_s == np.inf
    assert "∞" in last.summary() and "unfinished" in repr(last)
    alone = star.without(["Svalbard", "Troll", "Inuvik"])
    assert tune.schedule_round(spectral, alone).status == "unfinished"
    assert tune.schedule_round(spectral, alone, tune.Scheme(cut=None)).status == "optimal"
    assert tune.schedule_round(spectral, star, start_s=7300.0).status == "unfinished"  # no contact is left
    ground = tune.Scheme(cut=None, aggregation="ground")
    assert tune.schedule_round(spectral, alone, ground).status == "unfinished"


def test_rounds_are_values(pair, spectral):
    found = tune.schedule_round(spectral, pair)
    again = pickle.loads(pickle.dumps(found))
    assert again == found != tune.schedule_round(spectral, pair, start_s=1.0)
    many = tune.schedule_rounds(spectral, pair, rounds=2)
    assert many == tune.schedule_rounds(spectral, pair, rounds=2)
    for value in (found, many):
        assert repr(value) in value.summary() and "<table" in value._repr_html_()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cut": -1}, r"cut: -1 is not in \[0, inf\)"),
        ({"codec": "mask"}, "codec: expected a Codec, got 'mask'"),
        ({"cut": 0, "codec": codec.none()[0]}, "codec: there is no activation at the cut 0"),
        ({"dtype": "float16", "codec": codec.none()[0]}, "codec: its ratio is against float32"),
        ({"dtype": "int8"}, "dtype: 'int8' is not one of 'float32', 'float16'"),
        ({"cache": 1}, "cache: expected a bool, got 1"),
        ({"chunks": 0}, r"chunks: 0 is not in \[1, inf\)"),
        ({"links": "chain"}, "links: 'chain' is not one of 'ring', 'two-way ring'"),
        ({"aggregation": "star"}, "aggregation: 'star' is not one of 'tree', 'chain'"),
        ({"cut": None, "all_gather": True}, "all_gather: with all layers on board"),
        ({"lora_rank": 4}, "lora_rank: adapters are tuned with all layers on board"),
        ({"cut": None, "lora_rank": 4, "cache": True}, "lora_rank: adapters are tuned"),
        ({"transfer": "greedy"}, "transfer: 'greedy' is not one of 'optimal'"),
        ({"transfer": "slots:0"}, r"'0' is not in \(0, inf\) s"),
        ({"transfer": "intervals", "chunks": 2}, "transfer: 'intervals' does not wait for chunks"),
        ({"chunk": 3}, "unexpected keyword argument 'chunk'; did you mean 'chunks'"),
    ],
)
def test_what_is_no_scheme_is_refused(changes, said):
    with pytest.raises((ValueError, TypeError), match=said):
        tune.Scheme().replace(**changes)


def test_wrong_calls_are_refused(pair, spectral):
    for given, said in (
        ((pair, spectral), "workload: expected a Workload"),
        ((spectral, pair, "paper"), "scheme: expected a Scheme, got 'paper'"),
        ((spectral, pair, tune.Scheme(cut=13)), r"scheme.cut: 13 is not in \[0, 12\]"),
    ):
        with pytest.raises((ValueError, TypeError), match=said):
            tune.schedule_round(*given)
    with pytest.raises(ValueError, match="cached: all on board, float32 keeps no features"):
        tune.schedule_round(spectral, pair, tune.Scheme(cut=None), cached=True)
    with pytest.raises(ValueError, match=r"start_s: -1 is not in \[0, inf\)"):
        tune.schedule_round(spectral, pair, start_s=-1)
    with pytest.raises(TypeError, match="scheme: expected a Scheme, got 'paper'"):
        tune.schedule_rounds(spectral, pair, "paper", rounds=2)
    with pytest.raises(ValueError, match=r"rounds: 0 is not in \[1, inf\)"):
        tune.schedule_rounds(spectral, pair, rounds=0)
    by_layer = codec.Codec(name="two", ratio=2.0, error=0.1, layer_ratio=[2.0, 4.0])
    assert tune.Scheme(cut=2, codec=by_layer).sent_image_bytes(spectral) == spectral.cut_bytes(2) / 4
    with pytest.raises(ValueError, match="codec: 'two' has no ratio for the cut 3"):
        tune.schedule_round(spectral, pair, tune.Scheme(cut=3, codec=by_layer))
