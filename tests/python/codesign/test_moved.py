"""The area's names where they were before, in `constellm.train`."""

from __future__ import annotations

import importlib
import pickle

import pytest

from constellm import codesign, split, train


@pytest.mark.parametrize("name", ["JointResult", "Order", "alternate"])
def test_the_old_names_work_and_tell_the_new_ones(name: str) -> None:
    message = rf"constellm\.train\.{name} .* constellm\.codesign\.{name} now"
    with pytest.warns(DeprecationWarning, match=message):
        assert getattr(train, name) is getattr(codesign, name)
    assert name not in train.__all__


@pytest.mark.parametrize(
    "home, names",
    [
        ("joint", ["IDEAL", "Order", "Trainer", "alternate"]),
        ("joint_result", ["COLUMNS", "STOPS", "JointResult", "Round"]),
    ],
)
def test_the_old_modules_are_found(home: str, names: list[str]) -> None:
    module = importlib.import_module(f"constellm.train.{home}")
    for name in names:
        with pytest.warns(DeprecationWarning):
            assert getattr(module, name) is getattr(codesign, name)
    if home == "joint_result":
        with pytest.warns(DeprecationWarning, match=r"constellm\.split\.codecs_at_cuts now"):
            assert module.cuts_of is split.codecs_at_cuts


def test_an_order_pickled_under_the_old_name_is_read() -> None:
    order = codesign.Order(2, {3: 8.0})
    text = pickle.dumps(order, protocol=0).replace(
        codesign.Order.__module__.encode(), b"constellm.train.joint"
    )
    with pytest.warns(DeprecationWarning):
        assert pickle.loads(text) == order
