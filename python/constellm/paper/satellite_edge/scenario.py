"""The setting of satellite federated fine-tuning: constellations, stations, and what travels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from ...codec import Codec
from ...core.checks import short
from ...infer import measured_cuts
from ...orbit import Constellation, Shell, ground, plus_grid, sample_stations, walker
from ...tune import SCHEMES, Fleet, Powers, Scheme, fleet

DAY_S = 86_400.0

HORIZON_S = DAY_S / 4
"""Of the contacts that rounds run on: longer than the longest of them."""

_POLAR = ("Svalbard", "Troll", "Inuvik", "Punta Arenas")
_SIX = (*_POLAR, "Awarua", "Singapore")
_MIDDLE = ("Puertollano", "Hokkaido", "Miami", "Hartebeesthoek")
STATIONS: dict[str, tuple[str, ...]] = {
    "one polar": _POLAR[:1],
    "four polar": _POLAR,
    "six": _SIX,
    "four middle": _MIDDLE,
    "twelve": (*_SIX, *_MIDDLE, "Hawaii", "Mauritius"),
}
"""Sets of stations by name; all are KSAT's, `constellm.orbit.sample_stations`."""

LINKS = ("all", "in planes", "none")
"""Between satellites, by name."""

SHELLS: dict[str, dict[str, Any]] = {"6 × 11": {}, "5 × 10": {"planes": 5, "satellites_per_plane": 10}}
"""Constellations by name: the size of Iridium, and that of the group's own tests."""

SETTINGS: dict[str, dict[str, Any]] = {
    "four polar stations": {},
    "one slow station": {"stations": "one polar", "ground_bps": 0.1e9},
    "slow links": {"isl_bps": 0.1e9},
    "twelve fast stations": {"stations": "twelve", "ground_bps": 1e9},
}
"""Links and stations by name, as changes of the first."""

POWERS = Powers(board_w=30.0, server_w=10e3, isl_w=10.0, down_w=10.0, up_w=100.0)
"""While they work."""

DECODERS = 64
"""Cores of the server that decode at once."""


@dataclass(frozen=True)
class Scenario:
    """Satellite federated fine-tuning (arXiv 2504.01676) on a Walker star, with every assumption a field.

    `constellm.paper.satellite_edge.PARAMETERS` says of every default whether it is stated, derived or
    assumed.

    Examples
    --------
    >>> from constellm import paper, tune
    >>> scenario = paper.satellite_edge.Scenario()
    >>> fleet = scenario.fleet()
    >>> fleet
    Fleet(66 satellites on 6 planes, 4 stations, 33000 images, 2604 contacts)
    >>> for name, scheme in paper.satellite_edge.contenders().items():
    ...     done = tune.schedule_round(tune.spectral_gpt(), fleet, scheme)
    ...     print(f"{name:20} {done.delay_s:4.0f} s")
    all on board          107 s
    float32, all-gather   290 s
    float32               160 s
    float16                84 s
    codec                  19 s
    raw images             29 s
    """

    planes: int = 6
    satellites_per_plane: int = 11
    altitude_m: float = 780e3
    inclination_deg: float = 86.4
    max_latitude_deg: float = 70.0
    """Links between planes are cut above."""
    links: str = "all"
    """A name of `LINKS`."""
    stations: str = "four polar"
    """A name of `STATIONS`."""
    min_elevation_deg: float = 10.0
    isl_bps: float = 1e9
    """Between satellites [bit/s]."""
    ground_bps: float = 0.3e9
    """From a satellite to a station [bit/s]."""
    uplink_bps: float = 0.1e9
    """From a station to a satellite [bit/s]."""
    images: float = 500.0
    """Of each satellite."""
    board_flop_per_s: float = 1e12
    """Of each satellite, effective [FLOP/s]."""
    server_flop_per_s: float = 1e15
    """Effective [FLOP/s]."""
    rounds: int = 10

    def __post_init__(self) -> None:
        for field, known in (("links", LINKS), ("stations", STATIONS)):
            value = getattr(self, field)
            if value not in list(known):
                names = ", ".join(map(repr, known))
                raise ValueError(f"{field}: {short(value)} is not one of {names}")

    def replace(self, **changes: Any) -> Scenario:
        """A copy with some fields changed."""
        return replace(self, **changes)

    @property
    def shell(self) -> Shell:
        """The satellites."""
        return walker(
            "star",
            planes=self.planes,
            satellites_per_plane=self.satellites_per_plane,
            altitude_m=self.altitude_m,
            inclination_deg=self.inclination_deg,
            phasing=self.planes / 2,
            kind="star",
        )

    def world(self) -> Constellation:
        """Satellites, stations and links."""
        known = {one.id: one for one in sample_stations("ksat", min_elevation_deg=self.min_elevation_deg)}
        highest_deg = self.max_latitude_deg if self.links == "all" else 0.0
        between = plus_grid(seam="open", rate_bps=self.isl_bps, max_latitude_deg=highest_deg)
        down = ground(rate_bps=self.ground_bps)
        return Constellation(
            self.shell,
            stations=[known[id] for id in STATIONS[self.stations]],
            links=[down] if self.links == "none" else [between, down],
            name="satellite-edge",
        )

    def fleet(self, *, start_s: float = 0.0, lasts_s: float = HORIZON_S) -> Fleet:
        """The satellites with their contacts from `start_s` on, as `constellm.tune.fleet`."""
        return _fleet(self, start_s, lasts_s)


@lru_cache(maxsize=16)
def _fleet(scenario: Scenario, start_s: float, lasts_s: float) -> Fleet:
    return fleet(
        scenario.world(),
        start_s,
        start_s + lasts_s,
        images=scenario.images,
        board_flop_per_s=scenario.board_flop_per_s,
        server_flop_per_s=scenario.server_flop_per_s,
        uplink_bps=scenario.uplink_bps,
        powers=POWERS,
    )


CUT_CODEC = "quantise-2"
"""Of `constellm.infer.direct_compressors`: two bits a number, coded by their frequencies."""


def embedding_codec() -> Codec:
    """What stands for a codec of embeddings: `CUT_CODEC` as measured at the shipped network's first cut.

    Returns
    -------
    codec.Codec
        Ratio and error are those of the shipped network's activations; so are the seconds, of one core, of
        which the server has `DECODERS`.

    Examples
    --------
    >>> from constellm import paper
    >>> codec = paper.satellite_edge.embedding_codec()
    >>> codec.name, round(codec.ratio, 1)
    ('quantise-2', 26.3)
    """
    row = next(row for row in measured_cuts() if row.cuts == (1,) and row.codecs == (CUT_CODEC,))
    return Codec(
        name=CUT_CODEC,
        ratio=row.ratio[0],
        error=row.error[0],
        encode_s_per_byte=row.encode_s_per_byte[0],
        decode_s_per_byte=row.decode_s_per_byte[0] / DECODERS,
    )


def contenders() -> dict[str, Scheme]:
    """What is compared, by name: all on board, the paper's scheme, and what else may go down.

    Returns
    -------
    dict of str to tune.Scheme
        None of them caches features.

    Examples
    --------
    See `constellm.paper.satellite_edge.Scenario`.
    """
    return {
        "all on board": SCHEMES["on-board"],
        "float32, all-gather": SCHEMES["paper"],
        "float32": Scheme(),
        "float16": Scheme(dtype="float16"),
        "codec": Scheme(codec=embedding_codec()),
        "raw images": SCHEMES["raw-to-ground"],
    }


def settings() -> list[tuple[str, str, Scenario]]:
    """Every shell with every setting: their names and the scenario; the first is what `here` means."""
    return [
        (shell, setting, Scenario(**size, **changes))
        for shell, size in SHELLS.items()
        for setting, changes in SETTINGS.items()
    ]
