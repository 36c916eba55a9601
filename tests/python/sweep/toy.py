"""A system of its own, written in Python: carts that roll. The engine knows nothing of it but `SWEEP`."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from constellm.sweep import Column, System, register

STATUSES = ("optimal", "infeasible", "interrupted", "invalid")


@dataclasses.dataclass(frozen=True)
class Cart:
    """What has wheels of one radius."""

    name: str
    radius_m: float = 0.5
    turns: int = 1

    def to_dict(self) -> dict[str, object]:
        """Its fields."""
        return dataclasses.asdict(self)


def field(cart: Cart, address: str, earlier: Sequence[str]) -> tuple[str, bool]:
    """Unit of a field, and whether it is a count."""
    units = {"radius_m": ("m", False), "turns": ("", True)}
    if address not in units:
        raise ValueError(f"axis {address!r}: there are {', '.join(units)}")
    return units[address]


def check_method(name: str) -> None:
    """Carts roll forwards only."""
    if name != "forwards":
        raise ValueError(f"method: {name!r} is not 'forwards'")


def run(
    *, problems, addresses, which, values, columns, methods, time_limit_s, threads, keep_answers, on_finished
) -> None:
    """Roll every cart."""
    for cell, start in enumerate(which):
        cart = dataclasses.replace(copy.copy(problems[start]), **dict(zip(addresses, values[cell])))
        messages = {}
        if cart.radius_m <= 0:
            messages[cell] = f"radius_m: {cart.radius_m:g} is not in (0, inf)"
        way = cart.radius_m * cart.turns
        columns["way_m"][cell] = math.nan if messages else way
        columns["status"][cell] = STATUSES.index("invalid" if messages else "optimal")
        on_finished(np.array([cell]), messages, [way] if keep_answers else [])


SWEEP = register(
    System(
        home=__name__,
        record=Cart,
        columns=(
            Column("way_m", "f8", "m", "how far it comes", math.nan),
            Column("status", "i1", "", "what was found", STATUSES.index("interrupted")),
        ),
        statuses=STATUSES,
        answer="way",
        field=field,
        check_method=check_method,
        run=run,
    )
)
