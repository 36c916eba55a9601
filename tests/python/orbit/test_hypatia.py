"""Folders of Hypatia: what it writes is read, what is written it reads, fixed pairs find their rule."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from constellm import orbit
from constellm.orbit import hypatia_links

pytest.importorskip("sgp4")

# As Hypatia has it in paper/satellite_networks_state/main_kuiper_630.py, over its radius of 6378.135 km.
KUIPER_LONGEST_M = 5442958.203036287


def grid_by_hand(planes, of_each, shift, closed=True):
    """As Hypatia's generator lays them out."""
    pairs = set()
    for plane, index in itertools.product(range(planes), range(of_each)):
        here = plane * of_each + index
        pairs.add(frozenset((here, plane * of_each + (index + 1) % of_each)))
        if closed or plane + 1 < planes:
            pairs.add(frozenset((here, (plane + 1) % planes * of_each + (index + shift) % of_each)))
    return sorted(tuple(sorted(pair)) for pair in pairs if len(pair) == 2)


def lines_of(planes, of_each, ahead=True):
    """Its TLE file, as the generator without SGP4 writes it; two digits a plane and number suffice here."""
    from constellm.orbit.tle import checksum

    lines = [f"{planes} {of_each}"]
    for plane, index in itertools.product(range(planes), range(of_each)):
        number = plane * of_each + index
        raan = plane * 360.0 / planes
        anomaly = (180.0 / of_each if ahead and plane % 2 else 0.0) + index * 360.0 / of_each
        one = f"1 {number + 1:05d}U 00000ABC 00001.00000000  .00000000  00000-0  00000+0 0    0"
        two = f"2 {number + 1:05d}  51.9000 {raan:8.4f} 0000001   0.0000 {anomaly:8.4f} 14.80000000    0"
        lines += [f"Kuiper-630 {number}", one + str(checksum(one)), two + str(checksum(two))]
    return "\n".join(lines) + "\n"


def folder_of(tmp_path, pairs=(), tles=None, **files):
    (tmp_path / "tles.txt").write_text(lines_of(4, 5) if tles is None else tles)
    (tmp_path / "isls.txt").write_text("".join(f"{a} {b}\n" for a, b in pairs))
    for name, text in files.items():
        (tmp_path / f"{name}.txt").write_text(text)
    return tmp_path


def world(**changes):
    given = {
        "satellites": orbit.preset("kuiper-630"),
        "stations": [
            orbit.station("City: Tokyo; Country: Japan", 35.6895, 139.69171, min_elevation_deg=30.0),
            orbit.station("Delhi", 28.66667, 77.21667, 200.0, min_elevation_deg=30.0),
        ],
        "links": [orbit.plus_grid(shift=1), orbit.ground()],
        "epoch": "2000-01-01T00:00:00Z",
    }
    return orbit.Constellation(**{**given, **changes})


def test_a_shell_is_found_in_its_lines(tmp_path):
    found = orbit.read_hypatia(folder_of(tmp_path))
    shell = found.shells[0]
    assert (shell.name, shell.planes, shell.satellites_per_plane) == ("Kuiper-630", 4, 5)
    assert (shell.mean_motion_rev_per_day, shell.inclination_deg) == (14.8, 51.9)
    assert shell.plane_phase_deg == [0.0, 36.0, 0.0, 36.0] and shell.propagator == "sgp4"
    assert str(found.epoch) == "2000-01-01T00:00:00Z" and found.links == ()
    sets = orbit.parse_elements("\n".join(lines_of(4, 5).splitlines()[1:]))
    times = [0.0, 3600.0, 86400.0]
    apart = found.states(times).position_m - orbit.propagate(sets, times).position_m
    assert np.linalg.norm(apart, axis=-1).max() < 15.0  # the digits of the lines


def test_uneven_satellites_stay_element_sets(tmp_path):
    shifted = lines_of(4, 5).replace(" 36.0000 14.8", " 37.0000 14.8", 1)
    line = next(line for line in shifted.splitlines() if " 37.0000 14.8" in line)
    folder = folder_of(tmp_path, tles=shifted.replace(line, f"{line[:-1]}{(int(line[-1]) + 1) % 10}"))
    found = orbit.read_hypatia(folder)
    assert not found.shells and len(found.element_sets[0]) == 20
    (folder / "isls.txt").write_text("0 1\n")
    with pytest.raises(ValueError, match="isls.txt': 1 pairs, but the satellites are not evenly spaced"):
        orbit.read_hypatia(folder)


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("shift", [-2, -1, 0, 1, 2])
def test_pairs_of_a_grid_become_its_rule(tmp_path, shift, closed):
    (rule,) = orbit.read_hypatia(folder_of(tmp_path, grid_by_hand(4, 5, shift, closed))).links
    assert (rule.pattern, rule.shift, rule.seam) == ("plus-grid", shift, "closed" if closed else "open")
    assert (rule.grazing_altitude_m, rule.max_range_m) == (0.0, None)


def test_the_rule_joins_just_these_pairs(tmp_path):
    pairs = grid_by_hand(12, 10, 3)
    graph = orbit.read_hypatia(folder_of(tmp_path, pairs, lines_of(12, 10))).at(0.0).graph
    ends = {tuple(sorted(ends)) for ends in zip(graph.from_.tolist(), graph.to.tolist())}
    assert ends < set(pairs)  # those that the Earth does not hide
    free = orbit.read_hypatia(tmp_path).links[0].replace(grazing_altitude_m=-6378137.0)
    graph = orbit.read_hypatia(tmp_path).replace(links=free).at(0.0).graph
    assert {tuple(sorted(ends)) for ends in zip(graph.from_.tolist(), graph.to.tolist())} == set(pairs)


def test_rings_and_other_pairs(tmp_path):
    rings = [pair for pair in grid_by_hand(4, 5, 0) if pair[0] // 5 == pair[1] // 5]
    (rule,) = orbit.read_hypatia(folder_of(tmp_path, rings)).links
    assert rule.pattern == "ring"
    for wrong in (rings[1:], [*rings, (0, 7)], grid_by_hand(4, 5, 0)[:-1]):
        with pytest.raises(
            ValueError, match="are no .Grid of 4 planes of 5, whatever its shift and seam, nor"
        ):
            orbit.read_hypatia(folder_of(tmp_path, wrong))


def test_stations_and_lengths(tmp_path):
    folder = folder_of(
        tmp_path,
        grid_by_hand(4, 5, 0),
        ground_stations="0,Tokyo,35.6895,139.69171,0.0,-3954844.8,3354936.2,3700264.7\n",
        description="max_gsl_length_m=1089686.0000000000\nmax_isl_length_m=1000000000.0000000000\n",
    )
    found = orbit.read_hypatia(folder, min_elevation_deg=10.0)
    (tokyo,) = found.stations
    assert (tokyo.id, tokyo.max_range_m, tokyo.min_elevation_deg) == ("Tokyo", 1089686.0, 10.0)
    assert [rule.pattern for rule in found.links] == ["plus-grid", "ground"]
    assert found.links[0].max_range_m == 1e9
    (folder / "ground_stations.txt").rename(folder / "ground_stations.basic.txt")
    (folder / "ground_stations.basic.txt").write_text("0,City: Tokyo; Country: Japan,35.6895,139.69171,0.0\n")
    assert orbit.read_hypatia(folder).stations[0].id == "City: Tokyo; Country: Japan"


def test_few_rules_are_tried(monkeypatch):
    """Also where each plane has many satellites, and where one has many links."""
    tried = []
    pairs_of = hypatia_links.pairs_of
    monkeypatch.setattr(
        hypatia_links, "pairs_of", lambda rule, shell: tried.append(rule) or pairs_of(rule, shell)
    )
    shell = orbit.Shell(
        planes=2, satellites_per_plane=20_000, altitude_m=550e3, inclination_deg=53.0, name="large"
    )
    some = np.stack([np.arange(30_000), np.arange(30_000) + 9_999], axis=1)
    assert hypatia_links.fitting_rule(some, shell, {}) is None and len(tried) <= 9
    star = np.stack([np.zeros(30_000, dtype=int), np.arange(1, 30_001)], axis=1)
    assert hypatia_links.fitting_rule(star, shell, {}) is None and len(tried) <= 9


@pytest.mark.parametrize(
    ("planes", "of_each"), [(1, 2), (1, 7), (2, 1), (2, 2), (2, 5), (3, 1), (3, 4), (5, 6)]
)
def test_every_rule_is_found_again(planes, of_each):
    shell = orbit.Shell(
        planes=planes, satellites_per_plane=of_each, altitude_m=550e3, inclination_deg=53.0, name="small"
    )
    for shift, closed in itertools.product(range(-((of_each - 1) // 2), of_each // 2 + 1), (True, False)):
        wanted = grid_by_hand(planes, of_each, shift, closed)
        rule = hypatia_links.fitting_rule(np.array(wanted).reshape(-1, 2), shell, {})
        assert [tuple(pair) for pair in hypatia_links.pairs_of(rule, shell).tolist()] == wanted
        assert abs(rule.shift or 0) <= abs(shift)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"tles": "4\n"}, r"tles.txt': line 1: '4' is not the number of planes"),
        ({"tles": "2 6\n" + lines_of(4, 5).partition("\n")[2]}, "line 1: 2 planes of 6 are not the 20"),
        ({"tles": lines_of(4, 5).replace("630 3\n", "630 4\n")}, r"name\[3\]: 'Kuiper-630 4' has not 3"),
        ({"tles": lines_of(4, 5).replace("51.9000", "51.9001", 1)}, "tles.txt': line 4: checksum"),
        ({"tles": "1000 1000\n"}, r"line 1: 1000000 satellites|no element set"),
        ({"pairs": [(0, 20)]}, r"isls.txt': line 1: 20 is not in \[0, 19\]"),
        ({"pairs": [(1, 0)]}, "line 1: 1 is not below 0"),
        ({"pairs": [(0, 1), (0, 1)]}, "line 2: the pair 0 1 stands twice"),
        ({"ground_stations": "0,Tokyo,35.7\n"}, "ground_stations.txt': line 1: 3 columns"),
        ({"ground_stations": "1,Tokyo,35.7,139.7,0\n"}, "line 1: id '1' is not 0"),
        ({"ground_stations": "0,Tokyo,139.7,35.7,0\n"}, "line 1: latitude_deg: 139.7"),
        (
            {"ground_stations": "0,Hyderabad,17.4,78.5,0\n1,Hyderabad,25.4,68.4,0\n"},
            "ground_stations.txt': line 2: 'Hyderabad' is the name of station 0 already",
        ),
        ({"tles": lines_of(4, 5).replace("Kuiper", "K/1")}, r"'\S+': name: 'K/1-630' is not 1 to 100"),
        ({"ground_stations": "0,Tokyo,x,35.7,0\n"}, "line 1: latitude: 'x' is not a number"),
        (
            {"ground_stations": "0,T,35.7,139.7,0,1,2,3\n"},
            r"line 1: x, y, z: \d+ m from latitude and longitude",
        ),
        (
            {"description": "max_gsl_m=1\n"},
            "description.txt': line 1: 'max_gsl_m' is not one of max_gsl_length_m",
        ),
        ({"description": "max_gsl_length_m=-1\n"}, r"max_gsl_length_m: -1 is not in \(0, inf\)"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, files, said):
    with pytest.raises(ValueError, match=said):
        orbit.read_hypatia(folder_of(tmp_path, **files))


def test_there_and_back(tmp_path):
    first = world()
    orbit.write_hypatia(first, tmp_path / "new" / "folder")
    second = orbit.read_hypatia(tmp_path / "new" / "folder", min_elevation_deg=30.0)
    ours, theirs = first.shells[0], second.shells[0]
    assert theirs.plane_phase_deg == pytest.approx(ours.plane_phase_deg, abs=1e-6)
    assert theirs.semi_major_axis_m == pytest.approx(ours.semi_major_axis_m, abs=0.01)
    assert [(one.id, one.latitude_deg, one.altitude_m) for one in second.stations] == [
        (one.id, one.latitude_deg, one.altitude_m) for one in first.stations
    ]
    assert second.links[0].shift == 1 and second.epoch == first.epoch
    moved = first.replace(satellites=ours.replace(propagator="sgp4"))
    apart = moved.states(0.0).position_m - second.states(0.0).position_m
    assert np.linalg.norm(apart, axis=-1).max() < 15.0


def test_lengths_are_those_of_masks(tmp_path):
    orbit.write_hypatia(world(), tmp_path)
    lines = (tmp_path / "description.txt").read_text().splitlines()
    limits = {key: float(value) for key, _, value in (line.partition("=") for line in lines)}
    assert limits["max_isl_length_m"] == pytest.approx(KUIPER_LONGEST_M, abs=1.0)  # radii of WGS 72 and 84
    # A satellite at that range stands at the mask: the law of cosines.
    radius_m, shell_m = 6378137.0, 7008137.0
    range_m = limits["max_gsl_length_m"]
    sine = (shell_m**2 - radius_m**2 - range_m**2) / (2 * radius_m * range_m)
    assert np.degrees(np.arcsin(sine)) == pytest.approx(30.0)
    assert (tmp_path / "tles.txt").read_text().splitlines()[:2] == ["34 34", "kuiper-630 0"]
    pairs = [tuple(map(int, line.split())) for line in (tmp_path / "isls.txt").read_text().splitlines()]
    assert pairs == grid_by_hand(34, 34, 1)


@pytest.mark.parametrize("spread_deg", [123.456789, 180.0, 0.001, 0.0])
def test_any_spread_of_planes_comes_back(tmp_path, spread_deg):
    shell = orbit.preset("iridium-next", raan_spread_deg=spread_deg)
    orbit.write_hypatia(orbit.Constellation(shell, links=orbit.plus_grid(seam="open")), tmp_path)
    found = orbit.read_hypatia(tmp_path)
    assert found.shells[0].raan_spread_deg == pytest.approx(spread_deg, abs=2e-4)
    assert found.links[0].seam == "open"


def test_both_lengths_are_written_as_hypatia_wants_them(tmp_path):
    for change in ({"links": orbit.ground()}, {"links": orbit.plus_grid(), "stations": ()}):
        orbit.write_hypatia(world(**change), tmp_path)
        lines = (tmp_path / "description.txt").read_text().splitlines()
        assert [line.partition("=")[0] for line in lines] == ["max_gsl_length_m", "max_isl_length_m"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"satellites": orbit.preset("kuiper-630", eccentricity=0.01)},
            r"eccentricity: 0.01 is not in \[0, 0.001\]",
        ),
        (
            {"satellites": orbit.sample_elements(), "links": orbit.ground()},
            "satellites: 1 parts are not one shell",
        ),
        ({"computers": {"flop_per_s": 1e12}}, "computers: Hypatia has none"),
        ({"epoch": "1999-12-31"}, "epoch: 1999-12-31T00:00:00Z is not of the years 2000 to 2056"),
        (
            {"links": [orbit.nearest(3), orbit.ground()]},
            r"links\[0\].pattern: 'nearest' joins no fixed pairs",
        ),
        (
            {"links": [orbit.plus_grid(max_latitude_deg=60.0), orbit.ground()]},
            r"links\[0\].max_latitude_deg: 60",
        ),
        (
            {"links": [orbit.plus_grid(), orbit.ground(overhead_s=0.1)]},
            r"links\[1\].overhead_s: 0.1 has no place",
        ),
        (
            {"links": [orbit.plus_grid(), orbit.ground(acquisition_s=30.0)]},
            r"links\[1\].acquisition_s: 30.0 has no place",
        ),
        (
            {"links": [orbit.plus_grid(max_range_rate_m_per_s=5e3), orbit.ground()]},
            r"links\[0\].max_range_rate_m_per_s: 5000.0 has no place",
        ),
        (
            {"links": [orbit.plus_grid(budget=orbit.OpticalBudget()), orbit.ground()]},
            r"links\[0\].budget: OpticalBudget\(.* has no place",
        ),
        ({"outages": orbit.Outage("kuiper-630/0/0")}, "outages: 1 of them have no place"),
        (
            {"links": [orbit.plus_grid(), orbit.plus_grid(shift=1), orbit.ground()]},
            r"links\[1\]: a second rule",
        ),
        ({"links": orbit.plus_grid()}, "links: Hypatia has a rule for stations just where there are some"),
        (
            {"links": [orbit.plus_grid(grazing_altitude_m=1e6), orbit.ground()]},
            "1e.06 is not below the satellites",
        ),
        (
            {"stations": [orbit.station("a", 0, 0), orbit.station("b", 0, 1, min_elevation_deg=30.0)]},
            "'a' sees satellites to 1266700 m and 'b' to 1124110 m, where Hypatia has one range",
        ),
        ({"stations": orbit.station("a, b", 0, 0)}, r"stations\[0\].id: 'a, b' has no place between commas"),
    ],
)
def test_what_the_files_have_no_place_for_is_refused(tmp_path, changes, said):
    with pytest.raises(ValueError, match=said):
        orbit.write_hypatia(world(**changes), tmp_path)
    assert not list(tmp_path.iterdir())
