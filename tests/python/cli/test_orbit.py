"""`constellm orbit`: a constellation's file in, CSV and NPZ out; errors in one line."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from constellm import orbit
from constellm.cli import main


@pytest.fixture
def file(tmp_path):
    world = orbit.Constellation(
        orbit.preset("iridium-next"),
        stations=[
            orbit.station("Svalbard", 78.2, 15.4, min_elevation_deg=8.0),
            orbit.station("South", -80.0, 0.0, min_elevation_deg=89.9),
        ],
        links=[orbit.plus_grid(seam="open", rate_bps=2.5e9), orbit.ground(rate_bps=0.8e9)],
        epoch="2026-03-01T12:00:00Z",
    )
    orbit.save_constellation(world, tmp_path / "sky.json")
    return tmp_path / "sky.json"


def run(action, file, *arguments):
    return main(["orbit", action, str(file), *map(str, arguments)])


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as text:
        return list(csv.reader(text))


def test_routes(file, tmp_path, capsys):
    out = tmp_path / "routes.csv"
    ends = ("--from", "Svalbard", "--to", "iridium-next/3/4")
    assert run("routes", file, *ends, "--start", 0, "--stop", 180, "--step", 60, "--out", out) == 0
    assert capsys.readouterr().out == f"{out}: 3 instants, 3 with a route\n"
    head, *rows = rows_of(out)
    assert head == ["time_s", "latency_s", "path"]
    expected = orbit.load_constellation(file).routes("Svalbard", "iridium-next/3/4", [0.0, 60.0, 120.0])
    assert [float(row[0]) for row in rows] == [0.0, 60.0, 120.0]
    assert [float(row[1]) for row in rows] == expected.latency_s.tolist()
    assert [tuple(row[2].split(" ")) for row in rows] == list(expected.paths)


def test_where_there_is_no_route_latency_and_path_are_empty(file, tmp_path, capsys):
    out = tmp_path / "routes.csv"
    ends = ("--from", "South", "--to", "Svalbard")
    assert run("routes", file, *ends, "--start", 0, "--stop", 1, "--step", 1, "--out", out) == 0
    assert rows_of(out) == [["time_s", "latency_s", "path"], ["0.0", "", ""]]
    assert "1 instants, 0 with a route" in capsys.readouterr().out


def test_contacts(file, tmp_path, capsys):
    out = tmp_path / "contacts.csv"
    assert run("contacts", file, "--start", 0, "--stop", 1200, "--out", out) == 0
    head, *rows = rows_of(out)
    assert head == ["from", "to", "open_s", "close_s", "rate_bps", "range_m"]
    world = orbit.load_constellation(file)
    windows = world.windows(0.0, 1200.0)
    assert capsys.readouterr().out == f"{out}: {len(windows.open_s)} contacts\n"
    assert [row[0] for row in rows] == [world.ids[a] for a in windows.from_]
    assert [row[1] for row in rows] == [world.ids[b] for b in windows.to]
    for i, column in enumerate((windows.open_s, windows.close_s, windows.rate_bps, windows.range_m)):
        assert [float(row[2 + i]) for row in rows] == column.tolist()


def test_contacts_of_links_that_survive_by_chance(file, tmp_path, capsys):
    world = orbit.load_constellation(file)
    some = world.replace(links=[rule.replace(survival=0.5) for rule in world.links])
    orbit.save_constellation(some, file)
    out = tmp_path / "contacts.csv"
    span = ("--start", 0, "--stop", 600, "--out", out)
    assert run("contacts", file, *span) == 2
    assert "links[0].survival: 0.5 is drawn for slots; windows need slot_s" in capsys.readouterr().err
    assert run("contacts", file, *span, "--slot", 60) == 0
    assert len(rows_of(out)) == 1 + len(some.windows(0.0, 600.0, slot_s=60.0))


@pytest.mark.parametrize("frame", ["teme", "ecef"])
def test_states(file, tmp_path, capsys, frame):
    out = tmp_path / "states"  # as it is called, whatever its end
    assert run("states", file, "--times", "0,60,90.5", "--frame", frame, "--out", out) == 0
    assert capsys.readouterr().out == f"{out}: 66 satellites, 3 times, 0 without a state\n"
    world = orbit.load_constellation(file)
    states = world.states([0.0, 60.0, 90.5], frame)
    with np.load(out) as found:
        assert sorted(found) == ["error", "ids", "position_m", "time_s", "velocity_m_per_s"]
        assert np.array_equal(found["position_m"], states.position_m)
        assert np.array_equal(found["velocity_m_per_s"], states.velocity_m_per_s)
        assert found["ids"].tolist() == list(world.satellite_ids)
        assert found["time_s"].tolist() == [0.0, 60.0, 90.5]
        assert found["error"].shape == (66, 3) and not found["error"].any()


@pytest.mark.parametrize(
    ("action", "arguments", "says"),
    [
        (
            "routes",
            "--from Rome --to South --start 0 --stop 9 --step 1",
            "source: no satellite or station",
        ),
        (
            "routes",
            "--from South --to a\nb --start 0 --stop 9 --step 1",
            "target: no satellite or station",
        ),
        ("routes", "--from South --to South --start 0 --stop 9 --step 0", "step: 0.0 is not in (0, inf)"),
        (
            "routes",
            "--from South --to South --start 9 --stop 9 --step 1",
            "stop: 9 is not after the start, 9",
        ),
        ("contacts", "--start 0 --stop -1", "stop"),
    ],
)
def test_what_cannot_be_is_one_line(file, tmp_path, capsys, action, arguments, says):
    assert run(action, file, *arguments.split(" "), "--out", tmp_path / "out") == 2
    message = capsys.readouterr()
    assert message.out == "" and message.err.startswith(f"constellm: {file}: ") and says in message.err
    assert message.err.count("\n") == 1 and not (tmp_path / "out").exists()


def test_files_that_are_wrong_or_not_there(file, tmp_path, capsys):
    out = ("--times", "0", "--out", tmp_path / "out")
    assert run("states", tmp_path / "none.json", *out) == 2
    assert "none.json" in capsys.readouterr().err
    odd = tmp_path / "odd.json"
    odd.write_text(json.dumps({**json.loads(file.read_text()), "budget": 1}))
    assert run("states", odd, *out) == 2
    assert f"constellm: {odd}: constellation: unknown key 'budget'" in capsys.readouterr().err
    assert run("states", file, "--times", "0", "--out", tmp_path / "no" / "folder") == 2
    assert "folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--times", "0,now", "--times: 'now' is not a finite number of seconds"),
        ("--times", "", "--times: '' is not a finite number of seconds"),
        ("--times", "inf", "--times: 'inf' is not a finite"),
        ("--frame", "eci", "--frame: invalid choice: 'eci'"),
    ],
)
def test_wrong_arguments_are_named(file, tmp_path, capsys, option, value, says):
    given = {"--times": "0", "--frame": "teme", "--out": str(tmp_path / "out"), option: value}
    with pytest.raises(SystemExit) as ended:
        run("states", file, *(word for pair in given.items() for word in pair))
    assert ended.value.code == 2 and says in capsys.readouterr().err
