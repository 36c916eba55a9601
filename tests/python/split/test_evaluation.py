"""An evaluation is an object; for one version it still answers as the dictionary that it was."""

from __future__ import annotations

import copy
import pickle

import pytest

from constellm import paper, split


@pytest.fixture(scope="module")
def plan():
    return split.solve(paper.collaborative.edge_boards())


@pytest.fixture(scope="module")
def found(plan):
    return split.evaluate(plan.problem, plan)


def test_attributes(plan, found):
    assert isinstance(found, split.Evaluation)
    for name in ("delay_s", "bottleneck_s", "error", "energy_j", "bytes", "objective_s"):
        assert getattr(found, name) == getattr(plan, name)
    assert [stage.node for stage in found.stages] == [stage.node for stage in plan.stages]
    assert [hop.from_ for hop in found.hops] == plan.path[:-1]
    assert [hop.to for hop in found.hops] == plan.path[1:]
    assert found.broken_limits == []
    assert found.bottleneck_s == max(term.time_s for term in (*found.stages, *found.hops))
    assert found.stages is found.stages
    with pytest.raises(AttributeError):
        found.delay_s = 0.0


def test_the_objective_is_the_bottleneck_where_throughput_is_sought(plan):
    other = plan.problem.replace(objective="throughput")
    assert split.evaluate(other, plan).objective_s == plan.bottleneck_s
    fast = split.solve(other)
    assert fast.objective_s == fast.bottleneck_s <= plan.bottleneck_s
    assert plan.objective_s == plan.delay_s


def test_values(found):
    assert found == copy.deepcopy(found) == pickle.loads(pickle.dumps(found))
    assert found.replace(bytes=0.0) != found
    plain = found.to_dict()
    assert plain["stages"][0]["time_s"] == found.stages[0].time_s
    assert plain["hops"][0]["from"] == found.hops[0].from_
    assert "Evaluation(delay_s=" in repr(found) and "StageTerms(node=" in repr(found.stages[0])


def test_keys_still_answer_with_a_warning_that_names_the_attribute(found):
    old = {"evaluation": found, "stage": found.stages[0], "hop": found.hops[0]}
    for name, value in old.items():
        for key in list(value):
            attribute = "from_" if key == "from" else key
            with pytest.warns(DeprecationWarning, match=rf"it is {name}\.{attribute} now"):
                assert value[key] == getattr(value, attribute)
        with pytest.raises(KeyError):
            value["nonsense"]
        assert "nonsense" not in value and len(value) == len(list(value)) == len(type(value).fields)
    with pytest.warns(DeprecationWarning):
        assert dict(found)["delay_s"] == found.delay_s
    with pytest.warns(DeprecationWarning):
        assert found.get("bytes") == found.bytes and found.get("nonsense", 3) == 3
    with pytest.warns(DeprecationWarning):
        assert list(found.values())[0] == found.delay_s
    assert list(found.keys()) == list(found)
