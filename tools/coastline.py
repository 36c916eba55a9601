"""The coastline that maps are drawn on: ``python tools/coastline.py COUNTRIES.shp`` writes it anew.

COUNTRIES.shp has the countries of Natural Earth at 1:110m, as geopandas brings it up to version 0.14 in
geopandas/datasets/naturalearth_lowres. What two countries share is a border and falls away; the rest is
coast.
"""

from __future__ import annotations

import argparse
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

FILE = (
    Path(__file__).parents[1] / "python" / "constellm" / "plot" / "data" / "natural_earth" / "coastline.txt"
)
TOLERANCE_DEG = 0.7
LEAST_EXTENT_DEG = 2.0  # of an island that is kept

Point = tuple[float, float]

_POLYGON = 5


def rings_of(shapes: bytes) -> Iterator[list[Point]]:
    """The rings of all polygons of a shapefile (ESRI Shapefile Technical Description, July 1998)."""
    place = 100
    while place < len(shapes):
        words, kind = (
            struct.unpack_from(">i", shapes, place + 4)[0],
            struct.unpack_from("<i", shapes, place + 8)[0],
        )
        if kind != _POLYGON:
            raise ValueError(f"shape of kind {kind} at byte {place} is no polygon")
        parts, points = struct.unpack_from("<2i", shapes, place + 44)
        begins = [*struct.unpack_from(f"<{parts}i", shapes, place + 52), points]
        numbers = np.frombuffer(shapes, "<f8", 2 * points, place + 52 + 4 * parts).reshape(-1, 2)
        for begin, end in zip(begins, begins[1:]):
            yield [(lon, lat) for lon, lat in numbers[begin:end].round(6).tolist()]
        place += 8 + 2 * words


def coast_of(rings: list[list[Point]]) -> list[list[Point]]:
    """Closed lines of the edges that one ring alone has, in its direction."""
    edges = Counter(frozenset(edge) for ring in rings for edge in zip(ring, ring[1:]))
    onward: dict[Point, list[Point]] = {}
    for ring in rings:
        for a, b in zip(ring, ring[1:]):
            if a != b and edges[frozenset((a, b))] == 1:
                onward.setdefault(a, []).append(b)
    lines = []
    while onward:
        start = next(iter(onward))
        line = [start]
        while line[-1] in onward:
            after = onward[line[-1]]
            line.append(after.pop())
            if not after:
                del onward[line[-2]]
            if line[-1] == start:
                break
        lines.append(line)
    return lines


def simplified(line: np.ndarray, tolerance_deg: float) -> np.ndarray:
    """By Douglas and Peucker: no point that falls away is farther from the new line than the tolerance."""
    kept = np.zeros(len(line), dtype=bool)
    kept[[0, -1]] = True
    # Of a closed line, its two ends farthest apart, or all of it lies at the start.
    far = int(np.argmax(np.hypot(*(line - line[0]).T)))
    stack = [(0, far), (far, len(line) - 1)] if 0 < far < len(line) - 1 else [(0, len(line) - 1)]
    kept[far] = True
    while stack:
        first, last = stack.pop()
        if last - first < 2:
            continue
        start, along = line[first], line[last] - line[first]
        inner = line[first + 1 : last] - start
        length = np.hypot(*along)
        off = (
            np.abs(inner[:, 0] * along[1] - inner[:, 1] * along[0]) / length if length else np.hypot(*inner.T)
        )
        worst = int(np.argmax(off))
        if off[worst] > tolerance_deg:
            middle = first + 1 + worst
            kept[middle] = True
            stack += [(first, middle), (middle, last)]
    return line[kept]


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("countries", type=Path, help="shapefile of polygons, *.shp")
    shapes = parser.parse_args(argv).countries.read_bytes()
    lines = []
    for coast in coast_of(list(rings_of(shapes))):
        line = np.array(coast)
        if np.ptp(line, axis=0).max() < LEAST_EXTENT_DEG:
            continue
        tenths = np.rint(10 * simplified(line, TOLERANCE_DEG)).astype(int)
        lines.append(tenths[np.r_[True, np.any(np.diff(tenths, axis=0) != 0, axis=1)]])
    lines.sort(key=len, reverse=True)
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text("".join(" ".join(map(str, line.ravel())) + "\n" for line in lines), encoding="ascii")
    closed = sum(bool(np.array_equal(line[0], line[-1])) for line in lines)
    print(f"{len(lines)} lines, {closed} closed, {sum(map(len, lines))} points, {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
