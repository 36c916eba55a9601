"""Write the type stub of the compiled module: ``python tools/stubs.py python/constellm/_core.pyi``."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

HEADER = "# Generated from the compiled module by `make stubs`; do not edit.\n"


def generate() -> str:
    """Return the stub of the installed ``constellm._core``."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pybind11_stubgen", "constellm._core", "-o", folder, "--exit-code"]
        subprocess.run(command, check=True, capture_output=True, text=True)
        return HEADER + Path(folder, "constellm", "_core.pyi").read_text(encoding="utf-8")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(generate(), encoding="utf-8")
