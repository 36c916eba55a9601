"""Instants of UTC."""

from __future__ import annotations

from .._core.core import Epoch

__all__ = ["Epoch"]
