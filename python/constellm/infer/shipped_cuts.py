"""What was measured of the shipped model: codecs without training, at every cut and in sets of cuts."""

from __future__ import annotations

from importlib import resources

from ..codec import Calibration, Direct, MeasuredCuts, Scheme, calibrate, read_measured_cuts

_FILE = "vit-eurosat-cuts.csv"


def direct_compressors() -> dict[str, Direct]:
    """The codecs of `calibration` by name, none of which needs training.

    From 6 bit quantisation, which changes next to nothing, to what costs points of accuracy at one cut.
    Every token has its own scale.
    """
    schemes = {f"quantise-{bits}": Scheme(bits=bits, scale="token") for bits in (2, 3, 4, 6)}
    for keep, bits in ((0.02, 4), (0.05, 4), (0.1, 4), (0.2, 8)):
        schemes[f"top-k-{keep}-b{bits}"] = Scheme(sparsify="top-k", keep=keep, bits=bits, scale="token")
    for keep in (0.05, 0.1):
        schemes[f"slicer-{keep}-b4"] = Scheme(sparsify="slicer", keep=keep, bits=4, scale="token")
    return {name: Direct(scheme, name=name) for name, scheme in schemes.items()}


def measured_cuts() -> list[MeasuredCuts]:
    """Rows of `measure` with `direct_compressors` on the shipped model.

    On 1,000 images that the model was not trained on: each codec at each boundary, and sets of two to four
    cuts, some random, some chosen by the planner (docs/error-accumulation.md).
    """
    with resources.as_file(resources.files(__package__) / "data" / _FILE) as path:
        return read_measured_cuts(path)


def calibration(*, basis: str = "loss", confidence: float = 0.95) -> Calibration:
    """The shipped model's calibration, without measuring anything.

    Parameters
    ----------
    basis, confidence
        As of `codec.calibrate`.

    Examples
    --------
    >>> from constellm import infer
    >>> calibration = infer.calibration()
    >>> limit = calibration.max_error(0.01)  # for split.Problem: at most one point of accuracy
    >>> calibration.loss_bound(limit) <= 0.01
    True
    """
    return calibrate(measured_cuts(), basis=basis, confidence=confidence)
