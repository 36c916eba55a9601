"""A small task and plan for the tests of federated training."""

from __future__ import annotations

import numpy as np

from constellm import network, orbit, tune


def samples(images: int, *, seed: int = 0, classes: int = 3, width: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Features around a point for each class."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(classes, size=images)
    points = np.random.default_rng(99).standard_normal((classes, width))
    return points[labels] + 0.7 * draw.standard_normal((images, width)), labels


def task(satellites: int = 6, *, alpha: float | None = 0.5, seed: int = 0, **more: object) -> tune.HeadTask:
    """150 images on some satellites, 60 for the test."""
    x, labels = samples(150, seed=seed)
    tested = dict(zip(("test_features", "test_labels"), samples(60, seed=seed + 1000)))
    spread = tune.partition(labels, satellites, alpha=alpha, seed=seed)
    return tune.HeadTask(x, spread, **tested, **more)


def contact_plan(*, hours: float = 8.0, **more: object) -> network.ContactPlan:
    """Six satellites in two planes over two stations, without links between satellites."""
    shell = orbit.walker(
        "s", planes=2, satellites_per_plane=3, altitude_m=780e3, inclination_deg=86.4, kind="star"
    )
    stations = [
        orbit.station("north", 78.2, 15.4, min_elevation_deg=10.0),
        orbit.station("south", -72.0, 2.5, min_elevation_deg=10.0),
    ]
    world = orbit.Constellation(shell, stations=stations, links=orbit.ground(rate_bps=1e8), **more)
    return world.contacts(0.0, 3600.0 * hours)


SATELLITES = [f"s/{plane}/{place}" for plane in range(2) for place in range(3)]


def contact_timing(plan: network.ContactPlan | None = None, **more: object) -> tune.ContactTiming:
    """Of `contact_plan`, 60 s an epoch."""
    settings = {
        "server": ["north", "south"],
        "message_bytes": 144.0,
        "computing": tune.Computing(epoch_s=60.0, power_w=20.0),
        "transmit_w": 10.0,
        **more,
    }
    return tune.ContactTiming(contact_plan() if plan is None else plan, SATELLITES, **settings)
