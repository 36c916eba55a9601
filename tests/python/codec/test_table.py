"""Menus from rows, columns and CSV files."""

from __future__ import annotations

import numpy as np
import pytest

from constellm import codec

MENU = [
    codec.Codec(name="none", ratio=1.0, error=0.0),
    codec.Codec(name="fast", ratio=4.0, error=0.02, encode_s_per_byte=1e-10, decode_s_per_byte=2e-10),
]
CSV = "name,ratio,error,encode_s_per_byte,decode_s_per_byte\nnone,1,0,,\nfast,4,0.02,1e-10,2e-10\n"


def test_rows_columns_and_csv_agree(tmp_path):
    path = tmp_path / "menu.csv"
    path.write_text(CSV)
    columns = {
        "name": np.array(["none", "fast"]),
        "ratio": np.array([1, 4]),
        "error": [0.0, 0.02],
        "encode_s_per_byte": [0, 1e-10],
        "decode_s_per_byte": (0, 2e-10),
    }
    assert codec.from_table([option.to_dict() for option in MENU]) == MENU
    assert codec.from_table(columns) == MENU
    assert codec.from_table(path) == codec.from_table(str(path)) == MENU


def test_values_per_layer():
    menu = codec.from_table(
        {
            "name": ["a", "b"],
            "ratio": [2, 4],
            "error": [0, 0],
            "layer_error": np.array([[0.1, 0.2], [0.3, 0.4]]),
            "layer_ratio": [[1, 2], None],
        }
    )
    assert menu[1].layer_error == [0.3, 0.4]
    assert menu[0].layer_ratio == [1, 2] and menu[1].layer_ratio is None


@pytest.mark.parametrize(
    ("table", "error", "says"),
    [
        ([], ValueError, "table: no row"),
        ([{"name": "a", "ratio": 1}], TypeError, "row 0: .*missing required key 'error'"),
        ([{"name": "a", "ratio": 1, "error": 0, "speed": 1}], TypeError, "row 0: .*unknown key 'speed'"),
        ([{"name": "a", "ratio": 0, "error": 0}], ValueError, r"row 0: ratio: 0 is not in \(0, inf\)"),
        ([{"name": "a", "ratio": 1, "error": float("nan")}], ValueError, "row 0: error: nan"),
        ([{"name": "a", "ratio": 1, "error": 0}] * 2, ValueError, "row 1: name: 'a' is used by row 0"),
        ([3], TypeError, "row 0: expected a mapping of name"),
        ({"name": ["a", "b"], "ratio": [1], "error": [0, 0]}, ValueError, "columns of different lengths"),
    ],
)
def test_bad_tables(table, error, says):
    with pytest.raises(error, match=says):
        codec.from_table(table)


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("", ValueError, "no row"),
        ("name,ratio,error\na,two,0\n", ValueError, "row 0: ratio: 'two' is not a number"),
        ("name,ratio,error\na,1,0,7\n", ValueError, "row 0: 1 fields more than the header has"),
        ("name,ratio,error\na,1\n", TypeError, "row 0: .*missing required key 'error'"),
        ("name,ratio,error\na,inf,0\n", ValueError, "row 0: ratio: inf"),
    ],
)
def test_bad_csv(tmp_path, text, error, says):
    path = tmp_path / "menu.csv"
    path.write_text(text)
    with pytest.raises(error, match=says):
        codec.from_table(path)
