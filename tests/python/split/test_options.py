"""The table of options is what validation, documentation and the compiled solver know."""

from __future__ import annotations

import math

import pytest

from constellm import _core, split
from constellm.cli import main
from constellm.split.options import check_options, options_markdown
from oracles.random_problems import random_problem

NAMES = [option.name for option in split.OPTIONS]
SWITCHES = [name for name in NAMES if name != "time_limit_s"]


def test_the_table_is_the_solvers_own():
    problem = split.problem_from_dict(random_problem(0))
    defaults = {option.name: option.default for option in split.OPTIONS}
    assert _core.split.solve(problem, **defaults) == split.solve(problem)
    for name in NAMES:
        assert name in _core.split.solve.__doc__
        rest = {key: value for key, value in defaults.items() if key != name}
        with pytest.raises(TypeError):
            _core.split.solve(problem, **rest)
    with pytest.raises(TypeError):
        _core.split.solve(problem, **defaults, extra=1)


def test_the_page_has_the_table(repository):
    page = (repository / "docs/exact-search.md").read_text(encoding="utf-8")
    assert options_markdown() in page
    for option in split.OPTIONS:
        assert f"| `{option.name}` | {option.default} | {option.allowed} | {option.doc} |" in page


def test_the_command_line_reads_the_table(capsys):
    with pytest.raises(SystemExit):
        main(["split", "solve", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert split.OPTIONS[0].doc in said and split.OPTIONS[0].allowed in said


def test_defaults_and_given():
    assert check_options({}) == {option.name: option.default for option in split.OPTIONS}
    assert check_options({"time_limit_s": 3})["time_limit_s"] == 3.0
    assert isinstance(check_options({"time_limit_s": 3})["time_limit_s"], float)
    assert check_options({"unroll": False})["unroll"] is False


@pytest.mark.parametrize("value", [-1, -1e-300, math.nan, -math.inf], ids=repr)
def test_time_limit_out_of_range(value):
    with pytest.raises(ValueError, match="^time_limit_s: "):
        check_options({"time_limit_s": value})


@pytest.mark.parametrize("value", [True, None, [1]], ids=repr)
def test_time_limit_is_a_number(value):
    with pytest.raises(TypeError):
        check_options({"time_limit_s": value})


@pytest.mark.parametrize("name", SWITCHES)
@pytest.mark.parametrize("value", [0, 1, None, "True", 1.0], ids=repr)
def test_a_switch_is_true_or_false(name, value):
    with pytest.raises(TypeError, match=f"^{name}: expected True or False"):
        check_options({name: value})


def test_unknown_names_are_refused_with_the_known():
    with pytest.raises(TypeError, match="unknown option 'time_limit'; did you mean 'time_limit_s'"):
        check_options({"time_limit": 1})
