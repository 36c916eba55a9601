"""Ctrl-C: what a solver has is returned, or raised together with what there is."""

from __future__ import annotations

from typing import Any, TypeVar

from .checks import short

_T = TypeVar("_T")

RETURN, RAISE = "return", "raise"


class Interrupted(KeyboardInterrupt):
    """Ctrl-C in a call that has something to show for itself.

    Attributes
    ----------
    result
        What the call would have returned: the best plan so far of `solve`, the finished rows of `compare`.

    Examples
    --------
    >>> from constellm import paper, split
    >>> problem = paper.collaborative.problem(relays=0, name="demo")
    >>> try:
    ...     plan = split.solve(problem, on_interrupt="raise")
    ... except split.Interrupted as stop:  # Ctrl-C: what was found until then
    ...     plan = stop.result
    >>> plan.status
    'optimal'
    """

    def __init__(self, result: Any) -> None:
        super().__init__(f"interrupted; .result holds {short(result)}")
        self.result = result

    def _render_traceback_(self) -> list[str]:
        """What IPython shows, in place of where the call was: what there is."""
        summary = getattr(self.result, "summary", None)
        return [f"Interrupted: {self}", *([summary()] if summary is not None else [])]

    def __reduce__(self) -> tuple[Any, ...]:
        return Interrupted, (self.result,)


def check_on_interrupt(value: str) -> str:
    """`value` where it is a choice; ValueError otherwise."""
    if value not in (RETURN, RAISE):
        raise ValueError(f"on_interrupt: {short(value)} is not one of 'return', 'raise'")
    return value


def handed_over(result: _T, *, interrupted: bool, on_interrupt: str) -> _T:
    """`result`, or the exception that carries it."""
    if interrupted and on_interrupt == RAISE:
        raise Interrupted(result)
    return result
