"""Layers on a ring of subnets: every satellite in one of them, neighbours beside each other."""

from __future__ import annotations

import pytest

from constellm import moe, orbit

SHELL = orbit.walker("w", planes=7, satellites_per_plane=6, altitude_m=550e3, inclination_deg=87.0)


def places(ids: tuple[str, ...]) -> set[tuple[int, int]]:
    """Plane and index of each."""
    return {tuple(map(int, id.split("/")[1:])) for id in ids}


def test_as_many_layers_as_indices_have_an_index_each() -> None:
    shell = orbit.preset("space-xnet")
    found = moe.ring(shell, 32)
    for layer, subnet in enumerate(found.subnets):
        assert subnet == tuple(f"space-xnet/{plane}/{layer}" for plane in range(33))
        assert found.gateways[layer] == f"space-xnet/16/{layer}"


@pytest.mark.parametrize("layers", range(1, 43))
def test_every_satellite_is_in_one_subnet(layers: int) -> None:
    found = moe.ring(SHELL, layers)
    together = [id for subnet in found.subnets for id in subnet]
    assert len(found.subnets) == layers and sorted(together) == sorted(SHELL.ids)
    sizes = [len(subnet) for subnet in found.subnets]
    assert min(sizes) >= 1
    if layers <= 6:
        assert max(sizes) - min(sizes) <= SHELL.planes
    for gateway, subnet in zip(found.gateways, found.subnets):
        assert gateway in subnet


@pytest.mark.parametrize("layers", range(2, 43))
def test_the_next_layer_is_beside_the_one_before(layers: int) -> None:
    subnets = [places(subnet) for subnet in moe.ring(SHELL, layers).subnets]
    for one, other in zip(subnets, subnets[1:]):
        beside = {
            near
            for plane, index in one
            for near in ((plane + 1, index), (plane - 1, index), (plane, index + 1), (plane, index - 1))
        }
        assert beside & other


@pytest.mark.parametrize(
    ("planes", "each", "layers", "gateways"),
    [
        (1, 4, 4, ["w/0/0", "w/0/1", "w/0/2", "w/0/3"]),
        (4, 2, 2, ["w/2/0", "w/2/1"]),
        (3, 5, 2, ["w/1/1", "w/1/3"]),
        (4, 2, 4, ["w/1/0", "w/3/0", "w/3/1", "w/1/1"]),
    ],
)
def test_the_middle_of_a_subnet(planes: int, each: int, layers: int, gateways: list[str]) -> None:
    shell = SHELL.replace(planes=planes, satellites_per_plane=each)
    assert list(moe.ring(shell, layers).gateways) == gateways


def test_gateways_by_chance_are_of_their_subnet_and_of_the_seed() -> None:
    shell = orbit.preset("space-xnet")
    found = [moe.ring(shell, 32, gateways="random", seed=seed) for seed in (0, 0, 1)]
    assert found[0] == found[1] and found[0].gateways != found[2].gateways
    assert found[0].subnets == moe.ring(shell, 32).subnets
    planes = {id.split("/")[1] for id in found[0].gateways}
    assert len(planes) > 10
    for gateway, subnet in zip(found[0].gateways, found[0].subnets):
        assert gateway in subnet


def test_gateways_that_are_given() -> None:
    assert moe.ring(SHELL, 2, gateways=["w/0/0", "w/3/5"]).gateways == ("w/0/0", "w/3/5")


def test_how_it_shows_itself() -> None:
    found = moe.ring(SHELL, 3)
    assert repr(found) == "Ring(3 layers, 42 satellites)"
    assert "w/3/1" in found.summary() and "14" in found._repr_html_()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: moe.ring(SHELL, 43), ValueError, r"layers: 43 is not in \[1, 42\]"),
        (lambda: moe.ring(SHELL, 0), ValueError, r"layers: 0 is not in \[1, 42\]"),
        (lambda: moe.ring(SHELL, 2.0), TypeError, "layers: expected an integer"),
        (lambda: moe.ring("w", 2), TypeError, "shell: expected a Shell"),
        (lambda: moe.ring(SHELL, 2, gateways="centre"), ValueError, "gateways: 'centre' is not one of"),
        (lambda: moe.ring(SHELL, 2, gateways=["w/0/0"]), ValueError, "gateways: 1 of them for 2 subnets"),
        (lambda: moe.ring(SHELL, 2, gateways=["a", "a"]), ValueError, "gateways: 'a' comes twice"),
        (lambda: moe.ring(SHELL, 2, gateways=[0, 1]), TypeError, r"gateways\[0\]: expected an id, got 0"),
        (lambda: moe.ring(SHELL, 2, gateways="random", seed=-1), ValueError, "seed: -1 is not in"),
        (lambda: moe.Ring([], []), ValueError, "subnets: a ring needs at least one layer"),
        (lambda: moe.Ring(["ab"], ["a"]), TypeError, r"subnets\[0\]: expected ids, got 'ab'"),
        (lambda: moe.Ring([["a", "a"]], ["a"]), ValueError, r"subnets\[0\]: 'a' comes twice"),
    ],
)
def test_bad_rings_are_refused(call: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
