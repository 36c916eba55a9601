"""Scenarios: the same from the same seed, from real places, and worth solving."""

from __future__ import annotations

import itertools
import math
import pickle
from dataclasses import replace

import numpy as np
import pytest

from constellm import network, orbit, services


@pytest.fixture(scope="module")
def problem():
    return services.scenario(seed=3)


def test_same_seed_same_problem(problem):
    assert services.scenario(seed=3) == problem
    assert services.scenario(seed=4) != problem
    assert pickle.loads(pickle.dumps(problem)) == problem


def test_files_keep_all_of_it(problem, tmp_path):
    services.save_problem(problem, tmp_path / "scenario.json")
    assert services.load_problem(tmp_path / "scenario.json") == problem


def pair_of(task):
    """Kind and region."""
    kind, _, region = task.name.partition("/")
    return kind.partition(".")[0], region


def test_rates_are_shares_of_people(problem):
    people = {region.name: region.population for region in services.regions()}
    rates = {}
    for task in problem.tasks:
        pair = pair_of(task)
        rates[pair] = rates.get(pair, 0.0) + task.rate_per_s
        assert task.deviation_per_s == pytest.approx(0.3 * task.rate_per_s)
    asked = [people[place] for _, place in rates]
    assert len(asked) == 10
    assert list(rates.values()) == pytest.approx([40.0 * of / sum(asked) for of in asked])


def test_heavy_pairs_are_several_tasks():
    """At their raised rates no stage takes more than half of the fastest satellite."""
    found = services.scenario(seed=2)
    assert len(found.tasks) > 10
    flop = {service.name: service.flop for service in found.services}
    fastest = max(node.flop_per_s for node in found.network.nodes)
    for task in found.tasks:
        raised = task.rate_per_s + task.deviation_per_s
        assert max(raised * flop[stage.service] for stage in task.stages) <= 0.5 * fastest * (1 + 1e-12)
    pairs = list(map(pair_of, found.tasks))
    for i, (task, pair) in enumerate(zip(found.tasks, pairs)):
        number = i - pairs.index(pair) + 1
        assert task.name == f"{pair[0]}{f'.{number}' if number > 1 else ''}/{pair[1]}"


def test_sources_are_the_highest_satellites(problem):
    world = orbit.Constellation(orbit.preset("iridium-next"), links=orbit.plus_grid(seam="open"))
    position_m = world.states(0.0, frame="ecef").position_m
    places = {region.name: region for region in services.regions()}
    for task in problem.tasks:
        place = places[task.name.split("/")[1]]
        seen = orbit.look_angles(place.latitude_deg, place.longitude_deg, 0.0, position_m).elevation_deg
        assert task.source == task.sink == world.satellite_ids[int(np.argmax(seen))]


def test_kinds_come_in_turn_and_no_pair_twice():
    problem = services.scenario(seed=5, tasks=45)
    pairs = dict.fromkeys(map(pair_of, problem.tasks))
    assert len(pairs) == 45
    kinds = [kind for kind, _ in pairs]
    assert {kinds.count(kind) for kind in services.TEMPLATES} == {5}


def test_deadlines_are_multiples_of_the_quickest():
    """The least delay of each task alone, found by trying every assignment on a small network."""
    world = orbit.Constellation(
        orbit.walker("w", planes=1, satellites_per_plane=4, altitude_m=8e6, inclination_deg=60.0),
        links=orbit.plus_grid(rate_bps=1e8),
    )
    found = services.scenario(world, tasks=8, min_elevation_deg=-90.0, slack=(2.0, 2.0), least_deadline_s=0.0)
    ids = [node.id for node in found.network.nodes]
    for task in found.tasks:
        alone = services.Problem(
            network=found.network,
            services=[
                service for service in found.services if service.name in {x.service for x in task.stages}
            ],
            tasks=[replace(task, deadline_s=None)],
        )
        delays = []
        for nodes in itertools.product(ids, repeat=len(task.stages)):
            placement = services.Placement.serving(alone, {task.name: nodes})
            delays.append(services.evaluate(alone, placement).delay_s)
        assert task.deadline_s == pytest.approx(2.0 * min(delays), rel=1e-12), task.name


def test_no_deadline_is_shorter_than_the_least():
    found = services.scenario(seed=3, least_deadline_s=0.3)
    assert min(task.deadline_s for task in found.tasks) == 0.3


def test_without_deadlines():
    assert all(task.deadline_s is None for task in services.scenario(tasks=3, slack=None).tasks)


def test_computers_of_the_constellation_stay():
    world = orbit.Constellation(
        orbit.walker("w", planes=4, satellites_per_plane=6, altitude_m=1200e3, inclination_deg=60.0),
        links=orbit.plus_grid(rate_bps=1e9),
        stations=[orbit.station("Munich", 48.1, 11.6)],
        computers={"w/0/0": {"flop_per_s": 7e12, "memory_bytes": 5e9}},
    )
    found = services.scenario(world, tasks=4, min_elevation_deg=-90.0)
    nodes = {node.id: node for node in found.network.nodes}
    assert (nodes["w/0/0"].flop_per_s, nodes["w/0/0"].memory_bytes) == (7e12, 5e9)
    assert nodes["Munich"].flop_per_s == 0.0
    speeds = {
        network.device(name, precision="fp16-tensor", utilisation=0.3).flop_per_s
        for name in ("jetson-agx-orin-15w", "jetson-agx-orin-30w", "jetson-agx-orin-50w")
    }
    assert {node.flop_per_s for id, node in nodes.items() if id not in ("w/0/0", "Munich")} <= speeds


def test_own_templates_regions_and_components():
    head = services.Component(
        "h", "head", "any", flop=1e9, memory_bytes=1e8, input_bytes=5e5, outputs={"x": 9.0}
    )
    kind = services.Template("mine", (services.TemplateStage("h", raw=True),), "x")
    here = services.Region("here", 10.0, 20.0, population=5.0)
    found = services.scenario(templates=[kind], components={"h": head}, regions=[here], tasks=1)
    (task,) = found.tasks
    assert (task.name, task.rate_per_s, task.output_bytes) == ("mine/here", 40.0, 9.0)
    assert task.stages == (services.Stage("h", (services.Input(-1, 5e5),)),)
    assert [service.name for service in found.services] == ["h"]
    assert found.services[0].cost == 1.0


@pytest.mark.parametrize("name", services.TEMPLATES)
def test_templates_are_tasks(name):
    parts = services.components()
    kind = services.TEMPLATES[name]
    task = kind.task(parts, "t", source="a", sink="b", rate_per_s=1.0, weight=2.0)
    assert tuple(stage.service for stage in task.stages) == kind.components
    assert task.output_bytes == parts[kind.components[-1]].outputs[kind.output] > 0
    assert task.weight == 2.0
    assert kind.modalities(parts)


def test_two_encoders_join():
    kinds = [
        kind for kind in services.TEMPLATES.values() if sum("encoder" in c for c in kind.components) == 2
    ]
    assert {kind.name for kind in kinds} == {"retrieval", "detection", "fusion", "report"}
    assert services.TEMPLATES["report"].modalities(services.components()) == ("image", "radar", "text")


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"tasks": 0}, r"tasks: 0 is not in \[1, inf\)"),
        ({"tasks": 244}, r"tasks: 244 is not in \[1, 243\]"),
        ({"seed": -1}, "seed: -1 is not in"),
        ({"templates": ["nothing"]}, r"templates\[0\]: 'nothing' is not one of classification"),
        ({"templates": []}, "templates: must not be empty"),
        ({"requests_per_s": 0.0}, "requests_per_s: 0.0 is not in"),
        ({"most_share": 1.5}, "most_share: 1.5 is not in"),
        ({"least_deadline_s": -1.0}, "least_deadline_s: -1.0 is not in"),
        ({"deviation": -0.1}, "deviation: -0.1 is not in"),
        ({"slack": (0.9, 2.0)}, r"slack\[0\]: 0.9 is not in \[1,"),
        ({"slack": (2.0, 1.5)}, r"slack\[1\]: 1.5 is not in \[2,"),
        ({"slack": (2.0,)}, "slack: expected two numbers"),
        ({"devices": ["abacus"]}, r"devices\[0\]: 'abacus' is not one of"),
        ({"devices": []}, "devices: must not be empty"),
        ({"memory_bytes": [0.0]}, r"memory_bytes\[0\]: 0.0 is not in"),
        ({"utilisation": 1.5}, "utilisation: 1.5 is not in"),
        ({"min_elevation_deg": 89.0}, r"regions\[0\]: over '.*' the highest satellite stands at"),
        ({"components": {}}, "components: no '.*' among"),
    ],
)
def test_bad_scenarios(keywords, words):
    with pytest.raises(ValueError, match=words):
        services.scenario(**keywords)


def test_bad_regions_and_templates():
    with pytest.raises(ValueError, match=r"latitude_deg: 91 is not in \[-90, 90\]"):
        services.Region("a", 91, 0, population=1)
    with pytest.raises(ValueError, match=r"population: 0 is not in \(0, inf\)"):
        services.Region("a", 1, 0, population=0)
    with pytest.raises(ValueError, match="name: must not be empty"):
        services.Region("", 1, 0, population=1)
    with pytest.raises(ValueError, match="waits for nothing"):
        services.TemplateStage("a")
    with pytest.raises(ValueError, match=r"stages\[0\].inputs: 0 is not in \[0, 0\)"):
        services.Template("t", (services.TemplateStage("a", ((0, "x"),)),), "x")


def test_lost_satellites_are_not_overhead():
    rules = orbit.plus_grid(seam="open")
    here = [services.Region("here", 60.0, 0.0, population=1.0)]
    shell = orbit.preset("iridium-next")
    (first,) = services.overhead(orbit.Constellation(shell, links=rules), here)
    lost = orbit.Constellation(shell, links=rules, outages=[orbit.Outage(first, start=-10.0, stop=10.0)])
    assert services.overhead(lost, here) != (first,)
    assert services.overhead(lost, here, 10.0) == services.overhead(
        orbit.Constellation(shell, links=rules), here, 10.0
    )


def test_regions_are_places_on_the_earth():
    names = [region.name for region in services.regions()]
    assert len(names) == len(set(names)) == 27
    assert math.isclose(sum(region.population for region in services.regions()), 295_041_700.0)


def test_element_sets_of_real_satellites():
    pytest.importorskip("sgp4")
    world = orbit.Constellation(orbit.sample_elements(), links=orbit.nearest(4, rate_bps=1e9), name="iridium")
    found = services.scenario(world, tasks=3, t=60.0)
    assert {task.source for task in found.tasks} <= set(world.satellite_ids)
    assert all(node.flop_per_s > 0 for node in found.network.nodes)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_problems_can_be_solved_and_are_not_trivial(seed):
    problem = services.scenario(seed=seed)
    plan = services.solve(problem, method="annealing")
    nearest = services.solve(problem, method="nearest")
    fast = services.solve(problem.replace(objective="delay"), method="greedy")
    assert plan.placement is not None and fast.placement is not None
    assert not plan.cost >= nearest.cost  # NaN where the nearest nodes have no room
    assert plan.cost < fast.cost and fast.delay_s < plan.delay_s
    assert plan.cost < services.solve(services.monoliths(problem), method="annealing").cost
    few = services.solve(
        services.scenario(seed=seed, objective="admitted", max_cost=0.6 * plan.cost), method="annealing"
    )
    assert 0.0 < few.objective < len(problem.tasks)
