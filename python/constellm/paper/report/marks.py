"""Tables between marks in a page of the documentation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from ...core.files import read_text, write_text


def fill_page(page: Path, parts: Mapping[str, str]) -> None:
    """Put each text of `parts` between ``<!-- name -->`` and ``<!-- end of name -->`` in a page.

    Raises
    ------
    ValueError
        If the marks of a part do not stand in the page exactly once; the page is left as it is.
    """
    text = read_text(page)
    for name, part in parts.items():
        pattern = rf"(<!-- {re.escape(name)} -->\n).*?(<!-- end of {re.escape(name)} -->)"
        places = list(re.finditer(pattern, text, flags=re.DOTALL))
        if len(places) != 1:
            raise ValueError(f"{page}: the marks of {name!r} stand there {len(places)} times, not once")
        (place,) = places
        text = f"{text[: place.end(1)]}{part.strip()}\n{text[place.start(2) :]}"
    write_text(text, page)
