"""Problems and plans go there and back: files, archives of latencies, dictionaries."""

from __future__ import annotations

import io
import json
import math
import zipfile

import numpy as np
import pytest

from constellm import moe
from constellm.core.files import read_json
from oracles.random_experts import random_experts

SEEDS = range(60)


@pytest.fixture(scope="module")
def problems():
    return [moe.problem_from_dict(random_experts(seed)) for seed in SEEDS]


@pytest.fixture
def folder(repository):
    return repository / "tests" / "data" / "moe"


@pytest.fixture
def plan():
    slots = [[0.010, 0.014, 0.015, 0.022], [0.022, 0.014, 0.010, 0.015]]
    return moe.solve(moe.Problem([moe.Layer([0.5, 0.3, 0.2], slots)], top_k=2, name="three"))


# ---- problems --------------------------------------------------------------------------------


def test_problems_go_there_and_back_to_the_last_bit(problems, tmp_path):
    for problem in problems:
        file = tmp_path / "problem.json"
        moe.save_problem(problem, file)
        assert moe.load_problem(file) == problem
        assert moe.problem_from_dict(read_json(file)) == problem
    assert [entry.name for entry in tmp_path.iterdir()] == ["problem.json"]  # no scratch files are left


def test_a_problem_holds_what_the_file_said():
    for seed in SEEDS:
        data = random_experts(seed)
        problem = moe.problem_from_dict(data)
        assert (problem.name, problem.top_k) == (data["name"], data["top_k"])
        assert problem.satellites == tuple(data["satellites"])
        assert problem.unreachable_s == data.get("unreachable_s")
        for layer, said in zip(problem.layers, data["layers"]):
            assert layer.weights.tolist() == said["weights"] and layer.base_s == said.get("base_s", 0.0)
            assert layer.latency_s.shape == (problem.slots, len(problem.satellites))
            found = [[None if math.isnan(s) else s for s in row] for row in layer.latency_s.tolist()]
            assert found == said["latency_s"]


def test_latencies_in_an_archive(problems, tmp_path):
    (tmp_path / "arrays").mkdir()
    for problem in problems:
        file = tmp_path / "problem.json"
        moe.save_problem(problem, file, latency_npz="arrays/x.npz")
        data = json.loads(file.read_text())
        assert data["latency_npz"] == "arrays/x.npz"
        assert all("latency_s" not in layer for layer in data["layers"])
        assert moe.load_problem(file) == problem
        assert moe.problem_from_dict(data, folder=tmp_path) == problem
        latency_s = np.load(tmp_path / "arrays" / "x.npz")["latency_s"]
        assert latency_s.shape == (len(problem.layers), problem.slots, len(problem.satellites))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["arrays", "problem.json"]


def test_archives_that_others_wrote(tmp_path):
    data = {**random_experts(0), "latency_npz": "x.npz"}
    layers = [{"weights": [2, 1]}, {"weights": [1, 1, 1]}]
    data |= {"layers": layers, "satellites": list("abcde"), "top_k": 1}
    counts = np.arange(2 * 3 * 5).reshape(2, 3, 5)
    for array in (counts, counts.astype(np.float32), counts.astype(np.uint8), np.asfortranarray(counts)):
        np.savez(tmp_path / "x.npz", latency_s=array, other=np.zeros(2))
        problem = moe.problem_from_dict(data, folder=tmp_path)
        assert (np.stack([layer.latency_s for layer in problem.layers]) == counts).all()


def npy(array: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, array, allow_pickle=True)
    return content.getvalue()


def archive(content: bytes, name: str = "latency_s.npy") -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as file:
        file.writestr(name, content)
    return whole.getvalue()


ARRAY = np.zeros((1, 1, 2))
ARCHIVES = {
    "no zip file": (b"nothing", "is not a zip file"),
    "empty": (b"", "is not a zip file"),
    "an array alone": (npy(ARRAY), "is not a zip file"),
    "another name": (archive(npy(ARRAY), "latency.npy"), "has no array latency_s"),
    "no array in it": (archive(b"nothing at all"), "magic string is not correct"),
    "cut short": (archive(npy(ARRAY)[:-3]), ""),
    "damaged": (archive(npy(ARRAY)).replace(b"\0" * 16, b"\1" * 16, 1), ""),
    "objects": (archive(npy(np.array([[[None, 1.0]]]))), "Object arrays cannot be loaded"),
    "text": (archive(npy(np.array([[["a", "b"]]]))), "holds <U1, not numbers"),
    "complex numbers": (archive(npy(ARRAY + 1j)), "holds complex128, not numbers"),
    "truth": (archive(npy(ARRAY > 0)), "holds bool, not numbers"),
    "two dimensions": (archive(npy(ARRAY[0])), "shape (1, 2) is not (1, slots, 2)"),
    "two layers": (archive(npy(np.zeros((2, 1, 2)))), "shape (2, 1, 2) is not (1, slots, 2)"),
    "three satellites": (archive(npy(np.zeros((1, 1, 3)))), "shape (1, 1, 3) is not (1, slots, 2)"),
    "no slot": (archive(npy(np.zeros((1, 0, 2)))), "layers[0].latency_s: has no slot"),
    "a strange key": (archive(npy(ARRAY).replace(b"'fortran_order'", b"7              ")), ""),
    "a size out of range": (
        archive(npy(ARRAY).replace(b"(1, 1, 2), }           ", b"(99999999999999999999,)}")),
        "",
    ),
    "an empty type": (archive(npy(ARRAY).replace(b"'<f8'", b"()   ")), ""),
    "below nought": (archive(npy(ARRAY - 1)), "layers[0].latency_s[0][0]: -1 is not in [0, inf)"),
    "infinite": (archive(npy(ARRAY + np.inf)), "layers[0].latency_s[0][0]: inf is not in [0, inf)"),
}


@pytest.mark.parametrize("what", ARCHIVES)
def test_archives_that_are_none(tmp_path, what):
    content, words = ARCHIVES[what]
    (tmp_path / "x.npz").write_bytes(content)
    data = {
        "format": "constellm.moe-problem",
        "version": 1,
        "name": "p",
        "top_k": 1,
        "satellites": ["a", "b"],
        "layers": [{"weights": [1]}],
        "latency_npz": "x.npz",
    }
    with pytest.raises((ValueError, TypeError)) as caught:
        moe.problem_from_dict(data, folder=tmp_path)
    text = str(caught.value)
    assert words in text and "\n" not in text and text.startswith(("latency_npz: ", "layers[0]")), text


def test_an_archive_or_lists_not_both(problems, tmp_path):
    moe.save_problem(problems[0], tmp_path / "p.json", latency_npz="x.npz")
    data = read_json(tmp_path / "p.json")
    data["layers"][0]["latency_s"] = [[1.0]]
    with pytest.raises(ValueError, match=r"^layers\[0\]: unknown key 'latency_s'"):
        moe.problem_from_dict(data, folder=tmp_path)
    (tmp_path / "x.npz").unlink()
    with pytest.raises(FileNotFoundError):
        moe.load_problem(tmp_path / "p.json")


def test_examples_go_there_and_back(folder, tmp_path):
    for file in sorted(folder.glob("*.json")):
        if file.name.endswith(".plan.json"):
            continue
        problem = moe.load_problem(file)
        moe.save_problem(problem, tmp_path / "again.json")
        assert read_json(tmp_path / "again.json") == read_json(file)
        claims = read_json(file.with_suffix(".plan.json"))
        plan = moe.load_plan(file.with_suffix(".plan.json"), problem)
        moe.save_plan(plan, tmp_path / "again.plan.json")
        assert read_json(tmp_path / "again.plan.json") == {
            **claims,
            "token_latency_s": pytest.approx(claims["token_latency_s"], rel=1e-12),
            "lower_bound_s": pytest.approx(claims["lower_bound_s"], rel=1e-12),
        }


def test_what_is_no_problem_is_not_saved(tmp_path, plan):
    with pytest.raises(TypeError, match="^problem: expected a Problem, got Plan"):
        moe.save_problem(plan, tmp_path / "x.json")
    with pytest.raises(TypeError, match="^plan: expected a Plan, got Problem"):
        moe.save_plan(plan.problem, tmp_path / "x.json")
    with pytest.raises(OSError):
        moe.save_problem(plan.problem, tmp_path / "none" / "x.json")
    with pytest.raises(OSError):
        moe.save_problem(plan.problem, tmp_path / "x.json", latency_npz="none/x.npz")
    for same in ("x.json", tmp_path / "x.json", tmp_path / "." / "x.json"):
        with pytest.raises(ValueError, match="^latency_npz: '.* is the file of the problem itself$"):
            moe.save_problem(plan.problem, tmp_path / "x.json", latency_npz=same)
    assert list(tmp_path.iterdir()) == []


# ---- plans -----------------------------------------------------------------------------------


def test_plans_go_there_and_back(problems, tmp_path):
    statuses = set()
    for problem in problems:
        for method in moe.METHODS:
            plan = moe.solve(problem, method=method)
            statuses.add(plan.status)
            file = tmp_path / "x.plan.json"
            moe.save_plan(plan, file)
            again = moe.load_plan(file, problem)
            for name in ("problem", "status", "placement"):
                assert getattr(again, name) == getattr(plan, name)
            for name in ("token_latency_s", "lower_bound_s", "gap"):
                assert getattr(again, name) == pytest.approx(getattr(plan, name), rel=0, nan_ok=True)
            assert again.method == "unknown" and math.isnan(again.seconds)
            moe.save_plan(again, tmp_path / "again.plan.json")
            assert read_json(tmp_path / "again.plan.json") == read_json(file)
    assert statuses == {"optimal", "feasible", "infeasible", "no_plan_found"}


def test_a_plan_file_has_what_the_format_says(plan, tmp_path):
    moe.save_plan(plan, tmp_path / "x.json")
    assert read_json(tmp_path / "x.json") == {
        "format": "constellm.moe-plan",
        "version": 1,
        "problem": "three",
        "status": "optimal",
        "token_latency_s": plan.token_latency_s,
        "lower_bound_s": plan.lower_bound_s,
        "placement": [list(plan.placement[0])],
    }
    few = plan.problem.replace(
        layers=[moe.Layer([0.5, 0.3, 0.2], [[0.01, 0.02]])], satellites=["a", "b"], name="few"
    )
    moe.save_plan(moe.solve(few), tmp_path / "few.json")
    assert read_json(tmp_path / "few.json") == {
        "format": "constellm.moe-plan",
        "version": 1,
        "problem": "few",
        "status": "infeasible",
    }


def claims(plan: moe.Plan, **changes: object) -> dict:
    data = {
        "format": "constellm.moe-plan",
        "version": 1,
        "problem": plan.problem.name,
        "status": "optimal",
        "token_latency_s": plan.token_latency_s,
        "lower_bound_s": plan.lower_bound_s,
        "placement": [list(plan.placement[0])],
        **changes,
    }
    return {key: value for key, value in data.items() if value is not ...}


BROKEN = {
    "format: 'constellm.moe-problem' is not 'constellm.moe-plan': this is a problem of experts": {
        "format": "constellm.moe-problem"
    },
    "format: 3 is not": {"format": 3},
    "plan of experts: missing required key 'version'": {"version": ...},
    "version: 2 is not 1": {"version": 2},
    "version: 1.0 is not 1": {"version": 1.0},
    "problem: the plan is for 'other', not for 'three'": {"problem": "other"},
    "problem: expected text, got 3": {"problem": 3},
    "status: 'good' is not one of optimal, feasible": {"status": "good"},
    "status: ['optimal'] is not one of": {"status": ["optimal"]},
    "plan: missing required key 'status'": {"status": ...},
    "plan: unknown key 'extra'": {"extra": 1},
    "token_latency_s: 0.5 is not what the placement costs": {"token_latency_s": 0.5},
    "token_latency_s: expected a number, got '1'": {"token_latency_s": "1"},
    "placement and token_latency_s: one is given without the other": {"token_latency_s": ...},
    "lower_bound_s: 0.5 is above the latency": {"lower_bound_s": 0.5},
    "lower_bound_s: -1.0 is not in [0, inf)": {"lower_bound_s": -1.0},
    "lower_bound_s: expected a number, got None": {"lower_bound_s": None},
    "status: optimal, with a lower_bound_s of 0.0 below": {"lower_bound_s": 0.0},
    "lower_bound_s: missing beside a placement": {"lower_bound_s": ...},
    "lower_bound_s: missing beside": {"status": "time_limit", "lower_bound_s": ...},
    "placement: there is one, and the status is infeasible": {"status": "infeasible"},
    "placement: there is one, and the status is no_plan_found": {"status": "no_plan_found"},
    "placement: missing, and the status is optimal": {"placement": ..., "token_latency_s": ...},
    "lower_bound_s: there is one, and the status is infeasible": {
        "status": "infeasible", "placement": ..., "token_latency_s": ...
    },
    "placement: expected a list, got 's0'": {"placement": "s0"},
    "placement[0]: expected a list, got 's0'": {"placement": ["s0"]},
    "placement[0][2]: expected text, got 2": {"placement": [["s0", "s1", 2]]},
    "placement[0][2]: 'x' is not one of the problem's satellites": {"placement": [["s0", "s1", "x"]]},
    "placement[0][2]: 's1' hosts expert 1 of layer 0 already": {"placement": [["s0", "s1", "s1"]]},
    "placement[0]: has 2 satellites for 3 experts": {"placement": [["s0", "s1"]]},
    "placement: has 0 layers, the problem 1": {"placement": []},
}  # fmt: skip


@pytest.mark.parametrize("message", BROKEN)
def test_plans_that_are_none(plan, message):
    assert moe.plan_from_dict(claims(plan), plan.problem).token_latency_s == plan.token_latency_s
    with pytest.raises((ValueError, TypeError)) as caught:
        moe.plan_from_dict(claims(plan, **BROKEN[message]), plan.problem)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("status", ["infeasible", "no_plan_found", "time_limit", "interrupted"])
def test_plans_without_a_placement_need_no_figures(plan, status):
    bare = claims(plan, status=status, placement=..., token_latency_s=..., lower_bound_s=...)
    found = moe.plan_from_dict(bare, plan.problem)
    assert (found.status, found.placement) == (status, ()) and math.isnan(found.token_latency_s)


def test_an_unreachable_satellite_hosts_nothing(plan):
    latency_s = plan.problem.layers[0].latency_s.copy()
    latency_s[1, 3] = np.nan
    problem = plan.problem.replace(layers=[moe.Layer([0.5, 0.3, 0.2], latency_s)])
    broken = claims(plan, placement=[["s0", "s1", "s3"]])
    with pytest.raises(ValueError, match=r"^placement\[0\]\[2\]: 's3' is not reachable in slot 1, and "):
        moe.plan_from_dict(broken, problem)


def test_what_is_no_file(plan, tmp_path):
    for load in (moe.load_problem, lambda path: moe.load_plan(path, plan.problem)):
        with pytest.raises(FileNotFoundError):
            load(tmp_path / "none.json")
        with pytest.raises(OSError):
            load(tmp_path)
        (tmp_path / "half.json").write_text('{"format": "constellm')
        with pytest.raises(ValueError, match="Unterminated string"):
            load(tmp_path / "half.json")
        (tmp_path / "list.json").write_text("[1]")
        with pytest.raises(TypeError, match="expected an object"):
            load(tmp_path / "list.json")
    with pytest.raises(TypeError, match="^plan: expected an object, got"):
        moe.plan_from_dict([1], plan.problem)
    with pytest.raises(TypeError, match="^problem: expected an object, got"):
        moe.problem_from_dict([1])
    with pytest.raises(TypeError, match="^problem: expected a Problem, got"):
        moe.plan_from_dict(claims(plan), claims(plan))
