"""The value: columns, subsets, equality, pickles, displays, and what the constructor refuses."""

from __future__ import annotations

import pickle
import re
from datetime import datetime

import numpy as np
import pytest

from constellm import orbit
from constellm.orbit.element_sets import COLUMNS

GOOD = {
    "catalogue_number": [7, 5],
    "name": ["A", "B"],
    "epoch": "2024-01-13T00:00:00Z",
    "mean_motion_rev_per_day": 15.0,
    "eccentricity": [0.0, 0.001],
    "inclination_deg": 53,
    "raan_deg": np.array([0, 90], dtype=np.int32),
    "argument_of_perigee_deg": np.float32(0.5),
    "mean_anomaly_deg": (10.0, 20.0),
}


def test_columns_are_read_only_and_one_value_stands_for_all() -> None:
    sets = orbit.ElementSets(**GOOD)
    assert len(sets) == 2 and sets.ids == ("7", "5")
    assert sets.epoch.dtype == np.dtype("datetime64[us]")
    assert sets.epoch.tolist() == [datetime(2024, 1, 13)] * 2
    assert sets.raan_deg.dtype == np.float64 and sets.argument_of_perigee_deg.tolist() == [0.5, 0.5]
    assert sets.designator.tolist() == ["", ""] and sets.classification.tolist() == ["U", "U"]
    for column in COLUMNS:
        values = getattr(sets, column.name)
        assert values.shape == (2,)
        with pytest.raises(ValueError, match="read-only|WRITEABLE"):
            values[:] = values
        with pytest.raises(ValueError, match="WRITEABLE"):
            values.setflags(write=True)
    with pytest.raises(AttributeError):
        sets.name = GOOD["name"]  # type: ignore[misc,assignment]


@pytest.mark.parametrize(
    "epoch",
    [
        orbit.Epoch("2024-01-13T06:00:00Z"),
        "2024-013T06:00:00",
        datetime(2024, 1, 13, 6),
        np.datetime64("2024-01-13T06", "h"),
        ["2024-01-13T06:00:00Z", datetime(2024, 1, 13, 6)],
        np.array(["2024-01-13T06:00:00", "2024-01-13T05:59:59.9999996"], "M8[ns]"),
    ],
)
def test_epochs_come_in_many_forms(epoch: object) -> None:
    sets = orbit.ElementSets(**{**GOOD, "epoch": epoch})
    assert sets.epoch.tolist() == [datetime(2024, 1, 13, 6)] * 2


def test_columns_are_copies() -> None:
    raan = np.array([1.0, 2.0])
    sets = orbit.ElementSets(**{**GOOD, "raan_deg": raan})
    raan[0] = 3.0
    assert sets.raan_deg.tolist() == [1.0, 2.0]


def test_subsets_and_concatenation() -> None:
    sets = orbit.sample_elements()
    assert sets[3].ids == sets.ids[3:4] and sets[-1].ids == sets.ids[-1:]
    assert sets[np.int64(3)] == sets[3:4] == sets[[3]] == sets[np.arange(80) == 3]
    assert sets[sets.inclination_deg > 86.5].inclination_deg.min() > 86.5
    assert len(sets[:0]) == 0 and repr(sets[:0]) == "ElementSets(0 satellites)"
    assert [one.ids for one in sets] == [(number,) for number in sets.ids]
    assert orbit.ElementSets.concatenate([sets[:30], sets[30:30], sets[30:]]) == sets
    with pytest.raises(IndexError, match=r"place 80 is not in \[-80, 79\]"):
        sets[80]
    with pytest.raises(ValueError, match=r"catalogue_number\[80\]: 41917 is catalogue_number\[0\] already"):
        orbit.ElementSets.concatenate([sets, sets[:1]])
    with pytest.raises(TypeError, match=r"parts\[1\]: expected a ElementSets, got 'a'"):
        orbit.ElementSets.concatenate([sets, "a"])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="parts: expected at least one"):
        orbit.ElementSets.concatenate([])


def test_equality_and_pickles() -> None:
    sets = orbit.sample_elements()
    copy = pickle.loads(pickle.dumps(sets))
    assert copy == sets and not copy.raan_deg.flags.writeable
    for column in COLUMNS:
        other = {c.name: getattr(sets[0], c.name).tolist() for c in COLUMNS}
        other[column.name] = {"text": "V", "integer": 2, "number": 0.25, "moment": "1970-01-01"}[column.kind]
        assert orbit.ElementSets(**other) != sets[0]
    assert sets != sets[:79] and sets != 1
    with pytest.raises(TypeError, match="unhashable"):
        hash(sets)


def test_displays() -> None:
    sets = orbit.sample_elements()
    assert repr(sets) == "ElementSets(80 satellites, epochs 2024-01-12T12:48:34Z to 2024-01-13T04:14:30Z)"
    assert repr(sets[0]) == "ElementSets(1 satellite, epoch 2024-01-12T18:08:57Z)"
    lines = sets.summary().splitlines()
    assert lines[0] == "ElementSets: 80 satellites, epochs 2024-01-12T12:48:34Z to 2024-01-13T04:14:30Z"
    assert re.split(r" {2,}", lines[2].strip()) == [
        *("catalogue number", "name", "epoch", "rev/day", "eccentricity", "inclination", "raan"),
        *("argument of perigee", "mean anomaly"),
    ]
    assert re.split(r" {2,}", lines[3].strip()) == [
        *("41917", "IRIDIUM 106", "2024-01-12T18:08:57Z", "14.34222", "0.000175"),
        *("86.397 °", "99.004 °", "95.317 °", "264.823 °"),
    ]
    html = orbit.ElementSets(**{**GOOD, "name": ["<b>", "&"]})._repr_html_()
    assert "<td>&lt;b&gt;</td>" in html and "&amp;" in html


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"catalogue_number": [7, 7]}, ValueError, r"catalogue_number\[1\]: 7 is catalogue_number\[0\]"),
        ({"catalogue_number": [7, -1]}, ValueError, r"catalogue_number\[1\]: -1 is not in \[0, 999999999\]"),
        ({"catalogue_number": [7, 10**9]}, ValueError, r"catalogue_number\[1\]: 1000000000 is not in"),
        ({"catalogue_number": np.array([7, 2**64 - 1], np.uint64)}, ValueError, "18446744.* is not in"),
        ({"catalogue_number": [7.0, 5.0]}, TypeError, "catalogue_number: expected an integer or an array"),
        ({"catalogue_number": [True, False]}, TypeError, "catalogue_number: expected an integer"),
        ({"catalogue_number": [[7, 5]]}, ValueError, r"expected .* shape \(2,\).*got shape \(1, 2\)"),
        ({"epoch": 1_705_104_000_000_000}, TypeError, "epoch: expected an Epoch, ISO 8601 text, datetime"),
        ({"epoch": ["2024-01-13", 5]}, TypeError, r"epoch\[1\]: expected an Epoch"),
        ({"epoch": "2024-13-01"}, ValueError, "epoch: '2024-13-01': the month 13 is not in"),
        ({"epoch": np.array(["2024-01-13", "NaT"], "M8[us]")}, ValueError, r"epoch\[1\]: NaT is no instant"),
        (
            {"epoch": "2200-01-01"},
            ValueError,
            r"epoch\[0\]: 2200-01-01T00:00:00.000000Z is not of the years 1957 to 2199",
        ),
        ({"name": ["A"]}, ValueError, r"name: expected one value or shape \(2,\).*got shape \(1,\)"),
        ({"name": ["A", 5]}, TypeError, r"name\[1\]: expected text, got 5"),
        ({"name": ["A", None]}, TypeError, r"name\[1\]: expected text, got None"),
        ({"name": ["A", " B"]}, ValueError, r"name\[1\]: ' B' is not printable, without blanks at its ends"),
        ({"name": ["A", "B\nC"]}, ValueError, r"name\[1\]: 'B\\nC' is not printable"),
        ({"designator": "x" * 17}, ValueError, r"designator\[0\]: 'x{17}' is not .* 16 characters at most"),
        ({"classification": ""}, ValueError, r"classification\[0\]: '' is not one letter of A to Z"),
        ({"mean_motion_rev_per_day": 0}, ValueError, r"_per_day\[0\]: 0.0 is not in \(0, 20\]"),
        ({"mean_motion_rev_per_day": "15"}, TypeError, "mean_motion_rev_per_day: expected a number"),
        ({"eccentricity": [0, 1]}, ValueError, r"eccentricity\[1\]: 1.0 is not in \[0, 1\)"),
        ({"eccentricity": [0, float("nan")]}, ValueError, r"eccentricity\[1\]: nan is not in \[0, 1\)"),
        ({"inclination_deg": -0.1}, ValueError, r"inclination_deg\[0\]: -0.1 is not in \[0, 180\]"),
        ({"raan_deg": 360.1}, ValueError, r"raan_deg\[0\]: 360.1 is not in \[-360, 360\]"),
        ({"argument_of_perigee_deg": 1j}, TypeError, "argument_of_perigee_deg: expected a number"),
        ({"mean_anomaly_deg": None}, TypeError, "mean_anomaly_deg: expected a number"),
        ({"bstar": float("inf")}, ValueError, r"bstar\[0\]: inf is not a finite number"),
        ({"element_set_number": -1}, ValueError, r"element_set_number\[0\]: -1 is not in \[0, 999999999\]"),
        ({"ephemeris_type": 4}, ValueError, r"ephemeris_type\[0\]: 4 is not 0 or 2, which say SGP4"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_by_place(
    changes: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        orbit.ElementSets(**{**GOOD, **changes})


def test_mean_elements_of_a_design_are_numbered_and_without_drag() -> None:
    design = {
        "epoch": "1970-01-01",
        "mean_motion_rev_per_day": 15.0,
        "eccentricity": 0.0,
        "inclination_deg": 53.0,
        "raan_deg": np.repeat([0.0, 180.0], 2),
        "argument_of_perigee_deg": 0.0,
        "mean_anomaly_deg": [0.0, 180.0, 90.0, 270.0],
    }
    sets = orbit.ElementSets.of_mean_elements(**design)
    assert sets.ids == ("0", "1", "2", "3") and not sets.bstar.any()
    empty = orbit.ElementSets.of_mean_elements(**{**design, "raan_deg": [], "mean_anomaly_deg": []})
    assert len(empty) == 0 and empty.summary().startswith("ElementSets: 0 satellites")
    with pytest.raises(ValueError, match=r"mean_anomaly_deg: .* shape \(4,\).*got shape \(2,\)"):
        orbit.ElementSets.of_mean_elements(**{**design, "mean_anomaly_deg": [0.0, 1.0]})
