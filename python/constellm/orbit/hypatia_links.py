"""Fixed pairs of satellites, and the rule that joins just these."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core.orbit import LinkRule, Shell

Pairs = NDArray[np.int64]
"""Positions of satellites, the lower one first; in order and each once (pairs, 2)."""


def pairs_of(rule: LinkRule, shell: Shell) -> Pairs:
    """What a +Grid or rings join, whatever the conditions."""
    plane, index = np.divmod(np.arange(shell.satellites), shell.satellites_per_plane)
    joined = [_position(shell, plane, index + 1)]
    if rule.pattern == "plus-grid":
        beside = _position(shell, plane + 1, index + (rule.shift or 0))
        if rule.seam == "open":
            beside = np.where(plane + 1 < shell.planes, beside, np.arange(shell.satellites))
        joined.append(beside)
    pairs = np.concatenate([np.stack([np.arange(shell.satellites), other], axis=1) for other in joined])
    return _ordered(pairs[pairs[:, 0] != pairs[:, 1]])


def fitting_rule(pairs: Pairs, shell: Shell, more: dict[str, Any]) -> LinkRule | None:
    """The rule that joins these pairs and no others; None where there is none.

    Of several that do the one of the smallest shift, with a closed seam rather than an open one.
    """
    wanted = _ordered(pairs)
    beside = wanted[wanted[:, 0] == 0, 1]  # all that satellite 0 has; two in its plane, one in either other
    if len(beside) > 4:
        return None
    plane, index = np.divmod(beside, shell.satellites_per_plane)
    most = shell.satellites_per_plane // 2
    found = [
        i - shell.satellites_per_plane if i > most else i for i in index[plane == 1 % shell.planes].tolist()
    ]
    shifts = sorted(found, key=lambda shift: (abs(shift), shift))
    tried: list[dict[str, Any]] = [{"pattern": "ring"}]
    tried += [
        {"pattern": "plus-grid", "shift": shift, "seam": seam}
        for shift in shifts
        for seam in ("closed", "open")
    ]
    for given in tried:
        rule = LinkRule(shell=shell.name, **given, **more)
        if np.array_equal(pairs_of(rule, shell), wanted):
            return rule
    return None


def _position(shell: Shell, plane: NDArray[np.int64], index: NDArray[np.int64]) -> NDArray[np.int64]:
    return plane % shell.planes * shell.satellites_per_plane + index % shell.satellites_per_plane


def _ordered(pairs: Pairs) -> Pairs:
    return np.unique(np.sort(pairs, axis=1), axis=0)
