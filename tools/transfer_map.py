"""Where the published greedy is nearly the quickest transfer, and where it is not, as a table.

``python tools/transfer_map.py`` from the root of the sources writes the map in docs/results/satellite-edge
and the tables of docs/transfers.md anew; it takes some minutes. Satellites of a polar star hold embeddings of
images that are wanted at any station: the rate of links between satellites is varied against that of links to
the ground.
"""

from __future__ import annotations

import argparse
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from constellm import flow, network, orbit
from constellm.core.table import Table

DOCS = Path(__file__).parents[1] / "docs"
CSV = DOCS / "results" / "satellite-edge" / "transfer_map.csv"
PAGE = DOCS / "transfers.md"
LEAST_S = 60.0  # shorter transfers are no story

IMAGE_BYTES = 1024 * 768 * 4  # tokens, width and bytes of a number: an image's embedding in SpectralGPT
GROUND_BPS = 0.3e9
RATIOS = (0.1, 1 / 6, 1 / 3, 0.5, 2 / 3, 1.0, 2.0, 3.0, 10.0)
IMAGES = (100, 500, 2000)  # of each satellite
STARTS_S = (0.0, 10_000.0, 20_000.0, 30_000.0)
HORIZON_S = 12 * 3600.0
METHODS = ("optimal", "intervals", "slots:10", "slots:60", "slots:300", "direct")
TURNED = "intervals_turned"
"""The greedy in elementary intervals with contacts in the reverse order: as a rule other maximum flows."""

SHELLS = {"6 × 11": (6, 11), "5 × 10": (5, 10)}
POLAR = {
    "Svalbard": (78.2, 15.4), "Troll": (-72.0, 2.5), "Inuvik": (68.3, -133.5), "Punta Arenas": (-53.2, -70.9)
}  # fmt: skip
MIDDLE = {
    "Puertollano": (38.7, -4.1), "Hokkaido": (43.0, 141.4), "Miami": (25.8, -80.2),
    "Hartebeesthoek": (-25.9, 27.7),
}  # fmt: skip
STATIONS = {
    "1 polar": {"Svalbard": POLAR["Svalbard"]},
    "4 polar": POLAR,
    "4 middle": MIDDLE,
    "all 8": {**POLAR, **MIDDLE},
}
LINKS = ("grid", "ring")
ANTENNAS = ("many", "one")
"""Of a station: one for every satellite in view, or one that all share, as fast as one link."""


class Case(NamedTuple):
    """A constellation with its stations."""

    shell: str
    stations: str
    links: str
    antennas: str


def world_of(case: Case) -> orbit.Constellation:
    """A star as Iridium flies it; links between planes up to 70 degrees of latitude, none over the seam."""
    planes, satellites = SHELLS[case.shell]
    shell = orbit.walker(
        "star", kind="star", planes=planes, satellites_per_plane=satellites, phasing=planes / 2,
        altitude_m=780e3, inclination_deg=86.4,
    )  # fmt: skip
    between = (
        orbit.plus_grid(seam="open", max_latitude_deg=70.0)
        if case.links == "grid"
        else orbit.LinkRule(pattern="ring", shell="star")
    )
    stations = [
        orbit.station(id, *place, min_elevation_deg=10.0) for id, place in STATIONS[case.stations].items()
    ]
    return orbit.Constellation(shell, stations=stations, links=[between, orbit.ground()])


def contacts_of(case: Case, start_s: float) -> network.ContactPlan:
    """What can be sent to satellites and stations from a moment on, time 0; rates are of no meaning."""
    plan = world_of(case).contacts(start_s, start_s + HORIZON_S)
    kept = plan.from_ < first_station(plan, case)
    columns = {
        name: getattr(plan, name)[kept] for name in ("from_", "to", "open_s", "close_s", "rate_bps", "owlt_s")
    }
    for name in ("open_s", "close_s"):
        columns[name] = columns[name] - start_s
    return plan.replace(**columns, epoch=None)


def first_station(plan: network.ContactPlan, case: Case) -> int:
    """Position of the first station: they stand behind the satellites."""
    return len(plan.nodes) - len(STATIONS[case.stations])


def problem_of(
    contacts: network.ContactPlan, case: Case, ratio: float, images: int, *, ground_bps: float = GROUND_BPS
) -> flow.Problem:
    """All embeddings to any station."""
    satellites = first_station(contacts, case)
    rate_bps = np.where(contacts.to < satellites, ratio * ground_bps, ground_bps)
    supply = np.where(np.arange(len(contacts.nodes)) < satellites, float(images * IMAGE_BYTES), 0.0)
    problem = flow.Problem(
        contacts.replace(rate_bps=rate_bps),
        supply_bytes=supply,
        sinks=list(range(satellites, len(contacts.nodes))),
    )
    heard = [id for id in problem.sinks if case.antennas == "one"]
    return flow.with_antennas(problem, receive_bps=dict.fromkeys(heard, ground_bps))


def turned_round(problem: flow.Problem) -> flow.Problem:
    """The same with its contacts in the reverse order."""
    contacts = problem.contacts
    names = ("from_", "to", "open_s", "close_s", "rate_bps", "owlt_s")
    return problem.replace(
        contacts=contacts.replace(**{name: getattr(contacts, name)[::-1] for name in names})
    )


def rows(
    cases: Sequence[Case], starts_s: Sequence[float], all_images: Sequence[int]
) -> Iterator[dict[str, object]]:
    """When all is there by each method; NaN where it never is within the horizon."""
    for case, start_s in itertools.product(cases, starts_s):
        contacts = contacts_of(case, start_s)
        for ratio, images in itertools.product(RATIOS, all_images):
            problem = problem_of(contacts, case, ratio, images)
            plans = {method: flow.solve(problem, method=method) for method in METHODS}
            plans[TURNED] = flow.solve(turned_round(problem), method="intervals")
            yield {
                **case._asdict(),
                "start_s": start_s,
                "ratio": ratio,
                "images": images,
                "status": plans["optimal"].status,
                "maximum_flows": plans["optimal"].maximum_flows,
                **{f"{method.replace(':', '_')}_s": plan.finish_s for method, plan in plans.items()},
            }


# ---- the page ----------------------------------------------------------------------------------


def ratios(table: Sequence[dict[str, object]], method: str) -> np.ndarray:
    """How much later than the quickest, inf for never; only where the quickest takes a minute or more."""
    quickest_s = np.array([row["optimal_s"] for row in table], dtype=float)
    later_s = np.array([row[f"{method.replace(':', '_')}_s"] for row in table], dtype=float)
    return (
        np.where(np.isnan(later_s), np.inf, later_s)[quickest_s >= LEAST_S]
        / quickest_s[quickest_s >= LEAST_S]
    )


def by_method(table: Sequence[dict[str, object]]) -> str:
    """In Markdown: each method over all rows."""
    lines = ["| method | median | nine in ten | worst | within 1 % | over 10 % off |", "| --- " * 6 + "|"]
    for method in METHODS[1:]:
        found = ratios(table, method)
        cells = [f"{x:.2f}" for x in (*np.percentile(found, [50, 90], method="higher"), found.max())]
        shares = [f"{np.mean(share):.0%}" for share in (found < 1.01, found > 1.1)]
        lines.append(f"| `{method}` | " + " | ".join([*cells, *shares]) + " |")
    return "\n".join(lines)


def by_order(table: Sequence[dict[str, object]]) -> str:
    """In words: what other maximum flows do to the greedy in elementary intervals."""
    given, turned = ratios(table, "intervals"), ratios(table, TURNED)
    moved = turned / given - 1.0
    over = [f"{np.mean(np.abs(moved) > share):.0%}" for share in (0.01, 0.05)]
    medians = [f"{np.median(found):.2f}" for found in (given, turned)]
    return "\n".join(
        (
            "With the contacts in the reverse order `intervals` ends sooner or later by more than 1 % in",
            f"{over[0]} of the draws, by more than 5 % in {over[1]}: from {-moved.min():.0%} sooner to",
            f"{moved.max():.0%} later. The medians are {medians[0]} and {medians[1]}.",
        )
    )


def by_ratio(table: Sequence[dict[str, object]]) -> str:
    """In Markdown: the greedy in elementary intervals, by what links between satellites carry."""
    kinds = list(itertools.product(LINKS, ANTENNAS))
    heads = [f"{links}, {antennas} antenna{'s' * (antennas == 'many')}" for links, antennas in kinds]
    lines = ["| links ÷ ground | " + " | ".join(heads) + " |", "| --- " * 5 + "|"]
    for ratio in RATIOS:
        cells = []
        for links, antennas in kinds:
            part = [
                row
                for row in table
                if (row["links"], row["antennas"]) == (links, antennas) and np.isclose(row["ratio"], ratio)
            ]
            found = ratios(part, "intervals")
            figures = (*np.percentile(found, [50, 90], method="higher"), found.max())
            cells.append(" / ".join(f"{x:.2f}" for x in figures))
        lines.append(f"| {ratio:.2g} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write_page() -> None:
    """The tables of docs/transfers.md, from the stored rows."""
    text, table = PAGE.read_text(encoding="utf-8"), list(Table.read_csv(CSV))
    for name, content in (
        ("methods", by_method(table)),
        ("order", by_order(table)),
        ("map", by_ratio(table)),
    ):
        block = f"<!-- {name} -->\n{content}\n<!-- end of {name} -->"
        pattern = f"<!-- {name} -->\n.*<!-- end of {name} -->"
        text = re.sub(pattern, lambda _, block=block: block, text, flags=re.S)
    PAGE.write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=CSV)
    parser.add_argument("--quick", action="store_true", help="one start, one size of data, one constellation")
    options = parser.parse_args(arguments)
    shells = list(SHELLS)[:1] if options.quick else SHELLS
    cases = [Case(*names) for names in itertools.product(shells, STATIONS, LINKS, ANTENNAS)]
    found = rows(cases, STARTS_S[:1] if options.quick else STARTS_S, IMAGES[1:2] if options.quick else IMAGES)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    Table.of(list(found)).to_csv(options.out, digits=7)
    if not options.quick:
        write_page()


if __name__ == "__main__":
    main()
