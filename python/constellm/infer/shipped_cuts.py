"""Codecs for the cuts of the shipped model, and what was measured of them."""

from __future__ import annotations

from pathlib import Path

from ..codec import Calibration, Direct, MeasuredCuts, Scheme, calibrate, read_measured_cuts
from ..codec.learned import Learned, load_learned

_DATA = Path(__file__).parent / "data"


def direct_compressors() -> dict[str, Direct]:
    """The codecs of `calibration` by name, none of which needs training.

    From 6 bit quantisation, which changes next to nothing, to what costs points of accuracy at one cut.
    Every token has its own scale.

    Returns
    -------
    dict of str to Direct
        For `infer` and `measure`.

    Examples
    --------
    >>> from constellm import infer
    >>> list(infer.direct_compressors())[:3]
    ['quantise-2', 'quantise-3', 'quantise-4']
    """
    schemes = {f"quantise-{bits}": Scheme(bits=bits, scale="token") for bits in (2, 3, 4, 6)}
    for keep, bits in ((0.02, 4), (0.05, 4), (0.1, 4), (0.2, 8)):
        schemes[f"top-k-{keep}-b{bits}"] = Scheme(sparsify="top-k", keep=keep, bits=bits, scale="token")
    for keep in (0.05, 0.1):
        schemes[f"slicer-{keep}-b4"] = Scheme(sparsify="slicer", keep=keep, bits=4, scale="token")
    return {name: Direct(scheme, name=name) for name, scheme in schemes.items()}


def learned_compressors() -> dict[str, dict[int, Learned]]:
    """What was trained for the cuts of ``vit-eurosat``, made by ``tools/train_masks.py``.

    Returns
    -------
    dict of str to dict of int to Masked or Bottleneck
        By name, then by boundary, as `infer` and `measure` take them: ``mask-<share>``, a mask for every
        boundary that keeps this share of the features; ``mask-shared-<share>``, one for all boundaries;
        ``bottleneck-<rank>``, so many numbers a token.

    Raises
    ------
    ImportError
        If safetensors is absent.

    Examples
    --------
    >>> from constellm import infer
    >>> learned = infer.learned_compressors()
    >>> learned["mask-0.2"][6]
    Masked(128 features, bits=8, name='mask-0.2')
    """
    return load_learned(_DATA / "vit-eurosat-learned.safetensors")


def measured_cuts() -> list[MeasuredCuts]:
    """Rows of `measure` with `direct_compressors` on the shipped model.

    On images that the model was not trained on: each codec at each boundary on 1,000, and 100 sets of two to
    four cuts that the planner chose on 1,000 others (docs/error-accumulation.md).

    Returns
    -------
    list of MeasuredCuts
        For `constellm.codec.calibrate`.

    Examples
    --------
    >>> from constellm import infer
    >>> rows = infer.measured_cuts()
    >>> sorted({len(row.cuts) for row in rows}), rows[0].images
    ([1, 2, 3, 4], 1000)
    """
    return read_measured_cuts(_DATA / "vit-eurosat-cuts.csv")


def calibration(*, basis: str = "loss", confidence: float = 0.95) -> Calibration:
    """The shipped model's calibration, without measuring anything.

    Parameters
    ----------
    basis, confidence
        As of `codec.calibrate`.

    Returns
    -------
    Calibration
        Of `measured_cuts`.

    Raises
    ------
    ValueError
        For an unknown basis, or a confidence out of range.

    Examples
    --------
    >>> from constellm import infer
    >>> calibration = infer.calibration()
    >>> limit = calibration.max_error(0.01)  # for split.Problem: at most one point of accuracy
    >>> calibration.loss_bound(limit) <= 0.01
    True
    """
    return calibrate(measured_cuts(), basis=basis, confidence=confidence)
