"""Names that moved to `constellm.codesign`, for this version and for what was pickled under them."""

from __future__ import annotations

from ..core.deprecation import moved_names

__getattr__ = moved_names(
    __name__,
    {
        "cuts_of": "constellm.split.codecs_at_cuts",
        **{name: f"constellm.codesign.{name}" for name in ("COLUMNS", "STOPS", "JointResult", "Round")},
    },
)
