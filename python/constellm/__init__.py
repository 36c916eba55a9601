"""constellm: plan, prove and compare large-model inference over satellite constellations."""

from __future__ import annotations

from . import split

__all__ = ["split"]
