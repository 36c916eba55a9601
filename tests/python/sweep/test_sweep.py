"""Sweeps in this process: axes, cells, statuses, threads, the labelled result."""

from __future__ import annotations

import functools
import json
import math
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import constellm
from constellm.model import Layer
from constellm.network import link
from constellm.split import Problem, solve
from constellm.sweep import SweepResult, load_rows, run
from constellm.sweep.result import GatheredRows
from constellm.sweep.rows import Rows
from python.sweep.problems import FIGURES, assert_same, small

xarray = pytest.importorskip("xarray")


def replaced(records: list, chosen: list[int], field: str, value: float, scale: bool) -> list:
    return [
        r.replace(**{field: value * getattr(r, field) if scale else value}) if i in chosen else r
        for i, r in enumerate(records)
    ]


def assert_cell_is(cell, problem: Problem) -> None:
    plan = solve(problem)
    assert str(cell["status"].values) == plan.status
    for name in FIGURES:
        expected = {"stages": len(plan.stages), "labels": plan.counters["labels"]}.get(name)
        expected = getattr(plan, name) if expected is None else expected
        np.testing.assert_equal(cell[name].item(), expected)


ADDRESSES = {
    "rate_bps": ("links", "rate_bps", [0, 1, 2]),
    "links[isl].rate_bps": ("links", "rate_bps", [0, 1]),
    "links[s2->ground].overhead_s": ("links", "overhead_s", [2]),
    "links[0].latency_s": ("links", "latency_s", [0]),
    "nodes[satellite].flop_per_s": ("nodes", "flop_per_s", [0, 1, 2]),
    "nodes[s1].memory_bytes": ("nodes", "memory_bytes", [1]),
    "power_w": ("nodes", "power_w", [0, 1, 2, 3]),
    "nodes[-2].tx_power_w": ("nodes", "tx_power_w", [2]),
    "nodes[satellite].overhead_s": ("nodes", "overhead_s", [0, 1, 2]),
    "codec_time_scale": ("nodes", "codec_time_scale", [0, 1, 2, 3]),
    "codecs[half].ratio": ("codecs", "ratio", [1]),
    "codecs[half].error": ("codecs", "error", [1]),
    "encode_s_per_byte": ("codecs", "encode_s_per_byte", [0, 1]),
    "codecs[1].decode_s_per_byte": ("codecs", "decode_s_per_byte", [1]),
    "flop": ("layers", "flop", [0, 1, 2]),
    "layers[l1].memory_bytes": ("layers", "memory_bytes", [1]),
    "layers[0].output_bytes": ("layers", "output_bytes", [0]),
    "error_gain": ("layers", "error_gain", [0, 1, 2]),
}


@given(
    address=st.sampled_from(sorted(ADDRESSES)),
    scale=st.booleans(),
    values=st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=3),
    max_error=st.sampled_from([0.0, 0.12, 0.3]),
)
def test_a_cell_is_the_problem_with_the_field_replaced(address, scale, values, max_error) -> None:
    problem = small()
    kind, field, chosen = ADDRESSES[address]
    axis = address + " *" if scale else address
    found = run(problem, {axis: values}, max_error=[max_error])
    for i, value in enumerate(values):
        changed = {
            kind: replaced(getattr(problem, kind), chosen, field, value, scale),
            "max_error": max_error,
        }
        assert_cell_is(found.isel({axis: i, "max_error": 0}), problem.replace(**changed))


def test_fields_of_the_problem_and_its_limits() -> None:
    problem = small()
    found = run(problem, micro_batches=[1, 7], input_bytes=[0.0, 1e6], max_energy_j=[1.0, 60.0, math.inf])
    assert found.sizes == {"micro_batches": 2, "input_bytes": 2, "max_energy_j": 3}
    for i, m in enumerate([1, 7]):
        for j, b in enumerate([0.0, 1e6]):
            for k, e in enumerate([1.0, 60.0, None]):
                cell = found.isel(micro_batches=i, input_bytes=j, max_energy_j=k)
                assert_cell_is(cell, problem.replace(micro_batches=m, input_bytes=b, max_energy_j=e))
    assert set(found.status.values.ravel()) == {"optimal", "infeasible"}
    assert np.isnan(found.delay_s.values[found.status.values == "infeasible"]).all()
    assert np.isinf(found.lower_bound_s.values[found.status.values == "infeasible"]).all()


def test_axes_apply_in_their_order() -> None:
    problem = small()
    found = run(problem, {"links.rate_bps": [5e5], "links[isl].rate_bps *": [3.0]})
    links = [one.replace(rate_bps=r) for one, r in zip(problem.links, [1.5e6, 1.5e6, 5e5])]
    assert_cell_is(found.isel(dict.fromkeys(found.dims, 0)), problem.replace(links=links))


def test_measured_times_scale() -> None:
    problem = small()
    nodes = [n.replace(layer_time_s=[1.0, 2.0, 3.0]) if n.id == "s1" else n for n in problem.nodes]
    problem = problem.replace(nodes=nodes)
    found = run(problem, {"nodes[s1].layer_time_s *": [0.1]})
    nodes = [n.replace(layer_time_s=[0.1, 0.2, 0.1 * 3.0]) if n.id == "s1" else n for n in nodes]
    assert_cell_is(found.isel({"nodes[s1].layer_time_s *": 0}), problem.replace(nodes=nodes))


@pytest.mark.parametrize("threads", [2, 4])
def test_threads_change_nothing(threads: int) -> None:
    axes = {"rate_bps": np.geomspace(1e4, 1e7, 20), "max_error": np.linspace(0, 0.4, 10)}
    assert_same(run(small(), axes, threads=threads), run(small(), axes, threads=1))


def test_a_bad_cell_says_why_and_harms_no_other() -> None:
    found = run(small(), rate_bps=[1e6, -1.0, math.nan, 2e6], max_error=[0.1, -0.1])
    assert found.status.values.tolist() == [
        ["optimal", "invalid"], ["invalid", "invalid"], ["invalid", "invalid"], ["optimal", "invalid"]
    ]  # fmt: skip
    assert found.message.values[1, 0] == "links[0].rate_bps: -1 is not in (0, inf)"
    assert "max_error: -0.1" in found.message.values[0, 1]
    assert found.message.values[0, 0] == ""
    assert np.isnan(found.delay_s.values[1]).all() and np.isfinite(found.delay_s.values[::3, 0]).all()


def test_parameters_of_a_factory_and_fields_mix_in_any_order() -> None:
    rates = np.array([1e5, 1e6])
    found = run(
        small,
        {"links[isl].rate_bps": rates, "memory_bytes": [40.0, 100.0], "max_error": [0.0, 0.3]},
        layers=[1, 3],
    )
    assert found.delay_s.dims == ("links[isl].rate_bps", "memory_bytes", "max_error", "layers")
    for i, rate in enumerate(rates):
        for j, memory in enumerate([40.0, 100.0]):
            for k, error in enumerate([0.0, 0.3]):
                for n, layers in enumerate([1, 3]):
                    problem = small(layers=layers, memory_bytes=memory)
                    links = [
                        one.replace(rate_bps=rate) if one.group == "isl" else one for one in problem.links
                    ]
                    place = {"links[isl].rate_bps": i, "memory_bytes": j, "max_error": k, "layers": n}
                    assert_cell_is(found[place], problem.replace(links=links, max_error=error))


def test_values_of_a_factory_may_be_anything() -> None:
    def factory(model: Layer, kind: str, flag: bool, **others: float) -> Problem:
        assert others == {"spare": 1.5}
        return small(name=kind).replace(layers=[model])

    layer = Layer(name="big", flop=1e9, memory_bytes=1.0, output_bytes=1.0)
    found = run(factory, model=[layer], kind=("a", "b"), flag=[True, False], spare=[1.5])
    assert found.coords["model"].values.tolist() == ["big"]
    assert found.coords["kind"].values.tolist() == ["a", "b"]
    assert found.coords["flag"].values.tolist() == ["True", "False"]
    assert found.coords["spare"].values.tolist() == [1.5]
    assert (found.status == "optimal").all()


def test_a_factory_that_refuses_makes_invalid_cells() -> None:
    found = run(small, memory_bytes=[-1.0, 100.0], layers=[0, 3], max_error=[0.1])
    assert found.status.values[..., 0].tolist() == [["invalid", "invalid"], ["invalid", "optimal"]]
    assert "memory_bytes" in found.message.values[0, 1, 0]


def test_a_field_that_some_problems_lack_makes_invalid_cells() -> None:
    def factory(cut: bool) -> Problem:
        problem = small()
        return problem.replace(links=[one.replace(group=None) for one in problem.links]) if cut else problem

    found = run(factory, {"links[isl].rate_bps": [1e6]}, cut=[True, False])
    assert found.status.values.tolist() == [["invalid", "optimal"]]
    assert "none of the links goes by 'isl'" in found.message.values[0, 0]


def test_a_factory_may_be_partial_or_take_no_axis() -> None:
    assert run(functools.partial(small, layers=2), memory_bytes=[100.0]).sizes == {"memory_bytes": 1}
    assert_same(run(small, max_error=[0.1]), run(small(), max_error=[0.1]))


def test_methods_make_a_dimension() -> None:
    rates, methods = [1e5, 1e6], ["optimal", "uniform", "no-compression", "fixed:half"]
    found = run(small(), rate_bps=rates, method=methods, answers=True)
    assert found.delay_s.dims == ("rate_bps", "method")
    assert found.coords["method"].values.tolist() == methods
    assert "method" not in found.attrs
    for rate in rates:
        links = [one.replace(rate_bps=rate) for one in small().links]
        for method in methods:
            plan = solve(small().replace(links=links), method=method)
            cell = found.sel({"rate_bps": rate, "method": method})
            assert str(cell["status"].values) == plan.status
            assert cell["plan"].item() == plan
            np.testing.assert_equal(
                [cell[f].item() for f in ("delay_s", "error")], [plan.delay_s, plan.error]
            )


def test_one_method_makes_none() -> None:
    found = run(small(), rate_bps=[1e5], method="no-compression")
    assert found.delay_s.dims == ("rate_bps",)
    assert found.attrs["method"] == "no-compression"
    assert found.status.values.tolist() == ["feasible"] and found.error.values.tolist() == [0.0]


def test_a_method_that_does_not_fit_the_problem_makes_invalid_cells() -> None:
    found = run(small(), rate_bps=[1e5], method=["fixed:zip", "optimal"])
    assert found.status.values.tolist() == [["invalid", "optimal"]]
    assert "zip" in found.message.values[0, 0]


def test_plans_come_along() -> None:
    found = run(small(), rate_bps=[1e5, -1.0], answers=True)
    plan = found["plan"].values[0]
    assert plan.delay_s == found.delay_s.values[0]
    assert plan.problem.links[0].rate_bps == 1e5
    assert found["plan"].values[1] is None


def test_units_and_attributes() -> None:
    found = run(small(name="told"), rate_bps=[1e6], micro_batches=[2])
    assert found.coords["rate_bps"].attrs == {"units": "bit/s"}
    assert found.delay_s.attrs["units"] == "s" and found.bytes.attrs["units"] == "B"
    assert found.attrs == {"problem": "told", "constellm": constellm.__version__, "method": "optimal"}
    assert found.coords["micro_batches"].dtype.kind == "i"


def test_without_xarray_the_result_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = run(small(), rate_bps=[1e5, 1e6], max_error=[0.0, 0.1, -1.0])
    monkeypatch.setitem(sys.modules, "xarray", None)
    found = run(small(), rate_bps=[1e5, 1e6], max_error=[0.0, 0.1, -1.0])
    assert isinstance(found, SweepResult)
    assert repr(found) == "SweepResult(rate_bps: 2, max_error: 3; 2 invalid, 4 optimal)"
    assert found.dims == ("rate_bps", "max_error") and found.shape == (2, 3)
    assert found["rate_bps"].tolist() == [1e5, 1e6]
    assert_same(found, dataset)
    assert not any(array.flags.writeable for array in (*found.variables.values(), *found.coords.values()))
    with pytest.raises(KeyError, match="'delay'; there are delay_s"):
        found["delay"]
    with pytest.raises(ImportError, match=r"constellm\[sweep\]"):
        found.to_xarray()
    assert_same(pickle.loads(pickle.dumps(found)), found)


def test_a_plain_result_becomes_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas")
    monkeypatch.setitem(sys.modules, "xarray", None)
    found = run(small(), rate_bps=[1e5, 1e6], max_error=[0.0, 0.1])
    table = found.to_pandas()
    assert list(table.columns[:3]) == ["rate_bps", "max_error", "delay_s"]
    assert table["rate_bps"].tolist() == [1e5, 1e5, 1e6, 1e6]
    assert table["delay_s"].tolist() == found["delay_s"].ravel().tolist()
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"constellm\[sweep\]"):
        found.to_pandas()


def test_wrong_calls_raise_before_anything_is_solved() -> None:
    def raises(error: type[Exception], text: str, *args: object, **keywords: object) -> None:
        with pytest.raises(error, match=text):
            run(*args, **keywords)

    raises(ValueError, "axes: at least one", small())
    raises(TypeError, "expected a Problem.* or a factory", 3, rate_bps=[1.0])
    raises(ValueError, "axis 'speed'.*flop_per_s", small(), speed=[1.0])
    raises(ValueError, "'links.overhead_s'|'nodes.overhead_s'", small(), overhead_s=[1.0])
    raises(ValueError, "groups: 'isl', 's2g'", small, {"links[s2x].rate_bps": [1.0]}, layers=[1, 2])
    raises(TypeError, "'rate_bps'.*1-D array of numbers", small(), rate_bps=1e6)
    for bad in ([], [[1.0]], [[1.0], [1.0, 2.0]], ["1"], [True], [1 + 1j]):
        raises(TypeError, "'rate_bps'.*1-D array of numbers", small(), rate_bps=bad)
    raises(TypeError, "no limit is infinity", small(), max_error=[0.1, None])
    raises(TypeError, "'micro_batches'.*integers", small(), micro_batches=[1.0, 2.0])
    raises(TypeError, "'rate_bps' is given twice", small(), {"rate_bps": [1.0]}, rate_bps=[1.0])
    raises(TypeError, "expected names, got 3", small(), {3: [1.0]})
    raises(TypeError, "'layers': expected a sequence", small, layers=3)
    raises(TypeError, "'layers': expected a sequence", small, layers="34")
    raises(TypeError, "'layers': expected a sequence", small, layers=[])
    raises(TypeError, "missing a required argument: 'model'", lambda model, kind: None, kind=[1])
    raises(ValueError, "refuses every combination.*memory_bytes.*-1", small, memory_bytes=[-1.0, -2.0])
    raises(TypeError, "it made 3", lambda kind: 3, kind=[1])
    raises(ValueError, "method: 'guess' is not one of optimal, ", small(), rate_bps=[1.0], method="guess")
    raises(ValueError, "different names", small(), rate_bps=[1.0], method=["optimal", "optimal"])
    raises(ValueError, "different names", small(), rate_bps=[1.0], method=[])
    raises(TypeError, "expected a name", small(), rate_bps=[1.0], method=[3])
    raises(ValueError, "threads", small(), rate_bps=[1.0], threads=0)
    raises(TypeError, "threads", small(), rate_bps=[1.0], threads=1.5)
    raises(ValueError, "time_limit_s", small(), rate_bps=[1.0], time_limit_s=-1)
    raises(ValueError, "either answers or store", small(), rate_bps=[1.0], answers=True, store="unused")


def test_a_time_limit_is_for_each_cell() -> None:
    found = run(small(), rate_bps=[1e5, 1e6], time_limit_s=0.0)
    assert found.status.values.tolist() == ["time_limit", "time_limit"]


def test_a_progress_bar_counts_plans(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tqdm")
    run(small(), rate_bps=[1e5, 1e6, -1.0], progress=True)
    assert "3/3" in capsys.readouterr().err
    run(small(), rate_bps=[1e5])
    assert capsys.readouterr() == ("", "")


def test_progress_needs_tqdm(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("tqdm", "tqdm.auto"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"constellm\[sweep\]"):
        run(small(), rate_bps=[1e5], progress=True)


@pytest.mark.parametrize("delay_s", [0.0, 0.1])
def test_ctrl_c_keeps_what_is_finished(delay_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pressed in Python's part of the work, or a moment later, most likely in the compiled one."""
    timer = threading.Timer(delay_s, os.kill, (os.getpid(), signal.SIGINT))
    accept = GatheredRows.accept

    def accept_and_press(self: GatheredRows, rows: Rows) -> None:
        accept(self, rows)
        if timer.ident is None:
            timer.start()
        if delay_s == 0.0:
            timer.join()

    monkeypatch.setattr(GatheredRows, "accept", accept_and_press)
    many = np.linspace(1e5, 1e7, 300_000)
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        found = run(small(), rate_bps=many, threads=1)
    finally:
        timer.join()
        signal.signal(signal.SIGINT, previous)
    interrupted = found.status.values == "interrupted"
    assert 0 < interrupted.sum() < len(many)
    assert (found.status.values[~interrupted] == "optimal").all()
    assert np.isfinite(found.delay_s.values[~interrupted]).all()


def test_an_exception_in_the_middle_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: object, rows: object) -> None:
        raise RuntimeError("no more room")

    monkeypatch.setattr(GatheredRows, "accept", fail)
    with pytest.raises(RuntimeError, match="no more room"):
        run(small(), rate_bps=np.linspace(1e5, 1e6, 1000), threads=2)


def test_the_module_can_be_called_for_one_version_with_a_warning() -> None:
    with pytest.warns(DeprecationWarning, match=r"constellm\.sweep is deprecated.*constellm\.sweep\.run"):
        found = constellm.sweep(small(), rate_bps=[1e6])
    assert_same(found, run(small(), rate_bps=[1e6]))
    with pytest.warns(DeprecationWarning, match=r"it is constellm\.sweep\.run now"):
        assert constellm.sweep.sweep is run
    assert constellm.sweep.load_rows is load_rows


def test_examples_of_the_documentation_run(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow")
    text = (repository / "docs" / "sweeps.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "sweeps.md", "exec"), namespace)
    assert len(blocks) == 4


def test_the_benchmark_measures(repository: Path, tmp_path: Path) -> None:
    script = repository / "benchmarks" / "sweep_speed.py"
    small_grid = ["--rates", "3", "--limits", "2", "--rounds", "1", "--json", str(tmp_path / "speed.json")]
    subprocess.run([sys.executable, "-W", "error", str(script), *small_grid], check=True, capture_output=True)
    figures = json.loads((tmp_path / "speed.json").read_text(encoding="utf-8"))
    assert figures["plans"] == 6 and sum(figures["statuses"].values()) == 6
    assert set(figures["plans_per_s"]) == set(figures["speedup"]) == {"1", "2"}


def test_links_of_the_ground_by_their_ends() -> None:
    problem = small()
    extra = [*problem.links, link("s2", "s1", rate_bps=1.0)]
    found = run(problem.replace(links=extra), {"links[s2->s1].rate_bps": [5.0]})
    assert found.status.values.tolist() == ["optimal"]


@pytest.mark.parametrize("name", ["cell", "error", "method", "message", "plan", "labels", "delay_s"])
def test_axes_named_as_a_column_are_refused_at_once(name: str) -> None:
    def factory(**values):
        raise AssertionError("called")

    with pytest.raises(ValueError, match=f"axis '{name}': the rows have a column of this name"):
        run(factory, {name: [0.1, 0.2]})


def test_a_field_of_a_columns_name_goes_by_its_list() -> None:
    found = run(small(), {"codecs.error": [0.01, 0.1]})
    assert found.delay_s.dims == ("codecs.error",)


@pytest.mark.parametrize("executor", [4, "dask", object()])
def test_what_is_no_executor_is_refused(executor: object) -> None:
    with pytest.raises(TypeError, match="executor: expected a concurrent"):
        run(small(), rate_bps=[1e6], executor=executor)


def test_a_result_without_xarray_has_its_figures_as_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xarray", None)
    found = run(small(), rate_bps=[1e5, 1e6])
    assert found.delay_s is found["delay_s"]
    assert found.rate_bps.tolist() == [1e5, 1e6]
    copied = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(copied.delay_s, found.delay_s)
    with pytest.raises(AttributeError, match=r"'sel': a SweepResult has delay_s, .*constellm\[sweep\]"):
        found.sel  # noqa: B018


@pytest.mark.parametrize(
    "names",
    [
        ("rate_bps", "links.rate_bps"),
        ("links[isl].rate_bps", "rate_bps"),
        ("links[isl].rate_bps *", "links[isl].rate_bps"),
        ("nodes[s0].flop_per_s", "nodes[0].flop_per_s"),
        ("max_error", "limits.max_error"),
        (" micro_batches", "micro_batches"),
    ],
)
def test_an_axis_that_leaves_another_without_effect_is_refused(names: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=f"axis '{re.escape(names[1])}': sets all that axis"):
        run(small(), dict.fromkeys(names, [1, 2]))


@pytest.mark.parametrize(
    "names", [("rate_bps", "links[isl].rate_bps"), ("rate_bps", "rate_bps *"), ("rate_bps", "latency_s")]
)
def test_axes_that_share_a_part_have_their_effects_in_order(names: tuple[str, str]) -> None:
    found = run(small(), {names[0]: [1e5, 1e6], names[1]: [1.0, 2.0]})
    assert len(set(np.ravel(found["delay_s"]))) == 4


def test_a_limit_that_an_axis_has_lifted_stays_lifted() -> None:
    free = run(small(), {"max_error": [np.inf]})["delay_s"]
    found = run(small(), {"max_error": [np.inf], "max_error *": [0.01, 1.0]})["delay_s"]
    np.testing.assert_array_equal(np.asarray(found)[0], np.repeat(np.asarray(free), 2))


def test_limits_take_no_key() -> None:
    with pytest.raises(ValueError, match="limits is no list, so it takes no key"):
        run(small(), {"limits[0].max_error": [0.1]})


def test_answers_under_their_old_name() -> None:
    with pytest.warns(DeprecationWarning, match=r"sweep\.run\(plans=\.\.\.\) is .* sweep\.run\(answers"):
        old = run(small(), rate_bps=[1e5], plans=True)
    assert old["plan"].shape == (1,)
