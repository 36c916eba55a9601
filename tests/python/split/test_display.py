"""Summaries against stored texts, and HTML that no name can break out of.

A wanted change of a display is stored by running this file: ``python tests/python/split/test_display.py``.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from constellm import network, split
from constellm.codec import Codec
from constellm.core.quantity import quantity
from constellm.model import Layer
from constellm.network import Link, Node

DATA = Path(__file__).resolve().parents[2] / "data"
GOLDEN = DATA / "golden"
EXAMPLES = ("node-overhead", "root-sum-square", "infeasible", "source-is-sink", "throughput")
WICKED = "<script>alert('$x$')</script>"


def load(name):
    return split.load_problem(DATA / "split" / f"{name}.json")


def displays(name):
    problem = load(name)
    plan = split.solve(problem)
    return {
        f"{name}.problem.txt": problem.summary(),
        f"{name}.plan.txt": plan.summary(),
        f"{name}.plan.html": plan._repr_html_(),
    }


def wicked_problem(**changes):
    nodes = [
        Node(id=node, flop_per_s=1e12, memory_bytes=1e9, layer_time_s=times)
        for node, times in ((WICKED, [1.0, 2.0]), ("b\nc", None), ('"&amp;', [2.0, 1.0]))
    ]
    ids = [node.id for node in nodes]
    links = [Link(**{"from": a, "to": b}, rate_bps=1e9, latency_s=0.01) for a, b in zip(ids, ids[1:])]
    layers = [Layer(name=f"{WICKED}{i}", flop=1e12, memory_bytes=9e8, output_bytes=1e6) for i in range(2)]
    given = {
        "name": "wicked", "layers": layers, "input_bytes": 1e6, "nodes": nodes, "links": links,
        "source": ids[0], "sink": ids[-1], "codecs": [Codec(name=WICKED, ratio=2.0, error=0.0)],
    }  # fmt: skip
    return split.Problem(**{**given, **changes})


TAGS = {
    "style",
    "g",
    "title",
    "div",
    "p",
    "b",
    "br",
    "table",
    "caption",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "svg",
    "text",
    "path",
}


class Tags(HTMLParser):
    """Every tag, checked to be closed in order; every text."""

    VOID = ("br",)

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.texts = [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@pytest.mark.parametrize("name", EXAMPLES)
def test_golden_texts(name):
    for file, text in displays(name).items():
        assert text == (GOLDEN / file).read_text(encoding="utf-8"), file


def test_every_golden_text_is_compared():
    compared = {file for name in EXAMPLES for file in displays(name)}
    assert {file.name for file in GOLDEN.iterdir()} >= compared
    assert len(compared) == 15


def test_names_are_text_and_nothing_else():
    plan = split.solve(wicked_problem())
    assert len(plan.stages) == 2
    for html in (plan._repr_html_(), plan.problem._repr_html_()):
        found = Tags(html)
        assert set(found.tags) <= TAGS
        assert WICKED in found.texts
    assert "svg" in Tags(plan._repr_html_()).tags


def test_a_line_break_in_a_name_breaks_no_line():
    text = wicked_problem().summary()
    assert "b\nc" not in text
    assert text.count("b?c") == 3
    assert all(line == line.rstrip() for line in text.splitlines())


def test_long_tables_are_shortened():
    layer = Layer(name="l", flop=1e9, memory_bytes=1.0, output_bytes=1.0)
    layers = [layer.replace(name=f"l{i}", flop=1e9 + i) for i in range(40)]
    nodes = [Node(id="a", flop_per_s=1e12, memory_bytes=1e9)]
    problem = wicked_problem(layers=layers, nodes=nodes, links=[], source="a", sink="a")
    assert "  … 29 more" in problem.summary().splitlines()
    assert '<td colspan="6">… 29 more</td>' in problem._repr_html_()
    alike = problem.replace(layers=[layer.replace(name=f"l{i}") for i in range(40)])
    assert "  0–39    l0 … l39" in alike.summary()


def blocks_of(html):
    """Paths of blocks: rows hold a band, then a path for each phase."""
    rows = re.findall(r"<g>(.*?)</g>", html, re.S)
    return [path for row in rows for path in re.findall(r'<path d="([^"]*)"', row)[1:]]


def test_the_picture_answers_to_the_pointer():
    plan = split.solve(load("node-overhead"))
    flow = split.schedule(plan)
    tips = re.findall(r"<g><title>([^<]*)</title>", plan._repr_html_())
    assert len(tips) == len(flow.servers)
    for tip, server in zip(tips, flow.servers):
        assert tip.startswith(f"{server.name}, layers" if server.kind == "stage" else server.name)
        assert f"{quantity(server.time_s, 's')} per micro-batch" in tip
    assert [i for i, tip in enumerate(tips) if "the bottleneck" in tip] == [flow.bottleneck]


def test_no_display_names_a_colour_of_the_page():
    """White blocks in a dark notebook, or black texts, would not be read."""
    html = split.solve(load("node-overhead"))._repr_html_()
    assert not re.search(r"background|[\" :](white|black)[\";]|#333|#fff", html)


def test_the_picture_draws_every_block():
    plan = split.solve(load("node-overhead"))
    flow = split.schedule(plan)
    drawn = blocks_of(plan._repr_html_())
    blocks = sum(len(server.phases) for server in flow.servers) * plan.problem.micro_batches
    assert sum(path.count("M") for path in drawn) == blocks


def test_the_picture_of_many_micro_batches_shows_both_ends():
    for many in (100_000, 10**12, 2**53):
        plan = split.solve(load("node-overhead").replace(micro_batches=many, max_energy_j=None))
        html = plan._repr_html_()
        assert f"first 8 and last 4 of {many} micro-batches" in html
        assert len(html) < 20_000
        drawn = "".join(blocks_of(html))
        lefts = [float(x) for x in re.findall(r"M([0-9.]+) ", drawn)]
        assert min(lefts) > 0 and max(lefts) < 750
        # Servers ahead of the bottleneck are through long before the end; the others show both ends.
        flow = split.schedule(plan)
        blocks = sum(
            len(server.phases) * (8 if i < flow.bottleneck else 12) for i, server in enumerate(flow.servers)
        )
        assert len(lefts) == blocks


def test_a_large_network_is_shown_by_group():
    figures = {"flop_per_s": [1e12] * 30 + [2e12] * 30, "memory_bytes": 8e9}
    ring = network.with_ground(
        network.ring(60, **figures, rate_bps=1e9), at="s1", rate_bps=2e8, latency_s=0.01
    )
    layer = Layer(name="l", flop=1e9, memory_bytes=1.0, output_bytes=1e6)
    none = Codec(name="none", ratio=1.0, error=0.0)
    text = split.Problem(network=ring, layers=[layer], input_bytes=1.0, codecs=[none]).summary()
    nodes = text[text.index("Nodes by group") : text.index("Codecs")]
    assert [" ".join(line.split()) for line in nodes.splitlines() if line] == [
        "Nodes by group",
        "group nodes speed memory power sending overhead",
        "satellite 60 1 TFLOP/s to 2 TFLOP/s 8 GB 0 W 0 W 0 s",
        "ground 1 relays only 0 B 0 W 0 W 0 s",
        "Links by group",
        "group links rate latency overhead",
        "isl 120 1 Gbit/s 0 s 0 s",
        "s2g 1 200 Mbit/s 10 ms 0 s",
    ]


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for example in EXAMPLES:
        for target, content in displays(example).items():
            (GOLDEN / target).write_text(content, encoding="utf-8")
