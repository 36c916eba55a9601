"""Tables of values: CSV and back, Markdown, text, HTML."""

from __future__ import annotations

import math

import pytest

from constellm.core.table import Table, only, where


def same(a, b):
    return a == b or (a != a and b != b)


def test_rows_come_back_as_they_were(tmp_path):
    rows = [
        {"name": "720p", "delay_s": 0.1 + 0.2, "stages": 7, "near": True, "limit": math.inf, "note": ""},
        {"name": "a, | b", "delay_s": math.nan, "stages": -1, "near": False, "limit": 1e-300, "note": "x"},
    ]
    table = Table.of(rows)
    assert table.to_csv(tmp_path / "rows.csv") == (tmp_path / "rows.csv").read_text()
    back = list(Table.read_csv(tmp_path / "rows.csv"))
    assert [list(row) for row in back] == [list(row) for row in rows]
    assert all(same(row[name], old[name]) for row, old in zip(back, rows) for name in row)
    assert "a, \\| b | –" in table.to_markdown()


def test_tables_are_regular(tmp_path):
    with pytest.raises(ValueError, match="at least one row"):
        Table.of([])
    with pytest.raises(ValueError, match="differ"):
        Table.of([{"a": 1}, {"b": 1}])
    with pytest.raises(ValueError, match=r"rows\[0\]: 2 values for 1 columns"):
        Table(("a",), ((1, 2),))
    (tmp_path / "empty.csv").touch()
    with pytest.raises(ValueError, match="no header"):
        Table.read_csv(tmp_path / "empty.csv")


def test_rows_are_found_by_their_values():
    rows = [{"a": 1, "b": 2}, {"a": 1, "b": 3}]
    assert where(rows, a=1, b=3) == [rows[1]]
    assert only(rows, b=2) is rows[0]
    with pytest.raises(KeyError, match="2 rows"):
        only(rows, a=1)


def test_figures_have_units_and_columns_words():
    table = Table.of([{"link_group": "isl", "rate_bps": 2.5e9, "share": 0.123456, "hops": 3}], title="Links")
    assert table.to_markdown(align="right") == (
        "| link group | rate | share | hops |\n"
        "| --- | ---: | ---: | ---: |\n"
        "| isl | 2.5 Gbit/s | 0.1235 | 3 |\n"
    )
    assert table.to_text(indent="  ") == (
        "Links\n  link group  rate        share   hops\n  isl         2.5 Gbit/s  0.1235  3\n"
    )


def test_long_tables_are_shortened_in_the_middle():
    table = Table(("n",), tuple((i,) for i in range(10)))
    assert table.to_text(most=4).split("\n") == ["n", "0", "1", "… 7 more", "9", ""]
    html = table.to_html(most=4)
    assert html.count("<tr>") == 5 and '<td colspan="1">… 7 more</td>' in html


def test_what_is_no_csv_is_refused_by_line(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text('a,b\n1,2\n"3,4\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"t\.csv': line 3: unexpected end of data"):
        Table.read_csv(file)


def test_html_is_escaped():
    html = Table(("a<b",), (("<i>",),), "x & y").to_html()
    assert "<th>a&lt;b</th>" in html and "<td>&lt;i&gt;</td>" in html and "x &amp; y</caption>" in html
    marked = Table(("a",), (("x",),)).to_html(cell=lambda text: f'<td class="{text}"></td>')
    assert '<td class="x"></td>' in marked


def test_latex_has_commands_for_greek():
    assert r"$\Sigma$ w and $\alpha$ \\" in Table(("text",), [("Σ w and α",)]).to_latex()
