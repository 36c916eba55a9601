"""Files of what was learned for the cuts of a network: safetensors, float16 or float32.

A file holds sets; a set has a name and a compressor for each of several boundaries. Arrays are called
``<set>/<boundary>/<parameter>``; boundaries that share a network are written ``<k>-<k>-…``. The metadata
entry ``constellm`` says, as JSON, the format's version and of every set its kind and bits.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, Union

import numpy as np

from ..core.checks import short
from ..core.files import as_path
from ..core.optional import optional_import
from .low_rank import Bottleneck, LowRank, Projection
from .masked import Masked, MaskNetwork
from .parameters import Parameters

FORMAT_VERSION = 1

Learned = Union[Masked, LowRank]

_KINDS: dict[str, tuple[type[Learned], type[Parameters]]] = {
    "mask": (Masked, MaskNetwork),
    "low-rank": (LowRank, Projection),
    "bottleneck": (Bottleneck, Projection),
}


def save_learned(
    path: str | os.PathLike[str], sets: Mapping[str, Mapping[int, Learned]], *, dtype: Any = np.float16
) -> None:
    """Write learned compressors to a safetensors file.

    Parameters
    ----------
    path : path
        Of the file, which is replaced.
    sets : mapping of str to mapping of int to Masked, LowRank or Bottleneck
        By name of the set, then by boundary; of one kind and width in bits within a set.
    dtype : numpy.float16 or numpy.float32
        Of the stored numbers.

    Raises
    ------
    TypeError, ValueError
        If a set is empty or mixed, its name has a ``/``, `dtype` is another, or a number is not finite in it.
    ImportError
        If safetensors is absent.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import codec
    >>> x = np.random.default_rng(0).normal(size=(10, 4, 6))
    >>> learned = {"rank-2": {k: codec.LowRank.fit(x, 2, name="rank-2") for k in (1, 2)}}
    >>> codec.save_learned("learned.safetensors", learned)
    >>> list(codec.load_learned("learned.safetensors")["rank-2"])
    [1, 2]
    """
    stored = np.dtype(dtype)
    if stored not in (np.float16, np.float32):
        raise TypeError(f"dtype: expected float16 or float32, got {stored}")
    arrays: dict[str, np.ndarray] = {}
    about: dict[str, Any] = {}
    for name, compressors in sets.items():
        if not name or "/" in name:
            raise ValueError(f"sets: {short(name)} is no name of a set: it is empty or has a '/'")
        kinds = {(_kind(name, c), c.scheme.bits) for c in compressors.values()}
        if len(kinds) != 1:
            raise ValueError(
                f"sets[{name!r}]: expected compressors of one kind and bits, got {len(kinds)} kinds"
            )
        kind, bits = kinds.pop()
        about[name] = {"kind": kind, "bits": bits}
        for boundaries, parameters in _shared(compressors):
            for field, value in parameters.arrays().items():
                key = f"{name}/{boundaries}/{field}"
                with np.errstate(over="ignore"):
                    arrays[key] = np.ascontiguousarray(value, dtype=stored)
                if not np.isfinite(arrays[key]).all():
                    raise ValueError(f"sets: {key}: not all values are finite as {stored}")
    metadata = {"constellm": json.dumps({"learned": FORMAT_VERSION, "sets": about})}
    # save_file would write one that other users cannot read.
    as_path(path).write_bytes(_safetensors("safetensors.numpy").save(arrays, metadata))


def load_learned(path: str | os.PathLike[str]) -> dict[str, dict[int, Learned]]:
    """Read learned compressors from a file of `save_learned`.

    Parameters
    ----------
    path : path
        A file of safetensors.

    Returns
    -------
    dict of str to dict of int to Masked, LowRank or Bottleneck
        By name of the set, which is the compressors' name too, then by boundary. Boundaries that share a
        network share the compressor.

    Raises
    ------
    FileNotFoundError
        If there is no file at `path`.
    ValueError
        If it is no such file; says what is missing or wrong.
    ImportError
        If safetensors is absent.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import codec
    >>> x = np.random.default_rng(0).normal(size=(10, 4, 6))
    >>> codec.save_learned("learned.safetensors", {"rank-2": {3: codec.LowRank.fit(x, 2)}})
    >>> codec.load_learned("learned.safetensors")
    {'rank-2': {3: LowRank(6 → 2 features, bits=8, name='rank-2')}}
    """
    safetensors = _safetensors()
    place = os.fspath(as_path(path))
    try:
        with safetensors.safe_open(place, framework="numpy") as file:
            about = json.loads((file.metadata() or {}).get("constellm", "{}"))
            arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  not a mapping
    except (safetensors.SafetensorError, ValueError, RecursionError) as error:
        raise ValueError(f"path: {place!r}: {error}") from None
    if not isinstance(about, dict) or about.get("learned") != FORMAT_VERSION:
        raise ValueError(f"path: {place!r} holds no learned compressors of format {FORMAT_VERSION}")
    parts: dict[str, dict[str, dict[str, np.ndarray]]] = {}
    for key, value in arrays.items():
        name, boundaries, field = (key.split("/") + ["", ""])[:3]
        parts.setdefault(name, {}).setdefault(boundaries, {})[field] = value
    described = about.get("sets")
    if not isinstance(described, dict) or set(parts) != set(described):
        raise ValueError(f"path: {place!r}: arrays of sets {sorted(parts)}, described: {short(described)}")
    return {name: _compressors(place, name, described[name], found) for name, found in parts.items()}


def _compressors(
    place: str, name: str, about: Mapping[str, Any], parts: Mapping[str, Mapping[str, np.ndarray]]
) -> dict[int, Learned]:
    try:
        make, parameters = _KINDS[about["kind"]]
        found = {}
        for boundaries, arrays in parts.items():
            compressor = make(parameters(**arrays), bits=about["bits"], name=name)  # type: ignore[arg-type]
            found.update(dict.fromkeys(map(int, boundaries.split("-")), compressor))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"path: {place!r}: set {name!r}: {error}") from None
    return dict(sorted(found.items()))


def _kind(name: str, compressor: Learned) -> str:
    for kind, (of_kind, _) in _KINDS.items():
        if type(compressor) is of_kind:
            return kind
    raise TypeError(f"sets[{name!r}]: expected Masked, LowRank or Bottleneck, got {short(compressor)}")


def _shared(compressors: Mapping[int, Learned]) -> list[tuple[str, Parameters]]:
    """Every network once, with the boundaries that use it."""
    users: dict[int, tuple[list[int], Parameters]] = {}
    for boundary, compressor in sorted(compressors.items()):
        parameters = compressor.network if isinstance(compressor, Masked) else compressor.projection
        users.setdefault(id(parameters), ([], parameters))[0].append(boundary)
    return [("-".join(map(str, boundaries)), parameters) for boundaries, parameters in users.values()]


def _safetensors(module: str = "safetensors") -> Any:
    return optional_import(module, extra="infer", purpose="learned compressors need safetensors")
