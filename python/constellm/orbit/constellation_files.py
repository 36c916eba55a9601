"""Reading and writing ``constellm.constellation`` files, version 1."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from .._core.orbit import KaBandBudget, LinkRule, OpticalBudget, Shell, Station
from ..core.checks import hint_for, instance, short
from ..core.files import as_path, read_json, write_json
from ..core.plain import as_list, as_object, as_text, check_header, check_keys, records_of
from .constellation import Constellation
from .element_files import read_elements, write_elements
from .outages import Outage

FORMAT = "constellm.constellation"

_LISTS = ("shells", "element_sets", "stations", "links")
_EVERY_RULE = (
    "max_range_m", "grazing_altitude_m", "max_latitude_deg", "max_angular_rate_rad_per_s",
    "max_range_rate_m_per_s", "acquisition_s", "rate_bps", "budget", "overhead_s", "survival", "seed",
)  # fmt: skip
_RULES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "plus-grid": (("shell",), ("seam", "shift")),
    "nearest": (("count",), ("shell",)),
    "ground": ((), ()),
}
"""What version 1 of the format knows: patterns with their required and their optional keys."""

_BUDGETS: dict[str, Any] = {"optical": OpticalBudget, "ka-band": KaBandBudget}


def load_constellation(
    path: str | os.PathLike[str], *, computers: Any = None, outages: Outage | Iterable[Outage] = ()
) -> Constellation:
    """Read a ``constellm.constellation`` file.

    Parameters
    ----------
    path : path
        Of at most 2^28 bytes of UTF-8 text. Files of element sets are looked for beside it.
    computers : Device or mapping, optional
        As of `Constellation`: the file has none.
    outages : Outage or sequence of them
        As of `Constellation`: the file has none.

    Returns
    -------
    Constellation

    Raises
    ------
    OSError, ValueError, TypeError
        Where a file cannot be read; for an unknown, doubled, missing or wrong key, which the message names.

    Examples
    --------
    >>> from constellm import orbit
    >>> world = orbit.Constellation(orbit.preset("iridium-next"), links=orbit.plus_grid(seam="open"))
    >>> orbit.save_constellation(world, "iridium.json")
    >>> orbit.load_constellation("iridium.json") == world
    True
    """
    data = as_object("constellation", read_json(path))
    check_header(data, FORMAT, {FORMAT: "constellation"})
    check_keys("constellation", data, ("format", "version", "name"), ("epoch", *_LISTS))
    epoch = data.get("epoch")
    if "epoch" in data and not as_text("epoch", epoch).endswith("Z"):
        raise ValueError(f"epoch: {short(epoch)} does not end with 'Z', as moments of UTC do")
    shells = records_of("shells", data.get("shells", []), Shell)
    stations = records_of("stations", data.get("stations", []), Station)
    links = [_rule(f"links[{i}]", rule) for i, rule in enumerate(as_list("links", data.get("links", [])))]
    names = [shell.name for shell in shells]
    for i, rule in enumerate(links):
        if rule.shell not in (None, *names):  # "*" is a name as any other here
            raise ValueError(f"links[{i}].shell: no shell has the name {short(rule.shell)}")
    sets = []
    for i, place in enumerate(as_list("element_sets", data.get("element_sets", []))):
        where = f"element_sets[{i}]"
        file = as_path(path).parent / as_text(where, place)
        try:
            sets.append(read_elements(file))
        except (ValueError, TypeError) as error:
            raise type(error)(f"{where}: {error}") from None
    return Constellation(
        [*shells, *sets],
        stations=stations,
        links=links,
        outages=outages,
        computers=computers,
        epoch=epoch,
        name=data["name"],
    )


def save_constellation(world: Constellation, path: str | os.PathLike[str]) -> None:
    """Write a constellation as a ``constellm.constellation`` file, and its element sets beside it.

    Parameters
    ----------
    world : Constellation
    path : path
        Replaced where it exists. Element sets go to files of OMM in JSON whose names begin as that of this
        file: ``sky-elements-0.json`` for ``sky.json``.

    Raises
    ------
    TypeError, ValueError
        If it is no `Constellation`, or has what the format has no place for: computers, outages, and rules
        of links with other patterns or keys.
    OSError
        If a file cannot be written.

    Examples
    --------
    >>> from constellm import orbit
    >>> world = orbit.Constellation(orbit.sample_elements(), links=orbit.nearest(4))
    >>> orbit.save_constellation(world, "sky.json")
    >>> orbit.load_constellation("sky.json")
    Constellation(80 satellites, 0 stations, 1 rule of links, epoch 2024-01-12T18:08:57.564384Z)
    """
    instance("world", world, Constellation)
    for field, nothing in (("computers", None), ("outages", ())):
        if getattr(world, field):
            raise ValueError(
                f"{field}: the format has no place for them; save world.replace({field}={nothing}), and give "
                "them to load_constellation"
            )
    links = [rule.to_dict() for rule in world.links]
    for i, rule in enumerate(links):
        _check_rule(f"links[{i}]", rule)
    place = as_path(path)
    stem = place.name.partition(".")[0]
    files = [f"{stem}-elements-{i}.json" for i in range(len(world.element_sets))]
    for file, sets in zip(files, world.element_sets):
        write_elements(sets, place.with_name(file))
    data = {
        "format": FORMAT,
        "version": 1,
        "name": world.name,
        "epoch": str(world.epoch),
        "shells": [shell.to_dict() for shell in world.shells],
        "element_sets": files,
        "stations": [station.to_dict() for station in world.stations],
        "links": links,
    }
    write_json(data, path)


def _rule(where: str, value: Any) -> LinkRule:
    rule = as_object(where, value)
    _check_rule(where, rule)
    if "budget" in rule:
        rule = {**rule, "budget": _budget(f"{where}.budget", rule["budget"])}
    try:
        return LinkRule(**rule)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}: {error}") from None


def _budget(where: str, value: Any) -> Any:
    budget = as_object(where, value)
    if "name" not in budget:
        raise ValueError(f"{where}: missing required key 'name'")
    name = as_text(f"{where}.name", budget["name"])
    if name not in _BUDGETS:
        raise ValueError(f"{where}.name: {short(name)} is no link budget{hint_for(name, _BUDGETS)}")
    try:
        return _BUDGETS[name](**budget)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}: {error}") from None


def _check_rule(where: str, rule: dict[str, Any]) -> None:
    """Its keys are those of its pattern in the format."""
    if "pattern" not in rule:
        raise ValueError(f"{where}: missing required key 'pattern'")
    pattern = as_text(f"{where}.pattern", rule["pattern"])
    if pattern not in _RULES:
        raise ValueError(f"{where}.pattern: {short(pattern)} is in no rule{hint_for(pattern, _RULES)}")
    required, optional = _RULES[pattern]
    check_keys(where, rule, ("pattern", *required), (*optional, *_EVERY_RULE))
