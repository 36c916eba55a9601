"""Files of the user's: one meaning of paths, text and JSON at every door.

A path may start with ``~``, the home folder. Text is UTF-8; a byte order mark, as spreadsheets and some
editors write it, is no part of it. In a file whose name ends in ``.gz`` it is compressed.
"""

from __future__ import annotations

import gzip
import json
import math
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .checks import short

MOST_TEXT_BYTES = 1 << 28
"""Longest text that is read: far above any file of a format here, far below what ends a machine."""

TOO_DEEP = "the JSON is nested too deeply"
"""What a message says of a RecursionError."""


def as_path(path: str | os.PathLike[str]) -> Path:
    """`path` with a leading ``~`` or ``~user`` as that home folder.

    Raises
    ------
    TypeError
        For anything that is no path; bytes included.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:  # no such user, or no home: the name of a file then
        return Path(path)


def read_text(path: str | os.PathLike[str]) -> str:
    """The text in a file, its lines ended by ``\\n``.

    Raises
    ------
    OSError, ValueError
        Where there is no such file, or it holds no UTF-8 text, or more than `MOST_TEXT_BYTES`.
    """
    place = as_path(path)
    with place.open("rb") as file:
        # By its size before anything is read; a device has none to ask for.
        too_long = os.fstat(file.fileno()).st_size > MOST_TEXT_BYTES
        source = gzip.GzipFile(fileobj=file) if place.suffix == ".gz" else file
        try:
            content = b"" if too_long else source.read(MOST_TEXT_BYTES + 1)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ValueError(f"{os.fspath(path)!r} is not compressed by gzip: {error}") from None
    if too_long or len(content) > MOST_TEXT_BYTES:
        raise ValueError(f"{os.fspath(path)!r} holds more than {MOST_TEXT_BYTES} bytes of text")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{os.fspath(path)!r} is not UTF-8 text: {error}") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_json(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The JSON object in a file, strictly: duplicate keys and infinite numbers raise ValueError."""
    return parse_json(read_text(path))


def parse_json(text: str) -> dict[str, Any]:
    """The JSON object in `text`, as `read_json`."""
    try:
        data = strict_decoder().decode(text)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    if not isinstance(data, dict):
        raise TypeError(f"file: expected an object at the top level, got {short(data)}")
    return data


def strict_decoder() -> json.JSONDecoder:
    """Of JSON: duplicate keys and infinite numbers raise ValueError, deep nesting RecursionError."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise ValueError(f"key {key!r} stands twice in one object")
            found[key] = value
        return found

    def no_constant(name: str) -> float:
        raise ValueError(f"{name} is not a finite number")

    def finite(literal: str) -> float:
        value = float(literal)
        if not math.isfinite(value):
            raise ValueError(f"{literal} is not a finite number")
        return value

    return json.JSONDecoder(object_pairs_hook=unique, parse_constant=no_constant, parse_float=finite)


def write_text(text: str, path: str | os.PathLike[str]) -> None:
    """Write `text` in one step: a reader never sees half a file, a failure leaves the old one."""
    content = text.encode()
    write_bytes(gzip.compress(content, mtime=0) if as_path(path).suffix == ".gz" else content, path)


def write_bytes(content: bytes | memoryview, path: str | os.PathLike[str]) -> None:
    """Write `content` as it is, as `write_text`."""
    place = as_path(path)
    scratch = place.with_name(place.name + f".{os.getpid()}.tmp")
    try:
        scratch.write_bytes(content)
        scratch.replace(place)
    except OSError as error:  # of the file that was asked for, not of the scratch file
        raise OSError(error.errno, error.strerror, str(place)) from None
    finally:
        scratch.unlink(missing_ok=True)


def write_json(data: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write `data` as JSON, as `write_text`."""
    write_text(json.dumps(data, indent=1, allow_nan=False) + "\n", path)
