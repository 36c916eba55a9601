"""Fleets for tests of rounds: two joined planes, and random ones with a small workload."""

from __future__ import annotations

from constellm import network, tune

SMALL = tune.Workload(
    "small", image_bytes=1e5, layer_flop=(1e8, 5e9, 5e9), layer_output_bytes=(4e5, 4e5, 1e3),
    layer_weight_bytes=(1e6, 1e7, 1e7), width=250, classes=5, blocks=2,
)  # fmt: skip


def two_planes(**more):
    """Two rings of three, members of one number joined; 1 Mbit/s, light 0.1 s within and 0.2 s between."""
    ids = [f"{p}{i}" for p in "ab" for i in range(3)]
    ends, light = [], []
    for p in (0, 3):
        for i in range(3):
            ends += [(p + i, p + (i + 1) % 3), (p + (i + 1) % 3, p + i)]
            light += [0.1, 0.1]
    for i in range(3):
        ends += [(i, 3 + i), (3 + i, i)]
        light += [0.2, 0.2]
    plan = network.ContactPlan(
        [*ids, "g"],
        from_=[a for a, _ in ends],
        to=[b for _, b in ends],
        **{"open_s": 0.0, "close_s": 100.0, **more},
        rate_bps=1e6,
        owlt_s=light,
    )
    return tune.Fleet(plan, [ids[:3], ids[3:]], ["g"], images=1, board_flop_per_s=1, server_flop_per_s=1)


def random_fleet(rng):
    """Two rings of up to three, one or two stations, contacts that come and go."""
    sizes = rng.integers(1, 4, 2)
    rings = [[f"s{r}{i}" for i in range(size)] for r, size in enumerate(sizes)]
    satellites = [id for ring in rings for id in ring]
    stations = [f"g{i}" for i in range(int(rng.integers(1, 3)))]
    ids = [*satellites, *stations]
    pairs = [(a, b) for a in range(len(ids)) for b in range(a) if a < len(satellites) or b < len(satellites)]
    ends, open_s, close_s, rate = [], [], [], []
    for a, b in pairs:
        ring = a < len(satellites) and ids[a][1] == ids[b][1]
        if not ring and rng.random() < 0.3:
            continue
        for _ in range(1 if ring else int(rng.integers(1, 4))):
            start = 0.0 if ring else float(rng.integers(0, 40))
            stop = 400.0 if ring else start + float(rng.integers(5, 80))
            for pair in ((a, b), (b, a)):
                ends.append(pair)
                open_s.append(start)
                close_s.append(stop)
                rate.append(float(rng.integers(1, 20)) * 1e6)
    plan = network.ContactPlan(
        ids,
        from_=[a for a, _ in ends],
        to=[b for _, b in ends],
        open_s=open_s,
        close_s=close_s,
        rate_bps=rate,
        owlt_s=0.01,
    )
    return tune.Fleet(
        plan,
        rings,
        stations,
        images=rng.integers(1, 30, len(satellites)),
        board_flop_per_s=float(rng.choice([1e8, 1e9, 1e10])),
        server_flop_per_s=float(rng.choice([1e10, 1e12])),
        antennas=None if rng.random() < 0.5 else int(rng.integers(1, 3)),
        powers=tune.Powers(board_w=1.0, server_w=2.0, isl_w=3.0, down_w=4.0, up_w=5.0),
    )
