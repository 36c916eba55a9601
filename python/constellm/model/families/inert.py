"""Fields that change no figure of a profile, whatever the architecture."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase

from ..config import DATA

_TABLE: dict[str, list[str]] = json.loads((DATA / "inert_fields.json").read_text(encoding="utf-8"))
_PATTERNS = _TABLE.pop("patterns")
_NAMES = frozenset(name for names in _TABLE.values() for name in names)


def is_inert(name: str) -> bool:
    """Whether the field changes no figure."""
    return name in _NAMES or any(fnmatchcase(name, pattern) for pattern in _PATTERNS)
