"""Plans that carry codecs of their method's own, and plans from files."""

from __future__ import annotations

import json
import pickle

import pytest
from matplotlib import pyplot

from constellm import codec, model, network, plot, split
from constellm.cli import main
from constellm.codec import Codec
from constellm.core.files import read_json, write_json
from constellm.split.methods import METHODS, applicable
from oracles.random_problems import random_problem

LAYERS = model.from_arrays(flop=[1e9] * 6, memory_bytes=[1e6] * 6, output_bytes=[1e6] * 6, input_bytes=1e6)
HALF = Codec(name="half", ratio=2, error=0.1)
NONE = Codec(name="none", ratio=1.0, error=0.0)


def chain(codecs=(HALF,), memory_bytes=2.5e6, **more):
    nodes = network.chain(3, flop_per_s=1e12, memory_bytes=memory_bytes, rate_bps=1e9, latency_s=1e-3)
    given = {"model": LAYERS, "network": nodes, "codecs": list(codecs), "micro_batches": 4}
    return split.Problem(**{**given, **more})


def without_plain_codecs(problem):
    kept = [c.replace(ratio=c.ratio * 1.5) if c.ratio == 1.0 else c for c in problem.codecs]
    return problem.replace(codecs=[c.replace(name=f"own-{i}") for i, c in enumerate(kept)])


def problems():
    """Some whose menu has no codec that changes nothing, with graphs, limits and measured times."""
    yield chain()
    yield chain([codec.Codec(name="quantise-8", ratio=4.0, error=0.01)], name="bits")
    for seed in range(40):
        yield without_plain_codecs(split.problem_from_dict(random_problem(seed)))


def carrying(method="pipeedge"):
    plan = split.solve(chain(), method=method)
    assert plan.status == "feasible" and [c.name for c in plan.codecs] == ["none"]
    return plan


# ---- codecs of the method's own ---------------------------------------------------------------


def test_every_methods_plan_keeps_the_rules_of_the_problem_asked():
    carried = set()
    for problem in problems():
        for name in applicable(problem):
            if not METHODS.get(name, METHODS["optimal"]).has_plan:
                continue
            plan = split.solve(problem, method=name)
            data = json.loads(json.dumps(plan.to_dict()))
            assert split.check(problem, plan) == split.check(problem, data) == [], (problem.name, name)
            used = {stage.codec for stage in plan.stages} - {None}
            assert {c.name for c in plan.codecs} == used - {c.name for c in problem.codecs}
            assert ("codecs" in data) == bool(plan.codecs)
            if not plan.path:
                assert plan.problem == problem
                continue
            carried |= {name} if plan.codecs else set()
            assert plan.problem.codecs == (*problem.codecs, *plan.codecs)
            terms = split.evaluate(problem, plan)
            assert terms == split.evaluate(problem, data) == split.evaluate(plan.problem, plan)
            assert terms.delay_s == plan.delay_s
    assert carried >= {
        "no-compression", "neurosurgeon", "jalad", "pipeedge", "quantpipe", "edgeshard-latency",
        "edgeshard-throughput",
    }  # fmt: skip


def test_a_menu_that_has_it_gets_nothing_added():
    plan = split.solve(chain([HALF, NONE]), method="pipeedge")
    assert plan.codecs == () and "codecs" not in plan.to_dict()
    assert plan.problem == chain([HALF, NONE])


def test_a_carried_codec_contradicts_the_problems_own():
    """The problem's `none` halves what is sent; the plan's own does not."""
    plan = carrying()
    other = chain([HALF, NONE.replace(ratio=2.0)])
    broken = split.check(other, plan)
    assert broken[0] == "codecs[0]: 'none' is not the problem's own codec of that name"
    with pytest.raises(ValueError, match="'none' is not the problem's own"):
        split.evaluate(other, plan)
    assert split.check(chain([HALF, NONE]), plan) == []


def test_carried_codecs_are_read_as_those_of_a_problem():
    data = carrying().to_dict()
    problem = chain()
    for codecs, message in (
        ([{"name": "none"}], r"codecs\[0\]: missing required key 'ratio'"),
        ([{**data["codecs"][0], "ratio": 0.0}], r"codecs\[0\]: ratio: 0"),
        ([{**data["codecs"][0], "speed": 0.0}], r"codecs\[0\]: unknown key 'speed'"),
        (data["codecs"] * 2, r"codecs\[1\].name: 'none' is used by another codec"),
        ({}, "codecs: expected a list"),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            split.check(problem, {**data, "codecs": codecs})
    unfit = {**data["codecs"][0], "layer_ratio": [1.0, 1.0]}
    assert "2 entries for 6 layers" in split.check(problem, {**data, "codecs": [unfit]})[0]
    without = {key: value for key, value in data.items() if key != "codecs"}
    assert "stages[0].codec: the problem has no codec 'none'" in split.check(problem, without)


def test_the_command_line_solves_and_evaluates(tmp_path, capsys):
    problem = chain(name="mine")
    split.save_problem(problem, tmp_path / "p.json")
    for method in ("pipeedge", "no-compression", "edgeshard-latency", "edgeshard-throughput", "quantpipe"):
        solve = ["split", "solve", str(tmp_path / "p.json"), "--out", str(tmp_path), "--method", method]
        assert main(solve) == 0
        capsys.readouterr()
        assert main(["split", "evaluate", str(tmp_path / "p.json"), str(tmp_path / "mine.plan.json")]) == 0
        assert json.loads(capsys.readouterr().out)["delay_s"] > 0


def test_generation_evaluates_a_plan_with_its_own_codec():
    decode = [(1e6, 1e6, 1e3)] * 6
    lean = split.GenerationProblem(chain(), decode, new_tokens=4)
    rich = split.GenerationProblem(chain([HALF, NONE]), decode, new_tokens=4)
    assert lean.evaluate(carrying()) == rich.evaluate(split.solve(chain([HALF, NONE]), method="pipeedge"))


# ---- files ------------------------------------------------------------------------------------


def test_a_plan_comes_back_as_it_was(tmp_path):
    file = tmp_path / "a.plan.json"
    seen = set()
    for problem in problems():
        for method in ("optimal", "pipeedge", "quantpipe"):
            plan = split.solve(problem, method=method)
            split.save_plan(plan, file)
            for asked in (problem, plan.problem):
                again = split.load_plan(file, asked)
                assert again == plan and repr(again) == repr(plan)
                assert repr(again.to_dict()) == repr(plan.to_dict())
                assert again.problem == plan.problem and again.codecs == plan.codecs
                assert again.summary() == plan.summary() and again._repr_html_() == plan._repr_html_()
            assert pickle.loads(pickle.dumps(plan)).codecs == plan.codecs
            seen |= {plan.status}
    assert seen == {"optimal", "feasible", "infeasible", "no_plan_found"}


def test_a_loaded_plan_draws(tmp_path):
    file = tmp_path / "a.plan.json"
    split.save_plan(carrying(), file)
    plan = split.load_plan(file, chain())
    for draw in (plot.plot_plan, plot.plot_gantt, plot.plot_network):
        figure = draw(plan).figure
        figure.canvas.draw()
        pyplot.close(figure)
    assert split.schedule(plan).makespan_s == pytest.approx(plan.delay_s, rel=1e-12)


@pytest.mark.parametrize(
    "use",
    [plot.plot_plan, plot.plot_gantt, plot.plot_network, split.schedule, lambda p: split.save_plan(p, "x")],
)
def test_content_of_a_file_is_no_plan(use):
    with pytest.raises(TypeError, match=r"content of a plan file; constellm\.split\.load_plan"):
        use(carrying().to_dict())
    with pytest.raises(TypeError, match="plan: expected a Plan, got 3"):
        use(3)


def test_a_plan_of_another_problem_is_refused(tmp_path):
    file = tmp_path / "a.plan.json"
    split.save_plan(carrying(), file)
    with pytest.raises(ValueError, match="the plan is for 'problem', the problem is 'other'"):
        split.load_plan(file, chain(name="other"))
    # Something that this plan does not meet: no figure of it changes.
    elsewhere = [HALF, Codec(name="third", ratio=3, error=0.1)]
    with pytest.raises(ValueError, match="another problem of the name 'problem'"):
        split.load_plan(file, chain(elsewhere))
    # A file without the hash is taken by what it says.
    data = read_json(file)
    assert len(data["solver"].pop("problem_sha256")) == 64
    write_json(data, file)
    assert split.load_plan(file, chain(elsewhere)).delay_s == carrying().delay_s


def test_a_plan_that_breaks_rules_is_refused_with_all_of_them():
    data = split.solve(chain()).to_dict()
    wrong = {**data, "delay_s": 1.0, "bytes": 1.0}
    with pytest.raises(ValueError, match=r"delay_s: claimed 1\.0, is .*; bytes: claimed 1\.0"):
        split.plan_from_dict(wrong, chain())
    with pytest.raises(ValueError, match="memory of"):
        split.plan_from_dict(data, chain(memory_bytes=1.5e6))


def test_a_plan_file_of_other_hands():
    """Only what the format requires; the figures come from the evaluator."""
    data = split.solve(chain()).to_dict()
    keys = ("format", "version", "problem", "status", "path", "stages")
    plan = split.plan_from_dict({key: data[key] for key in keys} | {"status": "feasible"}, chain())
    assert plan.delay_s == data["delay_s"] and plan.method == "unknown"
    assert plan.lower_bound_s != plan.lower_bound_s and plan.seconds != plan.seconds
    assert set(plan.counters.values()) == {0}
    odd = {"method": 3, "seconds": "long", "labels": 2**70, "notes": [1]}
    assert split.plan_from_dict({**data, "solver": odd}, chain()).method == "unknown"


def test_a_plan_in_place_of_a_problem_is_called_one(tmp_path, capsys):
    problem_file, plan_file = tmp_path / "p.json", tmp_path / "p.plan.json"
    split.save_problem(chain(), problem_file)
    split.save_plan(carrying(), plan_file)
    with pytest.raises(ValueError, match="this is a plan, not a problem"):
        split.load_problem(plan_file)
    with pytest.raises(ValueError, match="this is a problem, not a plan"):
        split.load_plan(problem_file, chain())
    assert main(["split", "solve", str(plan_file), "--out", str(tmp_path)]) == 2
    assert "this is a plan, not a problem" in capsys.readouterr().err


# ---- fields ------------------------------------------------------------------------------------


def test_the_fields_are_all_that_a_plan_has():
    plan = split.solve(chain())
    names = [field.name for field in split.Plan.fields]
    shown = [key for key, value in vars(split.Plan).items() if isinstance(value, property)]
    assert sorted(names) == sorted(shown)
    for field in split.Plan.fields:
        assert getattr(split.Plan, field.name).__doc__.startswith(field.doc)
    units = {field.name: field.unit for field in split.Plan.fields if field.unit}
    assert units["delay_s"] == units["seconds"] == "s" and units["energy_j"] == "J"
    assert [plan.stages is plan.stages, plan.problem is plan.problem] == [True, True]
    assert plan.counters is not plan.counters  # a dictionary, which may be changed


def test_a_pickle_holds_what_is_not_found_from_the_rest():
    plan = carrying()
    version, state = plan.__getstate__()
    assert version == 2 and state.keys() == {
        "problem", "status", "lower_bound_s", "path", "stages", "codecs", "method", "infeasibility",
        "broken_limits", "counters", "seconds",
    }  # fmt: skip
    again = split.Plan.__new__(split.Plan)
    for key, wrong, error, message in (
        ("status", "good", ValueError, "status: 'good' is not one of 'optimal'"),
        ("path", ["nobody"], ValueError, r"path\[0\]: the problem has no node 'nobody'"),
        ("path", [], ValueError, "stages: given without a path"),
        ("codecs", (Codec(name="other", ratio=1.0, error=0.0),), ValueError, "codecs: not those at the end"),
        ("counters", {"labels": 1.5}, TypeError, "counters.labels: expected an integer, got 1.5"),
        ("counters", 3, TypeError, "counters: expected a dictionary, got 3"),
        ("problem", 3, TypeError, "problem: expected a Problem, got 3"),
        ("delay_s", 1.0, TypeError, "Plan: unknown key 'delay_s'"),
    ):
        with pytest.raises(error, match=message):
            again.__setstate__((version, {**state, key: wrong}))
    for key in ("problem", "status"):
        with pytest.raises(TypeError, match=f"Plan: missing required key '{key}'"):
            again.__setstate__((version, {name: value for name, value in state.items() if name != key}))
    again.__setstate__((version, state))
    assert again == plan and again.to_dict() == plan.to_dict() and again.delay_s == plan.delay_s


def test_a_file_says_nothing_of_what_there_is_none_of(tmp_path):
    plan = split.solve(chain())
    data = plan.to_dict()
    assert list(data)[:4] == ["format", "version", "problem", "status"]
    assert not {"codecs", "gap", "objective_s"} & data.keys()
    assert data["solver"].keys() >= {"method", "seconds", "version", "labels"}
    assert not {"infeasibility", "broken_limits", "counters"} & data["solver"].keys()
    nothing = split.solve(chain(memory_bytes=1.0)).to_dict()
    assert nothing.keys() == {"format", "version", "problem", "status", "solver"}
    assert nothing["solver"]["infeasibility"]["reason"] == "memory"
    # Another solver's file need not say how long it took; then the next file does not say it either.
    read = split.plan_from_dict({**data, "solver": {}}, plan.problem)
    assert read.method == "unknown" and "seconds" not in read.to_dict()["solver"]
    split.save_plan(read, tmp_path / "plan.json")
    assert split.load_plan(tmp_path / "plan.json", plan.problem) == read
