"""Text for consoles that lack some of its characters."""

from __future__ import annotations

import codecs
import contextlib
import sys
from typing import TextIO

_ALIKE = {
    "…": "...", "–": "-", "—": "-", "−": "-", "→": "->", "×": "x", "·": "*", "÷": "/", "±": "+-", "≤": "<=",
    "≥": ">=", "∞": "inf", "µ": "u", "°": " deg", "Σ": "sum", "⌊": "floor(", "⌋": ")", "√": "sqrt",
}  # fmt: skip
_HANDLER = "constellm.alike"


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_ALIKE.get(character, "?") for character in missing), error.end


codecs.register_error(_HANDLER, _replace)


def for_console(text: str, stream: TextIO | None = None) -> str:
    """`text` as `stream` (default: standard output) can write it, what its encoding lacks written alike.

    What has no likeness becomes ``?``. Texts that objects show of themselves go through it, since ``print``
    would raise UnicodeEncodeError.
    """
    encoding = getattr(sys.stdout if stream is None else stream, "encoding", None) or "utf-8"
    try:
        return text.encode(encoding, _HANDLER).decode(encoding)
    except (LookupError, UnicodeError):  # an encoding of the stream's own
        return text


def never_fail(*streams: TextIO) -> None:
    """Let `streams` write any text, as `for_console`; for programs, which own their streams."""
    for stream in streams:
        with contextlib.suppress(AttributeError, ValueError):  # one that cannot be reconfigured
            stream.reconfigure(errors=_HANDLER)  # type: ignore[attr-defined]
