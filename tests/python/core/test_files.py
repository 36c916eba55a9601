"""Paths, text and JSON at every door."""

from __future__ import annotations

from pathlib import Path

import pytest

from constellm import codec, split
from constellm.cli import main
from constellm.core import files
from constellm.core.files import as_path, read_json, read_text, write_json, write_text

BOM = b"\xef\xbb\xbf"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_a_tilde_is_the_home_folder(home: Path) -> None:
    assert as_path("~/x") == home / "x"
    assert as_path("x~") == Path("x~")
    assert as_path("~nobody-of-this-name/x") == Path("~nobody-of-this-name/x")
    write_json({"a": 1}, "~/x.json")
    assert read_json("~/x.json") == {"a": 1}
    assert [path.name for path in home.iterdir()] == ["x.json"]


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(BOM + "á\r\nb\rc\n".encode())
    assert read_text(file) == "á\nb\nc\n"


def test_a_name_in_gz_is_compressed(tmp_path: Path) -> None:
    file = tmp_path / "a.json.gz"
    write_json({"a": ["á"] * 1000}, file)
    assert file.read_bytes()[:2] == b"\x1f\x8b" and file.stat().st_size < 1000
    assert read_json(file) == {"a": ["á"] * 1000}
    written = file.read_bytes()
    write_json({"a": ["á"] * 1000}, file)
    assert file.read_bytes() == written, "no time of writing in it"


def test_what_is_no_text_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.bin"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"a\.bin' is not UTF-8 text"):
        read_text(file)
    monkeypatch.setattr(files, "MOST_TEXT_BYTES", 10)
    with pytest.raises(ValueError, match="'/dev/zero' holds more than 10 bytes"):
        read_text("/dev/zero")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    write_text("old", file)
    with pytest.raises(UnicodeEncodeError):
        write_text("\ud800", file)
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_problem_files_with_a_byte_order_mark(repository: Path, tmp_path: Path, capsys) -> None:
    example = repository / "tests" / "data" / "split" / "throughput.json"
    marked = tmp_path / "throughput.json"
    marked.write_bytes(BOM + example.read_bytes())
    assert split.load_problem(marked) == split.load_problem(example)
    assert main(["split", "solve", str(marked), "--out", str(tmp_path / "out")]) == 0
    plan = tmp_path / "out" / "throughput.plan.json"
    plan.write_bytes(BOM + plan.read_bytes())
    capsys.readouterr()
    assert main(["split", "evaluate", str(marked), str(plan)]) == 0


def test_tables_with_a_byte_order_mark(tmp_path: Path) -> None:
    table = tmp_path / "menu.csv"
    table.write_bytes(BOM + b"name,ratio,error\r\nhalf,2,0.1\r\n")
    assert codec.from_table(table) == [codec.Codec(name="half", ratio=2.0, error=0.1)]


def test_a_table_that_is_no_csv_is_refused_by_line(tmp_path: Path) -> None:
    table = tmp_path / "menu.csv"
    table.write_bytes(b'name,ratio,error\n"half,2,0.1\n')
    with pytest.raises(ValueError, match=r"menu\.csv: line 1: unexpected end of data"):
        codec.from_table(table)
