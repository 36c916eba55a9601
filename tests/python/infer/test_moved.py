"""The area under its old name, `constellm.run`."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import constellm as clm
from constellm import infer


def test_the_old_name_works_and_tells_the_new_one() -> None:
    with pytest.warns(DeprecationWarning, match=r"constellm\.run\.shipped .* constellm\.infer\.shipped now"):
        assert clm.run.shipped is infer.shipped
    with pytest.warns(DeprecationWarning, match=r"constellm\.run\.load"):
        from constellm.run import load
    assert load is infer.load
    with pytest.warns(DeprecationWarning, match=r"constellm\.run\.infer"):
        assert clm.run.infer is infer.infer
    assert "run" not in clm.__all__


def test_a_plan_s_compressors_are_found_in_split() -> None:
    with pytest.warns(DeprecationWarning, match=r"constellm\.split\.compressors_at_cuts now"):
        assert clm.run.cuts_of is clm.split.compressors_at_cuts


@pytest.mark.parametrize("name", sorted({*infer.__all__} - {"Features", "features"}))  # which are newer
def test_every_public_name_is_found(name: str) -> None:
    with pytest.warns(DeprecationWarning):
        assert getattr(clm.run, name) is getattr(infer, name)


def test_a_name_that_never_was_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'constellm.run' has no attribute 'execute'"):
        clm.run.execute  # noqa: B018


@pytest.mark.parametrize(
    "home, name", [("infer", "Inference"), ("infer", "Crossing"), ("measurement", "Measurement")]
)
def test_results_pickled_under_the_old_name_are_read(home: str, name: str) -> None:
    old = f"cconstellm.run.{home}\n{name}\n.".encode()  # the class by the path that it had
    with pytest.warns(DeprecationWarning):
        assert pickle.loads(old) is getattr(infer, name)
    with pytest.warns(DeprecationWarning):
        assert clm.run.infer is infer.infer  # the function still, not the module of its name


def test_a_whole_result_of_the_old_version_is_read() -> None:
    found = infer.Inference(np.eye(2, dtype=np.float32), {1: infer.Crossing("c", 8, 2, 0.1, 0.2)})
    text = pickle.dumps(found, protocol=0).replace(b"constellm.infer.infer", b"constellm.run.infer")
    with pytest.warns(DeprecationWarning):
        read = pickle.loads(text)
    assert read.cuts == found.cuts and np.array_equal(read.logits, found.logits)
