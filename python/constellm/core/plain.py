"""What the JSON of a file says, checked key by key; messages start with the place in the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .checks import hint_for, short


def as_object(where: str, value: Any) -> dict[str, Any]:
    """`value` where it is an object; TypeError otherwise."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{where}: expected an object, got {short(value)}")
    return dict(value)


def as_list(where: str, value: Any) -> list[Any]:
    """`value` where it is a list; TypeError otherwise."""
    if not isinstance(value, list):
        raise TypeError(f"{where}: expected a list, got {short(value)}")
    return value


def as_text(where: str, value: Any) -> str:
    """`value` where it is text; TypeError otherwise."""
    if not isinstance(value, str):
        raise TypeError(f"{where}: expected text, got {short(value)}")
    return value


def check_keys(where: str, data: Mapping[str, Any], required: Sequence[str], optional: Sequence[str]) -> None:
    """ValueError for a key that is unknown or missing."""
    for key in data:
        if key not in required and key not in optional:
            raise ValueError(f"{where}: unknown key {short(key)}{hint_for(key, [*required, *optional])}")
    for key in required:
        if key not in data:
            raise ValueError(f"{where}: missing required key {key!r}")


def check_header(data: Mapping[str, Any], name: str, kinds: Mapping[str, str]) -> None:
    """The format is `name` and the version 1; `kinds` are what files of each format are called."""
    for key in ("format", "version"):
        if key not in data:
            raise ValueError(f"{kinds[name]}: missing required key {key!r}")
    if data["format"] != name:
        kind = kinds.get(data["format"]) if isinstance(data["format"], str) else None
        what = f": this is a {kind}, not a {kinds[name]}" if kind is not None else ""
        raise ValueError(f"format: {short(data['format'])} is not {name!r}{what}")
    if type(data["version"]) is not int or data["version"] != 1:
        raise ValueError(f"version: {short(data['version'])} is not 1")


def keys_of(record: Any, section: str = "") -> tuple[list[str], list[str]]:
    """The required and the optional keys of a record, or of one object inside it."""
    fields = [field for field in record.fields if field.in_files and field.section == section]
    required = [field.name for field in fields if field.required_in_files]
    return required, [field.name for field in fields if not field.required_in_files]


def records_of(where: str, values: Any, record: Any) -> list[Any]:
    """A list of objects as records."""
    return [record_of(f"{where}[{i}]", value, record) for i, value in enumerate(as_list(where, values))]


def record_of(where: str, value: Any, record: Any) -> Any:
    """An object as a record."""
    keywords = as_object(where, value)
    check_keys(where, keywords, *keys_of(record))
    try:
        return record(**keywords)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}: {error}") from None
