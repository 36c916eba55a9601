"""Files of element sets: the form is found in the text, not in the name."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..core.checks import instance, short
from ..core.files import as_path, read_text, write_text
from .element_sets import ElementSets
from .omm import (
    csv_records,
    format_omm_csv,
    format_omm_json,
    json_records,
    kvn_records,
    parse_omm,
    xml_records,
)
from .tle import format_tle, parse_tle

_LINE_1 = re.compile(r"^1 [ 0-9A-Z]{5}.{30}", re.MULTILINE)
_KVN = re.compile(r"(?:COMMENT\b.*\n\s*)*[A-Z0-9_]+\s*=")
_SHIPPED = Path(__file__).parent / "data" / "celestrak" / "iridium-next.tle"

_FORMS = {"tle": format_tle, "json": format_omm_json, "csv": format_omm_csv}
_SUFFIXES = {".tle": "tle", ".txt": "tle", ".json": "json", ".csv": "csv"}


def read_elements(path: str | os.PathLike[str], *, duplicates: str = "refuse") -> ElementSets:
    """Element sets in a file: TLE of two or three lines, or OMM as JSON, CSV, KVN or XML.

    Parameters
    ----------
    path : path
        Of at most 2^28 bytes of UTF-8 text. Its name says nothing: the form is found in the text.
    duplicates : {'refuse', 'latest'}
        What to do with several sets of one satellite: raise, or keep the one of the latest epoch (of equal
        epochs the last in the file).

    Returns
    -------
    ElementSets
        In the order of the file.

    Raises
    ------
    OSError, ValueError
        Where it cannot be read; or as `parse_elements`, after the name of the file.

    Examples
    --------
    >>> from constellm import orbit
    >>> orbit.write_elements(orbit.sample_elements(), "iridium.json")
    >>> len(orbit.read_elements("iridium.json"))
    80
    """
    _choice("duplicates", duplicates, ("refuse", "latest"))
    text = read_text(path)
    try:
        return parse_elements(text, duplicates=duplicates)
    except ValueError as error:
        raise ValueError(f"{os.fspath(path)!r}: {error}") from None


def parse_elements(text: str, *, duplicates: str = "refuse") -> ElementSets:
    """Element sets in a text, as `read_elements`.

    TLE lines must have their checksums; a name may stand above, also after ``0``; catalogue numbers may be in
    Alpha-5 (``A5544`` is 105544), the epoch's years 57 to 99 are those of 1957 to 1999. OMM are those of
    CCSDS 502.0-B and as CelesTrak and Space-Track write them: ``TIME_SYSTEM`` must be UTC, ``CENTER_NAME``
    EARTH, ``REF_FRAME`` TEME and ``MEAN_ELEMENT_THEORY`` SGP4 where they are given.

    Parameters
    ----------
    text : str
        With lines ended in any of the three ways.
    duplicates : {'refuse', 'latest'}
        As of `read_elements`.

    Returns
    -------
    ElementSets
        In the order of the text.

    Raises
    ------
    ValueError
        If there is no set in it, or one is wrong: names record or columns, line, field, value and range.

    Examples
    --------
    >>> from constellm import orbit
    >>> sets = orbit.parse_elements('''
    ... IRIDIUM 106
    ... 1 41917U 17003A   24012.75622181  .00000509  00000+0  17463-3 0  9991
    ... 2 41917  86.3966  99.0039 0001747  95.3167 264.8228 14.34222290366154
    ... ''')
    >>> sets.ids, float(sets.bstar[0]), str(sets.designator[0])
    (('41917',), 0.00017463, '2017-003A')
    """
    _choice("duplicates", duplicates, ("refuse", "latest"))
    text = instance("text", text, str).lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    start = text.lstrip()
    head = start.partition("\n")[0]
    if _LINE_1.search("\n".join(start.split("\n", 3)[:3])):
        sets = parse_tle(text, duplicates=duplicates)
    elif start[:1] in ("[", "{"):
        sets = parse_omm(json_records(text), duplicates=duplicates)
    elif start.startswith("<"):
        sets = parse_omm(xml_records(text), duplicates=duplicates)
    elif _KVN.match(start):
        sets = parse_omm(kvn_records(text), duplicates=duplicates)
    elif "," in head and "NORAD_CAT_ID" in head:
        sets = parse_omm(csv_records(text), duplicates=duplicates)
    else:
        sets = parse_tle(text, duplicates=duplicates)
    if not len(sets):
        raise ValueError("no element set stands in it")
    return sets


def format_elements(sets: ElementSets, form: str = "json") -> str:
    """Element sets as a text that `parse_elements` reads.

    Parameters
    ----------
    sets : ElementSets
        What to write.
    form : {'json', 'csv', 'tle'}
        OMM as JSON or CSV in CelesTrak's manner, which keep every value in full; or TLE of three lines (two
        where there is no name), which round epochs to 0.864 ms, angles to 0.0001°, the eccentricity to seven
        and the mean motion to eight decimals, and drag terms to five digits.

    Returns
    -------
    str

    Raises
    ------
    TypeError, ValueError
        For what is no `ElementSets`, an unknown form, or a value that TLE have no room for, as catalogue
        numbers above 339,999.

    Examples
    --------
    >>> from constellm import orbit
    >>> print(orbit.format_elements(orbit.sample_elements()[0], "tle"), end="")
    IRIDIUM 106
    1 41917U 17003A   24012.75622181  .00000509  00000+0  17463-3 0  9991
    2 41917  86.3966  99.0039 0001747  95.3167 264.8228 14.34222290366154
    """
    instance("sets", sets, ElementSets)
    return _FORMS[_choice("form", form, tuple(_FORMS))](sets)


def write_elements(sets: ElementSets, path: str | os.PathLike[str], *, form: str | None = None) -> None:
    """Write element sets to a file.

    Parameters
    ----------
    sets : ElementSets
        What to write.
    path : path
        Replaced where it exists.
    form : {'json', 'csv', 'tle'}, optional
        As of `format_elements`; default: that of the name's end, ``.json``, ``.csv``, ``.tle`` or ``.txt``.

    Raises
    ------
    OSError, TypeError, ValueError
        If it cannot be written, or as `format_elements`.

    Examples
    --------
    >>> from constellm import orbit
    >>> orbit.write_elements(orbit.sample_elements(), "iridium.tle")
    """
    if form is None:
        suffix = as_path(path).suffix.lower()
        form = _SUFFIXES[_choice("form by the end of path", suffix, tuple(_SUFFIXES))]
    write_text(format_elements(sets, form), path)


def sample_elements() -> ElementSets:
    """The 80 satellites of Iridium NEXT on 12 and 13 January 2024, which the package brings.

    Returns
    -------
    ElementSets
        From the US Space Force through CelesTrak.

    Examples
    --------
    >>> from constellm import orbit
    >>> orbit.sample_elements()
    ElementSets(80 satellites, epochs 2024-01-12T12:48:34Z to 2024-01-13T04:14:30Z)
    """
    return read_elements(_SHIPPED)


def _choice(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError(f"{name}: {short(value)} is not one of {', '.join(map(repr, allowed))}")
    return value
