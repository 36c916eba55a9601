"""``constellm orbit``: routes, contacts and states of a constellation's file."""

from __future__ import annotations

import argparse
import io
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .. import orbit
from ..core.files import write_bytes
from ..core.quantity import printable
from ..core.table import Table
from ..orbit.constellation_parts import instants
from .complain import UNREADABLE, complain


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``orbit routes``, ``orbit contacts`` and ``orbit states``."""
    area = commands.add_parser("orbit", help="constellations: routes, contacts, states")
    actions = area.add_subparsers(dest="action", required=True)

    routes = _with_file(actions, "routes", "write the route of least latency at every instant", "CSV")
    routes.add_argument("--from", dest="source", required=True, metavar="ID", help="where routes begin")
    routes.add_argument("--to", dest="target", required=True, metavar="ID", help="where they end")
    _with_span(routes)
    routes.add_argument("--step", type=_seconds, required=True, metavar="S", help="between the instants")
    routes.set_defaults(run=_routes)

    contacts = _with_file(actions, "contacts", "write when each link exists, to a millisecond", "CSV")
    _with_span(contacts)
    contacts.add_argument(
        "--slot", type=_seconds, metavar="S", help="how long a slot is, for links that survive by chance"
    )
    contacts.set_defaults(run=_contacts)

    states = _with_file(actions, "states", "write positions and velocities of the satellites", "NPZ")
    states.add_argument("--times", type=_times, required=True, metavar="S,S,…", help="since the epoch")
    states.add_argument("--frame", choices=("teme", "ecef"), default="teme", help="default: teme")
    states.set_defaults(run=_states)


def _with_file(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, help: str, out: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=help)
    parser.add_argument("file", type=Path, metavar="CONSTELLATION.json")
    parser.add_argument("--out", type=Path, required=True, metavar=out, help="where to")
    return parser


def _with_span(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--start", type=_seconds, required=True, metavar="S", help="since the epoch")
    parser.add_argument("--stop", type=_seconds, required=True, metavar="S", help="not included")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number of seconds")
    return value


def _times(text: str) -> list[float]:
    return [_seconds(word) for word in text.split(",")]


def _routes(arguments: argparse.Namespace) -> int:
    def written(world: orbit.Constellation) -> str:
        time_s = instants(arguments.start, arguments.stop, arguments.step)
        routes = world.routes(arguments.source, arguments.target, time_s)
        routes.table().to_csv(arguments.out)
        return f"{len(time_s)} instants, {np.count_nonzero(routes.hops >= 0)} with a route"

    return _run(arguments, written)


def _contacts(arguments: argparse.Namespace) -> int:
    def written(world: orbit.Constellation) -> str:
        windows = world.windows(arguments.start, arguments.stop, slot_s=arguments.slot)
        ids = world.ids
        columns = (
            windows.from_, windows.to, windows.open_s, windows.close_s, windows.rate_bps, windows.range_m
        )  # fmt: skip
        rows = [
            (ids[a], ids[b], *figures) for a, b, *figures in zip(*(column.tolist() for column in columns))
        ]
        Table(("from", "to", "open_s", "close_s", "rate_bps", "range_m"), rows).to_csv(arguments.out)
        return f"{len(rows)} contacts"

    return _run(arguments, written)


def _states(arguments: argparse.Namespace) -> int:
    def written(world: orbit.Constellation) -> str:
        states = world.states(arguments.times, arguments.frame)
        content = io.BytesIO()
        np.savez(
            content,
            position_m=states.position_m,
            velocity_m_per_s=states.velocity_m_per_s,
            ids=np.array(world.satellite_ids),
            time_s=np.array(arguments.times),
            error=states.error,
        )
        write_bytes(content.getvalue(), arguments.out)
        satellites, times = states.error.shape
        failed = np.count_nonzero(states.error)
        return f"{satellites} satellites, {times} times, {failed} without a state"

    return _run(arguments, written)


def _run(arguments: argparse.Namespace, written: Callable[[orbit.Constellation], str]) -> int:
    """Write what is asked of the file's constellation, and say what it was."""
    try:
        told = written(orbit.load_constellation(arguments.file))
    except (*UNREADABLE, ImportError) as error:
        complain(arguments.file, error)
        return 2
    print(printable(f"{arguments.out}: {told}"))
    return 0
