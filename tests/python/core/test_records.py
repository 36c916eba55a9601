"""What every record has in common: its fields, and pickles that tell their version."""

from __future__ import annotations

import pickle

import pytest

from constellm.codec import Codec
from constellm.model import Layer

RECORDS = [
    Layer(name="block", flop=1e9, memory_bytes=4.0, output_bytes=2.0),
    Codec(name="half", ratio=2.0, error=0.25, layer_ratio=[2.0, 3.0]),
]


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
