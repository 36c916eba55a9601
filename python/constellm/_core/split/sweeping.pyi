# Generated from the compiled module by `make stubs`; do not edit.
"""
Problems and their plans for `constellm.sweep`.
"""
from __future__ import annotations
import collections.abc
import constellm._core.split
import typing
__all__: list[str] = ['check_method', 'columns', 'field', 'run', 'statuses']
def check_method(method: str) -> None:
    """
    ValueError with the known names for a method that `run` does not know.
    """
def field(problem: constellm._core.split.Problem, address: str, earlier: collections.abc.Sequence[str]) -> tuple[str, bool]:
    """
    Unit of the numeric field that `address` names, and whether it is a count. ValueError says what exists instead, or which of the `earlier` addresses it would leave without effect.
    """
def run(*, problems: collections.abc.Sequence[constellm._core.split.Problem], addresses: collections.abc.Sequence[str], which: typing.Any, values: typing.Any, columns: dict[str, typing.Any], methods: collections.abc.Sequence[str], time_limit_s: float, threads: int, keep_answers: bool, on_finished: typing.Any) -> None:
    """
    Solves cell i, problems[which[i]] with the addressed fields set to values[i], into the columns, all of one length
    cells * methods. `on_finished(rows, messages, answers)` hears of finished rows now and then, in the calling thread.
    """
columns: tuple
statuses: tuple = ('optimal', 'feasible', 'infeasible', 'no_plan_found', 'time_limit', 'interrupted', 'invalid')
