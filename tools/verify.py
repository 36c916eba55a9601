"""The checks that are too long for every test run; their last results go into docs/verify.md.

``python tools/verify.py`` runs all, from nothing; ``python tools/verify.py tsan coverage`` some, beside the
last results of the others. Several run side by side, as most have one thread; their lines begin with
their names. The page has how much was tried, how long it took, the commit and the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "build" / "verify"
PAGE = ROOT / "docs" / "verify.md"
LONGEST = ("tsan", "coverage")
TRANSFERS = "tests/python/flow/test_agreement.py"
SERVICES = "tests/python/services/test_agreement.py"
PROVING = SERVICES + "::test_methods_and_the_enumeration"
ENUMERATION = "tests/python/split/test_solver.py::test_finds_what_enumeration_finds"


@dataclass(frozen=True)
class Check:
    """A long check: what it shows, its commands, and how to read the result from their output.

    Reading raises ValueError where the output has no result, which is a failure as well.
    A command is words, the first of which may be settings of its environment (``NAME=value``).
    """

    title: str
    commands: tuple[str, ...]
    result: Callable[[str], str]


@dataclass(frozen=True)
class Outcome:
    """What became of a check, as kept between runs."""

    title: str
    passed: bool
    result: str
    commit: str
    date: str
    machine: str
    seconds: float


def last(pattern: str, output: str) -> re.Match[str]:
    """The last line that matches."""
    matches = list(re.finditer(pattern, output, re.M))
    if not matches:
        raise ValueError(f"no line of the output is like `{pattern}`")
    return matches[-1]


def last_line(pattern: str) -> Callable[[str], str]:
    return lambda output: last(pattern, output)[0].strip(" =")


CATCH = r"^(?:All tests passed.*|test cases:.*)$"
PYTEST = r"^=*\s*\d+ (?:passed|failed).*$"


def random_problems(count: int, *tests: str) -> str:
    return f"CONSTELLM_RANDOM_PROBLEMS={count} {sys.executable} -m pytest -q {' '.join(tests)}"


def deselected(*tests: str) -> tuple[str, ...]:
    return tuple(word for test in tests for word in ("--deselect", test))


def cpp_suite(preset: str, prefix: str = "") -> tuple[str, ...]:
    return (
        f"cmake --preset {preset}",
        f"cmake --build --preset {preset}",
        f"{prefix}build/{preset}/tests/cpp/constellm_tests",
    )


def fuzzed_decoder(seconds: int) -> tuple[str, ...]:
    left_out = {"codec.cpp", "laplace.cpp"}  # they need more of the core, and decode nothing
    sources = [path for path in sorted(ROOT.glob("cpp/src/codec/*.cpp")) if path.name not in left_out]
    files = [
        "tests/fuzz/fuzz_decode.cpp",
        "cpp/src/core/error.cpp",
        *(str(p.relative_to(ROOT)) for p in sources),
    ]
    return (
        "clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all "
        f"-I cpp/include -I tests/cpp/codec {' '.join(files)} -o build/fuzz_decode",
        f"build/fuzz_decode -max_len=4096 -rss_limit_mb=1024 -max_total_time={seconds} -print_final_stats=1",
    )


def executed_units(output: str) -> str:
    runs, seconds = last(r"^Done (\d+) runs in (\d+) second", output).groups()
    return f"{runs} messages in {seconds} s"


def campaigns(output: str) -> str:
    line = r"^\w+: \d+ cases .*$"
    last(line, output)
    return "; ".join(re.findall(line, output, re.M))


def coverage(_: str) -> str:
    cpp = json.loads((ROOT / "build/coverage/cpp.json").read_text(encoding="utf-8"))
    python = json.loads((ROOT / "build/coverage/python.json").read_text(encoding="utf-8"))["totals"]
    share = 100 * python["covered_lines"] / python["num_statements"]
    return (
        f"C++ {cpp['line_percent']:.1f} % of {cpp['line_total']} lines; "
        f"Python {share:.1f} % of {python['num_statements']} lines"
    )


def checks(fuzz_seconds: int) -> dict[str, Check]:
    """All of them, by name."""
    today = datetime.now(timezone.utc).strftime("%Y%m%d")
    return {
        "asan-ubsan": Check(
            "C++ suite under the address and undefined-behaviour sanitizers",
            cpp_suite("asan-ubsan"),
            last_line(CATCH),
        ),
        "tsan": Check(
            # The sanitizer of older compilers cannot start where the kernel randomises addresses widely.
            "C++ suite under the thread sanitizer",
            cpp_suite("tsan", "setarch -R "),
            last_line(CATCH),
        ),
        "clang": Check(
            "Core, bindings and C++ suite built by Clang, warnings as errors",
            cpp_suite("clang"),
            last_line(CATCH),
        ),
        "fuzz-decoder": Check(
            f"Hostile messages to the codec, under sanitizers (libFuzzer, Clang), for {fuzz_seconds} s",
            fuzzed_decoder(fuzz_seconds),
            executed_units,
        ),
        "fuzz": Check(
            f"Hostile messages, files of problems, plans, transfers and services, tables, model "
            f"configurations, element sets, stores of sweeps, and killed sweeps "
            f"(`tests/fuzz/campaign.py`), for {fuzz_seconds} s each",
            (f"{sys.executable} tests/fuzz/campaign.py --seconds {fuzz_seconds} --seed {today}",),
            campaigns,
        ),
        "enumeration": Check(
            "The solver finds what enumeration finds, on 20,000 random problems",
            (random_problems(20000, ENUMERATION),),
            last_line(PYTEST),
        ),
        "experts": Check(
            "Experts are placed as enumeration places them, on 10,000 random problems",
            (
                "CONSTELLM_RANDOM_PROBLEMS=10000 "
                "build/release/tests/cpp/constellm_tests 'placements: the best of all*'",
            ),
            last_line(CATCH),
        ),
        "transfers": Check(
            "Transfers end when linear programmes and fractions say, on 10,000 random contact plans; coarse "
            "networks as the finest, on 1,000",
            (random_problems(10000, TRANSFERS),),
            last_line(PYTEST),
        ),
        "services": Check(
            "Services are placed as enumeration places them, on 5,000 random problems by our own search and "
            "by what `solve` does, on 1,000 by programmes alone",
            (
                random_problems(5000, f"'{PROVING}[search]'", f"'{PROVING}[optimal]'"),
                random_problems(1000, f"'{PROVING}[programme]'"),
            ),
            last_line(PYTEST),
        ),
        "random": Check(
            "Every other randomised test on 2,000 problems (fewer where a test sets a cap)",
            (random_problems(2000, "-m", "randomised", *deselected(ENUMERATION, TRANSFERS, SERVICES)),),
            last_line(PYTEST),
        ),
        "coverage": Check("Lines that the tests run", ("tools/coverage.sh",), coverage),
    }


def output_of(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def commit() -> str:
    """The commit, marked where the tree differs from it (this page aside)."""
    changed = output_of("git", "status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs/verify.md")
    return output_of("git", "rev-parse", "--short", "HEAD") + (" with changes" if changed else "")


def machine() -> str:
    info = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", info.read_text(encoding="utf-8")) if info.exists() else []
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    compiler = output_of("c++", "--version").splitlines()[0]
    processor = names[0] if names else platform.processor()
    python = f"Python {platform.python_version()}"
    return ", ".join([processor, f"{os.cpu_count()} cores", f"{memory:.0f} GiB", compiler, python])


def executed(name: str, command: str) -> tuple[int, str]:
    """Status and output of a command; 127 for a program that is not there, as shells have it."""
    words = shlex.split(command)
    settings = list(takewhile(lambda word: "=" in word, words))
    environment = {**os.environ, **dict(setting.split("=", 1) for setting in settings)}
    output = ""
    try:
        with subprocess.Popen(
            words[len(settings) :],
            env=environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                print(f"{name}: {line}", end="", flush=True)
                output += line
    except FileNotFoundError as error:
        print(f"{name}: {error}", flush=True)
        return 127, output
    return process.returncode, output


def run(name: str, check: Check) -> Outcome:
    """Run the commands until one fails; the output goes to the terminal as well."""
    started = time.monotonic()
    output, status = "", 0
    for command in check.commands:
        print(f"{name}: $ {command}", flush=True)
        status, told = executed(name, command)
        output += told
        if status:
            break
    passed, result = status == 0, f"`{command}` ended with {status}"
    if passed:
        try:
            result = check.result(output)
        except (ValueError, LookupError, ArithmeticError, OSError) as error:
            passed, result = False, f"no result: {error}".replace("|", r"\|").replace("\n", " ")
    date = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    return Outcome(check.title, passed, result, commit(), date, machine(), time.monotonic() - started)


def page(outcomes: list[Outcome]) -> str:
    lines = [
        "# What `make verify` found last",
        "",
        "The checks that are too long for every test run. Written by `tools/verify.py`; do not edit.",
        "",
        "| check | outcome | result | commit | date | took |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for one in outcomes:
        word = "passed" if one.passed else "**FAILED**"
        cells = [one.title, word, one.result, one.commit, one.date, f"{one.seconds / 60:.1f} min"]
        lines.append(f"| {' | '.join(cells)} |")
    machines = sorted({one.machine for one in outcomes})
    minutes = sum(one.seconds for one in outcomes) / 60
    commits = list(dict.fromkeys(one.commit for one in outcomes))
    if len(commits) > 1:
        lines += ["", f"**At more than one commit**: {', '.join(commits)}."]
    lines += [
        "",
        f"Their times add up to {minutes:.0f} minutes; some ran side by side.",
        "",
        *(f"Machine: {name}." for name in machines),
    ]
    return "\n".join(lines) + "\n"


def main(command: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=f"of {', '.join(checks(0))}; default: all")
    parser.add_argument("--fuzz-seconds", type=int, default=60, help="for each fuzzer; default: 60")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count(), help="checks at once; default: a core each"
    )
    asked = parser.parse_args(command)
    known = checks(asked.fuzz_seconds)
    if not set(asked.checks) <= set(known):
        parser.error(f"checks are {', '.join(known)}")
    KEPT.mkdir(parents=True, exist_ok=True)
    if not asked.checks:
        for file in KEPT.glob("*.json"):
            file.unlink()
    # The longest first, so that none is left to run alone; the page is there from the first on.
    names = sorted(asked.checks or known, key=lambda name: name not in LONGEST)
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(asked.jobs) as pool:
        done = {pool.submit(run, name, known[name]): name for name in names}
        for future in as_completed(done):
            kept = json.dumps(asdict(future.result()), indent=1)
            (KEPT / f"{done[future]}.json").write_text(kept + "\n", encoding="utf-8")
            files = [KEPT / f"{name}.json" for name in known]
            outcomes = [Outcome(**json.loads(f.read_text(encoding="utf-8"))) for f in files if f.exists()]
            PAGE.write_text(page(outcomes), encoding="utf-8")
    return 0 if all(outcome.passed for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
