"""Write the type stub of the compiled module: ``python tools/stubs.py python/constellm/_core.pyi``."""

from __future__ import annotations

import ast
import keyword
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HEADER = "# Generated from the compiled module by `make stubs`; do not edit.\n"

# A field may bear the name of a Python keyword (`from` of a link): it is read with getattr() and given in
# **{...}, which no annotation can spell out.
KEYWORD = "|".join(keyword.kwlist)
KEYWORD_PARAMETERS = re.compile(rf"(?m)^(    def __init__\(self, )\*, .*?\b(?:{KEYWORD}): .*\) -> None:$")
KEYWORD_PROPERTY = re.compile(
    rf'(?m)^    @property\n    def (?:{KEYWORD})\(self\) -> .*:\n        """\n(?:        .*\n)*?        """\n'
)

# What `build` holds depends on compiler and machine.
BUILD = re.compile(r"(?m)^build: dict = .*$")


def generate() -> str:
    """Return the stub of the installed ``constellm._core``."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pybind11_stubgen", "constellm._core", "-o", folder, "--exit-code"]
        subprocess.run(command, check=True, capture_output=True, text=True)
        stub = Path(folder, "constellm", "_core.pyi").read_text(encoding="utf-8")
    stub = KEYWORD_PARAMETERS.sub(r"\1**fields: typing.Any) -> None:", stub)
    stub = KEYWORD_PROPERTY.sub("", stub)
    stub = BUILD.sub("build: dict", stub)
    ast.parse(stub)
    return HEADER + stub


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(generate(), encoding="utf-8")
