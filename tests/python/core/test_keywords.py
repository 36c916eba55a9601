"""A slip in a keyword of anything public says what was meant."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pickle

import numpy as np
import pytest

import constellm
from constellm import codec, codesign, model, network, paper, split, sweep

TORCH = importlib.util.find_spec("torch") is not None
AREAS = [
    *(area for area in constellm.__all__ if area not in ("__version__", "build_info", "train" * (not TORCH))),
    "paper.collaborative",
]


def public():
    """Everything that is called, and has a parameter that can be given by its name."""
    for area in AREAS:
        module = importlib.import_module(f"constellm.{area}")
        for name in module.__all__:
            value = getattr(module, name)
            compiled = type(value).__name__ == "pybind11_type"
            if compiled or not (inspect.isfunction(value) or inspect.isclass(value)):
                continue
            if getattr(value, "_is_protocol", False):
                continue
            parameters = inspect.signature(value).parameters.values()
            names = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
            if names and all(p.kind is not p.VAR_KEYWORD for p in parameters):
                yield pytest.param(value, names[-1], id=f"{area}.{name}")


@pytest.mark.parametrize(("value", "name"), list(public()))
def test_a_slip_gives_a_hint(value, name):
    with pytest.raises(TypeError, match=rf"unexpected keyword argument '{name}e'; did you mean '\w+'\?$"):
        value(**{f"{name}e": 1})


PROBLEM = paper.collaborative.problem(relays=0)


@pytest.mark.parametrize(
    ("call", "meant"),
    [
        (lambda: network.chain(3, flops=1), "flop_per_s"),
        (lambda: network.device("jetson", utilization=1), "utilisation"),
        (lambda: model.vit("vit-base/16", batch_size=1), "batch"),
        (lambda: split.compare(PROBLEM, method="optimal"), "methods"),
        (lambda: split.solve(PROBLEM, methods="uniform"), "method"),
        (lambda: split.solve(PROBLEM, time_limit=1), "time_limit_s"),
        (lambda: split.GenerationProblem(memory_bandwidth=1), "memory_bandwidth_bytes_per_s"),
        (lambda: codesign.Campaign(los=0.1), "loss"),
        (lambda: paper.collaborative.problem(isl_rate=1), "isl_rate_bps"),
        (lambda: sweep.run(PROBLEM, rate_bps=[1e9], answer=True), "answers"),
    ],
)
def test_the_hint_is_the_keyword_that_was_meant(call, meant):
    with pytest.raises(TypeError, match=f"did you mean '{meant}'"):
        call()


def test_what_is_given_is_not_suggested():
    with pytest.raises(TypeError, match="'rounding'; known: ") as caught:
        codesign.Campaign(rounds=1, rounding=1)
    assert "rounds" not in str(caught.value)
    with pytest.raises(TypeError, match="'n'; known: time_limit_s, on_interrupt$"):
        split.k_best(PROBLEM, 3, n=3)


def test_other_errors_pass_as_they_are():
    with pytest.raises(TypeError, match="^k: expected an integer, got 'many'$"):
        split.k_best(PROBLEM, k="many")
    with pytest.raises(TypeError, match="multiple values for argument 'k'"):
        split.k_best(PROBLEM, 1, k=1)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'n'"):
        network.chain(flop_per_s=1, memory_bytes=1, rate_bps=1)


def test_functions_stay_what_they_were():
    assert inspect.signature(codec.encode).parameters.keys() == {"x", "scheme", "mask"}
    assert network.chain.__doc__.startswith("Nodes in a row")
    for function in (network.chain, codec.encode, split.compare):
        assert pickle.loads(pickle.dumps(function)) is function
    assert isinstance(codec.encode(np.ones(4, np.float32), codec.Scheme(bits=4)), bytes)


@pytest.mark.parametrize(
    ("call", "meant"),
    [
        (lambda: codec.menu("quantize"), "quantise"),
        (lambda: codec.menu("topk"), "top-k"),
        (lambda: split.pareto_front(PROBLEM, ["delay", "bytes"]), "delay_s"),
        (lambda: sweep.run(PROBLEM, rate=[1e9]), "rate_bps"),
        (lambda: sweep.run(PROBLEM, {"links[isl].rate *": [2.0]}), "rate_bps"),
    ],
)
def test_a_value_with_a_slip_gives_a_hint(call, meant):
    with pytest.raises(ValueError, match=f"did you mean '{meant}'\\?$"):
        call()


def test_a_name_that_is_known_gives_no_hint():
    with pytest.raises(ValueError, match="positions: 0 to 4$"):
        sweep.run(PROBLEM, {"links[none].rate_bps": [1e9]})
