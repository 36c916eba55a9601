"""What commands say of errors."""

from __future__ import annotations

import sys

from ..core.quantity import printable

UNREADABLE = (OSError, ValueError, TypeError)
"""What wrong files and arguments raise."""

INTERRUPTED = 130
"""Exit status of a command that Ctrl-C ended, as shells have it: 128 + SIGINT."""


def complain(what: object, error: BaseException) -> None:
    """One error, one line, whatever a name in a file holds."""
    named = isinstance(error, OSError) and str(error.filename) == str(what)  # so not once more
    text = str(getattr(error, "strerror", "") if named else error)
    line = "\\n".join(text.splitlines())
    print(printable(f"constellm: {what}: {line}"), file=sys.stderr)
