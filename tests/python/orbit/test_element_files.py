"""Files of element sets: every form there and back, variants that people have, and what is refused."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from constellm import orbit
from constellm.core import files as core_files
from constellm.orbit.tle import start_of_year_us

from .files import CSV, KVN, NAME, ONE, TLE, TWO, VALUES, XML, changed, resealed

EXPECTED = orbit.ElementSets(
    [41917],
    name="IRIDIUM 106",
    designator="2017-003A",
    epoch="2024-01-12T18:08:57.564384Z",
    mean_motion_rev_per_day=14.3422229,
    eccentricity=0.0001747,
    inclination_deg=86.3966,
    raan_deg=99.0039,
    argument_of_perigee_deg=95.3167,
    mean_anomaly_deg=264.8228,
    bstar=0.00017463,
    mean_motion_dot=5.09e-06,
    element_set_number=999,
    revolution_number=36615,
)


def as_json(**changes: object) -> str:
    values = {**VALUES, **changes}
    return json.dumps([{key: value for key, value in values.items() if value is not ...}], indent=1)


@pytest.mark.parametrize(
    "text",
    [
        TLE,
        f"{ONE}\n{TWO}",
        f"0 {NAME}\n{ONE}\n{TWO}\n",
        f"\ufeff{NAME:24}\r\n{ONE}\r\n{TWO}  \r\n",
        f"\n \n{NAME}\r{ONE}\r\n\n{TWO}\n\n",
        as_json(),
        as_json(CENTER_NAME=..., REF_FRAME=..., TIME_SYSTEM=..., MEAN_ELEMENT_THEORY=...),
        as_json(MEAN_ELEMENT_THEORY="SGP/SGP4", DECAY_DATE=None, PERIOD="100.4", MEAN_MOTION_DDOT=None),
        json.dumps(VALUES),
        json.dumps({keyword: str(value) for keyword, value in VALUES.items()}),
        "\ufeff" + CSV,
        CSV.replace("\n", "\r\n"),
        KVN,
        KVN.replace("14.3422229", "14.3422229 [rev/day]").replace("86.3966", " 86.3966   [deg]"),
        "COMMENT first\n" + KVN,
        XML,
        XML.replace("<MEAN_MOTION>", '<MEAN_MOTION units="rev/day">').replace("ndm", "ndm:ndm"),
    ],
)
def test_every_form_is_read_alike(text: str) -> None:
    sets = orbit.parse_elements(text)
    if not sets.name[0]:
        sets = orbit.ElementSets(**{name: getattr(sets, name) for name in vars(sets)} | {"name": NAME})
    assert sets == EXPECTED


def test_several_records_of_every_form() -> None:
    sets = orbit.sample_elements()[:3]
    for form in ("tle", "json", "csv"):
        assert orbit.parse_elements(orbit.format_elements(sets, form)) == sets
    second = KVN.replace("41917", "41918")
    assert orbit.parse_elements(KVN + second).ids == ("41917", "41918")
    body = XML[XML.index("<omm") : XML.index("</ndm>")]
    both = XML.replace("</ndm>", body.replace("41917", "123456789") + "</ndm>")
    assert orbit.parse_elements(both).ids == ("41917", "123456789")
    mixed = f"{ONE}\n{TWO}\n{NAME}\n" + "".join(f"{changed(line, 3, '41918')}\n" for line in (ONE, TWO))
    assert orbit.parse_elements(mixed).name.tolist() == ["", NAME]


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("00005", 5),
        ("    5", 5),
        ("99999", 99_999),
        ("A0000", 100_000),
        ("A5544", 105_544),
        ("H9999", 179_999),
        ("J0000", 180_000),
        ("N9999", 229_999),
        ("P0000", 230_000),
        ("Z9999", 339_999),
    ],
)
def test_catalogue_numbers_of_five_characters(code: str, number: int) -> None:
    lines = "".join(f"{changed(line, 3, code)}\n" for line in (ONE, TWO))
    sets = orbit.parse_elements(lines)
    assert sets.catalogue_number.tolist() == [number]
    assert orbit.format_elements(sets, "tle").split()[1] == code.replace(" ", "0") + "U"


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("57001.00000000", "1957-01-01T00:00:00.000000"),
        ("99365.99999999", "1999-12-31T23:59:59.999136"),
        ("00001.00000001", "2000-01-01T00:00:00.000864"),
        ("56366.50000000", "2056-12-31T12:00:00.000000"),
        ("24366.00000000", "2024-12-31T00:00:00.000000"),
        ("24060.25      ", "2024-02-29T06:00:00.000000"),
        (" 8  1.25000000", "2008-01-01T06:00:00.000000"),
    ],
)
def test_epochs_of_lines_are_exact(text: str, iso: str) -> None:
    sets = orbit.parse_elements(f"{changed(ONE, 19, text)}\n{TWO}")
    assert str(sets.epoch[0]) == iso


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" 12345-3", 0.12345e-3),
        ("-11606-4", -0.11606e-4),
        ("+00000+0", 0.0),
        (" 00000-0", 0.0),
        (" 00000 0", 0.0),
        ("        ", 0.0),
        ("+99999+9", 0.99999e9),
        ("-10000-9", -0.1e-9),
    ],
)
def test_powers_of_lines(text: str, value: float) -> None:
    sets = orbit.parse_elements(f"{changed(changed(ONE, 54, text), 45, text)}\n{TWO}")
    assert sets.bstar[0] == sets.mean_motion_ddot[0] == value
    again = orbit.parse_elements(orbit.format_elements(sets, "tle"))
    assert again == sets


def test_padding_and_blanks_of_lines() -> None:
    one = changed(changed(ONE, 8, " " * 10), 63, "    12")
    two = changed(changed(changed(TWO, 9, "  6.3966"), 27, "    174"), 64, "   15")
    sets = orbit.parse_elements(f"{one}\n{two}")
    assert sets.classification[0] == "U" and sets.designator[0] == ""
    assert (sets.ephemeris_type[0], sets.element_set_number[0], sets.revolution_number[0]) == (0, 12, 15)
    assert (sets.inclination_deg[0], sets.eccentricity[0]) == (6.3966, 0.0000174)
    assert orbit.parse_elements(orbit.format_elements(sets, "tle")) == sets


@pytest.mark.parametrize("name", ["1 KUNS", "2 BEE", "0 ZERO", "1", "[+] ÅSTER", "1 2 3, {4}"])
def test_names_that_look_like_something_else(name: str) -> None:
    (sets,) = orbit.parse_elements(as_json(OBJECT_NAME=name))
    assert orbit.parse_elements(orbit.format_elements(sets, "tle")) == sets
    assert orbit.parse_elements(orbit.format_elements(sets, "csv")) == sets


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2024-01-13T06:00:00", "2024-01-13T06:00:00.000000"),
        ("2024-01-13T06:00:00Z", "2024-01-13T06:00:00.000000"),
        ("2024-01-13 06:00:00.5", "2024-01-13T06:00:00.500000"),
        ("2024-013T06:00:00.25Z", "2024-01-13T06:00:00.250000"),
        ("2024-366T00:00:00", "2024-12-31T00:00:00.000000"),
        ("2024-02-29T23:59:59.9999994", "2024-02-29T23:59:59.999999"),
        ("2023-12-31T23:59:59.9999995", "2024-01-01T00:00:00.000000"),
        ("2024-01-13T06:00:00+02:00", "2024-01-13T04:00:00.000000"),
        ("2024-01-13T06:00:00-0530", "2024-01-13T11:30:00.000000"),
        ("1957-10-04T19:28:34", "1957-10-04T19:28:34.000000"),
    ],
)
def test_epochs_of_messages(text: str, iso: str) -> None:
    (sets,) = orbit.parse_elements(as_json(EPOCH=text))
    assert str(sets.epoch[0]) == iso


def lines(one: str = ONE, two: str = TWO) -> str:
    return f"{NAME}\n{one}\n{two}\n"


BROKEN_LINES = {
    "checksum of line 1": (
        lines(one=ONE[:68] + "2"),
        "line 2: checksum: '2' in column 69, but the line adds up to 1",
    ),
    "checksum of line 2": (
        lines(two=TWO.replace("86.3966", "86.3967")),
        "line 3: checksum: '4' .* adds up to 5",
    ),
    "no checksum": (lines(one=ONE[:68]), "line 2: 68 columns, where line 1 of an element set has 69"),
    "too long": (lines(two=TWO + " 0.0"), "line 3: 73 columns, where line 2"),
    "line 1 alone": (
        f"{NAME}\n{ONE}\n",
        "line 3: the end is not line 2 of an element set, which starts with '2 '",
    ),
    "line 2 alone": (f"{NAME}\n{TWO}\n", "line 2: '2 41917 .* is not line 1"),
    "two names": (f"A\nB\n{ONE}\n{TWO}", "line 2: 'B' is not line 1"),
    "lines change places": (f"{NAME}\n{ONE}\n\n{ONE}\n{TWO}\n", "line 4: '1 41917U.* is not line 2"),
    "line 1 before another": (f"{ONE}\n{TLE}", "line 2: 'IRIDIUM 106' is not line 2"),
    "line 1 twice": (f"{ONE}\n{ONE}\n{TWO}", "line 2: '1 41917U.* is not line 2"),
    "line 2 twice": (f"{ONE}\n{TWO}\n{TWO}\n{TLE}", "line 3: '2 41917 .* is not line 1"),
    "line 2 first": (f"{TWO}\n{ONE}\n{TWO}", "line 1: '2 41917 .* is not line 1"),
    "words": ("No GP data found", "line 2: the end is not line 1 of an element set"),
    "other numbers": (
        lines(two=changed(TWO, 3, "41918")),
        "line 3, columns 3 to 7: catalogue_number: '41918' is not '41917', as line 2 has",
    ),
    "letter I": (lines(one=changed(ONE, 3, "I5544")), "catalogue_number: 'I5544': .* without I and O"),
    "letter O": (lines(one=changed(ONE, 3, "O5544")), "line 2, columns 3 to 7: catalogue_number: 'O5544'"),
    "small letter": (lines(one=changed(ONE, 3, "a5544")), "catalogue_number: 'a5544'"),
    "number": (lines(one=changed(ONE, 3, "4 917")), "catalogue_number: '4 917': expected a number to 99999"),
    "classification": (lines(one=changed(ONE, 8, "u")), "classification: 'u' is not one letter of A to Z"),
    "no blank": (lines(one=changed(ONE, 9, "x")), "line 2: column 9: 'x' is no blank"),
    "shifted": (lines(two=resealed(TWO[:8] + TWO[9:68] + " ")), "line 3: column 26: '0' is no blank"),
    "day 0": (
        lines(one=changed(ONE, 21, "000")),
        r"columns 19 to 32: epoch: '24000\.75622181': day 0 is not in",
    ),
    "day 367": (lines(one=changed(ONE, 21, "367")), r"day 367 is not in \[1, 366\], those of 2024"),
    "day 366": (lines(one=changed(ONE, 19, "23366")), r"day 366 is not in \[1, 365\], those of 2023"),
    "day 366 of 1900": (lines(one=changed(ONE, 19, "57366")), r"day 366 is not in \[1, 365\], those of 1957"),
    "epoch": (
        lines(one=changed(ONE, 19, "24-12")),
        "epoch: '24-12.75622181': expected two digits of the year",
    ),
    "epoch's blanks": (lines(one=changed(ONE, 19, "240 2")), "epoch: '240 2.75622181': expected"),
    "derivative": (
        lines(one=changed(ONE, 34, " .0000x509")),
        "mean_motion_dot: ' .0000x509': expected a decimal",
    ),
    "power": (
        lines(one=changed(ONE, 54, " 1746x-3")),
        "columns 54 to 61: bstar: ' 1746x-3': expected five digits",
    ),
    "power's sign": (
        lines(one=changed(ONE, 45, " 17463*3")),
        "mean_motion_ddot: ' 17463[*]3': expected five",
    ),
    "theory": (lines(one=changed(ONE, 63, "4")), "line 2, column 63: ephemeris_type: 4 is not 0 or 2"),
    "inclination": (
        lines(two=changed(TWO, 9, "186.3966")),
        r"line 3, columns 9 to 16: inclination_deg: 186\.3966 is not in \[0, 180\]",
    ),
    "node": (lines(two=changed(TWO, 18, "999.0039")), r"raan_deg: 999\.0039 is not in \[-360, 360\]"),
    "eccentricity": (
        lines(two=changed(TWO, 27, "-001747")),
        "eccentricity: '-001747': expected seven digits",
    ),
    "perigee": (
        lines(two=changed(TWO, 35, "     nan")),
        "argument_of_perigee_deg: '     nan': expected a dec",
    ),
    "anomaly": (lines(two=changed(TWO, 44, "1_4.8228")), "mean_anomaly_deg: '1_4.8228': expected a decimal"),
    "foreign digits": (lines(two=changed(TWO, 44, "٢64.8228")), "mean_anomaly_deg: '٢64.8228'"),
    "motion": (
        lines(two=changed(TWO, 53, "94")),
        r"mean_motion_rev_per_day: 94\.3422229 is not in \(0, 20\]",
    ),
    "no motion": (
        lines(two=changed(TWO, 53, " 0.00000000")),
        r"columns 53 to 63: mean_motion.*: 0\.0 is not in",
    ),
    "revolution": (lines(two=changed(TWO, 64, "-6615")), "revolution_number: '-6615': expected an integer"),
    "name": ("\0" + lines(), r"line 1: name: '\\x00IRIDIUM 106' is not printable"),
    "long name": ("x" * 81 + f"\n{ONE}\n{TWO}", "line 1: name: 'xxx.* is not .* 80 characters at most"),
    "twice": (
        TLE + TLE,
        "line 5, columns 3 to 7: catalogue_number: 41917 stands at line 2, columns 3 to 7",
    ),
}

BROKEN_MESSAGES = {
    "time system": (
        as_json(TIME_SYSTEM="TAI"),
        "record 1, line 2: TIME_SYSTEM: 'TAI' is not 'UTC', all that SGP4 takes",
    ),
    "centre": (as_json(CENTER_NAME="MARS"), "CENTER_NAME: 'MARS' is not 'EARTH'"),
    "frame": (as_json(REF_FRAME="EME2000"), "REF_FRAME: 'EME2000' is not 'TEME'"),
    "theory": (as_json(MEAN_ELEMENT_THEORY="SGP4-XP"), "MEAN_ELEMENT_THEORY: 'SGP4-XP' is not 'SGP4'"),
    "type": (as_json(EPHEMERIS_TYPE=4), "EPHEMERIS_TYPE: 4 is not 0 or 2, which say SGP4"),
    "no motion": (as_json(MEAN_MOTION=...), "record 1, line 2: MEAN_MOTION: is missing"),
    "null": (as_json(BSTAR=None), "BSTAR: is missing"),
    "blank": (as_json(EPOCH=" "), "EPOCH: is missing"),
    "negative": (as_json(MEAN_MOTION=-1), r"MEAN_MOTION: -1\.0 is not in \(0, 20\]"),
    "text": (as_json(MEAN_MOTION="fast"), "MEAN_MOTION: 'fast': expected a number"),
    "truth": (as_json(MEAN_MOTION=True), "MEAN_MOTION: True: expected a number"),
    "list": (as_json(INCLINATION=[53]), r"INCLINATION: \[53\]: expected a number"),
    "underscore": (as_json(INCLINATION="5_3"), "INCLINATION: '5_3': expected a number"),
    "no number": (as_json(INCLINATION="nan"), "INCLINATION: 'nan': expected a number"),
    "endless": (as_json(BSTAR="1e999"), "BSTAR: inf is not a finite number"),
    "huge integer": (as_json(BSTAR=10**400), "BSTAR: inf is not a finite number"),
    "eccentricity": (as_json(ECCENTRICITY=1), r"ECCENTRICITY: 1\.0 is not in \[0, 1\)"),
    "float for a count": (as_json(NORAD_CAT_ID=5.0), "NORAD_CAT_ID: 5.0: expected an integer"),
    "ten digits": (as_json(NORAD_CAT_ID=10**9), r"NORAD_CAT_ID: 1000000000 is not in \[0, 999999999\]"),
    "many digits": (as_json(NORAD_CAT_ID=10**30), "NORAD_CAT_ID: 1000.*: expected an integer of at most 18"),
    "below zero": (as_json(REV_AT_EPOCH="-1"), r"REV_AT_EPOCH: -1 is not in \[0"),
    "class": (as_json(CLASSIFICATION_TYPE="US"), "CLASSIFICATION_TYPE: 'US' is not one letter"),
    "name": (as_json(OBJECT_NAME=7), "OBJECT_NAME: 7: expected text"),
    "surrogate": (as_json(OBJECT_NAME="\ud800"), "OBJECT_NAME: '.ud800' is not printable"),
    "id": (as_json(OBJECT_ID="1998-067ABCDEFGHIJ"), "OBJECT_ID: '1998-067ABCDEFGHIJ' is not printable"),
    "epoch": (
        as_json(EPOCH="yesterday"),
        "EPOCH: 'yesterday': expected a date and a time of day, as 2024-01-13T06:00:00",
    ),
    "epoch's type": (as_json(EPOCH=20240113), "EPOCH: 20240113: expected text"),
    "date alone": (as_json(EPOCH="2024-01-13"), "EPOCH: '2024-01-13': expected a date and a time"),
    "month": (
        as_json(EPOCH="2024-13-01T00:00:00"),
        r"EPOCH: '2024-13-01T00:00:00': the month 13 is not in \[1, 12\]",
    ),
    "day": (as_json(EPOCH="2023-02-29T00:00:00"), r"'2023-02-29T00:00:00': the day 29 is not in \[1, 28\]"),
    "day of year": (as_json(EPOCH="2023-366T00:00:00"), r"day of the year 366 is not in \[1, 365\]"),
    "day 0": (as_json(EPOCH="2024-000T00:00:00"), r"day of the year 0 is not in \[1, 366\]"),
    "hour": (as_json(EPOCH="2024-01-13T24:00:00"), r"hour 24 is not in \[0, 23\]"),
    "minute": (as_json(EPOCH="2024-01-13T00:60:00"), r"minute 60 is not in \[0, 59\]"),
    "leap second": (as_json(EPOCH="2016-12-31T23:59:60"), "a leap second has no instant of its own"),
    "offset": (as_json(EPOCH="2024-01-13T00:00:00+24:00"), r"the hours of the offset 24 is not in \[0, 23\]"),
    "year": (as_json(EPOCH="0000-01-13T00:00:00"), r"the year 0 is not in \[1, 9999\]"),
    "early": (
        as_json(EPOCH="1956-12-31T23:59:59"),
        "EPOCH: 1956-12-31T23:59:59.000000Z is not of the years 1957 to 2199",
    ),
    "late": (as_json(EPOCH="2200-01-01T00:00:00"), "EPOCH: 2200-01-01T00:00:00.000000Z is not of"),
    "second record": (
        f"[{json.dumps(VALUES)},\n{json.dumps({**VALUES, 'NORAD_CAT_ID': 5, 'BSTAR': 'x'})}]",
        "record 2, line 2: BSTAR: 'x': expected a number",
    ),
    "twice": (
        f"[{json.dumps(VALUES)},\n\n{json.dumps(VALUES)}]",
        "record 2, line 3: NORAD_CAT_ID: 41917 stands at record 1, line 1: NORAD_CAT_ID already; dup",
    ),
    "doubled key": (
        '[\n{"BSTAR": 1, "BSTAR": 2}]',
        "the record of line 2: key 'BSTAR' stands twice in one object",
    ),
    "NaN": ('[{"BSTAR": NaN}]', "the record of line 1: NaN is not a finite number"),
    "no object": ("[1]", "line 1: expected an object of keywords, got 1"),
    "cut JSON": (as_json()[:100], "line 6, column 3: "),
    "cut list": (as_json().rstrip("]\n"), "expected ',' or ']' behind an object, got the end"),
    "comma": (f"[{json.dumps(VALUES)} {{}}]", "line 1: expected ',' or ']' behind an object, got '{}"),
    "more": (as_json() + "[]", "line 25: expected nothing more, got"),
    "deep": ("[" + '{"a":' * 100_000, "nested too deeply"),
    "empty list": ("[]", "no element set stands in it"),
    "nothing": (" \n", "no element set stands in it"),
    "CSV cells": (CSV + "1,2\n", "line 3: 2 cells under 21 keywords"),
    "CSV heads": ("NORAD_CAT_ID,EPOCH,EPOCH\n1,2,3\n", "line 1: 'EPOCH' heads two columns"),
    "CSV quotes": (CSV.replace("IRIDIUM", '"IRIDIUM'), "line 2: "),
    "CSV value": (CSV.replace("86.3966", "86,3966"), "line 2: 22 cells"),
    "CSV number": (CSV + CSV.split("\n")[1].replace("86.3966", "x"), "record 2, line 3: INCLINATION: 'x'"),
    "KVN line": (KVN + "what is this\n", "line 25: expected 'KEYWORD = value', got 'what is this'"),
    "KVN twice": (KVN + "BSTAR = 1\n", "line 25: BSTAR: stands in line 22 already"),
    "KVN unit": (
        KVN.replace("86.3966", "1.5 [rad]"),
        r"line 13: INCLINATION: unit 'rad' is not 'deg'",
    ),
    "KVN unit of none": (
        KVN.replace("0.0001747", "0.1 [%]"),
        "ECCENTRICITY: unit '%' is not left out: it has none",
    ),
    "KVN value": (
        KVN.replace("86.3966", "286.4"),
        r"record 1, line 13: INCLINATION: 286\.4 is not in \[0, 180\]",
    ),
    "XML unit": (XML.replace("<BSTAR>", '<BSTAR units="1/m">'), "line 26: BSTAR: unit '1/m' is not '1/er'"),
    "XML value": (XML.replace("86.3966", "286.4"), r"record 1, line 16: INCLINATION: 286\.4"),
    "XML twice": (
        XML.replace("<BSTAR>", "<BSTAR>1</BSTAR><BSTAR>"),
        "line 26: BSTAR: stands in line 26 already",
    ),
    "XML cut": (XML[:300], "line .*, column .*: no element found"),
    "XML of something else": ("<html><body/></html>", "no element set stands in it"),
    "page": ("<!DOCTYPE html>\n<html></html>", "line 1: a document type, 'html', is not read"),
    "laughs": (
        '<?xml version="1.0"?>\n<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]>\n'
        + XML[39:],
        "line 2: a document type, 'lolz', is not read",
    ),
}


@pytest.mark.parametrize("name", [*BROKEN_LINES, *(f"OMM: {name}" for name in BROKEN_MESSAGES)])
def test_what_is_broken_is_refused_by_place(name: str, tmp_path: Path) -> None:
    kind, _, message = name.rpartition("OMM: ")
    text, expected = BROKEN_LINES[name] if not name.startswith("OMM: ") else BROKEN_MESSAGES[message]
    with pytest.raises(ValueError, match=expected):
        orbit.parse_elements(text)
    file = tmp_path / "sets"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ValueError, match=re.escape(repr(str(file)))):
        orbit.read_elements(file)


def test_duplicates_are_refused_or_the_latest_stays() -> None:
    epochs = ["2024-01-12T00:00:00", "2024-01-14T00:00:00", "2024-01-13T00:00:00", "2024-01-14T00:00:00"]
    records = [
        {**VALUES, "EPOCH": epoch, "NORAD_CAT_ID": number, "ELEMENT_SET_NO": place}
        for place, (epoch, number) in enumerate(zip(epochs, (5, 7, 5, 7)))
    ]
    records.append({**VALUES, "NORAD_CAT_ID": 6})
    text = json.dumps(records)
    with pytest.raises(ValueError, match="record 3, line 1: NORAD_CAT_ID: 5 stands at record 1"):
        orbit.parse_elements(text)
    sets = orbit.parse_elements(text, duplicates="latest")
    assert sets.ids == ("5", "7", "6")
    assert sets.element_set_number.tolist() == [2, 3, 999]
    with pytest.raises(ValueError, match="duplicates: 'all' is not one of 'refuse', 'latest'"):
        orbit.parse_elements(text, duplicates="all")


def test_a_file_that_is_too_long_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "large.txt"
    with file.open("wb") as out:
        os.truncate(out.fileno(), core_files.MOST_TEXT_BYTES + 1)  # of holes: it takes no room
    with pytest.raises(ValueError, match="large.txt' holds more than 268435456 bytes"):
        orbit.read_elements(file)


def test_a_number_of_many_digits_takes_no_time() -> None:
    for text in (
        as_json(MEAN_MOTION="1" * 1_000_000 + "x"),
        KVN.replace("14.342", "[" * 500_000 + " " * 500_000),
    ):
        with pytest.raises(ValueError, match="MEAN_MOTION: '.*expected a number"):
            orbit.parse_elements(text)


finite = st.floats(-1e6, 1e6)
angles = st.floats(-360, 360)
words = st.text("012ABZ-+.,:;()[]{}<>='\"&#äß漢", max_size=16)
sets_of_any_kind = st.builds(
    lambda numbers, rows: orbit.ElementSets(
        numbers,
        **{name: [row[name] for row in rows[: len(numbers)]] for name in rows[0]},
    ),
    st.lists(st.integers(0, 339_999), min_size=1, max_size=2, unique=True),
    st.lists(
        st.fixed_dictionaries(
            {
                "name": words,
                "designator": st.from_regex(
                    r"(19[6-9][0-9]|20[0-4][0-9])-[0-9]{3}[A-Z]{1,3}|[A-Z]{0,8}", fullmatch=True
                ),
                "classification": st.sampled_from("UCS"),
                "epoch": st.integers(start_of_year_us(1957), start_of_year_us(2057) - 1000).map(
                    orbit.Epoch.from_microseconds
                ),
                "mean_motion_rev_per_day": st.floats(0.001, 17),
                "eccentricity": st.floats(0, 0.9999999),
                "inclination_deg": st.floats(0, 180),
                "raan_deg": angles,
                "argument_of_perigee_deg": angles,
                "mean_anomaly_deg": angles,
                "bstar": finite,
                "mean_motion_dot": st.floats(-0.99, 0.99),
                "mean_motion_ddot": finite,
                "element_set_number": st.integers(0, 9999),
                "revolution_number": st.integers(0, 99_999),
                "ephemeris_type": st.sampled_from([0, 2]),
            }
        ),
        min_size=2,
        max_size=2,
    ),
)


@given(sets_of_any_kind)
def test_messages_there_and_back_are_the_same(sets: orbit.ElementSets) -> None:
    for form in ("json", "csv"):
        assert orbit.parse_elements(orbit.format_elements(sets, form)) == sets


@given(sets_of_any_kind)
def test_lines_there_and_back_are_as_near_as_their_digits(sets: orbit.ElementSets) -> None:
    text = orbit.format_elements(sets, "tle")
    read = orbit.parse_elements(text)
    assert orbit.format_elements(read, "tle") == text
    for name in ("name", "classification", "designator", "catalogue_number", "element_set_number"):
        assert getattr(read, name).tolist() == getattr(sets, name).tolist()
    assert read.revolution_number.tolist() == sets.revolution_number.tolist()
    assert np.abs(read.epoch - sets.epoch).max() <= np.timedelta64(432, "us")
    for name in ("raan_deg", "argument_of_perigee_deg", "mean_anomaly_deg"):
        turned = (getattr(read, name) - getattr(sets, name) + 180) % 360 - 180
        assert np.abs(turned).max() <= 0.50001e-4
    for name, step in (
        ("inclination_deg", 1e-4),
        ("eccentricity", 1e-7),
        ("mean_motion_rev_per_day", 1e-8),
        ("mean_motion_dot", 1e-8),
    ):
        assert np.abs(getattr(read, name) - getattr(sets, name)).max() <= 0.50001 * step
    for name in ("bstar", "mean_motion_ddot"):
        assert np.allclose(getattr(read, name), getattr(sets, name), rtol=0.51e-4, atol=0.51e-14)


@given(st.text("12 U.AI-+09\n{}[]<>=,", max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        sets = orbit.parse_elements(text)
    except ValueError as error:
        assume(str(error))
    else:
        assert len(sets)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"catalogue_number": [340_000]}, r"catalogue_number: 340000 is not in \[0, 339999\]"),
        (
            {"epoch": "2056-12-31T23:59:59.999569"},
            r"epoch: Epoch\('2056-12-31T23:59:59.999569Z'\) of satellite 41917 .* 1957 to 2056",
        ),
        (
            {"eccentricity": 0.99999996},
            r"eccentricity: 0\.99999996 of satellite 41917 is not in \[0, 0\.9999999\]",
        ),
        ({"mean_motion_dot": -1.0}, r"mean_motion_dot: -1\.0 .* is not in \(-1, 1\)"),
        ({"bstar": 1e9}, r"bstar: 1000000000\.0 .* is not in \(-1e9, 1e9\)"),
        ({"revolution_number": 100_000}, r"revolution_number: 100000 .* is not in \[0, 99999\]"),
        ({"element_set_number": 10_000}, r"element_set_number: 10000 .* is not in \[0, 9999\]"),
        ({"designator": "2057-001A"}, "designator: '2057-001A' of satellite 41917"),
        ({"designator": "98067A"}, "designator: '98067A' of satellite 41917"),
    ],
)
def test_lines_refuse_what_they_have_no_room_for(changes: dict[str, object], message: str) -> None:
    sets = orbit.ElementSets(**vars(EXPECTED) | changes)
    with pytest.raises(ValueError, match=message):
        orbit.format_elements(sets, "tle")
    assert orbit.parse_elements(orbit.format_elements(sets)) == sets


def test_files_are_written_by_the_end_of_their_name(tmp_path: Path) -> None:
    sets = orbit.sample_elements()
    for name in ("a.json", "a.CSV", "a.tle", "a.txt"):
        orbit.write_elements(sets, tmp_path / name)
        assert orbit.read_elements(tmp_path / name) == sets
    orbit.write_elements(sets, tmp_path / "sets", form="csv")
    head, *rows = csv.reader(io.StringIO((tmp_path / "sets").read_text(encoding="utf-8")))
    assert len(rows) == 80 and "NORAD_CAT_ID" in head
    with pytest.raises(ValueError, match="form by the end of path: '.xls' is not one of '.tle', '.txt', "):
        orbit.write_elements(sets, tmp_path / "a.xls")
    with pytest.raises(ValueError, match="form: 'xml' is not one of 'tle', 'json', 'csv'"):
        orbit.format_elements(sets, "xml")
    with pytest.raises(TypeError, match="sets: expected a ElementSets, got 'a'"):
        orbit.format_elements("a")  # type: ignore[arg-type]


def test_real_files_there_and_back() -> None:
    data = os.environ.get("CONSTELLM_DATA")
    if not data:
        pytest.skip("CONSTELLM_DATA is not set")
    satellites = 0
    for path in sorted((Path(data) / "tle").glob("*.txt")):
        if path.stem != "README":
            sets = orbit.read_elements(path)
            satellites += len(sets)
            written = orbit.format_elements(sets, "tle")
            assert written.split("\n") == [
                line.rstrip() for line in path.read_text(encoding="ascii").split("\n")
            ]
            assert orbit.parse_elements(orbit.format_elements(sets)) == sets
    assert satellites == 6824
