"""Texts of one satellite in every form, for tests to break."""

from __future__ import annotations

from constellm.orbit.tle import checksum

NAME = "IRIDIUM 106"
ONE = "1 41917U 17003A   24012.75622181  .00000509  00000+0  17463-3 0  9991"
TWO = "2 41917  86.3966  99.0039 0001747  95.3167 264.8228 14.34222290366154"
TLE = f"{NAME}\n{ONE}\n{TWO}\n"

VALUES: dict[str, object] = {
    "OBJECT_NAME": "IRIDIUM 106",
    "OBJECT_ID": "2017-003A",
    "CENTER_NAME": "EARTH",
    "REF_FRAME": "TEME",
    "TIME_SYSTEM": "UTC",
    "MEAN_ELEMENT_THEORY": "SGP4",
    "EPOCH": "2024-01-12T18:08:57.564384",
    "MEAN_MOTION": 14.3422229,
    "ECCENTRICITY": 0.0001747,
    "INCLINATION": 86.3966,
    "RA_OF_ASC_NODE": 99.0039,
    "ARG_OF_PERICENTER": 95.3167,
    "MEAN_ANOMALY": 264.8228,
    "EPHEMERIS_TYPE": 0,
    "CLASSIFICATION_TYPE": "U",
    "NORAD_CAT_ID": 41917,
    "ELEMENT_SET_NO": 999,
    "REV_AT_EPOCH": 36615,
    "BSTAR": 0.00017463,
    "MEAN_MOTION_DOT": 5.09e-06,
    "MEAN_MOTION_DDOT": 0,
}

KVN = "CCSDS_OMM_VERS = 2.0\nCOMMENT a word = another\nCREATION_DATE = 2024-01-13T00:00:00\n" + "".join(
    f"{keyword:20} = {value}\n" for keyword, value in VALUES.items()
)
_METADATA = list(VALUES)[:6]
_ELEMENTS = list(VALUES)[6:13]


def _elements(keywords: list[str]) -> str:
    return "".join(f"<{keyword}>{VALUES[keyword]}</{keyword}>\n" for keyword in keywords)


XML = f"""<?xml version="1.0" encoding="UTF-8"?>
<ndm xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<omm id="CCSDS_OMM_VERS" version="2.0">
<header><CREATION_DATE>2024-01-13T00:00:00</CREATION_DATE><ORIGINATOR/></header>
<body><segment>
<metadata>{_elements(_METADATA)}</metadata>
<data><meanElements>{_elements(_ELEMENTS)}</meanElements>
<tleParameters>{_elements(list(VALUES)[13:])}</tleParameters>
<userDefinedParameters><USER_DEFINED parameter="DECAYED">0</USER_DEFINED>
<USER_DEFINED parameter="FILE">1</USER_DEFINED></userDefinedParameters></data>
</segment></body>
</omm>
</ndm>
"""
CSV = ",".join(VALUES) + "\n" + ",".join(map(str, VALUES.values())) + "\n"


def resealed(line: str) -> str:
    """A line with the checksum that fits."""
    return f"{line[:68]:68}{checksum(line)}"


def changed(line: str, column: int, text: str) -> str:
    """A line with `text` from a column on, counted from 1, and the checksum that fits."""
    return resealed(line[: column - 1] + text + line[column - 1 + len(text) :])
