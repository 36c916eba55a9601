"""Names that moved to `constellm.codesign`, for this version and for what was pickled under them."""

from __future__ import annotations

from ..core.deprecation import moved_names

__getattr__ = moved_names(
    __name__, {name: f"constellm.codesign.{name}" for name in ("IDEAL", "Order", "Trainer", "alternate")}
)
