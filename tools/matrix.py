"""A wheel for every supported Python that is here, tried with the oldest and the newest numpy that it takes.

``python tools/matrix.py`` takes all Pythons, ``python tools/matrix.py 3.9 3.13`` some. Looked for are
``python3.X`` on the PATH and what pyenv has. The table at the end has what became of each; the status is not
0 where one failed, where none was found, and with ``--all`` where any was not found.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / "build" / "matrix"

# The first numpy that has wheels for this Python, of those that the package allows.
OLDEST_NUMPY = {"3.9": "1.24.0", "3.10": "1.24.0", "3.11": "1.24.0", "3.12": "1.26.0", "3.13": "2.1.0"}

# Quick, and together through every area and binding that needs numpy alone.
TESTS = [
    *("cli", "codec/test_coding.py", "codec/test_menu.py", "codec/test_messages.py", "core"),
    *("model/test_profile.py", "model/test_vision.py", "network", "split/test_bad_inputs.py"),
    *("split/test_evaluation.py", "split/test_files.py", "split/test_fronts.py", "split/test_k_best.py"),
    *("split/test_micro_batches.py", "split/test_schedule.py", "test_fuzz.py"),
]


class Row(NamedTuple):
    """A line of the table; `passed` is None where nothing was tried."""

    python: str
    numpy: str
    result: str
    passed: bool | None


def found(version: str) -> Path | None:
    """An interpreter of that version that runs."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    kept = sorted(pyenv.glob(f"{version}.*"), key=lambda p: [int(n) for n in re.findall(r"\d+", p.name)])
    candidates = [str(folder / "bin" / "python") for folder in reversed(kept)]
    on_path = shutil.which(f"python{version}")
    for candidate in [*candidates, *([on_path] if on_path else [])]:
        told = subprocess.run(
            [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
        )  # one of pyenv's stand-ins fails here
        if told.stdout.strip() == version:
            return Path(candidate)
    return None


def environment(interpreter: Path, folder: Path) -> str:
    """The Python of a new environment."""
    shutil.rmtree(folder, ignore_errors=True)
    command = ["tools/bootstrap.sh", "venv", str(folder)]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHON": str(interpreter)}, check=True)
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", "--upgrade", "pip>=25.1"], check=True)
    return python


def built(interpreter: Path, folder: Path) -> Path:
    """The wheel for this Python; the objects are kept for the next time."""
    tools = folder / "tools"
    python = str(tools / "bin" / "python")
    if not Path(python).exists():
        environment(interpreter, tools)
        subprocess.run([python, "-m", "pip", "install", "-q", "--group", "build"], cwd=ROOT, check=True)
    path = f"{tools / 'bin'}{os.pathsep}{os.environ['PATH']}"
    shutil.rmtree(folder / "wheel", ignore_errors=True)
    command = [python, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "."]
    options = ["-C", f"build-dir={folder / 'build'}", "-w", str(folder / "wheel")]
    subprocess.run([*command, *options], cwd=ROOT, env={**os.environ, "PATH": path}, check=True)
    return next((folder / "wheel").glob("*.whl"))


def tried(interpreter: Path, folder: Path, wheel: Path, numpy: str) -> tuple[str, str, bool]:
    """Version of numpy, pytest's last line, whether all passed; `numpy` is what pip is asked for."""
    python = environment(interpreter, folder)
    wanted = [str(wheel), numpy, "pytest>=7.4", "hypothesis>=6.80"]
    subprocess.run([python, "-m", "pip", "install", "-q", "--only-binary", ":all:", *wanted], check=True)
    version = subprocess.check_output([python, "-c", "import numpy; print(numpy.__version__)"], text=True)
    tests = [f"tests/python/{name}" for name in TESTS]
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    steps = subprocess.run([python, "-W", "error", str(ROOT / "tools" / "first_steps.py")], cwd=folder)
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="", flush=True)
    last = (done.stdout.strip().splitlines() or ["no output of pytest"])[-1].strip("= ")
    if steps.returncode:
        last = f"first steps ended with {steps.returncode}; {last}"
    return version.strip(), last, steps.returncode == 0 and done.returncode == 0


def tried_with_each_numpy(version: str, interpreter: Path) -> Iterator[Row]:
    """What became of a Python's wheel; what cannot be built or installed is a row as well."""
    folder = PLACE / version
    try:
        wheel = built(interpreter, folder)
    except subprocess.CalledProcessError as error:
        yield Row(version, "-", f"no wheel: {ended(error)}", False)
        return
    for name, numpy in (("oldest", f"numpy=={OLDEST_NUMPY[version]}"), ("newest", "numpy")):
        try:
            yield Row(version, *tried(interpreter, folder / name, wheel, numpy))
        except subprocess.CalledProcessError as error:
            yield Row(version, numpy, ended(error), False)


def ended(error: subprocess.CalledProcessError) -> str:
    return f"`{shlex.join(error.cmd)}` ended with {error.returncode}"


def main(command: Sequence[str] | None = None) -> int:
    known = ", ".join(OLDEST_NUMPY)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("versions", nargs="*", metavar="VERSION", help=f"of {known}; default: all of them")
    parser.add_argument("--all", action="store_true", help="a Python that is not found here is a failure")
    asked = parser.parse_args(command)
    unknown = sorted(set(asked.versions) - set(OLDEST_NUMPY))
    if unknown:
        parser.error(f"Python {', '.join(unknown)} is not supported; supported are {known}")
    rows: list[Row] = []
    for version in asked.versions or OLDEST_NUMPY:
        interpreter = found(version)
        if interpreter is None:
            rows.append(Row(version, "-", "not found here, not tried", False if asked.all else None))
        else:
            rows += tried_with_each_numpy(version, interpreter)
    print("\n| Python | numpy | quick tests |\n| --- | --- | --- |")
    for row in rows:
        print(f"| {row.python} | {row.numpy} | {'FAILED: ' if row.passed is False else ''}{row.result} |")
    passed = [row.passed for row in rows if row.passed is not None]
    return 0 if passed and all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
