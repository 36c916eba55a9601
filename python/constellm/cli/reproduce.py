"""``constellm reproduce``: a paper's comparisons, computed here, as figures, tables and a page."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``reproduce``."""
    parser = commands.add_parser(
        "reproduce", help="compute the comparisons of a paper: figures, tables, a page"
    )
    parser.add_argument(
        "study", nargs="?", default="collaborative", metavar="STUDY", help="default: collaborative"
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

    try:
        page = reproduce(
            arguments.out,
            arguments.study,
            quick=arguments.quick,
            notebooks=arguments.notebooks,
            tell=lambda line: print(line, file=sys.stderr, flush=True),
        )
    except (ImportError, OSError, ValueError) as error:
        print(f"constellm: {error}", file=sys.stderr)
        return 2
    print(f"wrote {page}")
    return 0
