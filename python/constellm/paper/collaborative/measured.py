"""Measurements on real activations for the paper's claims about compression and accuracy."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from ...core.table import Rows, Table

MEASURED_ON = "the shipped vision transformer of 2.5 M parameters on 2,000 test images of EuroSAT, not ViT-L"
"""The network and the images of `measured`."""


def measured() -> Rows:
    """A row for every measurement, drawn from those of the accuracy page by `tools/accuracy_tables.py`.

    Returns
    -------
    Rows
        ``figure``, ``cuts`` and ``value``: ``"ratio"`` of the learned mask with 20 % kept, 8 bits and the
        entropy coder, FP32 ÷ sent, at one cut, ``"ratio-packed"`` before the coder, ``"ratio-zero-order"``
        with one that has no memory; ``"loss"`` of accuracy, a share, with it at random cuts.
    """
    data = resources.files(__package__) / "data" / "measured.csv"
    return list(Table.read_csv(Path(str(data))))
