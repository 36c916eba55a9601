"""The command line.

``constellm split …``, ``moe``, ``services``, ``tune``, ``orbit``, ``reproduce``, ``info``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ..core import __version__
from ..core.console import never_fail
from . import moe, orbit, reproduce, services, split, tune
from .complain import INTERRUPTED
from .info import add_info


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    never_fail(sys.stdout, sys.stderr)
    parser = argparse.ArgumentParser(
        prog="constellm",
        description="Plan, prove and compare large-model inference over satellite constellations.",
    )
    parser.add_argument("--version", action="version", version=f"constellm {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    split.add_commands(commands)
    moe.add_commands(commands)
    services.add_commands(commands)
    tune.add_commands(commands)
    orbit.add_commands(commands)
    reproduce.add_command(commands)
    add_info(commands)
    arguments = parser.parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except KeyboardInterrupt:
        print("constellm: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        sys.stderr.close()
        return 0
