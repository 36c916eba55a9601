"""Architectures: those shipped by name, and Hugging Face ``config.json`` files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import Any, Protocol, Union

from ..core.checks import real, short
from ..core.deprecation import moved_names
from ..core.files import as_path, read_json


class _HasDict(Protocol):
    """A configuration of transformers."""

    def to_dict(self) -> dict[str, Any]: ...


PathName = Union[str, "PathLike[str]"]
Config = Union[PathName, Mapping[str, Any], _HasDict]

#: Bytes of an element.
ELEMENT_BYTES = {
    "float64": 8.0,
    "float32": 4.0,
    "float16": 2.0,
    "bfloat16": 2.0,
    "float8": 1.0,
    "int8": 1.0,
    "int4": 0.5,
}

#: Element types that a configuration may name; what is stored in fewer bits is quantised.
FLOAT_DTYPES = ("float64", "float32", "float16", "bfloat16")

DATA = Path(__file__).parent / "data"


def element_bytes(field: str, dtype: str) -> float:
    """Bytes of an element of `dtype`; a ``ValueError`` names `field` and what is known."""
    if dtype not in ELEMENT_BYTES:
        raise ValueError(f"{field}: {dtype!r} is not one of {', '.join(ELEMENT_BYTES)}")
    return ELEMENT_BYTES[dtype]


def stored_dtype(config: Mapping[str, Any]) -> Any:
    """What a configuration says of its weights' element type, under the newer name or the older one."""
    return config.get("dtype") or config.get("torch_dtype")


def chosen_dtype(dtype: str | None, config: Mapping[str, Any], otherwise: str) -> str:
    """The element type that the caller gives, else the configuration's, else `otherwise`."""
    if dtype is not None:
        return dtype
    stored = stored_dtype(config)
    if stored is None:
        return otherwise
    if stored not in FLOAT_DTYPES:
        field = "dtype" if config.get("dtype") else "torch_dtype"
        raise ValueError(
            f"config.{field}: {short(stored)} is not one of {', '.join(FLOAT_DTYPES)}; say which with dtype"
        )
    return str(stored)


def weight_element_bytes(
    weight_dtype: str | float | None, dtype: str, config: Mapping[str, Any], *, field: str = "weight_dtype"
) -> float:
    """Bytes of a weight: of its type, or a number; by default of `dtype`.

    A configuration whose weights are quantised must be told: neither their type nor the size of their
    scales stands in it in one way.
    """
    if weight_dtype is None:
        quantised = config.get("quantization_config")
        if quantised:
            method = quantised.get("quant_method") if isinstance(quantised, Mapping) else quantised
            raise ValueError(
                f"config.quantization_config: the weights are stored by {method!r}; say how with "
                "weight_dtype, a type or the bytes of a weight, scales included"
            )
        return element_bytes("dtype", dtype)
    if isinstance(weight_dtype, str):
        return element_bytes(field, weight_dtype)
    size = real(field, weight_dtype, least=0, most=1e3)
    if size == 0:
        raise ValueError(f"{field}: 0 is not in (0, 1000]")
    return size


def choose(field: str, value: str, choices: tuple[str, ...]) -> str:
    """Return `value` if it is one of `choices`, or raise naming `field`."""
    if value not in choices:
        raise ValueError(f"{field}: {value!r} is not one of {', '.join(choices)}")
    return value


@lru_cache(maxsize=1)
def _shipped() -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = json.loads((DATA / "architectures.json").read_text(encoding="utf-8"))
    return table


__getattr__ = moved_names(__name__, {"Fields": "constellm.model.fields.Fields"})


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A shipped architecture's fields, as a configuration has them."""
    return {name: value for name, value in fields.items() if name not in ("patch_sizes", "source")}


def available() -> list[str]:
    """Names of the shipped architectures, for `vit`, `decoder` and `from_config`.

    Vision transformers carry the patch side behind a slash. Any other patch side is understood too.

    Returns
    -------
    list of str

    Examples
    --------
    >>> from constellm import model
    >>> [name for name in model.available() if name.startswith("vit-g")]
    ['vit-giant/14', 'vit-gigantic/14']
    """
    names = []
    for name, fields in _shipped().items():
        names += [f"{name}/{patch}" for patch in fields["patch_sizes"]] if "patch_sizes" in fields else [name]
    return names


def read_config(config: Config) -> tuple[str, dict[str, Any]]:
    """Label and fields of an architecture.

    Parameters
    ----------
    config : str, path, mapping or object with ``to_dict``
        A name from `available`, the path of a ``config.json`` or of a folder that holds one, its
        content, or a configuration of transformers.

    Returns
    -------
    (str, dict)
        A dictionary that the caller may change.
    """
    if not isinstance(config, (str, PathLike)) and hasattr(config, "to_dict"):
        config = config.to_dict()
    if isinstance(config, Mapping):
        return str(config.get("_name_or_path") or config.get("model_type") or "model"), dict(config)
    if isinstance(config, str):
        family, slash, patch = config.partition("/")
        fields = _shipped().get(family)
        if fields is not None and slash and patch.isdigit() and "patch_sizes" in fields:
            return config, {**_plain(fields), "patch_size": int(patch)}
        if fields is not None and not slash:
            if "patch_sizes" in fields:
                example = f"{family}/{fields['patch_sizes'][0]}"
                raise ValueError(f"config: {config!r} lacks the patch side, as in {example!r}")
            return config, _plain(fields)
    if not isinstance(config, (str, PathLike)):
        raise TypeError(f"config: expected a name, a path, a mapping or a configuration, got {short(config)}")
    path = as_path(config)
    if path.is_dir():
        path = path / "config.json"
    if not path.is_file():
        raise ValueError(f"config: {str(config)!r} is neither a file nor one of {', '.join(available())}")
    try:
        content = read_json(path)
    except (TypeError, ValueError) as error:
        raise ValueError(f"config: {path} is no JSON object: {error}") from None
    name = content.get("_name_or_path") or (path.parent.name if path.name == "config.json" else path.stem)
    return str(name), content
