"""Figures of a plan: what they say is what the evaluator says."""

from __future__ import annotations

import pytest
from matplotlib import pyplot
from matplotlib.colors import to_hex

from constellm import plot, split
from constellm.core.quantity import quantity
from constellm.plot import palette

PLOTS = [plot.plot_plan, plot.plot_gantt, plot.plot_network]


def texts(ax):
    return [text.get_text() for text in ax.texts]


def labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


@pytest.mark.parametrize("draw", PLOTS)
def test_given_axes_are_used(draw, plan_of):
    figure, ax = pyplot.subplots()
    assert draw(plan_of("node-overhead"), ax=ax) is ax
    assert pyplot.get_fignums() == [figure.number]


@pytest.mark.parametrize("draw", PLOTS)
@pytest.mark.parametrize("name", ["node-overhead", "source-is-sink", "relay-lossy", "energy-limit"])
def test_a_new_figure_is_made(draw, name, plan_of):
    ax = draw(plan_of(name))
    ax.figure.canvas.draw()
    assert len(pyplot.get_fignums()) == 1


@pytest.mark.parametrize("draw", [plot.plot_plan, plot.plot_gantt])
def test_a_plan_without_stages_is_refused(draw, plan_of):
    with pytest.raises(ValueError, match="infeasible"):
        draw(plan_of("infeasible"))
    assert pyplot.get_fignums() == []


def test_plan_blocks_and_cuts(plan_of):
    plan = plan_of("node-overhead")
    terms = split.evaluate(plan.problem, plan)
    ax = plot.plot_plan(plan)
    blocks = [(bar.get_x() + 0.5, bar.get_x() + bar.get_width() - 0.5) for bar in ax.patches]
    assert blocks == [(stage.first_layer, stage.last_layer) for stage in plan.stages]
    assert labels(ax.yaxis)[0] == f"n5   {plan.stages[0].first_layer}–{plan.stages[0].last_layer}"
    said = texts(ax)
    for position, node in enumerate(plan.path[:-1]):
        for stage in plan.stages:
            if stage.node == node and stage.codec is not None:
                assert f"{stage.codec} {quantity(terms.hops[position].bytes, 'B')}" in said
    hosts = {stage.node for stage in plan.stages}
    assert sum("relay" in words for words in said) == sum(node not in hosts for node in plan.path[1:-1])
    assert ("sink" in said) == (plan.path[-1] not in hosts)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["compute", "transmit", "bottleneck"]
    memory = ax.child_axes[0]
    used = [f"{quantity(stage.memory_bytes, 'B')} of" for stage in terms.stages]
    assert [words.rsplit(" ", 2)[0] for words in texts(memory)] == used


def test_the_words_of_a_late_cut_stay_inside(plan_of):
    plan = plan_of("node-overhead")
    names = {codec.name: "a-codec-with-a-very-long-name" + codec.name for codec in plan.problem.codecs}
    renamed = [codec.replace(name=names[codec.name]) for codec in plan.problem.codecs]
    ax = plot.plot_plan(split.solve(plan.problem.replace(codecs=renamed)))
    ax.figure.canvas.draw()
    for text in ax.texts:
        assert text.get_window_extent().x1 <= ax.get_window_extent().x1, text.get_text()
    assert {text.get_ha() for text in ax.texts if "a-codec" in text.get_text()} == {"left", "right"}


def test_gantt_draws_the_schedule(plan_of):
    plan = plan_of("node-overhead")
    flow = split.schedule(plan)
    ax = plot.plot_gantt(plan)
    assert labels(ax.yaxis) == [server.name for server in flow.servers]
    colours = {to_hex(colour): phase for phase, colour in palette.PHASES.items()}
    drawn = {}
    for collection in ax.collections:
        faces = collection.get_facecolor()
        phase = colours.get(to_hex(faces[0])) if len(faces) else None
        if phase is None:
            continue
        boxes = [path.get_extents() for path in collection.get_paths()]
        row = round((boxes[0].y0 + boxes[0].y1) / 2)
        drawn[row, phase] = [(box.x0, box.x1) for box in boxes]
    assert len(drawn) == sum(len(server.phases) for server in flow.servers)
    for row, server in enumerate(flow.servers):
        begun, ended = drawn[row, server.phases[0][0]], drawn[row, server.phases[-1][0]]
        assert [x0 for x0, _ in begun] == pytest.approx(flow.start_s[row].tolist(), rel=1e-12, abs=1e-12)
        assert [x1 for _, x1 in ended] == pytest.approx(flow.finish_s[row].tolist(), rel=1e-12)
    dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert [line.get_xdata()[0] for line in dashed] == pytest.approx([plan.delay_s], rel=1e-9)
    red = [label.get_text() for label in ax.get_yticklabels() if label.get_color() == palette.ALERT]
    assert red == ["n3 → n4"]
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["overhead", "decode", "compute", "encode", "transmit", "latency", "bottleneck"]


def test_gantt_of_some_micro_batches(plan_of):
    plan = plan_of("node-overhead")
    ax = plot.plot_gantt(plan, micro_batches=2)
    assert ax.get_title(loc="left").endswith("first 2 of 4 micro-batches")
    assert not [line for line in ax.lines if line.get_linestyle() == "--"]
    for wrong in (0, 5):
        with pytest.raises(ValueError, match="micro_batches"):
            plot.plot_gantt(plan, micro_batches=wrong)
    with pytest.raises(TypeError, match="micro_batches"):
        plot.plot_gantt(plan, micro_batches=2.0)


def test_network_names_roles_and_layers(plan_of):
    plan = plan_of("relay-lossy")
    said = texts(plot.plot_network(plan))
    assert "n3\nsource" in said
    assert "n4\nsink" in said
    assert "n2\nlayer 0" in said
    alone = texts(plot.plot_network(plan_of("infeasible")))
    assert not any("layer" in words for words in alone)


def test_names_are_no_mathematics(plan_of):
    problem = plan_of("source-is-sink").problem
    wicked = "$\\frac{<script>\n"
    nodes = [node.replace(id=wicked) if node.id == problem.source else node for node in problem.nodes]
    plan = split.solve(problem.replace(nodes=nodes, links=[], source=wicked, sink=wicked))
    for draw in PLOTS:
        draw(plan).figure.canvas.draw()


def places(ax):
    """Where the circles of the nodes are, in the order of the network."""
    return [(line.get_xdata()[0], line.get_ydata()[0]) for line in ax.lines if line.get_marker() == "o"]


def network_of(problem, ids, ends):
    nodes = [problem.nodes[0].replace(id=node, layer_time_s=None, flop_per_s=1e12) for node in ids]
    links = [problem.links[0].replace(**{"from": a, "to": b}) for a, b in ends]
    return problem.replace(nodes=nodes, links=links, source=ids[0], sink=ids[-1])


def test_network_layouts(plan_of):
    problem = plan_of("throughput").problem
    ids = [f"s{i}" for i in range(10)]
    steps = list(zip(ids, ids[1:]))
    chain = places(plot.plot_network(network_of(problem, ids, steps)))
    assert chain == [(i, 0) for i in range(8)] + [(7, -1), (6, -1)]
    ring = places(plot.plot_network(network_of(problem, ids, [*steps, (ids[-1], ids[0])])))
    assert [x**2 + y**2 for x, y in ring] == pytest.approx([1.0] * 10)
    around = [*steps[:-1], (ids[8], ids[0]), (ids[4], ids[9])]
    hanging = places(plot.plot_network(network_of(problem, ids, around)))
    assert hanging[9] == pytest.approx((1.5 * hanging[4][0], 1.5 * hanging[4][1]))
    apart = places(plot.plot_network(network_of(problem, ids, steps[:4] + steps[5:])))
    assert len(set(apart)) == 10


def test_gantt_of_very_many_micro_batches_shows_both_ends(plan_of):
    plan = split.solve(plan_of("node-overhead").problem.replace(micro_batches=10**12, max_energy_j=None))
    ax = plot.plot_gantt(plan)
    ax.figure.canvas.draw()
    assert ax.get_title(loc="left").endswith("first and last 100 of 1000000000000 micro-batches")
    flow = split.schedule(plan)
    blocks = sum(len(c.get_paths()) for c in ax.collections if len(c.get_facecolor()))
    assert blocks == sum(
        len(server.phases) * (100 if i < flow.bottleneck else 200) for i, server in enumerate(flow.servers)
    )
    end_s = [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == "--"]
    assert end_s[0] < 1e-6 * plan.delay_s  # folded, but its tick tells the true time
    shown = ax.xaxis.get_major_formatter()
    assert float(shown(end_s[0])) / float(shown(0.1 * end_s[0])) > 1e6
