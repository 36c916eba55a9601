"""An instance that `__new__` alone made has no value: to read it is a TypeError."""

from __future__ import annotations

import copy
import pickle

import pytest

from constellm import _core, split

AREAS = (_core.core, _core.model, _core.network, _core.orbit, _core.codec, _core.split, _core.split.sweeping)
CLASSES = {
    value.__name__: value for area in AREAS for value in vars(area).values() if isinstance(value, type)
}


def test_every_class_of_the_compiled_part_is_tried() -> None:
    known = {"Field", "Layer", "Scheme", "Node", "Nodes", "Graph", "Timeline", "Codec", "Problem", "Plan"}
    assert known | {"Stage", "Evaluation", "Infeasibility"} <= CLASSES.keys()


@pytest.mark.parametrize("name", CLASSES)
def test_nothing_is_read_of_an_instance_without_value(name: str) -> None:
    kind = CLASSES[name]
    properties = [key for key, value in vars(kind).items() if isinstance(value, property)]
    assert properties or name == "Nodes"
    for read in properties:
        with pytest.raises(TypeError):
            getattr(kind.__new__(kind), read)
    for method in {"__repr__", "__eq__", "__getstate__", "to_dict", "replace"} & vars(kind).keys():
        arguments = [kind.__new__(kind)] if method == "__eq__" else []
        with pytest.raises(TypeError):
            getattr(kind.__new__(kind), method)(*arguments)
    for use in (copy.copy, pickle.dumps):
        with pytest.raises(TypeError):
            use(kind.__new__(kind))


def test_nor_where_one_is_given() -> None:
    nothing = split.Problem.__new__(split.Problem)
    with pytest.raises(TypeError, match="an instance that __new__ made without __init__"):
        split.solve(nothing)
    with pytest.raises(TypeError, match="an instance that __new__ made without __init__"):
        split.Problem(layers=[CLASSES["Layer"].__new__(CLASSES["Layer"])], input_bytes=1.0)
