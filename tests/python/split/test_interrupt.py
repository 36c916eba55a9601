"""Ctrl-C: returned or raised with what there is."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from constellm import _core, model, network, paper, split
from constellm.codec import Codec
from constellm.split import Interrupted, comparison, micro_batches

LAYERS = model.from_arrays(flop=[1e9] * 6, memory_bytes=[1e6] * 6, output_bytes=[1e6] * 6, input_bytes=1e6)


@pytest.fixture
def problem():
    nodes = network.chain(3, flop_per_s=1e12, memory_bytes=1e9, rate_bps=1e9, latency_s=1e-3)
    return split.Problem(model=LAYERS, network=nodes, codecs=[Codec(name="none", ratio=1, error=0)])


def cut_short(plan):
    """A plan as Ctrl-C leaves it."""
    data = plan.to_dict() | {"status": "interrupted"}
    return split.plan_from_dict(data, plan.problem)


@pytest.fixture
def interrupting(monkeypatch, problem):
    """Every exact search ends as if Ctrl-C had been pressed in it."""
    plan = cut_short(split.solve(problem))
    monkeypatch.setattr(_core.split, "solve", lambda *_, **__: plan)
    return plan


def test_returned_or_raised(interrupting, problem):
    assert split.solve(problem).status == "interrupted"
    assert split.solve(problem, on_interrupt="return") is interrupting
    with pytest.raises(Interrupted) as caught:
        split.solve(problem, on_interrupt="raise")
    assert caught.value.result is interrupting
    assert isinstance(caught.value, KeyboardInterrupt) and not isinstance(caught.value, Exception)
    assert pickle.loads(pickle.dumps(caught.value)).result == interrupting


def test_a_loop_ends(interrupting, problem):
    solved = []
    with pytest.raises(KeyboardInterrupt):
        for _ in range(5):
            solved.append(split.solve(problem, on_interrupt="raise"))
    assert solved == []


def test_every_solver_takes_it(monkeypatch, problem):
    plan = split.solve(problem)
    generation = split.GenerationProblem(problem, [(1e6, 1e6, 1e3)] * 6, new_tokens=4)
    monkeypatch.setattr(_core.split, "k_best", lambda *_, **__: ([], True))
    monkeypatch.setattr(_core.split, "pareto_front", lambda *_, **__: ([plan], "interrupted"))
    monkeypatch.setattr(_core.split, "solve_generation", lambda *_, **__: (plan, "interrupted", 0.0))
    stub = SimpleNamespace(status="interrupted", path=[])
    monkeypatch.setattr(micro_batches, "solve", lambda *_, **__: stub)
    for call, shown in (
        (lambda **more: split.k_best(problem, 3, **more), list),
        (lambda **more: split.pareto_front(problem, **more), split.ParetoFront),
        (lambda **more: split.solve_generation(generation, **more), split.GenerationPlan),
        (lambda **more: split.best_micro_batches(problem, batch=4, **more), list),
    ):
        assert isinstance(call(), shown)
        with pytest.raises(Interrupted) as caught:
            call(on_interrupt="raise")
        assert isinstance(caught.value.result, shown)
        for wrong in ("Raise", None, True):
            with pytest.raises(ValueError, match="^on_interrupt: .* is not one of 'return', 'raise'"):
                call(on_interrupt=wrong)


def test_what_is_finished_is_not_raised(problem):
    plan = split.solve(problem, on_interrupt="raise")
    assert plan.status == "optimal"
    assert split.k_best(problem, 2, on_interrupt="raise")[0].delay_s == pytest.approx(plan.delay_s)


def test_compare_keeps_its_rows(interrupting, problem):
    with pytest.raises(Interrupted) as caught:
        split.compare(problem, ["uniform", "optimal", "pipeedge"])
    table = caught.value.result
    assert [row["method"] for row in table] == ["uniform", "optimal"]
    assert [row["status"] for row in table] == ["feasible", "interrupted"]
    assert table["uniform"]["speed_up"] == 1.0 and "uniform" in str(table)


def test_compare_keeps_its_rows_when_python_is_interrupted(monkeypatch, problem):
    row = comparison._row

    def raising(asked, name, limit_s):
        if name == "pipeedge":
            raise KeyboardInterrupt
        return row(asked, name, limit_s)

    monkeypatch.setattr(comparison, "_row", raising)
    with pytest.raises(Interrupted) as caught:
        split.compare(problem, ["uniform", "optimal", "pipeedge"], reference="pipeedge")
    table = caught.value.result
    assert [row["method"] for row in table] == ["uniform", "optimal"]
    assert table["optimal"]["gap"] < 1e-9 and table.reference == "uniform"


LOOP = """
from constellm import paper, split
problem = paper.collaborative.problem()
print("solving", flush=True)
try:
    while True:
        plan = split.solve(problem, on_interrupt="raise")
except KeyboardInterrupt as stop:
    print(type(getattr(stop, "result", plan)).__name__)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_ends_a_loop_of_solves():
    with subprocess.Popen([sys.executable, "-c", LOOP], stdout=subprocess.PIPE, text=True) as process:
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        assert process.stdout.readline() == "solving\n"
        threading.Timer(0.7, process.send_signal, [signal.SIGINT]).start()
        out, _ = process.communicate()
        watchdog.cancel()
    assert (process.returncode, out) == (0, "Plan\n")


def test_a_notebook_shows_what_there_is():
    table = split.compare(paper.collaborative.problem(relays=0), ["uniform", "optimal"])
    head, shown = split.Interrupted(table)._render_traceback_()
    assert head.startswith("Interrupted: ") and "optimal" in shown and "× uniform" in shown
    assert len(split.Interrupted([])._render_traceback_()) == 1
