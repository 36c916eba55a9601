"""A paper's number beside what comes out here, with a verdict that the rows decide."""

from __future__ import annotations

from collections.abc import Iterable

from ...core.quantity import figure
from ...core.table import Row


def span(values: Iterable[float], unit: str = "") -> str:
    """The least and the greatest in words, once where they read alike."""
    low, high = min(ends := list(values)), max(ends)
    shown = [figure(end) for end in (low, high)]
    return f"{shown[0]}{unit}" if shown[0] == shown[1] else f"{shown[0]} to {shown[1]}{unit}"


def verdict(holds: Iterable[bool]) -> tuple[str, int, int]:
    """What the examined settings say, how many of them hold, and how many there are."""
    found = list(holds)
    if not found:
        raise ValueError("holds: no setting was examined")
    good = sum(found)
    text = "holds" if good == len(found) else "holds in a region" if good else "does not hold"
    return text, good, len(found)


def claim(text: str, paper: str, here: str, moves: str, holds: Iterable[bool], why: str) -> Row:
    """A row of a table of claims.

    Parameters
    ----------
    text : str
        What is claimed.
    paper, here : str
        The number there, and under the study's assumptions here.
    moves : str
        What comes out under other assumptions; a dash for none.
    holds : iterable of bool
        Of every examined setting.
    why : str
        The reason, and what the settings are.
    """
    found, good, examined = verdict(holds)
    return {
        "claim": text,
        "paper": paper,
        "here": here,
        "moves": moves,
        "holding": good,
        "examined": examined,
        "verdict": found,
        "why": why,
    }
