"""The profile as a value, and what a planner reads of it."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from constellm import model


@pytest.fixture(name="profile")
def small_profile() -> model.Profile:
    return model.from_arrays(
        flop=[1e9, 2e9, 3e9],
        memory_bytes=[10, 20, 30],
        output_bytes=[7, 8, 9],
        error_gain=[1, 0.5, 0],
        input_bytes=100,
        name="three",
    )


def test_it_is_a_value(profile) -> None:
    assert pickle.loads(pickle.dumps(profile)) == profile
    assert model.Profile.from_dict(profile.to_dict()) == profile
    assert profile.replace(input_bytes=5) != profile
    assert profile.replace(input_bytes=5).input_bytes == 5.0
    with pytest.raises(AttributeError):
        profile.name = "other"
    with pytest.raises(
        TypeError, match="argument 'inputs'; did you mean 'input_bytes'|argument 'inputs'; known: "
    ):
        profile.replace(inputs=1)


def test_layers_are_what_a_planner_reads(profile) -> None:
    assert [type(layer) for layer in profile.layers] == [model.Layer] * 3
    assert [layer.flop for layer in profile.layers] == [1e9, 2e9, 3e9]
    assert profile.layers[1] == model.Layer(
        name="layer-1", flop=2e9, memory_bytes=20, output_bytes=8, error_gain=0.5
    )
    assert (profile.flop, profile.memory_bytes, len(profile)) == (6e9, 60.0, 3)
    np.testing.assert_array_equal(profile.array("error_gain"), [1, 0.5, 0])
    with pytest.raises(ValueError, match="field: 'flops' is not one of flop"):
        profile.array("flops")


def test_stated_memory_is_spread_evenly() -> None:
    profile = model.vit("vit-gigantic/14", batch=8)
    stated = profile.with_memory(12e9)
    np.testing.assert_array_equal(stated.array("memory_bytes"), np.full(48, 12e9 / 48))
    np.testing.assert_array_equal(stated.array("weight_bytes"), profile.array("weight_bytes"))
    with pytest.raises(ValueError, match="total_bytes: -1"):
        profile.with_memory(-1)


def test_a_workspace_may_be_shared() -> None:
    profile = model.vit("vit-gigantic/14", batch=8)
    shared = profile.without_workspace()
    # The MLP's way up: residual stream, normed input, hidden layer, for 257 tokens of 8 images.
    assert profile.workspace_bytes == 8 * 257 * (2 * 1664 + 8192) * 4
    assert shared.memory_bytes == pytest.approx(profile.parameters * 4, rel=1e-12)
    assert profile.memory_bytes == pytest.approx(shared.memory_bytes + 48 * profile.workspace_bytes, rel=1e-3)


def test_error_gain(profile) -> None:
    assert list(profile.with_error_gain(2).array("error_gain")) == [2, 2, 2]
    assert list(profile.with_error_gain(np.array([3, 2, 1])).array("error_gain")) == [3, 2, 1]
    with pytest.raises(ValueError, match="error_gain: shape"):
        profile.with_error_gain([1, 2])
    with pytest.raises(ValueError, match="error_gain: -1"):
        profile.with_error_gain(-1)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"input_bytes": float("nan")}, ValueError, "input_bytes: nan"),
        ({"input_bytes": "1"}, TypeError, "input_bytes: expected a number"),
        ({"batch": 0}, ValueError, "batch: 0"),
        ({"batch": 1.5}, TypeError, "batch: expected an integer"),
        ({"batch": True}, TypeError, "batch: expected an integer"),
        ({"detail": ()}, ValueError, "at least one layer"),
        ({"detail": (1,)}, TypeError, "detail[0]: expected a LayerProfile"),
        ({"name": 3}, TypeError, "name: expected text"),
    ],
)
def test_bad_values(profile, change, error, message) -> None:
    with pytest.raises(error) as caught:
        profile.replace(**change)
    assert message in str(caught.value)


def test_displays() -> None:
    profile = model.vit("vit-base/16", batch=8)
    assert repr(profile) == (
        "Profile('vit-base/16', 12 layers, 86.6 M parameters, 281.0 GFLOP and 0.69 GB for a batch of 8)"
    )
    html = profile._repr_html_()
    # First and last layer differ by the ends; the ten between are one row.
    assert html.count("<tr>") == 1 + 3
    assert "10 ×" in html
    assert "<script" not in profile.replace(note="<script>")._repr_html_()


def test_csv(tmp_path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(
        "name,flop,memory_bytes,output_bytes,error_gain\na,1e9,10,7,1\nb,2e9,20,8,0.5\n", encoding="utf-8"
    )
    profile = model.from_csv(path, input_bytes=3, batch=4)
    assert profile == model.from_arrays(
        flop=[1e9, 2e9],
        memory_bytes=[10, 20],
        output_bytes=[7, 8],
        error_gain=[1, 0.5],
        names=["a", "b"],
        name="mine",
        input_bytes=3,
        batch=4,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column 'flop'"),
        ("flop,memory_bytes\n1,2\n", "no column 'output_bytes'"),
        ("flop,memory_bytes,output_bytes,flops\n1,2,3,4\n", "unknown column 'flops'"),
        ("flop,memory_bytes,output_bytes,flop\n1,2,3,4\n", "stands twice"),
        ("flop,memory_bytes,output_bytes\n1,2\n", "line 2: not 3 values"),
        ("flop,memory_bytes,output_bytes\n1,2,3,4\n", "line 2: not 3 values"),
        ("flop,memory_bytes,output_bytes\n1,two,3\n", "line 2: memory_bytes: 'two' is no number"),
        ("flop,memory_bytes,output_bytes\n1,-2,3\n", "layer 0: memory_bytes: -2"),
        ("flop,memory_bytes,output_bytes\n1,nan,3\n", "layer 0: memory_bytes: nan"),
        ("flop,memory_bytes,output_bytes\n", "at least one layer"),
    ],
)
def test_bad_csv(tmp_path, text, message) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError) as error:
        model.from_csv(path, input_bytes=1)
    assert message in str(error.value)


def test_a_byte_order_mark_is_no_part_of_a_table(tmp_path) -> None:
    path = tmp_path / "b.csv"
    path.write_text("flop,memory_bytes,output_bytes\n1,2,3\n", encoding="utf-8-sig")
    assert model.from_csv(path, input_bytes=1).layers[0].flop == 1


def test_a_table_that_is_no_csv_is_named(tmp_path) -> None:
    path = tmp_path / "b.csv"
    path.write_text('flop,memory_bytes,output_bytes\n"1"2,2,3\n', encoding="utf-8")
    with pytest.raises(ValueError, match="b.csv: "):
        model.from_csv(path, input_bytes=1)


def test_checks_of_a_profile_are_those_of_the_core() -> None:
    layer = model.LayerProfile(name="a", flop=1, memory_bytes=1, output_bytes=1)
    for change, message in [
        ({"batch": 1.0}, "batch: expected an integer, got 1.0"),
        ({"batch": True}, "batch: expected an integer, got True"),
        ({"batch": np.array([2])}, "batch: expected an integer, got array"),
        ({"input_bytes": "1"}, "input_bytes: expected a number, got '1'"),
        ({"input_bytes": 10**400}, "input_bytes: "),
        ({"input_bytes": np.nan}, "input_bytes: nan is not in"),
        ({"detail": [1]}, r"detail\[0\]: expected a LayerProfile, got 1"),
        ({"name": 5}, "name: expected text, got 5"),
    ]:
        with pytest.raises((TypeError, ValueError), match=message):
            model.Profile(**{"name": "a", "detail": (layer,), "input_bytes": 1, **change})
    assert type(model.Profile("a", (layer,), 1, batch=np.int64(3)).batch) is int


def test_bad_arrays() -> None:
    good = {"flop": [1.0, 2.0], "memory_bytes": [1, 2], "output_bytes": [1, 2], "input_bytes": 0}
    with pytest.raises(ValueError, match="memory_bytes: 3 values are not 2, one per layer as flop has"):
        model.from_arrays(**{**good, "memory_bytes": [1, 2, 3]})
    with pytest.raises(TypeError, match=r"output_bytes: expected numbers, got \['1', '2'\]"):
        model.from_arrays(**{**good, "output_bytes": ["1", "2"]})
    for scalar in (1e9, np.float64(1e9), [[1.0, 2.0]]):
        with pytest.raises(ValueError, match="flop: expected one number per layer, got"):
            model.from_arrays(**{**good, "flop": scalar})
    with pytest.raises(ValueError, match="names: "):
        model.from_arrays(**good, names=["a"])
    with pytest.raises(TypeError, match="'flops'; did you mean 'flop'"):
        model.from_arrays(**good, flops=[1, 2])
