"""Published round trips: the shipped ones are flown again, and docs/round-trips.md is its stored rows."""

from __future__ import annotations

import os
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from constellm import orbit
from constellm.core.table import Table
from oracles import constellation as oracle

pytest.importorskip("sgp4")

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "round-trips.md").read_text(encoding="utf-8")
WORDS = " ".join(PAGE.replace("**", "").split())


@pytest.fixture(scope="module")
def made(tool) -> ModuleType:
    return tool("round_trips")


@pytest.fixture(scope="module")
def summary(made) -> list[dict]:
    return list(Table.read_csv(made.RESULTS / "summary.csv"))


def test_the_shipped_series_are_flown_again(made) -> None:
    """All 90 instants of each simulator, and the true mask never shortens a way."""
    rows = list(Table.read_csv(made.SAMPLE))
    assert len(rows) == 90
    for case in made.CASES:
        copied, leocraft, masked = (
            made.world(case, rev_per_day, true_mask=true_mask)
            for rev_per_day, true_mask in (
                (case.rev_per_day, False),
                (case.leocraft_rev_per_day, False),
                (case.rev_per_day, True),
            )
        )
        for pair in made.PAIRS:
            at = [row for row in rows if (row["shell"], row["from"], row["to"]) == (case.preset, *pair)]
            time_s = np.array([row["time_s"] for row in at], dtype=float)
            flown, again = (made.fly(world, pair, time_s) for world in (copied, leocraft))
            for trips, column, most in ((flown, "hypatia_ms", 5e-5), (again, "leocraft_ms", 2e-5)):
                published = np.array([row[column] for row in at])
                assert np.abs(trips.rtt_ms / published - 1.0).max() < most
            kept = made.fly(masked, pair, time_s)
            assert (kept.rtt_ms >= flown.rtt_ms).all()
            assert (kept.elevation_deg >= case.min_elevation_deg).all()


def test_a_masked_route_by_brute_force(made) -> None:
    """Where the rise over Starlink is largest, the oracle has the same route."""
    case, pair, t_s = made.CASES[1], ("tokyo", "sydney"), 192.0
    for true_mask in (False, True):
        world = made.world(case, case.rev_per_day, true_mask=true_mask)
        states = world.states(t_s)
        links = oracle.links_at(
            world.links,
            world.shells,
            world.stations,
            states.position_m,
            states.velocity_m_per_s,
            float(orbit.gmst_rad(world.epoch, t_s)),
        )
        ends = (world.ids.index(city) for city in pair)
        latency_s, _ = oracle.route(links, len(world.satellite_ids), *ends)
        (rtt_ms,) = made.fly(world, pair, np.array([t_s])).rtt_ms
        assert rtt_ms == pytest.approx(2e3 * latency_s, rel=1e-9)
        assert (rtt_ms > 125.0) == true_mask


def test_all_instants_of_the_published_series(made) -> None:
    data = os.environ.get("CONSTELLM_DATA")
    if not data:
        pytest.skip("CONSTELLM_DATA is not set")
    case, pair = made.CASES[2], made.PAIRS[1]
    copied = made.fly(made.world(case, case.rev_per_day, true_mask=False), pair)
    published = made.published_ms(Path(data) / "leo_rtt", "Hypatia", case, pair)
    assert np.abs(copied.rtt_ms / published - 1.0).max() < 5e-5
    sample = [
        row for row in Table.read_csv(made.SAMPLE) if row["shell"] == case.preset and row["from"] == pair[0]
    ]
    assert [row["hypatia_ms"] for row in sample] == published[:: made.SAMPLED].round(6).tolist()


def test_series_with_gaps_are_refused(made, tmp_path) -> None:
    folder = tmp_path / "Hypatia" / "kuiper_k1"
    folder.mkdir(parents=True)
    (folder / "ping_delhi_to_new-york_rtt.csv").write_text("1,2,0,93456278\n1,2,2000000000,93450616\n")
    with pytest.raises(ValueError, match="Hypatia, kuiper_k1, .*: not one row a second from 0 to 199 s"):
        made.published_ms(tmp_path, "Hypatia", made.CASES[0], made.PAIRS[0])


@pytest.mark.parametrize("name", re.findall(r"<!-- end of (\w+) -->", PAGE))
def test_tables_are_those_of_the_rows(made, name) -> None:
    table = made.tables()[name]
    assert table.count("\n") in (5, 11)
    assert f"<!-- {name} -->\n{table}<!-- end of {name} -->" in PAGE


def test_what_the_page_says(summary) -> None:
    def column(name: str, shell: str = "") -> list[float]:
        return [row[name] for row in summary if row["shell"].startswith(shell)]

    assert f"those of Hypatia to {max(column('off_hypatia')):.1e}".replace("e-0", "e-") in WORDS
    assert f"those of LEOCraft to {max(column('off_leocraft')):.1e}".replace("e-0", "e-") in WORDS
    assert f"as far as {-min(column('lowest_deg')):.1f}° below the horizon" in WORDS.replace("*", "")
    first, _, last = column("median_rise_percent", "telesat")
    assert f"by {first:.1f} and {last:.1f} % in the median for two of Telesat's" in WORDS
    assert f"by up to {max(column('most_rise_percent')):.1f} % at an instant for Kuiper" in WORDS
    assert set(column("masked_reached")) == {1} and "keeps a route at every instant" in WORDS
    longer = column("leocraft_longer_percent", "starlink")
    assert f"over Starlink are {min(longer):.1f} to {max(longer):.1f} % longer" in WORDS
    others = column("leocraft_longer_percent", "kuiper") + column("leocraft_longer_percent", "telesat")
    assert max(map(abs, others)) < 0.1
    below = [100 * share for share in column("below_mask", "kuiper") + column("below_mask", "starlink")]
    assert f"{min(below):.0f} to {max(below):.0f} % of the ends lie below the mask" in WORDS
    shares = [100 * share for share in column("below_horizon", "telesat")]
    assert f"{shares[0]:.0f} and {shares[2]:.0f} % of them below the horizon" in WORDS
    assert column("lowest_deg", "telesat")[1] > 14


def test_the_shipped_series_have_a_licence(repository) -> None:
    folder = repository / "python" / "constellm" / "orbit" / "data" / "leocraft"
    assert "Suvam Basak" in (folder / "LICENSE").read_text(encoding="utf-8")
    assert "commit 3a8d332" in (folder / "SOURCE").read_text(encoding="utf-8")
    assert "python/constellm/orbit/data/leocraft" in (repository / "NOTICE").read_text(encoding="utf-8")
