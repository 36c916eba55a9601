"""Rows of measured errors and losses, which `infer.measure` makes and calibration reads."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

import numpy as np

from .._core.codec import Codec
from ..core.checks import count, real
from ..core.files import read_text, write_text
from .compressor import ratio_of

Several = tuple[float, ...]


@dataclass(frozen=True)
class MeasuredCuts:
    """What was measured of one set of cuts, each with a codec; immutable.

    Errors are relative L2 errors over all images, as a fraction.

    Parameters
    ----------
    cuts : tuple of int
        Boundaries, rising: k stands after k blocks, 1 <= k < `blocks`.
    codecs : tuple of str
        Name of the codec at each cut.
    blocks : int
        Blocks of the network.
    images : int
        Images measured on.
    error : tuple of float
        Of each codec: what it returned against what it was given.
    reached : tuple of float
        Error against the exact activations from the first cut on: at every boundary (behind the codec where
        there is one), then that of the logits, whose mean over the classes does not count.
    ratio : tuple of float
        Of each codec, uncompressed float32 ÷ sent bytes.
    encode_s_per_byte, decode_s_per_byte : tuple of float
        Of each codec, per uncompressed byte [s/B], in the fastest batch on the machine that measured.
    accuracy : float
        With the cuts.
    agreement, loss, loss_se, expected_loss, expected_loss_se : float
        As in `Flips`.

    Examples
    --------
    >>> from constellm import codec, infer
    >>> rows = infer.measured_cuts()
    >>> row = next(row for row in rows if len(row.cuts) == 3)
    >>> row.plan, round(row.total_ratio, 1), row.images
    ({1: 'quantise-2', 5: 'top-k-0.05-b4', 9: 'top-k-0.05-b4'}, 52.2, 1000)
    """

    cuts: tuple[int, ...]
    codecs: tuple[str, ...]
    blocks: int
    images: int
    error: Several
    reached: Several
    ratio: Several
    encode_s_per_byte: Several
    decode_s_per_byte: Several
    accuracy: float
    agreement: float
    loss: float
    loss_se: float
    expected_loss: float
    expected_loss_se: float

    def __post_init__(self) -> None:
        blocks = count("blocks", self.blocks)
        count("images", self.images)
        if not self.cuts or list(self.cuts) != sorted(set(self.cuts)):
            raise ValueError(f"cuts: {self.cuts} are not one or more rising boundaries")
        for cut in self.cuts:
            count("cuts", cut, most=blocks - 1)
        for name in ("codecs", "error", "ratio", "encode_s_per_byte", "decode_s_per_byte"):
            if len(getattr(self, name)) != len(self.cuts):
                raise ValueError(f"{name}: {len(getattr(self, name))} values for {len(self.cuts)} cuts")
        if len(self.reached) != blocks - self.cuts[0] + 1:
            raise ValueError(
                f"reached: {len(self.reached)} values, expected {blocks - self.cuts[0] + 1}, "
                f"from boundary {self.cuts[0]} to the logits"
            )
        for name in ("error", "reached", "encode_s_per_byte", "decode_s_per_byte"):
            for value in getattr(self, name):
                real(name, value, least=0.0)
        for value in self.ratio:
            if real("ratio", value, least=0.0) == 0.0:
                raise ValueError("ratio: 0 is not in (0, inf)")

    @property
    def total_ratio(self) -> float:
        """Uncompressed bytes ÷ sent bytes of all cuts together, which are equally large."""
        return ratio_of(len(self.ratio), sum(1.0 / ratio for ratio in self.ratio))

    @property
    def output_error(self) -> float:
        """Relative error of the logits."""
        return self.reached[-1]

    @property
    def plan(self) -> dict[int, str]:
        """Boundary → codec."""
        return dict(zip(self.cuts, self.codecs))


def measured_codec(
    name: str,
    rows: Mapping[int, MeasuredCuts],
    errors: Mapping[int, float],
    *,
    absent_error: float | None = None,
) -> Codec:
    """A codec for the planner, over layers that are the blocks of the network measured.

    Parameters
    ----------
    name : str
        Of the codec.
    rows : mapping of int to MeasuredCuts
        By boundary: the codec alone there.
    errors : mapping of int to float
        By boundary: what it adds to the error that the planner limits.
    absent_error : float, optional
        Error where the codec was not measured, since it is not there; by default it has to be everywhere.

    Returns
    -------
    Codec
        With ratio and error of every layer; those of the codec itself and its times are the means over the
        boundaries with a row.

    Raises
    ------
    ValueError
        If there is no row, or one is absent and `absent_error` is not given.
    """
    if not rows:
        raise ValueError(f"rows: {name!r} was measured at no boundary")
    inside = range(1, next(iter(rows.values())).blocks)
    absent = [k for k in inside if k not in rows]
    if absent and absent_error is None:
        raise ValueError(f"rows: {name!r} was not measured at boundary {absent[0]}")
    elsewhere = absent_error if absent_error is not None else 0.0  # nowhere, then
    layer_ratio = [rows[k].ratio[0] if k in rows else 1.0 for k in inside]
    layer_error = [errors[k] if k in rows else elsewhere for k in inside]
    return Codec(
        name=name,
        ratio=ratio_of(len(rows), sum(1.0 / row.ratio[0] for row in rows.values())),
        error=sum(errors[k] for k in rows) / len(rows),
        encode_s_per_byte=sum(row.encode_s_per_byte[0] for row in rows.values()) / len(rows),
        decode_s_per_byte=sum(row.decode_s_per_byte[0] for row in rows.values()) / len(rows),
        layer_ratio=[*layer_ratio, 1.0],  # nothing is sent to another block after the last
        layer_error=[*layer_error, 0.0],
    )


def write_measured_cuts(rows: Iterable[MeasuredCuts], path: str | os.PathLike[str]) -> None:
    """Store rows as CSV; several values of one field are parted by semicolons, numbers have six digits.

    Parameters
    ----------
    rows : iterable of MeasuredCuts
        What `constellm.infer.measure` found.
    path : path
        Of the file, which is replaced.

    Examples
    --------
    >>> from constellm import codec, infer
    >>> rows = infer.measured_cuts()
    >>> codec.write_measured_cuts(rows[:2], "cuts.csv")
    >>> codec.read_measured_cuts("cuts.csv") == rows[:2]
    True
    """
    names = [field.name for field in fields(MeasuredCuts)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([_text(getattr(row, name)) for name in names])
    write_text(text.getvalue(), path)


def read_measured_cuts(path: str | os.PathLike[str]) -> list[MeasuredCuts]:
    """The rows of `write_measured_cuts`.

    Parameters
    ----------
    path : path
        A CSV file.

    Returns
    -------
    list of MeasuredCuts
        In the order of the file.

    Raises
    ------
    ValueError
        Names the row and what is wrong with it.

    Examples
    --------
    >>> from constellm import codec, infer
    >>> rows = infer.measured_cuts()
    >>> codec.write_measured_cuts(rows, "cuts.csv")
    >>> len(codec.read_measured_cuts("cuts.csv")) == len(rows)
    True
    """
    names = [field.name for field in fields(MeasuredCuts)]
    rows = []
    reader = csv.DictReader(io.StringIO(read_text(path)), strict=True)
    try:
        if reader.fieldnames != names:
            raise ValueError(f"{os.fspath(path)}: columns {reader.fieldnames} are not {names}")
        for i, text in enumerate(reader):
            try:
                rows.append(_row(text))
            except (ValueError, TypeError) as error:
                raise ValueError(f"{os.fspath(path)}: row {i}: {error}") from None
    except csv.Error as error:
        raise ValueError(f"{os.fspath(path)}: line {reader.line_num}: {error}") from None
    return rows


def _row(text: dict[str, str]) -> MeasuredCuts:
    def numbers(name: str) -> Several:
        return tuple(float(part) for part in text[name].split(";"))

    return MeasuredCuts(
        cuts=tuple(int(part) for part in text["cuts"].split(";")),
        codecs=tuple(text["codecs"].split(";")),
        blocks=int(text["blocks"]),
        images=int(text["images"]),
        error=numbers("error"),
        reached=numbers("reached"),
        ratio=numbers("ratio"),
        encode_s_per_byte=numbers("encode_s_per_byte"),
        decode_s_per_byte=numbers("decode_s_per_byte"),
        accuracy=float(text["accuracy"]),
        agreement=float(text["agreement"]),
        loss=float(text["loss"]),
        loss_se=float(text["loss_se"]),
        expected_loss=float(text["expected_loss"]),
        expected_loss_se=float(text["expected_loss_se"]),
    )


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ";".join(_text(part) for part in value)
    return f"{value:.6g}" if isinstance(value, (float, np.floating)) else str(value)
