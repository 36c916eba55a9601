"""``constellm reproduce``: the paper's comparisons, computed here, as figures, tables and a page."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``reproduce``."""
    parser = commands.add_parser(
        "reproduce", help="compute the comparisons of the paper: figures, tables, a page"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("results"), metavar="DIR", help="where to (default: results)"
    )
    parser.add_argument("--quick", action="store_true", help="coarser grids, for a first look and for tests")
    parser.add_argument(
        "--notebooks", type=Path, metavar="DIR", help="execute the notebooks there and render them as well"
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from ..paper import reproduce

    page = reproduce(arguments.out, quick=arguments.quick, notebooks=arguments.notebooks)
    print(f"wrote {page}")
    return 0
