"""States and routes as labelled arrays of xarray."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.optional import optional_import
from .states import States

if TYPE_CHECKING:
    from .routes import Routes


def _xarray() -> Any:
    return optional_import("xarray", extra="sweep", purpose="this needs xarray")


def states_dataset(states: States, ids: tuple[str, ...], time_s: Any, attrs: dict[str, str]) -> Any:
    """As `Constellation.to_xarray`."""
    axes = ("satellite", "t_s", "axis")
    position_m, velocity_m_per_s, error = states
    return _xarray().Dataset(
        {
            "position_m": (axes, position_m, {"units": "m"}),
            "velocity_m_per_s": (axes, velocity_m_per_s, {"units": "m/s"}),
            "error": (axes[:2], error),
        },
        {"satellite": list(ids), "t_s": ("t_s", time_s, {"units": "s"}), "axis": list("xyz")},
        attrs,
    )


def routes_dataset(routes: Routes) -> Any:
    """As `Routes.to_xarray`."""
    paths = np.array([" ".join(path) for path in routes.paths], dtype=object)
    return _xarray().Dataset(
        {
            "latency_s": ("t_s", routes.latency_s, {"units": "s"}),
            "hops": ("t_s", routes.hops),
            "path": ("t_s", paths),
        },
        {"t_s": ("t_s", routes.time_s, {"units": "s"})},
        {"source": routes.source, "target": routes.target},
    )
