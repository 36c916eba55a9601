"""Curves and maps of sweeps in their three forms."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from constellm import plot

RATES = np.geomspace(1e8, 1e9, 4)
ERRORS = np.array([0.0, 0.1, 0.2])
DELAYS = np.array([[np.nan, 4.0, 3.0], [5.0, 3.0, 2.0], [np.nan, 2.5, 1.5], [4.0, 2.0, 1.0]])


def as_arrays():
    return {"rate_bps": RATES, "max_error": ERRORS, "delay_s": DELAYS}


def as_result():
    """Dimensions the other way round, and one more of a single value."""
    return SimpleNamespace(
        dims=("max_error", "method", "rate_bps"),
        coords={"rate_bps": RATES, "max_error": ERRORS, "method": np.array(["optimal"])},
        variables={"delay_s": DELAYS.T[:, None, :]},
    )


def as_dataset():
    xarray = pytest.importorskip("xarray")
    coords = {"rate_bps": RATES, "max_error": ERRORS}
    return xarray.Dataset({"delay_s": (("rate_bps", "max_error"), DELAYS)}, coords=coords)


@pytest.mark.parametrize("make", [as_arrays, as_result, as_dataset])
def test_curves(make):
    ax = plot.plot_sweep_curves(make(), x="rate_bps", hue="max_error")
    lines = [line for line in ax.lines if not line.get_label().startswith("_")]
    np.testing.assert_array_equal([line.get_ydata() for line in lines], DELAYS.T)
    assert [line.get_label() for line in lines] == ["0", "0.1", "0.2"]
    assert ax.get_xscale() == "log"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("rate (bit/s)", "delay (s)")
    (crosses,) = (line for line in ax.lines if line.get_marker() == "x")
    np.testing.assert_array_equal(crosses.get_xdata(), RATES[[0, 2]])
    assert [text.get_text() for text in ax.get_legend().get_texts()][-1] == "no plan"


@pytest.mark.parametrize("make", [as_result, as_dataset])
def test_heat_map(make):
    ax = plot.plot_heat_map(make(), x="rate_bps", y="max_error")
    ax.figure.canvas.draw()
    mesh = next(collection for collection in ax.collections if collection.get_array() is not None)
    shown = np.ma.filled(mesh.get_array().astype(float), np.nan).reshape(DELAYS.T.shape)
    np.testing.assert_array_equal(shown, DELAYS.T)
    assert [collection.get_hatch() for collection in ax.collections].count("////") == 1
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "linear")
    np.testing.assert_allclose(ax.get_ylim(), [-0.05, 0.25])
    assert mesh.colorbar.ax.get_ylabel() == "delay (s)"


def test_a_map_without_gaps_has_no_hatching():
    data = as_result()
    data.variables = {"delay_s": np.nan_to_num(data.variables["delay_s"], nan=7.0)}
    ax = plot.plot_heat_map(data, x="rate_bps", y="max_error")
    assert ax.get_legend() is None
    assert len(ax.collections) == 1


def test_a_map_without_a_plan_is_all_hatched():
    data = as_result()
    data.variables = {"delay_s": np.full_like(data.variables["delay_s"], np.nan)}
    ax = plot.plot_heat_map(data, x="rate_bps", y="max_error")
    ax.figure.canvas.draw()
    assert [collection.get_hatch() for collection in ax.collections] == ["////"]


def test_words_as_coordinates():
    data = {"method": np.array(["optimal", "_$x"]), "micro_batches": np.array([1, 2, 3]),
            "bytes": np.array([[1e9, 2e9], [np.nan, 2e9], [1e9, np.nan]])}  # fmt: skip
    ax = plot.plot_sweep_curves(data, x="micro_batches", y="bytes", hue="method")
    ax.figure.canvas.draw()
    assert ax.get_ylabel() == "data (GB)"
    assert all(float(text.get_text()).is_integer() for text in ax.get_xticklabels())
    turned = SimpleNamespace(dims=("micro_batches", "method"), coords=data, variables=data)
    ax = plot.plot_heat_map(turned, x="method", y="micro_batches", value="bytes")
    assert [text.get_text() for text in ax.get_xticklabels()] == ["optimal", "_\\$x"]


def test_one_line_and_one_cell():
    one = {"rate_bps": RATES, "delay_s": DELAYS[:, 1]}
    assert plot.plot_sweep_curves(one, x="rate_bps").get_legend() is None
    cell = SimpleNamespace(dims=("a", "b"), coords={"a": [1.0], "b": [2]}, variables={"delay_s": [[3.0]]})
    plot.plot_heat_map(cell, x="a", y="b").figure.canvas.draw()


def test_a_line_without_a_plan_says_so():
    data = as_arrays()
    data["delay_s"] = np.where(ERRORS == 0.0, np.nan, DELAYS)
    ax = plot.plot_sweep_curves(data, x="rate_bps", hue="max_error")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["0 (no plan)", "0.1", "0.2"]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="max_error: 3 values of delay_s; select one"):
        plot.plot_sweep_curves(as_result(), x="rate_bps")
    with pytest.raises(ValueError, match="'colour' is not in the data; it has delay_s"):
        plot.plot_heat_map(as_result(), x="rate_bps", y="max_error", value="colour")
    with pytest.raises(ValueError, match="'altitude_m' is not in the data"):
        plot.plot_heat_map(as_result(), x="rate_bps", y="altitude_m")
    with pytest.raises(ValueError, match="shape"):
        plot.plot_sweep_curves({"rate_bps": RATES, "delay_s": DELAYS[:2, 0]}, x="rate_bps")
