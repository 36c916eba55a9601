"""Conditions of a benchmark: time, machine and versions."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from datetime import datetime, timezone
from pathlib import Path

import constellm

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))
import verify  # noqa: E402

NAMES = (
    "numpy",
    "scipy",
    "networkx",
    "sgp4",
    "igraph",
    "highspy",
    "pyscipopt",
    "ortools",
    "rustworkx",
    "skyfield",
)
BOOST = Path("/usr/include/boost/version.hpp")


def stamp() -> dict[str, str]:
    """Date and commit."""
    return {"date": f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M UTC}", "commit": verify.commit()}


def software() -> str:
    """The build of constellm and the versions that its figures rest on."""
    build = constellm.build_info()
    parts = [
        f"constellm {build['version']}",
        build["compiler"],
        build["build_type"],
        f"{build['simd_in_use']} in use",
    ]
    parts += [f"{name} {version(name)}" for name in NAMES if version(name)]
    found = re.search(r'BOOST_LIB_VERSION "(\w+)"', BOOST.read_text("utf-8")) if BOOST.exists() else None
    parts += [f"Boost {found[1].replace('_', '.')}"] if found else []
    return ", ".join(parts)


def version(name: str) -> str | None:
    """Of a package, if it is installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def machine() -> str:
    return verify.machine()
