"""Write the type stubs of the compiled module: ``python tools/stubs.py python/constellm/_core``."""

from __future__ import annotations

import argparse
import ast
import keyword
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

HEADER = "# Generated from the compiled module by `make stubs`; do not edit.\n"

# A field may bear the name of a Python keyword (`from` of a link): it is written `from_`, and read with
# getattr() under its own name, which no annotation can spell out.
KEYWORD = "|".join(keyword.kwlist)
KEYWORD_PROPERTY = re.compile(
    rf'(?m)^    @property\n    def (?:{KEYWORD})\(.*\).*:\n        """\n(?:        .*\n)*?        """\n'
)

# Of the run alone: what `inspect` reads, and names of an older version.
RUN = re.compile(r"(?m)^(?:import inspect|    (?:__signature__|required_keys|optional_keys): .*)\n")

# What `build` holds depends on compiler and machine.
BUILD = re.compile(r"(?m)^build: dict = .*$")

# Classes show as what users import them as; their stub stands where they are made.
GENERATE = """
import sys
from constellm import _core
from pybind11_stubgen import main
def mend(module):
    for found in vars(module).values():
        if isinstance(found, type(sys)) and found.__name__.startswith(module.__name__):
            mend(found)
        elif isinstance(found, type):
            found.__module__ = module.__name__
mend(_core)
main(["constellm._core", "-o", sys.argv[1], "--exit-code"])
"""


def generate() -> dict[str, str]:
    """Return the stubs of the installed ``constellm._core``, by the places of their files."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", GENERATE, folder]
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode:
            raise RuntimeError(made.stderr)
        home = Path(folder, "constellm", "_core")
        return {
            path.relative_to(home).as_posix(): _mended(path.read_text(encoding="utf-8"))
            for path in sorted(home.rglob("*.pyi"))
        }


def _mended(stub: str) -> str:
    stub = KEYWORD_PROPERTY.sub("", stub)
    stub = RUN.sub("", stub)
    stub = BUILD.sub("build: dict", stub)
    ast.parse(stub)
    return HEADER + stub


def main(command: Sequence[str] | None = None) -> None:
    """Write every stub into the folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where they go, as python/constellm/_core")
    home = parser.parse_args(command).folder.with_suffix("")
    for name, text in generate().items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
