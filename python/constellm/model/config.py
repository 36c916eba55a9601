"""Architectures: those shipped by name, and Hugging Face ``config.json`` files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import Any, Union

PathName = Union[str, "PathLike[str]"]
Config = Union[PathName, Mapping[str, Any]]

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

DATA = Path(__file__).parent / "data"


def element_bytes(field: str, dtype: str) -> float:
    """Bytes of an element of `dtype`; a ``ValueError`` names `field` and what is known."""
    if dtype not in ELEMENT_BYTES:
        raise ValueError(f"{field}: {dtype!r} is not one of {', '.join(ELEMENT_BYTES)}")
    return ELEMENT_BYTES[dtype]


def choose(field: str, value: str, choices: tuple[str, ...]) -> str:
    """Return `value` if it is one of `choices`, or raise naming `field`."""
    if value not in choices:
        raise ValueError(f"{field}: {value!r} is not one of {', '.join(choices)}")
    return value


@lru_cache(maxsize=1)
def _shipped() -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = json.loads((DATA / "architectures.json").read_text(encoding="utf-8"))
    return table


def available() -> list[str]:
    """Names of the shipped architectures, for `vit`, `decoder` and `from_config`.

    Vision transformers carry the patch side behind a slash. Any other patch side is understood too.

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
    config : str, path or mapping
        A name from `available`, the path of a ``config.json`` or of a folder that holds one, or its
        content.

    Returns
    -------
    (str, dict)
        A dictionary that the caller may change.
    """
    if isinstance(config, Mapping):
        return str(config.get("_name_or_path") or config.get("model_type") or "model"), dict(config)
    if isinstance(config, str):
        family, slash, patch = config.partition("/")
        fields = _shipped().get(family)
        if fields is not None and slash and patch.isdigit() and "patch_sizes" in fields:
            return config, {**fields, "patch_size": int(patch)}
        if fields is not None and not slash:
            if "patch_sizes" in fields:
                example = f"{family}/{fields['patch_sizes'][0]}"
                raise ValueError(f"config: {config!r} lacks the patch side, as in {example!r}")
            return config, dict(fields)
    path = Path(config)
    if path.is_dir():
        path = path / "config.json"
    if not path.is_file():
        raise ValueError(f"config: {str(config)!r} is neither a file nor one of {', '.join(available())}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"config: {path} is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise ValueError(f"config: {path} holds {type(content).__name__}, expected an object")
    name = content.get("_name_or_path") or (path.parent.name if path.name == "config.json" else path.stem)
    return str(name), content


def head_width(width: int, heads: int) -> int:
    """Numbers per attention head, where the heads share the width evenly."""
    if heads < 1 or width % heads:
        raise ValueError(f"config: {heads} attention heads do not divide the width {width}")
    return width // heads


class Fields:
    """Reads the fields of a configuration and names what is missing or wrong."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def count(self, *names: str, default: int | None = None) -> int:
        """The first of `names` that is present and not null, as a whole number."""
        for name in names:
            value = self._values.get(name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"config.{name}: expected an integer, got {value!r}")
            if value < 0:
                raise ValueError(f"config.{name}: {value} is not in [0, inf)")
            return value
        if default is None:
            raise ValueError(f"config.{names[0]}: missing")
        return default

    def flag(self, name: str, default: bool) -> bool:
        """A true-or-false field."""
        value = self._values.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise TypeError(f"config.{name}: expected true or false, got {value!r}")
        return value

    def text(self, name: str) -> str:
        """A text field that must be there."""
        value = self._values.get(name)
        if not isinstance(value, str):
            raise ValueError(f"config.{name}: expected text, got {value!r}")
        return value
