"""A made-up set of land as seen from orbit, so that everything runs without data."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from ..core.checks import count, short
from .image_set import ImageSet

Picture = NDArray[np.float64]
"""Shape (side, side, 3): red, green, blue on a scale of 0 to 1."""

Colour = tuple[float, float, float]
Palette = tuple[Colour, ...]

_SOIL = (0.46, 0.38, 0.29)
_STRAW = (0.60, 0.53, 0.36)
_CROP = (0.31, 0.42, 0.22)
_GRASS = (0.38, 0.49, 0.26)
_SHRUB = (0.36, 0.38, 0.24)
_TREE = (0.14, 0.24, 0.16)
_WATER = (0.10, 0.19, 0.28)
_PAVED = (0.52, 0.51, 0.50)
_ROOF = (0.58, 0.38, 0.32)
_HALL = (0.74, 0.74, 0.74)
_HAZE = (0.36, 0.45, 0.58)


def synthetic(
    images: int, *, side_px: int = 64, classes: Iterable[str] | None = None, seed: int = 0
) -> ImageSet:
    """Pictures of land use, drawn at random: fields with rows, forest, roads, roofs, rivers, open water.

    The classes are named after those of EuroSAT and look like them at 10 m a pixel, roughly. Colours, scale,
    direction, haze and light vary more within a class than between neighbouring ones, and the same fields
    lie behind roads and rivers, so that colour alone does not tell them apart. Accuracy on such a set says
    nothing of real images.

    Parameters
    ----------
    images : int
        How many; classes take turns.
    side_px : int
        Side of a square image, >= 8 [px].
    classes : iterable of str, optional
        Some of EuroSAT's ten; default: all.
    seed : int
        Fixes the set. A larger set of the same seed and classes begins with the smaller one.

    Returns
    -------
    ImageSet

    Raises
    ------
    TypeError, ValueError
        If a number is out of range, or a class is not known.

    Examples
    --------
    >>> from constellm import images
    >>> images.synthetic(20)
    ImageSet('synthetic', 20 images of 64 × 64 px, 10 classes)
    """
    images = count("images", images)
    side_px = count("side_px", side_px, least=8)
    seed = count("seed", seed, least=0)
    if isinstance(classes, str) or not isinstance(classes, (Iterable, type(None))):
        raise TypeError(f"classes: expected several names, got {short(classes)}")
    names = tuple(_LAND) if classes is None else tuple(classes)
    for name in names:
        if name not in _LAND:
            raise ValueError(f"classes: {name!r} is not one of {', '.join(_LAND)}")
    if not names or len(set(names)) < len(names):
        raise ValueError(f"classes: expected one or more different names, got {names}")
    pixels = np.empty((images, side_px, side_px, 3), dtype=np.uint8)
    for i in range(images):
        canvas = _Canvas(side_px, np.random.Generator(np.random.PCG64([seed, i])))
        pixels[i] = canvas.photographed(_LAND[names[i % len(names)]](canvas))
    pixels.setflags(write=False)  # so that the set need not copy them
    return ImageSet(pixels, np.arange(images) % len(names), names, "synthetic")


class _Canvas:
    """Random shapes on a square. All randomness is uniform: numpy keeps that stream the same."""

    def __init__(self, side: int, random: np.random.Generator) -> None:
        self.side = side
        self.random = random
        self.rows, self.columns = np.mgrid[0:side, 0:side] + 0.5

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.random.random()

    def chance(self, share: float) -> bool:
        return bool(self.random.random() < share)

    def colour(self, base: Colour, spread: float = 0.05) -> NDArray[np.float64]:
        """`base`, darker or lighter as a whole, and off a little in each channel."""
        shift = self.between(-spread, spread) + (self.random.random(3) - 0.5) * spread
        return np.asarray(base) + shift

    def plain(self, colour: NDArray[np.float64]) -> Picture:
        return np.broadcast_to(colour, (self.side, self.side, 3)).copy()

    def noise(self, cell_px: float) -> NDArray[np.float64]:
        """Smooth random values in [-1, 1] that change over `cell_px`, shape (side, side)."""
        cells = int(self.side / cell_px) + 3
        grid = 2.0 * self.random.random((cells, cells)) - 1.0
        row, column = (place / cell_px + self.random.random() for place in (self.rows, self.columns))
        i, j = row.astype(int), column.astype(int)
        u, v = row - i, column - j
        u, v = u * u * (3.0 - 2.0 * u), v * v * (3.0 - 2.0 * v)
        upper = grid[i, j] * (1.0 - v) + grid[i, j + 1] * v
        lower = grid[i + 1, j] * (1.0 - v) + grid[i + 1, j + 1] * v
        return upper * (1.0 - u) + lower * u

    def mottled(self, picture: Picture, amount: float, cells_px: Iterable[float]) -> Picture:
        """`picture`, lighter and darker in patches."""
        for cell in cells_px:
            picture = picture + amount * self.noise(cell)[..., None]
        return picture

    def turned(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Coordinates from the centre [px] along and across a random direction."""
        angle = self.between(0.0, 2.0 * np.pi)
        x, y = self.columns - self.side / 2.0, self.rows - self.side / 2.0
        return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)

    def band(self, bend_px: float) -> NDArray[np.float64]:
        """Distance from a line that bends across the picture [px]."""
        along, across = self.turned()
        wave = np.sin(along / self.between(0.15, 0.35) / self.side + self.between(0.0, 2.0 * np.pi))
        return np.abs(across - self.between(-0.2, 0.2) * self.side - bend_px * wave)

    def parcels(self, least_px: float, most_px: float) -> NDArray[np.int64]:
        """Number of the parcel at each pixel: strips along a direction, each cut across by itself."""
        along, across = self.turned()
        reach = self.side
        strips = np.cumsum(self._steps(least_px, most_px, 2 * reach)) - reach
        strip = np.searchsorted(strips, across)
        number = np.zeros(strip.shape, dtype=np.int64)
        for i in range(strip.min(), strip.max() + 1):
            cuts = np.cumsum(self._steps(least_px, 2.0 * most_px, 2 * reach)) - reach
            inside = strip == i
            number[inside] = 1000 * i + np.searchsorted(cuts, along[inside])
        return np.unique(number, return_inverse=True)[1].reshape(strip.shape)

    def _steps(self, least_px: float, most_px: float, length_px: float) -> NDArray[np.float64]:
        steps = int(length_px / least_px) + 1
        return least_px + (most_px - least_px) * self.random.random(steps)

    def rows_of(self, period_px: float) -> NDArray[np.float64]:
        """Stripes in [-1, 1] in a random direction."""
        _, across = self.turned()
        return np.sin(across * (2.0 * np.pi / period_px))

    def fields(self, stripes: float, palette: Palette, least: float = 0.16) -> Picture:
        """Parcels, of a side from `least` up, in colours of `palette`, each with rows of its own."""
        number = self.parcels(least * self.side, 3.0 * least * self.side)
        picture = self.plain(np.zeros(3))
        for parcel in range(number.max() + 1):
            inside = number == parcel
            colour = self.colour(palette[int(self.between(0, len(palette)))], 0.07)
            rows = self.rows_of(self.between(2.2, 4.0))
            picture[inside] = colour + self.between(0.3, 1.0) * stripes * rows[inside][:, None]
        return self.mottled(picture, 0.02, (6.0, 2.0))

    def countryside(self) -> Picture:
        """What may lie behind a road or a river."""
        if self.chance(0.6):
            return self.fields(0.012, (_SOIL, _STRAW, _CROP, _GRASS, _SHRUB))
        land = self.plain(self.colour(_GRASS if self.chance(0.5) else _SHRUB))
        woods = self.noise(0.3 * self.side) > self.between(0.0, 0.5)
        land[woods] = self.colour(_TREE)
        return self.mottled(land, 0.03, (9.0, 2.5))

    def painted(self, picture: Picture, where: NDArray[np.float64], colour: NDArray[np.float64]) -> Picture:
        """`colour` over `picture` with opacity `where`, clipped to [0, 1]."""
        opacity = np.clip(where, 0.0, 1.0)[..., None]
        return picture * (1.0 - opacity) + colour * opacity

    def buildings(self, picture: Picture, period_px: float, cover: float, colours: Palette) -> Picture:
        """Rectangles in the squares of a turned grid, with a street between them."""
        along, across = self.turned()
        i, j = np.floor(along / period_px).astype(int), np.floor(across / period_px).astype(int)
        u, v = along / period_px - i, across / period_px - j
        i, j = i - i.min(), j - j.min()
        shape = (i.max() + 1, j.max() + 1)
        built = self.random.random(shape) < cover
        length, depth = (0.45 + 0.45 * self.random.random(shape) for _ in range(2))
        chosen = [colours[int(self.between(0, len(colours)))] for _ in range(built.size)]
        tint = np.array([self.colour(base, 0.1) for base in chosen])
        inside = built[i, j] & (u < length[i, j]) & (v < depth[i, j])
        picture = picture.copy()
        picture[inside] = tint.reshape(*shape, 3)[i, j][inside]
        return picture

    def photographed(self, picture: Picture) -> NDArray[np.uint8]:
        """Light, haze and the sensor's noise over `picture`."""
        light, haze = self.between(0.7, 1.25), self.between(0.05, 0.45)
        seen = picture * light * (1.0 - haze) + haze * self.colour(_HAZE, 0.08)
        seen += 0.03 * (self.random.random(seen.shape) - 0.5)
        return np.rint(255.0 * np.clip(seen, 0.0, 1.0)).astype(np.uint8)


def _annual_crop(canvas: _Canvas) -> Picture:
    return canvas.fields(0.012, (_SOIL, _STRAW, _CROP, _SOIL), canvas.between(0.16, 0.35))


def _permanent_crop(canvas: _Canvas) -> Picture:
    return canvas.fields(0.07, (_SOIL, _SHRUB, _CROP, _STRAW))


def _forest(canvas: _Canvas) -> Picture:
    land = canvas.plain(canvas.colour(_TREE, 0.06))
    return canvas.mottled(land, canvas.between(0.01, 0.03), (12.0, 3.0, 1.6))


def _herbaceous(canvas: _Canvas) -> Picture:
    land = canvas.plain(canvas.colour(_SHRUB, 0.06))
    return canvas.mottled(land, canvas.between(0.03, 0.05), (14.0, 5.0, 2.2))


def _pasture(canvas: _Canvas) -> Picture:
    land = canvas.mottled(canvas.plain(canvas.colour(_GRASS, 0.07)), 0.015, (20.0, 8.0))
    for _ in range(int(canvas.between(0, 4))):  # hedges
        land = canvas.painted(land, 1.2 - canvas.band(0.0), canvas.colour(_TREE))
    return land


def _highway(canvas: _Canvas) -> Picture:
    land, bend = canvas.countryside(), canvas.between(0.0, 0.12) * canvas.side
    distance, half_width = canvas.band(bend), canvas.between(1.0, 2.2)
    land = canvas.painted(land, half_width + 2.0 - distance, canvas.colour(_GRASS))
    return canvas.painted(land, half_width + 0.5 - distance, canvas.colour(_PAVED, 0.1))


def _river(canvas: _Canvas) -> Picture:
    land, bend = canvas.countryside(), canvas.between(0.05, 0.2) * canvas.side
    distance = canvas.band(bend) + 1.5 * canvas.noise(8.0)
    half_width = canvas.between(0.03, 0.11) * canvas.side
    land = canvas.painted(land, half_width + canvas.between(1.0, 5.0) - distance, canvas.colour(_TREE))
    return canvas.painted(land, half_width - distance, canvas.colour(_WATER, 0.08))


def _sea_lake(canvas: _Canvas) -> Picture:
    water = canvas.mottled(canvas.plain(canvas.colour(_WATER, 0.07)), 0.012, (25.0, 9.0))
    if canvas.chance(0.3):  # a shore
        along, _ = canvas.turned()
        inland = along + 4.0 * canvas.noise(10.0) - canvas.between(0.15, 0.4) * canvas.side
        water = canvas.painted(water, inland, canvas.colour(_SHRUB, 0.1))
    return water


def _residential(canvas: _Canvas) -> Picture:
    land = canvas.mottled(canvas.plain(canvas.colour(_GRASS)), 0.06, (6.0, 2.5))
    roofs = (_ROOF, _ROOF, _PAVED, _HALL)
    land = canvas.buildings(land, canvas.between(3.5, 6.0), canvas.between(0.5, 0.9), roofs)
    for _ in range(int(canvas.between(1, 4))):
        land = canvas.painted(land, 1.3 - canvas.band(0.0), canvas.colour(_PAVED))
    return land


def _industrial(canvas: _Canvas) -> Picture:
    ground = canvas.colour(_PAVED if canvas.chance(0.7) else _SOIL)
    land = canvas.mottled(canvas.plain(ground), 0.05, (9.0, 3.0))
    halls = (_HALL, _HALL, _PAVED, _ROOF)
    return canvas.buildings(land, canvas.between(0.18, 0.4) * canvas.side, canvas.between(0.5, 0.9), halls)


_LAND: dict[str, Callable[[_Canvas], Picture]] = {
    "AnnualCrop": _annual_crop,
    "Forest": _forest,
    "HerbaceousVegetation": _herbaceous,
    "Highway": _highway,
    "Industrial": _industrial,
    "Pasture": _pasture,
    "PermanentCrop": _permanent_crop,
    "Residential": _residential,
    "River": _river,
    "SeaLake": _sea_lake,
}
