"""Horizons as values and in files, what placements over time come to, and which rules they break."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

from constellm import network, orbit, services
from oracles.random_horizons import horizon_of, random_horizon

NODES = [network.Node(id=id, flop_per_s=1e12, memory_bytes=4e9) for id in ("a", "b")]
GRAPH = network.Graph(NODES, from_=[0, 1], to=[1, 0], rate_bps=1e9, latency_s=0.01)
ENCODER = services.Service("encoder", flop=1e10, memory_bytes=1e9, cost=1.0)
DECODER = services.Service("decoder", flop=2e10, memory_bytes=2e9, cost=2.0)
OTHER = services.Service("decoder", flop=1.0, memory_bytes=1.0, cost=1.0)


def slot(source: str = "a", **changes) -> services.Problem:
    stages = [
        services.Stage("encoder", [services.Input(-1, 1e6)]),
        services.Stage("decoder", [services.Input(0, 1e5)]),
    ]
    task = services.Task("caption", rate_per_s=5.0, source=source, sink=source, stages=stages)
    return services.Problem(**{"network": GRAPH, "services": [ENCODER, DECODER], "tasks": [task], **changes})


def on(encoder: list[str], decoder: list[str], serving: str = "a") -> services.Placement:
    return services.Placement({"encoder": encoder, "decoder": decoder}, {"caption": [serving, serving]})


HORIZON = services.Horizon(
    [slot("a"), slot("b", name="second"), slot("a")],
    [60.0, 30.0, 30.0],
    core=["encoder"],
    start_cost={"decoder": 0.5},
    start_cost_per_byte=1e-9,
    max_starts=2,
    max_moved_bytes=3e9,
    initial={"encoder": ["a"]},
)


def test_values():
    assert HORIZON.shares == (0.5, 0.25, 0.25)
    assert HORIZON.cost_of_start == (1.0, 2.5)
    assert HORIZON.initial == {"encoder": ("a",), "decoder": ()}
    assert pickle.loads(pickle.dumps(HORIZON)) == HORIZON == HORIZON.replace()
    assert HORIZON.replace(core=()) != HORIZON
    assert HORIZON != 1
    assert "3 slots, 120 s, 2 nodes, 2 services, 1 task" in repr(HORIZON)
    assert "at most 2 replicas and 3 GB start in a slot" in HORIZON.summary()
    assert "second" in HORIZON._repr_html_()
    with pytest.raises(ValueError, match="read-only"):
        HORIZON.durations_s[0] = 1.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"slots": []}, "slots: must not be empty"),
        ({"slots": slot()}, "slots: expected a sequence of Problem"),
        ({"slots": [slot(), slot(objective="delay")]}, r"slots\[1\].objective: 'delay' is not 'cost'"),
        ({"slots": [slot(), slot(services=[ENCODER, OTHER])]},
         r"slots\[1\].services"),
        ({"slots": [slot(), slot(network=network.Graph(NODES[:2][::-1], from_=[0], to=[1], rate_bps=1e9))]},
         r"slots\[1\].network: its nodes are not those of slots\[0\]"),
        ({"durations_s": [1.0]}, "durations_s: 1 of them for 3 slots"),
        ({"durations_s": [1.0, 0.0, 1.0]}, r"durations_s\[1\]: 0.0 is not in \(0, 1e\+12\]"),
        ({"core": ["coder"]}, "core: 'coder' is not the name of a service"),
        ({"core": "encoder"}, "core: expected names of services"),
        ({"core": ["encoder", "encoder"]}, "core: 'encoder' stands twice"),
        ({"start_cost": {"coder": 1.0}}, "start_cost: 'coder' is not the name of a service"),
        ({"start_cost": -1.0}, "start_cost: -1.0 is not in"),
        ({"start_cost": math.nan}, "start_cost: nan is not in"),
        ({"max_starts": -1}, r"max_starts: -1 is not in \[0, inf\)"),
        ({"max_starts": 1.0}, "max_starts: expected an integer"),
        ({"max_moved_bytes": math.inf}, "max_moved_bytes: inf is not in"),
        ({"initial": {"encoder": ["c"]}}, r"initial\['encoder'\]: 'c' is not the id of a node"),
        ({"initial": {"encoder": "a"}}, r"initial\['encoder'\]: expected ids of nodes"),
        ({"initial": {"encoder": ["a", "a"]}}, "names a node twice"),
        ({"initial": ["a"]}, "initial: expected a mapping"),
        ({"name": "a b"}, "name: 'a b' is not 1 to 100 characters"),
        ({"start": 1.0}, "unexpected keyword argument 'start'"),
    ],
)  # fmt: skip
def test_wrong_horizons(changes, message):
    with pytest.raises((TypeError, ValueError), match=message):
        HORIZON.replace(**changes)


def test_tasks_of_one_name_are_the_same():
    other = services.Task("caption", rate_per_s=1.0, source="a", sink="a", stages=slot().tasks[0].stages[:1])
    with pytest.raises(ValueError, match=r"slots\[1\].tasks: 'caption' has other stages or output_bytes"):
        services.Horizon([slot(), slot(tasks=[other])], 1.0)


def test_links_that_all_live_for_ever_are_said_so_in_one_way():
    endless = services.Horizon([slot(life_s=[math.inf, math.inf]), slot(life_s=[math.inf, 1.0])], 1.0)
    assert endless.slots[0].life_s is None and endless.slots[1].life_s.tolist() == [math.inf, 1.0]
    assert services.horizon_from_dict(services.horizon_to_dict(endless)) == endless


def test_costs_beyond_all_numbers():
    with pytest.raises(ValueError, match="start_cost_per_byte: 1e.300 for each of the 1e.09 B of 'encoder'"):
        HORIZON.replace(start_cost_per_byte=1e300)


def test_terms_by_hand():
    found = services.evaluate_horizon(
        HORIZON, [on(["a"], ["a"]), on(["a", "b"], ["b"], "b"), on(["a"], ["a"])]
    )
    # The decoder starts in every slot, the encoder once.
    assert found.started == (
        (("decoder", "a"),),
        (("encoder", "b"), ("decoder", "b")),
        (("decoder", "a"),),
    )
    assert found.starts == (1, 2, 1) and found.moved_bytes == (2e9, 3e9, 2e9)
    assert found.start_cost == 3 * 2.5 + 1.0
    assert found.replica_cost == 0.5 * 3 + 0.25 * 4 + 0.25 * 3
    assert found.cost == found.objective == found.replica_cost + found.start_cost
    assert found.delay_s == found.second == pytest.approx(0.03)
    assert found.rejected_weight == 0.0
    assert services.check_horizon(HORIZON, [on(["a"], ["a"])] * 3) == []


def test_without_initial_the_first_slot_is_free():
    horizon = HORIZON.replace(initial=None)
    assert services.evaluate_horizon(horizon, [on(["a"], ["a"])] * 3).starts == (0, 0, 0)


def test_every_broken_rule():
    rules = services.check_horizon(
        HORIZON.replace(max_starts=1, max_moved_bytes=1e9),
        [on(["a"], ["a"]), on(["b"], ["b"], "b"), on(["a"], ["a"])],
    )
    assert rules == [
        "slot 1: core service 'encoder' is on ['b'], and on ['a'] in slot 0",
        "slot 0: 2000000000.0 B start, more than max_moved_bytes, 1000000000.0",
        "slot 1: 2 replicas start, more than max_starts, 1",
        "slot 1: 3000000000.0 B start, more than max_moved_bytes, 1000000000.0",
        "slot 2: 2 replicas start, more than max_starts, 1",
        "slot 2: 3000000000.0 B start, more than max_moved_bytes, 1000000000.0",
    ]
    small = services.Horizon([slot(max_cost=2.0)], 1.0)
    assert any(
        "slot 0: " in rule and "cost" in rule for rule in services.check_horizon(small, [on(["a"], ["a"])])
    )


@pytest.mark.parametrize(
    ("placements", "message"),
    [
        ([], "placements: 0 of them for 3 slots"),
        (on(["a"], ["a"]), "placements: expected a Placement of each slot"),
        ([on(["a"], ["a"])] * 2 + [1], r"placements\[2\]: expected a Placement"),
        ([on(["a"], ["a"])] * 2 + [on(["a"], ["a"], "b")], r"placements\[2\]: "),
    ],
)
def test_wrong_placements(placements, message):
    with pytest.raises((TypeError, ValueError), match=message):
        services.evaluate_horizon(HORIZON, placements)


# ---- plans --------------------------------------------------------------------------------------


def test_plans_are_held_against_their_horizon():
    good = [on(["a"], ["a"])] * 3
    plan = services.HorizonPlan(HORIZON, "feasible", good, 1.0)
    assert plan.gap == (plan.objective - 1.0) / plan.objective
    assert plan.starts == 1 and plan.cost == 3.0 + 2.5 and plan.start_cost == 2.5
    assert pickle.loads(pickle.dumps(plan)) == plan != services.HorizonPlan(HORIZON, "feasible", good, 2.0)
    assert "no placements have a cost that is more than" in plan.summary()
    for arguments, message in (
        (("feasible", [on(["b"], ["b"], "b"), *good[1:]], 1.0), "core service 'encoder'"),
        (("optimal", good, 1.0), "status: optimal, with a gap"),
        (("optimal", [], 1.0), "placements: missing"),
        (("infeasible", good, 1.0), "placements: given"),
        (("best", good, 1.0), "status: 'best' is not one of"),
        (("feasible", good, -1.0), "lower_bound"),
    ):
        with pytest.raises(ValueError, match=message):
            services.HorizonPlan(HORIZON, *arguments)
    none = services.HorizonPlan(HORIZON, "infeasible", [], math.inf)
    assert math.isnan(none.cost) and math.isnan(none.gap) and none.starts == 0
    assert none.summary().count("\n") == 1


# ---- files --------------------------------------------------------------------------------------


def test_files_there_and_back(random_problems, tmp_path):
    saved = 0
    for seed in range(random_problems // 4):
        horizon = horizon_of(random_horizon(seed))
        if horizon.slots[0].samples is not None:
            with pytest.raises(ValueError, match="samples: are in no file"):
                services.horizon_to_dict(horizon)
            continue
        services.save_horizon(horizon, tmp_path / "day.json.gz")
        assert same_but_for_links(services.load_horizon(tmp_path / "day.json.gz"), horizon), seed
        saved += 1
    assert saved > random_problems // 10


def same_but_for_links(a: services.Horizon, b: services.Horizon) -> bool:
    """Files have every link once, so that slots may have theirs in another order."""

    def sorted_links(horizon):
        slots = []
        for one in horizon.slots:
            graph = one.network
            order = np.lexsort((graph.to, graph.from_))
            columns = {name: getattr(graph, name)[order] for name in ("from_", "to", "rate_bps", "latency_s")}
            life_s = None if one.life_s is None or np.isinf(one.life_s).all() else one.life_s[order]
            slots.append(one.replace(network=network.Graph(graph.nodes, **columns), life_s=life_s))
        return horizon.replace(slots=slots)

    return sorted_links(a) == sorted_links(b)


DATA = services.horizon_to_dict(HORIZON)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"slots": []}, "slots: must not be empty"),
        ({"extra": 1}, "horizon: unknown key 'extra'"),
        ({"version": 2}, "version: 2 is not 1"),
        ({"format": "constellm.services-problem"}, "format: "),
        ({"slots": [{"name": "x"}] * 3}, r"slots\[0\]: missing required key 'duration_s'"),
        ({"links": [{**DATA["links"][0], "rate_bps": [1e9, 1e9]}]},
         r"links\[0\].rate_bps: 2 values for 3 slots"),
        ({"links": [{**DATA["links"][0], "latency_s": [0.1, None, 0.1]}]},
         r"links\[0\].latency_s: null in slot 1, in which it is there"),
        ({"links": [DATA["links"][0], DATA["links"][0]]}, r"links\[1\]: joins the same nodes as links\[0\]"),
        ({"links": [{**DATA["links"][0], "to": "a"}]}, r"links\[0\].to: 'a' is where it comes from"),
        ({"tasks": [{**DATA["tasks"][0], "source": ["a", None, "a"]}]}, r"tasks\[0\].source: null in slot 1"),
        ({"tasks": [DATA["tasks"][0]] * 2}, r"tasks\[1\].name: 'caption' is the name of another task too"),
        ({"starts": {"most": 1}}, "starts: unknown key 'most'"),
        ({"starts": {"cost": 1.0}}, "starts.cost: expected an object"),
        ({"core": "encoder"}, "core: expected a list"),
        ({"objective": "least"}, r"slots\[0\]: objective"),
        ({"limits": {"budget": -1}}, "limits.budget: -1 is not in"),
    ],
)  # fmt: skip
def test_wrong_files(change, message):
    with pytest.raises((TypeError, ValueError), match=message):
        services.horizon_from_dict({**DATA, **change})


def test_a_task_that_is_not_there_in_a_slot():
    late = {**DATA["tasks"][0], "name": "late", "rate_per_s": [None, 2.0, 2.0]}
    data = {**DATA, "tasks": [DATA["tasks"][0], late]}
    horizon = services.horizon_from_dict(data)
    assert [len(one.tasks) for one in horizon.slots] == [1, 2, 2]
    assert services.horizon_from_dict(services.horizon_to_dict(horizon)) == horizon


def test_plans_in_files(tmp_path):
    plan = services.HorizonPlan(HORIZON, "feasible", [on(["a"], ["a"])] * 3, 1.0, True)
    services.save_horizon_plan(plan, tmp_path / "day.plan.json")
    assert services.load_horizon_plan(tmp_path / "day.plan.json", HORIZON) == plan
    data = services.horizon_plan_to_dict(plan)
    none = services.HorizonPlan(HORIZON, "infeasible", [], math.inf)
    assert services.horizon_plan_from_dict(services.horizon_plan_to_dict(none), HORIZON) == none
    for change, message in (
        ({"cost": 5.0}, "cost: 5.0, and the placements come to 5.5"),
        ({"horizon": "other"}, "horizon: 'other' is not 'horizon'"),
        ({"second_optimal": 1}, "second_optimal: expected true or false"),
        ({"placements": data["placements"][:2]}, "placements: 2 of them for 3 slots"),
        ({"placements": [{}] * 3}, r"placements\[0\]: missing required key 'replicas'"),
        ({"lower": 1.0}, "plan: unknown key 'lower'"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            services.horizon_plan_from_dict({**data, **change}, HORIZON)


# ---- over a constellation -----------------------------------------------------------------------

WORLD = orbit.Constellation(
    orbit.preset("iridium-next"), links=orbit.plus_grid(rate_bps=0.5e9, max_latitude_deg=60.0)
)
SCENARIO = services.scenario(WORLD, seed=1, tasks=3)


def test_links_live_through_their_slot_and_beyond():
    day = services.horizon(
        WORLD, SCENARIO, start=100.0, slot_s=240.0, slots=4, follow=services.regions(), ahead_s=300.0
    )
    windows = WORLD.windows(0.0, 3000.0)
    columns = [column.tolist() for column in (windows.from_, windows.to, windows.open_s, windows.close_s)]
    some_go = 0
    for k, one in enumerate(day.slots):
        opens_s, closes_s = 100.0 + 240.0 * k, 100.0 + 240.0 * (k + 1)
        through = {
            (a, b): close_s
            for a, b, open_s, close_s in zip(*columns)
            if open_s < opens_s and close_s > closes_s
        }
        pairs = list(zip(one.network.from_.tolist(), one.network.to.tolist()))
        assert set(pairs) == set(through)
        for pair, life_s in zip(pairs, one.life_s.tolist()):
            # A request of the slot's last moment, all the way through its last link.
            assert 0.0 < life_s <= 300.0 and closes_s + life_s <= through[pair]
            some_go += life_s < 300.0
        for t_s in np.linspace(opens_s, closes_s, 4):
            graph = WORLD.at(float(t_s)).graph
            place = {pair: a for a, pair in enumerate(zip(graph.from_.tolist(), graph.to.tolist()))}
            at = [place[pair] for pair in pairs]
            assert (one.network.latency_s >= graph.latency_s[at] * (1 - 1e-12)).all()
            assert (one.network.rate_bps <= graph.rate_bps[at]).all()
    assert some_go > 0
    home = SCENARIO.tasks[0].name.partition("/")[2]
    regions = [region for region in services.regions() if region.name == home]
    heads = services.overhead(WORLD, regions, 100.0 + 120.0)
    assert day.slots[0].tasks[0].source == day.slots[0].tasks[0].sink == heads[0]


def test_places_to_follow():
    name = SCENARIO.tasks[0].name
    munich = services.Region("Munich", 48.1, 11.6, population=1.0)
    days = [
        services.horizon(WORLD, SCENARIO, start=0.0, slot_s=60.0, slots=1, follow={name: place})
        for place in (munich, (48.1, 11.6))
    ]
    assert days[0] == days[1]
    still = services.horizon(WORLD, SCENARIO, start=0.0, slot_s=60.0, slots=1)
    assert still.slots[0].tasks == SCENARIO.tasks
    for follow, message in (
        ({"x": munich}, "follow: 'x' is not the name of a task"),
        ({name: 1.0}, "expected a Region, or a latitude"),
        ([munich], "follow: no task is called kind/region"),
        (munich, "follow: expected a mapping"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            services.horizon(WORLD, SCENARIO, start=0.0, slot_s=60.0, slots=1, follow=follow)
    with pytest.raises(ValueError, match="problem: its nodes are not those of the constellation"):
        services.horizon(WORLD, slot(), start=0.0, slot_s=60.0, slots=1)


def test_a_day_in_a_file(tmp_path):
    day = services.horizon(
        WORLD, SCENARIO, start=0.0, slot_s=600.0, slots=6, follow=services.regions(), start_cost=0.5
    )
    services.save_horizon(day, tmp_path / "day.json")
    found = services.load_horizon(tmp_path / "day.json")
    for mine, one in zip(found.slots, day.slots):
        assert mine.network.nodes.ids() == one.network.nodes.ids()
        assert (mine.tasks, mine.services) == (one.tasks, one.services)
        for name in ("from_", "to", "rate_bps", "latency_s"):
            assert np.array_equal(getattr(mine.network, name), getattr(one.network, name))
        assert np.array_equal(mine.life_s, one.life_s)
    services.save_horizon(found, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "day.json").read_bytes()
