"""The compiled module: a submodule an area, classes that show as what users import."""

from __future__ import annotations

import importlib
import pickle

import pytest

import constellm
from constellm import _core, codec, model, network, orbit, split

AREAS = ["core", "model", "network", "orbit", "codec", "split", "split.sweeping"]


def test_every_area_is_a_submodule_without_prefixes():
    for area in AREAS:
        module = importlib.import_module(f"constellm._core.{area}")
        assert module.__name__ == f"constellm._core.{area}"
        names = [name for name in vars(module) if not name.startswith("_")]
        assert names and not [name for name in names if name.startswith(f"{area}_")]


@pytest.mark.parametrize("area", [codec, model, network, orbit, split], ids=lambda area: area.__name__)
def test_public_classes_show_as_what_users_import(area):
    for name in area.__all__:
        found = getattr(area, name)
        if isinstance(found, type):
            assert not found.__module__.startswith("constellm._core")
            home = importlib.import_module(found.__module__)
            assert getattr(home, name) is found
    assert pickle.loads(pickle.dumps(split.Problem)) is split.Problem


def test_names_of_version_0_1_0_resolve_and_others_do_not():
    for name in (
        "Layer",
        "LayerProfile",
        "Node",
        "Link",
        "Network",
        "Codec",
        "Scheme",
        "Problem",
        "Plan",
        "Stage",
    ):
        assert getattr(_core, name).__name__ == name
    with pytest.raises(AttributeError, match="module 'constellm._core' has no attribute 'Satellite'"):
        _core.Satellite  # noqa: B018
    assert constellm.model.Layer.__module__ == "constellm.model"
