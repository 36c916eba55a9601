"""``python tests/fuzz/campaign.py [TARGET ...]``: hostile cases for a stated time; status 1 for a finding.

Every case is made of the target's name, the seed and the case's number alone, so that ``--first NUMBER
--cases 1`` makes it again. Reading a case ends in a value, or in a ValueError or TypeError in the package's
words. Anything else is a finding: another exception, Python's words on our inside, a wrong value, a crash,
more than 4 GiB, more than 30 seconds.
"""

from __future__ import annotations

import argparse
import faulthandler
import logging
import os
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

if str(Path(__file__).resolve().parents[1]) not in sys.path:  # as a script
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fuzz.targets import TARGETS

_MOST_SECONDS = 30.0
_MOST_MEMORY_BYTES = 4 * 2**30
# Words of Python, numpy and pybind11, not of this package.
_OF_OTHERS = re.compile(
    r"incompatible (function|constructor) arguments|object is not (iterable|subscriptable|callable|a mapping)"
    r"|unsupported operand|has no len|not supported between|indices must be|unhashable"
    r"|must be (str|real number|a string)|cannot unpack|values to unpack|setting an array element"
)


class TooLong(BaseException):
    """Raised in a case that takes too long."""


@dataclass
class Found:
    """What a campaign has found."""

    target: str
    seed: int
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: dict[str, int] = field(default_factory=dict)
    """What happened → the first case where it did."""

    def __str__(self) -> str:
        read, refused = self.outcomes["read"], self.outcomes["refused"]
        return (
            f"{self.target}: {sum(self.outcomes.values())} cases of seed {self.seed}, {read} read, "
            f"{refused} refused, {len(self.findings)} findings"
        )


def campaign(
    target: str, *, seed: int = 1, first: int = 0, cases: int = 2**62, seconds: float = 1e9
) -> Found:
    """Read cases until their number or the time is reached."""
    found = Found(target, seed)
    signal.signal(signal.SIGALRM, _too_long)
    with tempfile.TemporaryDirectory(prefix="constellm-fuzz-") as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = TARGETS[target](Path(scratch))
        ends = time.monotonic() + seconds
        for number in range(first, first + cases):
            if time.monotonic() >= ends:
                break
            signal.setitimer(signal.ITIMER_REAL, _MOST_SECONDS)
            try:
                read(random.Random(f"{target} {seed} {number}"))
                outcome = "read"
            except (ValueError, TypeError) as error:
                outcome = "refused"
                if type(error) is TypeError and _OF_OTHERS.search(str(error)):
                    _note(found, number, error)
            except (Exception, TooLong) as error:
                outcome = "finding"
                _note(found, number, error)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            found.outcomes[outcome] += 1
    return found


def _note(found: Found, number: int, error: BaseException) -> None:
    """Each place of a finding is told once."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    what = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
    if what not in found.findings:
        found.findings[what] = number
        print(f"case {number}: {what}: {str(error)[:300]}", file=sys.stderr)
        traceback.print_exception(type(error), error, error.__traceback__, limit=-4)


def _too_long(signal_number: int, frame: object) -> None:
    raise TooLong(f"more than {_MOST_SECONDS} s")


def _side_by_side(targets: list[str], options: list[str]) -> int:
    """Each target in a process of its own, so that a crash ends no other; as many at once as cores."""

    def run(target: str) -> bool:
        done = subprocess.run([sys.executable, __file__, target, *options], stdout=subprocess.PIPE, text=True)
        told = done.stdout or f"{target}: ended with status {done.returncode}\n"
        print(told, end="", flush=True)
        return done.returncode == 0

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return 0 if all(list(pool.map(run, targets))) else 1


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; default: all")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each target; default: 60")
    parser.add_argument("--seed", type=int, default=1, help="default: 1")
    parser.add_argument("--first", type=int, default=0, help="number of the first case; default: 0")
    parser.add_argument("--cases", type=int, default=2**62, help="at most so many")
    asked = parser.parse_args(argv)
    targets = asked.targets or list(TARGETS)
    if not set(targets) <= set(TARGETS):
        parser.error(f"targets are {', '.join(TARGETS)}")
    if len(targets) > 1:
        options = [f"--{name}={getattr(asked, name)}" for name in ("seconds", "seed", "first", "cases")]
        return _side_by_side(targets, options)
    faulthandler.enable()
    logging.disable()
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY_BYTES, _MOST_MEMORY_BYTES))
    began = time.monotonic()
    found = campaign(targets[0], seed=asked.seed, first=asked.first, cases=asked.cases, seconds=asked.seconds)
    print(f"{found}, {time.monotonic() - began:.0f} s")
    return 1 if found.findings else 0


if __name__ == "__main__":
    sys.exit(main())
