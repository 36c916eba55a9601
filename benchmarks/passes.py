"""Passes of as many satellites as Starlink had over ten stations in a day, in one run.

``python benchmarks/passes.py THIN THREADS`` is one run of constellm in a process of its own, which prints how
long the windows took, and its largest memory; one plane of THIN takes part. `measure` starts it. The peers
are given a part of the satellites, and their time is scaled by the number of satellites, as it grows.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tables
from orbit_peers import DAY_S, EPOCH, EPOCH_DAY, OWN, satrecs

from constellm import orbit
from constellm.orbit.motion import mean_element_sets

SKYFIELD = "skyfield's `find_events`"
SAMPLED = "numpy: SGP4 sampled every 10 s"
SAMPLE_S = 10.0
MASK_DEG = 25.0
ELEMENTS = (
    "mean_motion_rev_per_day",
    "eccentricity",
    "inclination_deg",
    "raan_deg",
    "argument_of_perigee_deg",
    "mean_anomaly_deg",
)
PLACES = (
    (78.2, 15.4), (64.1, -21.9), (51.5, -0.1), (48.1, 11.6), (40.0, -105.3),
    (35.7, 139.7), (25.2, 55.3), (1.3, 103.8), (-33.9, 151.2), (-53.2, -70.9),
)  # fmt: skip
SHELLS = (  # planes, satellites of each, altitude, inclination; about Starlink's on 2024-01-12
    (73, 21, 540e3, 53.2),
    (281, 5, 550e3, 53.0),
    (47, 23, 560e3, 43.0),
    (39, 10, 570e3, 70.0),
    (23, 10, 560e3, 97.6),
    (109, 6, 400e3, 43.0),
)


def satellites(thin: int = 1) -> orbit.ElementSets:
    """All of them; with a `thin` fewer planes."""
    columns = []
    for planes, each, altitude_m, inclination_deg in SHELLS:
        shell = orbit.walker(
            "shell",
            planes=-(-planes // thin),
            satellites_per_plane=each,
            altitude_m=altitude_m,
            inclination_deg=inclination_deg,
        )
        sets = mean_element_sets(orbit.elements(shell), EPOCH)
        columns.append([getattr(sets, name) for name in ELEMENTS])
    joined = {name: np.concatenate(parts) for name, parts in zip(ELEMENTS, zip(*columns))}
    return orbit.ElementSets.of_mean_elements(epoch=EPOCH, **joined)


def world(thin: int = 1) -> orbit.Constellation:
    """These satellites and the stations."""
    stations = [
        orbit.station(f"station-{i}", *place, min_elevation_deg=MASK_DEG) for i, place in enumerate(PLACES)
    ]
    return orbit.Constellation(satellites(thin), stations=stations, links=orbit.ground(), epoch=EPOCH)


def measure(
    thin: int = 1, threads: Sequence[int] = (1, 2), rounds: int = 1, peers: dict[str, int] | None = None
) -> tables.Rows:
    """A row for each number of threads, and for each peer with the `thin` of its satellites.

    Raises
    ------
    AssertionError
        If a peer finds other passes of its satellites: more than 1 % of them, and two.
    """
    rows = []
    for count in threads:
        runs = [own(thin, count) for _ in range(rounds)]
        median_s = statistics.median(run["seconds"] for run in runs)
        name = OWN if count == 1 else f"{OWN}, {count} threads"
        rows.append({"task": "passes", "solver": name, **runs[0], "seconds": median_s})
    for name, its_thin in ({SKYFIELD: 200, SAMPLED: 40} if peers is None else peers).items():
        took = PEERS[name](satellites(its_thin))
        if took is None:
            continue
        windows = world(its_thin).windows(0.0, DAY_S)
        rises = int(np.count_nonzero(windows.open_s[windows.from_ < windows.to] > 0.0))
        assert abs(took["passes"] - rises) <= 2 + rises // 100, (
            f"{name}: {took['passes']}, constellm: {rises}"
        )
        rows.append({"task": "passes", "solver": name, **took, "memory_bytes": None})
    for row in rows:
        scaled_s = row["seconds"] * rows[0]["satellites"] / row["satellites"]
        row.update(scaled_s=scaled_s, ratio=scaled_s / rows[0]["seconds"])
    return rows


def own(thin: int, threads: int) -> dict[str, float]:
    """A run in a process of its own."""
    command = [sys.executable, __file__, str(thin), str(threads)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def by_skyfield(sets: orbit.ElementSets) -> dict[str, float] | None:
    """None where it is not installed."""
    try:
        from skyfield.api import EarthSatellite, load, wgs84
    except ImportError:
        return None
    scale = load.timescale()
    start, stop = scale.tt_jd(EPOCH_DAY), scale.tt_jd(EPOCH_DAY + 1.0)
    places = [wgs84.latlon(*place) for place in PLACES]
    peers = [EarthSatellite.from_satrec(one, scale) for one in satrecs(sets)]
    begun, rises = time.thread_time(), 0
    for satellite in peers:
        for place in places:
            _, events = satellite.find_events(place, start, stop, altitude_degrees=MASK_DEG)
            rises += int(np.count_nonzero(events == 0))
    return {"satellites": len(peers), "passes": rises, "seconds": time.thread_time() - begun}


def by_samples(sets: orbit.ElementSets) -> dict[str, float]:
    """Rises between samples; a pass that none falls into is missed, and ends are as good as the step."""
    time_s = np.arange(0.0, DAY_S + SAMPLE_S, SAMPLE_S)
    turn_rad = orbit.gmst_rad(EPOCH, time_s)
    turn = np.array([[np.cos(turn_rad), np.sin(turn_rad)], [-np.sin(turn_rad), np.cos(turn_rad)]])
    north, east = np.radians(PLACES).T
    ups = np.stack((np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)), axis=1)
    places_km = 1e-3 * orbit.geodetic_to_ecef(*np.array(PLACES).T, 0.0)
    days, fractions, peers = np.full(len(time_s), EPOCH_DAY), time_s / DAY_S, satrecs(sets)
    begun, rises = time.thread_time(), 0
    for satellite in peers:
        _, position_km, _ = satellite.sgp4_array(days, fractions)
        position_km[:, :2] = np.einsum("abt,tb->ta", turn, position_km[:, :2])
        for place_km, up in zip(places_km, ups):
            line_km = position_km - place_km
            height = line_km @ up / np.sqrt(np.einsum("tc,tc->t", line_km, line_km))
            above = height >= np.sin(np.radians(MASK_DEG))
            rises += int(np.count_nonzero(above[1:] & ~above[:-1]))
    return {"satellites": len(peers), "passes": rises, "seconds": time.thread_time() - begun}


PEERS = {SKYFIELD: by_skyfield, SAMPLED: by_samples}


def largest_memory_bytes() -> int:
    """Of this program; what `getrusage` tells has that of the program which started it, too."""
    (line,) = [
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")
    ]
    return 1024 * int(line.split()[1])


def main(thin: int, threads: int) -> None:
    """One run; from the satellites' elements to the windows, each end to a millisecond."""
    sky = world(thin)
    begun = time.perf_counter()
    windows = sky.windows(0.0, DAY_S, threads=threads)
    took = {
        "satellites": len(sky.satellite_ids),
        "passes": len(windows) // 2,
        "seconds": time.perf_counter() - begun,
        "memory_bytes": largest_memory_bytes(),
    }
    print(json.dumps(took))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
