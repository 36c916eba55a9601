"""Placements over slots of time."""
