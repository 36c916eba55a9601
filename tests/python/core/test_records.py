"""Records: fields, documentation and signature, keywords, and pickles that tell their version."""

from __future__ import annotations

import inspect
import keyword
import pickle
from pathlib import Path

import pytest

from constellm import _core, split
from constellm.codec import Codec, Scheme
from constellm.core import checks
from constellm.model import Layer
from constellm.network import ContactPlan, Graph, Link, Network, Node, Nodes, Snapshot, Timeline
from constellm.orbit import Elements, Shell
from constellm.split import Plan, Problem

RECORDS = [
    Layer(name="block", flop=1e9, memory_bytes=4.0, output_bytes=2.0),
    Codec(name="half", ratio=2.0, error=0.25, layer_ratio=[2.0, 3.0]),
]
GRAPH = Graph(["a", "b"], from_=[0], to=[1], rate_bps=1e9)
EXAMPLE = Path(__file__).parents[2] / "data" / "split" / "three-stages-lossy.json"


@pytest.mark.parametrize("value", RECORDS, ids=lambda value: type(value).__name__)
def test_fields_say_what_the_constructor_takes(value):
    kind = type(value)
    needed = {field.name: getattr(value, field.name) for field in kind.fields if field.required}
    made = kind(**needed)
    for field in kind.fields:
        assert getattr(made, field.name) == (needed[field.name] if field.required else field.initial)
        assert (getattr(kind, field.name).__doc__ or "").startswith(field.doc)
    for name in needed:
        with pytest.raises(TypeError, match=f"missing required key '{name}'"):
            kind(**{key: given for key, given in needed.items() if key != name})


@pytest.mark.parametrize("value", RECORDS, ids=lambda value: type(value).__name__)
def test_numbers_outside_their_range_are_refused_in_its_words(value):
    kind = type(value)
    for field in kind.fields:
        if field.range in ("[0, inf)", "(0, inf)"):
            wrong = [-1.0] if isinstance(getattr(value, field.name), list) else -1.0
            if wrong == -1.0 and getattr(value, field.name) is None:
                wrong = [-1.0]
            with pytest.raises(ValueError) as refused:
                value.replace(**{field.name: wrong})
            assert str(refused.value).startswith(field.name)
            assert str(refused.value).endswith(f"-1 is not in {field.range}")


def test_units_stand_in_the_documentation():
    assert Layer.flop.__doc__ == "computation [FLOP]"
    assert {field.name: field.unit for field in Layer.fields}["output_bytes"] == "B"


@pytest.mark.parametrize("value", RECORDS, ids=lambda value: type(value).__name__)
def test_pickles_tell_their_version_and_a_newer_one_is_refused(value):
    assert pickle.loads(pickle.dumps(value)) == value
    version, state = value.__getstate__()
    again = type(value).__new__(type(value))
    with pytest.raises(ValueError, match=f"^{type(value).__name__}: a pickle of version {version + 1}"):
        again.__setstate__((version + 1, state))
    with pytest.raises(ValueError, match="not the state of a pickle"):
        again.__setstate__([])


DESCRIBED = [
    found
    for area in (_core.model, _core.network, _core.orbit, _core.codec, _core.split)
    for found in vars(area).values()
    if isinstance(found, type) and hasattr(found, "fields")
]


def named(kind: type) -> str:
    return kind.__name__


@pytest.mark.parametrize("kind", DESCRIBED, ids=named)
def test_documentation_and_signature_tell_every_field(kind):
    """With type, unit, range, default and sentence, all from the one table."""
    assert kind in (Problem, *DESCRIBED) and len(DESCRIBED) > 15
    doc = inspect.cleandoc(kind.__doc__)
    made = kind is not Plan  # that is made by solvers alone
    parameters = inspect.signature(kind).parameters if made else {}
    for field in kind.fields:
        name = field.name + "_" if keyword.iskeyword(field.name) else field.name
        entry = doc.partition(f"\n{name} : ")[2]
        head, line, *_ = entry.split("\n")
        assert head.startswith(field.type), name
        assert line.startswith(f"    {field.doc}"), name
        assert (f"[{field.unit}]" in line) == bool(field.unit), name
        assert line.endswith(f", in {field.range}" if field.range else line), name
        if not made:
            continue
        parameter = parameters[name]
        assert parameter.annotation.startswith(field.type), name
        if not field.required:
            assert head.endswith(f", default {field.initial!r}"), name
            assert parameter.default == field.initial, name
        elif parameter.default is not inspect.Parameter.empty:
            assert kind is Problem and head.endswith(" | None, default None"), (
                "a model or a network may give it"
            )
    own = [field.name for field in kind.fields]
    assert set(parameters) - {"from_"} <= {*own, "model", "network"}


@pytest.mark.parametrize(
    "kind",
    [
        *(Node, Link, Network, Layer, Codec, Scheme, Problem, Graph, Snapshot, Timeline, ContactPlan),
        *(Shell, Elements),
    ],
    ids=named,
)
def test_documentation_has_an_example(kind):
    assert f">>> made = clm.{kind.__module__.partition('.')[2]}.{kind.__name__}(" in kind.__doc__


GRAPH = Graph(["a", "b"], from_=[0], to=[1], rate_bps=1e9)
NODE = {"id": "a", "flop_per_s": 1e12, "memory_bytes": 8e9}


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: Node("a", 1e12, 8e9), r"as in Node\(id='a', flop_per_s=1000000000000\.0, memory_bytes=8000"),
        (lambda: Node(id="a", flops=1e12), "Node: unknown key 'flops'; did you mean 'flop_per_s'\\?"),
        (lambda: Node(**NODE).replace(power=1.0), "Node: unknown key 'power'; did you mean 'power_w'\\?"),
        (lambda: Node(**NODE, colour="red"), "Node: unknown key 'colour'; known: id, flop_per_s, memory"),
        (lambda: Link("a", "b"), r"Link: fields are given by keyword, as in Link\(from_='a', to='b'\)"),
        (lambda: Link(frm="a", to="b"), "Link: unknown key 'frm'; did you mean 'from_'"),
        (lambda: Link(**{"from": "a", "from_": "b"}, to="c"), "Link: 'from' is given twice"),
        (lambda: Scheme("top-k"), r"as in Scheme\(sparsify='top-k'\)"),
        (lambda: Scheme(sparsity="top-k"), "Scheme: unknown key 'sparsity'; did you mean 'sparsify'"),
        (lambda: Codec("half"), r"as in Codec\(name='half'\)"),
        (lambda: Layer(name="l", flops=1.0), "Layer: unknown key 'flops'; did you mean 'flop'"),
        (lambda: Problem("m"), r"as in Problem\(model='m'\)"),
        (lambda: Problem(netwrk=GRAPH), "Problem: unknown key 'netwrk'; did you mean 'network'"),
        (
            lambda: Nodes(["a"], ["b"]),
            "Nodes: takes no more than nodes, got 2 values",
        ),
        (lambda: Nodes(node=["a"]), "Nodes: unknown key 'node'; did you mean 'nodes'"),
        (
            lambda: Graph(["a"], [0], [1]),
            r"after 'nodes' .* as in Graph\(\['a'\], from_=\[0\], to=",
        ),
        (lambda: Graph(["a"], sender=[0]), "Graph: unknown key 'sender'; known: nodes, from_, to, rate_bps"),
        (lambda: Graph(["a"], from_=[0], to=[1]), "Graph: missing required key 'rate_bps'"),
        (lambda: Graph(["a"], nodes=["b"]), "Graph: 'nodes' is given twice"),
        (lambda: GRAPH.replace(rate=1e9), "Graph: unknown key 'rate'; did you mean 'rate_bps'"),
        (lambda: GRAPH.replace(rate_bps=2e9, speed=1), "Graph: unknown key 'speed'; known: nodes, "),
        (lambda: Snapshot(0.0, GRAPH, 60.0), r"as in Snapshot\(0\.0, Graph\(.*, valid_s=60\.0\)"),
        (lambda: Snapshot(0.0, GRAPH, valid=60.0), "Snapshot: unknown key 'valid'; did you mean 'valid_s'"),
        (lambda: Snapshot(0.0), "Snapshot: missing required key 'graph'"),
        (lambda: Snapshot(0.0, "g"), "graph: expected a Graph, got 'g'"),
        (lambda: Snapshot(0.0, GRAPH).replace(t=1.0), "Snapshot: unknown key 't'"),
        (lambda: Timeline([0.0], [GRAPH], end=1.0), "Timeline: unknown key 'end'; did you mean 'end_s'"),
        (lambda: Timeline([0.0], GRAPH), "graphs: expected a sequence, got Graph"),
        (lambda: Timeline([0.0], [GRAPH, 2]), r"graphs\[1\]: expected a Graph, got 2"),
        (
            lambda: Timeline([0.0], [GRAPH]).replace(ends=1),
            "Timeline: unknown key 'ends'; did you mean 'end_s'",
        ),
    ],
)
def test_keywords_with_a_slip_are_named_with_what_was_meant(call, says):
    with pytest.raises(TypeError, match=says):
        call()


def test_python_s_functions_refuse_keywords_in_the_same_words():
    with pytest.raises(
        TypeError, match=r"f\(\) got an unexpected keyword argument 'bacth'; did you mean 'batch'\?$"
    ):
        checks.known_keywords("f()", {"bacth": 1}, ["batch", "dtype"])
    with pytest.raises(TypeError, match="'colour'; known: batch, dtype$"):
        checks.known_keywords("f()", {"colour": 1}, ["batch", "dtype"])


@pytest.mark.parametrize(
    "call",
    [
        lambda: GRAPH.link(True),
        lambda: GRAPH.link(0.0),
        lambda: GRAPH.nodes[True],
        lambda: GRAPH.nodes["a"],
        lambda: Timeline([0.0], [GRAPH])[False],
        lambda: _core.network.hops(GRAPH, True, False),
        lambda: split.Stage(node="a", first_layer=False, last_layer=0),
    ],
)
def test_positions_are_integers_and_no_truth_values(call):
    with pytest.raises(TypeError, match="expected an integer, got"):
        call()


def test_a_link_s_sender_has_two_spellings():
    one = Link(from_="a", to="b", rate_bps=1e9, latency_s=0.0)
    assert one == Link(**{"from": "a"}, to="b", rate_bps=1e9, latency_s=0.0)
    assert one.replace(from_="c").from_ == "c" == one.replace(**{"from": "c"}).from_
    assert one.to_dict()["from"] == "a"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (RECORDS[0], r"^Layer\.replace: fields are given by keyword, as in Layer\.replace\(name=3\)$"),
        (GRAPH, r"^Graph\.replace: .* as in Graph\.replace\(nodes=3\)$"),
        (Timeline([0.0], [GRAPH]), r"^Timeline\.replace: .* as in Timeline\.replace\(t_s=3\)$"),
        (split.load_problem(EXAMPLE), r"^Problem\.replace: .* as in Problem\.replace\(name=3\)$"),
    ],
)
def test_a_copy_takes_its_changes_by_keyword(value, words):
    with pytest.raises(TypeError, match=words):
        value.replace(3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: GRAPH.link(positon=0), "^Graph.link: unknown key 'positon'; did you mean 'position'"),
        (lambda: GRAPH.link(), "^Graph.link: missing required key 'position'"),
        (lambda: GRAPH.link("a"), "^position: .*'a'"),
        (lambda: GRAPH.link(0, 1), "^Graph.link: takes no more than position, got 2 values"),
        (
            lambda: GRAPH.link_between("a", too="b"),
            "^Graph.link_between: unknown key 'too'; did you mean 'to'",
        ),
        (lambda: GRAPH.nodes.position(ids="a"), "^Nodes.position: unknown key 'ids'; did you mean 'id'"),
        (lambda: Timeline([0.0], [GRAPH]).at(t=0.0), "^Timeline.at: unknown key 't'; "),
    ],
)
def test_a_slip_in_the_call_of_a_method_is_told(call, words):
    with pytest.raises(TypeError, match=words):
        call()


def test_methods_take_their_arguments_in_order_and_by_name():
    assert GRAPH.link_between("a", to="b") == GRAPH.link_between(from_="a", to="b") == 0
    assert GRAPH.link(0) == GRAPH.link(position=0)
    assert GRAPH.nodes.position("b") == GRAPH.nodes.position(id="b") == 1
