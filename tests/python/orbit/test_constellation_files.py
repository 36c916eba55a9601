"""Files of constellations: there and back, element sets beside them, and what is refused, key by key."""

from __future__ import annotations

import json
import os

import pytest

from constellm import orbit
from constellm.core import files as core_files

SHELL = {
    "name": "a", "planes": 3, "satellites_per_plane": 4, "altitude_m": 550e3, "inclination_deg": 53.0
}  # fmt: skip
STATION = {"id": "Svalbard", "latitude_deg": 78.2, "longitude_deg": 15.4}
HEADER = {"format": "constellm.constellation", "version": 1, "name": "sky"}
GRID = {"pattern": "plus-grid", "shell": "a"}


def load(tmp_path, data):
    file = tmp_path / "sky.json"
    file.write_text(data if isinstance(data, str) else json.dumps(data))
    return orbit.load_constellation(file)


def test_a_short_file_has_the_defaults_of_the_format(tmp_path):
    rules = [GRID, {"pattern": "nearest", "count": 3, "shell": None}, {"pattern": "ground"}]
    made = load(tmp_path, {**HEADER, "shells": [SHELL], "stations": [STATION], "links": rules})
    assert made == orbit.Constellation(
        orbit.Shell(
            **SHELL, raan_spread_deg=360.0, raan0_deg=0.0, phasing=0.0, eccentricity=0.0,
            argument_of_perigee_deg=0.0, propagator="j2",
        ),
        stations=orbit.station("Svalbard", 78.2, 15.4, 0.0, min_elevation_deg=25.0, max_range_m=None),
        links=[
            orbit.plus_grid("a", overhead_s=0.0, survival=1.0),
            orbit.nearest(3),
            orbit.ground(),
        ],
        epoch="2000-01-01T12:00:00Z",
        name="sky",
    )  # fmt: skip


def test_every_key_is_read(tmp_path):
    shell = {
        "name": "b", "planes": 2, "satellites_per_plane": 3, "mean_motion_rev_per_day": 15.0,
        "inclination_deg": 97.0, "raan_spread_deg": 180.0, "raan0_deg": 10.0, "plane_phase_deg": [0.0, 7.0],
        "eccentricity": 0.001, "argument_of_perigee_deg": 90.0, "propagator": "two-body",
    }  # fmt: skip
    station = {**STATION, "altitude_m": 458.0, "min_elevation_deg": 5.0, "max_range_m": 2e6}
    limits = {
        "max_range_m": 5e6, "grazing_altitude_m": 1e5, "max_latitude_deg": 70.0,
        "max_angular_rate_rad_per_s": 1e-3, "max_range_rate_m_per_s": 5e3,
        "acquisition_s": 30.0, "rate_bps": 2e9, "overhead_s": 1e-3, "survival": 0.9, "seed": 4,
    }  # fmt: skip
    rule = {"pattern": "plus-grid", "shell": "b", "seam": "open", "shift": 1, **limits}
    lists = {"shells": [shell], "stations": [station], "links": [rule]}
    made = load(tmp_path, {**HEADER, "epoch": "2026-03-01T12:00:00Z", **lists})
    assert made.epoch == orbit.Epoch("2026-03-01T12:00:00Z") and made.name == "sky"
    for value, given in ((made.shells[0], shell), (made.stations[0], station), (made.links[0], rule)):
        assert {key: getattr(value, key) for key in given} == given


def test_link_budgets_are_read_by_name(tmp_path):
    rules = [
        {**GRID, "budget": {"name": "optical", "tx_power_w": 0.5}},
        {"pattern": "ground", "budget": {"name": "ka-band"}},
    ]
    made = load(tmp_path, {**HEADER, "shells": [SHELL], "links": rules})
    assert [rule.budget for rule in made.links] == [
        orbit.OpticalBudget(tx_power_w=0.5),
        orbit.KaBandBudget(),
    ]
    orbit.save_constellation(made, tmp_path / "again.json")
    assert orbit.load_constellation(tmp_path / "again.json") == made


def test_element_sets_lie_beside_the_file(tmp_path):
    sets = orbit.sample_elements()
    (tmp_path / "sets").mkdir()
    orbit.write_elements(sets[:5], tmp_path / "sets" / "some.tle")
    orbit.write_elements(sets[5:], tmp_path / "rest.csv")
    made = load(tmp_path, {**HEADER, "element_sets": ["sets/some.tle", "rest.csv"], "shells": [SHELL]})
    assert made.element_sets == (sets[:5], sets[5:]) and made.epoch == orbit.Epoch(sets.epoch[0])
    assert made.ids[:2] == ("a/0/0", "a/0/1") and made.ids[12:] == sets.ids


@pytest.mark.parametrize("name", ["sky.json", "sky.json.gz"])
def test_there_and_back(tmp_path, name):
    sets = orbit.sample_elements()
    made = orbit.Constellation(
        [orbit.preset("starlink-550"), orbit.preset("kuiper-630", propagator="sgp4"), sets[:7], sets[40:]],
        stations=[*orbit.sample_stations("dsn"), orbit.station("x", 0.0, 0.0, max_range_m=1e6)],
        links=[orbit.plus_grid(max_latitude_deg=70.0), orbit.nearest(3, overhead_s=1e-3), orbit.ground()],
        epoch="2026-03-01T12:00:00.25Z",
        name="sky-1",
    )
    orbit.save_constellation(made, tmp_path / name)
    assert orbit.load_constellation(tmp_path / name) == made
    assert sorted(os.listdir(tmp_path)) == sorted([name, "sky-elements-0.json", "sky-elements-1.json"])
    computing = orbit.load_constellation(tmp_path / name, computers={"flop_per_s": 1e12, "memory_bytes": 1e9})
    assert computing.replace(computers=None) == made and computing.nodes[0].flop_per_s == 1e12


def rule(**changes):
    return {**HEADER, "shells": [SHELL], "links": [{**GRID, **changes}]}


BAD = {
    "format": ({**HEADER, "format": "constellm.split-problem"}, "format: 'constellm.split-problem' is not"),
    "no format": ({"version": 1, "name": "a"}, "constellation: missing required key 'format'"),
    "version": ({**HEADER, "version": 2}, "version: 2 is not 1"),
    "version's type": ({**HEADER, "version": True}, "version: True is not 1"),
    "no name": ({"format": HEADER["format"], "version": 1}, "constellation: missing required key 'name'"),
    "name": ({**HEADER, "name": "a b", "shells": [SHELL]}, "name: 'a b' is not 1 to 100 characters"),
    "name's type": ({**HEADER, "name": 5, "shells": [SHELL]}, "name: 5 is not 1 to 100"),
    "unknown key": ({**HEADER, "shell": []}, "constellation: unknown key 'shell'"),
    "doubled key": ('{"format": "a", "format": "a"}', "key 'format' stands twice"),
    "doubled key of a shell": ('{"shells": [{"name": "a", "name": "b"}]}', "key 'name' stands twice"),
    "no object": ("[]", "file: expected an object at the top level"),
    "no satellites": (HEADER, r"satellites: 0 of them are not in \[1, 100000\]"),
    "epoch": ({**HEADER, "epoch": "2026-03-01"}, "epoch: '2026-03-01' does not end with 'Z'"),
    "epoch's month": ({**HEADER, "epoch": "2026-13-01Z", "shells": [SHELL]}, "epoch: .* the month 13"),
    "epoch's type": ({**HEADER, "epoch": 5}, "epoch: expected text, got 5"),
    "null epoch": ({**HEADER, "epoch": None}, "epoch: expected text, got None"),
    "shells": ({**HEADER, "shells": SHELL}, "shells: expected a list, got {"),
    "a shell": ({**HEADER, "shells": ["a"]}, r"shells\[0\]: expected an object, got 'a'"),
    "shell's key": ({**HEADER, "shells": [{**SHELL, "height_m": 1}]}, r"shells\[0\]: unknown key 'height_m'"),
    "shell without planes": (
        {**HEADER, "shells": [{k: v for k, v in SHELL.items() if k != "planes"}]},
        r"shells\[0\]: missing required key 'planes'",
    ),
    "no planes": ({**HEADER, "shells": [{**SHELL, "planes": 0}]}, r"shells\[0\]: planes: 0 is not in \[1, "),
    "planes' type": ({**HEADER, "shells": [{**SHELL, "planes": 3.0}]}, r"shells\[0\]: planes: expected"),
    "a million": (
        {**HEADER, "shells": [{**SHELL, "planes": 1000, "satellites_per_plane": 1000}]},
        r"shells\[0\]: satellites_per_plane: 1000 planes of 1000 are 1000000 satellites",
    ),
    "propagator": ({**HEADER, "shells": [{**SHELL, "propagator": "j4"}]}, r"shells\[0\]: propagator: 'j4'"),
    "shells alike": ({**HEADER, "shells": [SHELL, SHELL]}, r"satellites\[1\]: id 'a/0/0' is of satellites"),
    "element sets": ({**HEADER, "element_sets": "a.tle"}, "element_sets: expected a list, got 'a.tle'"),
    "path": ({**HEADER, "element_sets": [5]}, r"element_sets\[0\]: expected text, got 5"),
    "stations": ({**HEADER, "stations": {}}, "stations: expected a list"),
    "station's key": (
        {**HEADER, "stations": [{**STATION, "name": "x"}]},
        r"stations\[0\]: unknown key 'name",
    ),
    "station without id": (
        {**HEADER, "stations": [{"latitude_deg": 0.0, "longitude_deg": 0.0}]},
        r"stations\[0\]: missing required key 'id'",
    ),
    "latitude": (
        {**HEADER, "stations": [{**STATION, "latitude_deg": 91}]},
        r"stations\[0\]: latitude_deg: 91",
    ),
    "links": ({**HEADER, "links": GRID}, "links: expected a list"),
    "a rule": ({**HEADER, "links": ["plus-grid"]}, r"links\[0\]: expected an object"),
    "no pattern": ({**HEADER, "links": [{}]}, r"links\[0\]: missing required key 'pattern'"),
    "pattern": (rule(pattern="grid"), r"links\[0\].pattern: 'grid' is in no rule"),
    "pattern of another version": (rule(pattern="ring"), r"links\[0\].pattern: 'ring' is in no rule"),
    "pattern's type": (rule(pattern=1), r"links\[0\].pattern: expected text, got 1"),
    "rule's key": (rule(speed_bps=1e9), r"links\[0\]: unknown key 'speed_bps'"),
    "no shell": ({**HEADER, "links": [{"pattern": "plus-grid"}]}, r"links\[0\]: missing required key 'shell"),
    "shell": (rule(shell="b"), r"links\[0\].shell: no shell has the name 'b'"),
    "every shell": (rule(shell="*"), r"links\[0\].shell: no shell has the name '\*'"),
    "no count": ({**HEADER, "links": [{"pattern": "nearest"}]}, r"links\[0\]: missing required key 'count'"),
    "count of a grid": (rule(count=3), r"links\[0\]: unknown key 'count'"),
    "shell of the ground": (rule(pattern="ground"), r"links\[0\]: unknown key 'shell'"),
    "grazing ground": (
        {**HEADER, "links": [{"pattern": "ground", "grazing_altitude_m": 1e5}]},
        r"links\[0\]: grazing_altitude_m: means nothing",
    ),
    "budget": (rule(budget="optical"), r"links\[0\].budget: expected an object, got 'optical'"),
    "unnamed budget": (rule(budget={}), r"links\[0\].budget: missing required key 'name'"),
    "name of budget": (
        rule(budget={"name": "ka"}),
        r"links\[0\].budget.name: 'ka' is no link budget",
    ),
    "key of budget": (
        rule(budget={"name": "optical", "power_w": 1.0}),
        r"links\[0\].budget: OpticalBudget: unknown key 'power_w'; did you mean 'tx_power_w'",
    ),
    "figure of budget": (
        rule(budget={"name": "ka-band", "bandwidth_hz": 0}),
        r"links\[0\].budget: bandwidth_hz: 0 is not in \(0, inf\)",
    ),
    "rate and budget": (
        rule(budget={"name": "optical"}, rate_bps=1e9),
        r"links\[0\]: rate_bps: 1e\+09 beside a budget",
    ),
    "seam": (rule(seam="half"), r"links\[0\]: seam: 'half'"),
    "shift": (rule(shift=0.5), r"links\[0\]: shift: expected"),
    "range": (rule(max_range_m=0), r"links\[0\]: max_range_m: 0 is not in \(0, inf\)"),
    "latitude of links": (rule(max_latitude_deg=91), r"links\[0\]: max_latitude_deg: 91 is not in \[0, 90\]"),
    "angular rate": (rule(max_angular_rate_rad_per_s=0), r"links\[0\]: max_angular_rate_rad_per_s: 0 is not"),
    "rate": (rule(rate_bps=0), r"links\[0\]: rate_bps: 0 is not in \(0, inf\)"),
    "overhead": (rule(overhead_s=-1), r"links\[0\]: overhead_s: -1 is not in \[0, inf\)"),
    "survival": (rule(survival=1.5), r"links\[0\]: survival: 1.5 is not in \[0, 1\]"),
    "seed": (rule(seed=-1), r"links\[0\]: seed: -1 is not in \[0"),
    "infinity": ('{"links": [{"rate_bps": 1e999}]}', "1e999 is not a finite number"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_named(tmp_path, name):
    data, says = BAD[name]
    with pytest.raises((ValueError, TypeError), match=says):
        load(tmp_path, data)


def test_files_that_are_not_there_or_too_large(tmp_path):
    with pytest.raises(FileNotFoundError):
        orbit.load_constellation(tmp_path / "none.json")
    with pytest.raises(FileNotFoundError, match="none.tle"):
        load(tmp_path, {**HEADER, "element_sets": ["none.tle"]})
    (tmp_path / "broken.tle").write_text("broken")
    with pytest.raises(ValueError, match=r"element_sets\[0\]: '.*broken.tle': line 2"):
        load(tmp_path, {**HEADER, "element_sets": ["broken.tle"]})
    with (tmp_path / "large.json").open("wb") as out:
        os.truncate(out.fileno(), 1 << 30)  # of holes: it takes no room
    with pytest.raises(ValueError, match=f"holds more than {core_files.MOST_TEXT_BYTES} bytes"):
        orbit.load_constellation(tmp_path / "large.json")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"computers": {"flop_per_s": 1e12, "memory_bytes": 8e9}}, "computers: the format has no place"),
        ({"links": orbit.LinkRule(pattern="ring", shell="a")}, r"links\[0\].pattern: 'ring' is in no rule"),
        ({"links": orbit.ground("a")}, r"links\[0\]: unknown key 'shell'"),
    ],
)
def test_what_the_format_has_no_place_for_is_not_written(tmp_path, changes, says):
    made = orbit.Constellation([orbit.Shell(**SHELL), orbit.sample_elements()]).replace(**changes)
    with pytest.raises(ValueError, match=says):
        orbit.save_constellation(made, tmp_path / "sky.json")
    assert os.listdir(tmp_path) == []
    with pytest.raises(TypeError, match="world: expected a Constellation, got 5"):
        orbit.save_constellation(5, tmp_path / "sky.json")
