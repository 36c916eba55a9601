"""``constellm info``: what is installed, for a report of a fault."""

from __future__ import annotations

import argparse
import importlib.metadata
import platform

from ..core import build_info

# What the extras bring, by the names of their distributions.
_OPTIONAL = (
    "matplotlib", "plotly", "networkx", "xarray", "pandas", "pyarrow", "tqdm", "dask", "distributed",
    "pyyaml", "pillow", "onnx", "onnxruntime", "safetensors", "torch", "scipy", "zstandard", "lz4", "blosc2",
    "ipykernel", "nbformat", "nbclient", "nbconvert",
)  # fmt: skip


def add_info(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register ``info``."""
    parser = commands.add_parser(
        "info", help="print versions of the package, its compiled part and optional packages"
    )
    parser.set_defaults(run=_run)


def _run(_: argparse.Namespace) -> int:
    for key, value in build_info().items():
        print(f"{key}: {value}")
    print(f"python: {platform.python_version()} on {platform.platform()}")
    for name in ("numpy", *_OPTIONAL):
        try:
            print(f"{name}: {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            print(f"{name}: not installed")
    return 0
