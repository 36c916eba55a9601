"""Exact placement: reductions, programmes, bounds."""
