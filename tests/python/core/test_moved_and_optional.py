"""Names that moved, and optional dependencies that are absent."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from constellm.core.deprecation import callable_module, moved_names
from constellm.core.optional import optional_import


def test_a_moved_name_is_found_with_a_warning_that_tells_the_new_one() -> None:
    find = moved_names("constellm.old", {"build": "constellm.core.build_info"})
    with pytest.warns(DeprecationWarning, match=r"constellm\.old\.build .* constellm\.core\.build_info now"):
        build = find("build")
    assert build()["cxx_standard"] >= 202002


def test_a_name_that_never_was_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'constellm.old' has no attribute 'nothing'"):
        moved_names("constellm.old", {})("nothing")


def test_an_absent_module_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(ImportError, match=r"tables need xarray: pip install 'constellm\[sweep\]'"):
        optional_import("xarray", extra="sweep", purpose="tables need xarray")


def test_a_present_module_is_returned() -> None:
    assert optional_import("os.path", extra="none", purpose="nothing").join("a", "b") == "a/b"


def test_a_module_is_called_as_the_function_that_had_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("constellm.old")
    monkeypatch.setitem(sys.modules, "constellm.old", module)
    callable_module("constellm.old", lambda a, *, b: a - b, "constellm.old.new")
    with pytest.warns(DeprecationWarning, match=r"constellm\.old is .* constellm\.old\.new now") as caught:
        assert module(3, b=1) == 2
    assert caught[0].filename == __file__
