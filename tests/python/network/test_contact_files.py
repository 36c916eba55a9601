"""Files of contact plans: what they mean, there and back, refusals by line and field."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constellm import network
from constellm.core import files

EPOCH = "2026-03-01T12:00:00Z"


@pytest.fixture(scope="module")
def data(repository: Path) -> Path:
    return repository / "tests" / "data" / "contact_plans"


def rows(plan: network.ContactPlan) -> list[tuple]:
    ids = [int(node.id) for node in plan.nodes]
    columns = (plan.from_, plan.to, plan.open_s, plan.close_s, plan.rate_bps, plan.owlt_s)
    return [(ids[a], ids[b], *rest) for a, b, *rest in zip(*(column.tolist() for column in columns))]


def test_commands_of_ion(data):
    plan = network.load_contact_plan(data / "relay.ionrc")
    assert [node.id for node in plan.nodes] == ["2", "4", "7", "9"]
    assert plan.epoch == EPOCH
    assert rows(plan) == [
        (9, 4, 0, 600, 1e6, 1),
        (9, 7, 100, 700, 1e6, 1),
        (4, 2, 1200, 1800, 2e6, 3),  # the longer of two ranges
        (7, 2, 1200, 1800, 2e6, 2),
        (9, 2, 2000, 2600, 8000, 5),  # the way back has a range of its own from 2100 s on
        (7, 4, 1000, 1100, 4e5, 0),
        (2, 9, 6000, 7000, 16000, 2),
    ]
    found = network.earliest_arrival(plan, "9", size_bytes=1e6)
    assert found.route(0, "2").nodes == ["9", "7", "2"]
    assert found.arrival_s[0, 0] == 1200 + 4 + 2


def test_contacts_of_hdtn(data):
    plan = network.load_contact_plan(data / "relay.json", epoch=EPOCH)
    assert plan.epoch == EPOCH
    assert rows(plan)[1] == (9, 7, 100.25, 700.5, 1e6, 1), "decimals are no zeros"
    assert rows(plan)[2] == (4, 2, 1200, 1800, 2e6, 2.5)
    assert rows(plan)[5] == (2, 7, 900, 900, 2e6, 2), "one that ends before it starts carries nothing"
    found = network.earliest_arrival(plan, "9", t_s=1.0)
    assert found.route(0, "7").arrival_s.tolist() == [101.25]
    assert found.route(0, "2").nodes == ["9", "7", "2"]


def read(tmp_path: Path, *lines: str, **given) -> network.ContactPlan:
    file = tmp_path / "some.ionrc"
    file.write_text("\n".join(lines))
    return network.load_contact_plan(file, **given)


RANGE = "a range +0 +9000 1 2 1"


def test_times_of_ion(tmp_path):
    contact = "a contact 2026/03/01-12:00:10 2026/03/01-12:01:00 1 2 100"
    relative = "a contact +0 +50 2 1 100"
    asked = read(tmp_path, contact, RANGE, relative, epoch=EPOCH)
    assert (asked.open_s.tolist(), asked.close_s.tolist(), asked.epoch) == ([10, 0], [60, 50], EPOCH)
    named = read(tmp_path, "@ 2026/03/01-12:00:10", contact, RANGE, "@ +100", relative)
    assert (named.open_s.tolist(), named.epoch) == ([0, 100], "2026-03-01T12:00:10Z")
    first = read(tmp_path, contact, "a range 2026/03/01-12:00:10 2026/03/01-13:00:00 1 2 1")
    assert (first.open_s.tolist(), first.epoch) == ([0], "2026-03-01T12:00:10Z")
    assert read(tmp_path, relative, RANGE).epoch is None


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["a contact +0 +50 1 x 100"], r"some.ionrc', line 1: to: 'x' is no number of a node"),
        (["a contact +0 +50 1 2 0"], r"line 1: rate: '0' is not in \(0, inf\)"),
        (["a contact +0 +50 1 2 1e999"], r"line 1: rate: '1e999' is no number in \[0, inf\)"),
        (["a contact +0 +50 1 2 nan"], "rate: 'nan' is no number"),
        (["a contact +50 +50 1 2 9"], r"line 1: stop: '\+50' is not after start, \+50"),
        (["a contact +0 50 1 2 9"], "stop: '50' is no time: yyyy/mm/dd-hh:mm:ss, or"),
        (["a contact 2026/02/30-00:00:00 +50 1 2 9"], "start: '2026/02/30-00:00:00' is no time"),
        (["a contact +0 +50 1 2"], "has 6 words, expected 7"),
        (["a contact +0 +50 1 2 9 0.5"], "confidence: '0.5' is not 1"),
        (["a contact +0 +50 1 2 9 1.0 9"], "has 9 words, expected 7"),
        (["", "# nothing", "a plan ipn:2 ltp/2"], "line 3: command: 'a plan' is not known"),
        (["^ 2"], "region: '2' is not 1"),
        (
            ["a contact +0 +50 1 2 9", "a contact +49 +60 1 2 9", RANGE],
            "line 2: start: 49 s is before .*line 1",
        ),
        ([RANGE, "a range +5 +6 1 2 1"], "line 2: start: 5 s is before the range from 1 to 2"),
        (["a contact +0 +50 1 2 9", "a range +0 +40 1 2 1"], "line 1: no range from 1 to 2 covers 40 s"),
        (["a contact +0 +50 1 2 9", "a range +0 +50 2 1 1"], "no range from 1 to 2 covers 0 s"),
        (
            ["a contact +0 +50 1 2 9", "d contact +1 1 2"],
            r"line 2: start: '\+1' is when none from 1 to 2 opens",
        ),
        (
            ["a contact +0 +50 1 2 9", "@ 2026/03/01-12:00:00"],
            "line 2: time: .* is absolute, and times before",
        ),
        (["a range 2026/03/01-12:00:00 +50 1 2 9"], r"stop: '\+50' counts from a moment that no @"),
        ([RANGE], "has no contact"),
    ],
)
def test_refused_commands(tmp_path, lines, says):
    with pytest.raises(ValueError, match=says):
        read(tmp_path, *lines)


def test_deleted_and_passed_over(tmp_path):
    contacts = [f"a contact +{t} +{t + 5} 1 2 100" for t in (0, 10, 20)]
    assert read(tmp_path, *contacts, "d contact +10 1 2", RANGE).open_s.tolist() == [0, 20]
    with pytest.raises(ValueError, match="has no contact"):
        read(tmp_path, *contacts, "d contact * 1 2", RANGE)
    with pytest.raises(ValueError, match="no range"):
        read(tmp_path, *contacts, RANGE, "d range +0 1 2")
    assert len(read(tmp_path, *contacts, RANGE, "m horizon +0", "l contact", "q", "nonsense")) == 3


GOOD = {"contact": 0, "source": 1, "dest": 2, "startTime": 0, "endTime": 1, "rateBitsPerSec": 1, "owlt": 0}


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"source": "1"}, TypeError, r"some.json': contacts\[0\]\.source: expected a whole number, got '1'"),
        ({"source": 1.0}, TypeError, "source: expected a whole number, got 1.0"),
        ({"dest": -1}, ValueError, r"dest: -1 is not in \[0, 1e19\)"),
        ({"dest": 1}, ValueError, "dest: node 1 sends to itself"),
        ({"startTime": True}, TypeError, "startTime: expected a number, got True"),
        ({"endTime": None}, TypeError, "endTime: expected a number, got None"),
        ({"rateBitsPerSec": 0}, ValueError, r"rateBitsPerSec: 0 is not in \(0, inf\)"),
        ({"owlt": -0.5}, ValueError, r"owlt: -0.5 is not in \[0, inf\)"),
        ({"owlt": 10**400}, ValueError, "owlt: .* is not in"),
        ({"rate": 5}, ValueError, "unknown key 'rate'; known: contact, source"),
    ],
)
def test_refused_contacts(tmp_path, change, error, says):
    file = tmp_path / "some.json"
    file.write_text(json.dumps({"contacts": [{**GOOD, **change}]}))
    with pytest.raises(error, match=says):
        network.load_contact_plan(file)


def test_other_refusals(tmp_path, monkeypatch):
    file = tmp_path / "some.json"
    for text, says in [
        ('{"contacts": [{"contact": 0}]}', "missing key 'source'"),
        (json.dumps({"contacts": [GOOD, GOOD]}), r"contacts\[1\]\.contact: 0 stands twice"),
        ('{"contacts": 3}', "expected 'contacts', a list, and nothing else"),
        (json.dumps({"contacts": [GOOD], "more": 1}), "and nothing else, got"),
        ('{"contacts": [', "some.json': Expecting value: line 1"),
        ("[]", "expected an object"),
        ('{"contacts": []}', "has no contact"),
    ]:
        file.write_text(text)
        with pytest.raises(ValueError, match=says):
            network.load_contact_plan(file)
    with pytest.raises(ValueError, match="epoch: 'noon' is no moment in UTC"):
        network.load_contact_plan(file, epoch="noon")
    packed = tmp_path / "some.json.gz"
    packed.write_bytes(b"{}")
    with pytest.raises(ValueError, match="some.json.gz' is not compressed by gzip"):
        network.load_contact_plan(packed)
    packed.write_bytes(gzip.compress(b"x" * 100)[:-9])
    with pytest.raises(ValueError, match="is not compressed by gzip"):
        network.load_contact_plan(packed)
    monkeypatch.setattr(files, "MOST_TEXT_BYTES", 1000)
    packed.write_bytes(gzip.compress(b" " * 10**6))
    with pytest.raises(ValueError, match="holds more than 1000 bytes of text"):
        network.load_contact_plan(packed)


def test_what_no_file_holds(tmp_path):
    plan = network.ContactPlan(["1", "2"], from_=[0], to=[1], open_s=0, close_s=1, rate_bps=8)
    file = tmp_path / "some.ionrc"
    for changes, says in [
        ({"nodes": ["1", "b"]}, r"nodes\[1\]\.id: 'b' is no whole number"),
        ({"nodes": ["1", "02"]}, r"nodes\[1\]\.id: '02' is no whole number"),
        ({"close_s": math.inf}, r"contacts\[0\]\.close_s: inf is in no file"),
        ({"open_s": -1.0}, r"contacts\[0\]\.open_s: -1 is not in \[0, inf\)"),
        ({"close_s": 0.0}, r"contacts\[0\]\.close_s: 0 is not after open_s"),
        ({"open_s": 0.5}, r"contacts\[0\]\.open_s: 0.5 is not whole seconds; give decimals=True"),
        ({"rate_bps": 4.0}, r"contacts\[0\]\.rate_bps: 4.0 is not whole bytes a second"),
        ({"owlt_s": 0.01}, r"contacts\[0\]\.owlt_s: 0.01 is not whole seconds"),
        ({"from_": [0, 0], "to": [1, 1]}, "ION allows no overlap"),
        ({"epoch": "2026-03-01T12:00:00.5Z"}, r"epoch: '2026-03-01T12:00:00.5Z' is no moment in UTC, as"),
    ]:
        columns = {"from_": [0], "to": [1], "open_s": 0, "close_s": 1, "rate_bps": 8, "nodes": plan.nodes}
        with pytest.raises(ValueError, match=says):
            network.save_contact_plan(network.ContactPlan(**{**columns, **changes}), file)
    assert not file.exists()
    with pytest.raises(TypeError, match="plan: expected a ContactPlan, got 3"):
        network.save_contact_plan(3, file)


@st.composite
def plans(draw, *, apart: bool) -> network.ContactPlan:
    """Plans of nodes in the order of their numbers, each with a contact; `apart`: as ION allows them."""
    figure = st.one_of(st.integers(0, 10**6).map(float), st.floats(0, 1e9))
    contacts = []
    for _ in range(draw(st.integers(1, 6))):
        a, b = draw(
            st.lists(st.integers(0, 10**19 - 1 if not apart else 5), min_size=2, max_size=2, unique=True)
        )
        open_s, close_s = sorted((draw(figure), draw(figure)))
        same = [c for c in contacts if c[:2] == (a, b)]
        if apart and (open_s == close_s or any(open_s < c[3] and c[2] < close_s for c in same)):
            continue
        contacts.append((a, b, open_s, close_s, draw(st.floats(1e-3, 1e12)), draw(figure)))
    contacts = contacts or [(1, 2, 0.0, 1.0, 1.0, 0.0)]
    a, b, open_s, close_s, rate_bps, owlt_s = zip(*contacts)
    numbers = sorted({*a, *b})
    return network.ContactPlan(
        [str(number) for number in numbers],
        from_=[numbers.index(end) for end in a], to=[numbers.index(end) for end in b],
        open_s=open_s, close_s=close_s, rate_bps=rate_bps, owlt_s=owlt_s,
        epoch=draw(st.sampled_from([None, EPOCH, "0001-01-01T00:00:00Z"])) if apart else None,
    )  # fmt: skip


@given(plans(apart=True))
def test_ion_there_and_back(tmp_path_factory, plan):
    file = tmp_path_factory.getbasetemp() / "plan.ionrc"
    network.save_contact_plan(plan, file, decimals=True)
    assert network.load_contact_plan(file) == plan


@given(plans(apart=False))
def test_hdtn_there_and_back(tmp_path_factory, plan):
    for name in ("plan.json", "plan.json.gz"):
        file = tmp_path_factory.getbasetemp() / name
        network.save_contact_plan(plan, file)
        assert network.load_contact_plan(file) == plan
