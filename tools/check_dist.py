"""What `make wheel` made is what git tracks, installs into an empty environment, and works there.

``python tools/check_dist.py DIST SCRATCH``: DIST holds one sdist and one wheel, SCRATCH is made anew.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def tracked() -> set[str]:
    """Every file that git tracks; what a link to a folder shows too."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    files = set(filter(None, listed.stdout.split("\0")))
    for link in [name for name in files if (ROOT / name).is_symlink() and (ROOT / name).is_dir()]:
        inside = (ROOT / link).resolve().relative_to(ROOT).as_posix() + "/"
        files |= {f"{link}/{name.removeprefix(inside)}" for name in files if name.startswith(inside)}
        files.remove(link)
    return files


def differences(what: str, found: set[str], expected: set[str]) -> list[str]:
    return [
        *(f"{what} lacks {name}" for name in sorted(expected - found)),
        *(f"{what} has {name}, which belongs to nothing" for name in sorted(found - expected)),
    ]


def in_sdist(path: Path) -> set[str]:
    with tarfile.open(path) as archive:
        return {member.name.partition("/")[2] for member in archive if not member.isdir()}


def in_wheel(path: Path) -> set[str]:
    """Its files, those apart that every wheel has."""
    with zipfile.ZipFile(path) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    return {name for name in names if not re.match(r"constellm-[^/]+\.dist-info/", name)}


def try_in_empty_environment(wheel: Path, scratch: Path) -> None:
    """Install the wheel where nothing is, and take the first steps with it, away from the sources."""
    shutil.rmtree(scratch, ignore_errors=True)
    environment = {**os.environ, "PYTHON": sys.executable}
    subprocess.run(["tools/bootstrap.sh", "venv", str(scratch)], cwd=ROOT, env=environment, check=True)
    python = str(scratch / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", "--only-binary", ":all:", str(wheel)], check=True)
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=json"], check=True, capture_output=True, text=True
    )
    names = {package["name"] for package in json.loads(listed.stdout)} - {"pip", "setuptools", "wheel"}
    assert names == {"constellm", "numpy"}, f"with constellm came {sorted(names)}"
    steps = (ROOT / "tools" / "first_steps.py").read_text(encoding="utf-8")
    subprocess.run([python, "-W", "error", "-c", steps], cwd=scratch, check=True)


def only(dist: Path, pattern: str) -> Path:
    files = sorted(dist.glob(pattern))
    if len(files) != 1:
        raise SystemExit(f"{dist}: {len(files)} files {pattern}, not one")
    return files[0]


def main(command: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("dist", type=Path, help="folder with one sdist and one wheel")
    parser.add_argument("scratch", type=Path, help="folder that is made anew")
    asked = parser.parse_args(command)
    sdist, wheel = only(asked.dist, "*.tar.gz"), only(asked.dist, "*.whl")
    files = tracked()
    package = {name.removeprefix("python/") for name in files if name.startswith("python/constellm/")}
    compiled = {name for name in in_wheel(wheel) if re.fullmatch(r"constellm/_core\.[\w-]+\.so", name)}
    wrong = differences(sdist.name, in_sdist(sdist), files | {"PKG-INFO"})
    wrong += differences(wheel.name, in_wheel(wheel), package | compiled)
    if "manylinux" not in wheel.name or len(compiled) != 1:
        wrong.append(f"{wheel.name}: not a manylinux wheel with one compiled module")
    print("\n".join(wrong) or f"{sdist.name} and {wheel.name} hold what git tracks")
    if wrong:
        return 1
    try_in_empty_environment(wheel.resolve(), asked.scratch.resolve())
    return 0


if __name__ == "__main__":
    sys.exit(main())
