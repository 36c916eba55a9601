"""Who sees whom for how long, and how large is what they send."""

from __future__ import annotations

from ....core.quantity import quantity
from ....core.table import Row, Rows, Tables, where
from ....infer import load
from ....plot import palette, style
from ....tune import Workload, spectral_gpt, workload
from ...report.draw import panels
from ...report.study import Experiment, Picture
from ..scenario import DAY_S, SHELLS, STATIONS, Scenario, embedding_codec

LATITUDES_DEG = (60.0, 70.0, 80.0)
"""Above which links between planes are cut."""


def _compute(quick: bool) -> Tables:
    stop_s = DAY_S / 4 if quick else DAY_S
    passes: Rows = []
    links: Rows = []
    for name, size in SHELLS.items():
        scenario = Scenario(**size)
        passes += _passes(name, scenario.replace(stations="twelve"), stop_s)
        links += [_links(name, scenario.replace(max_latitude_deg=at), stop_s) for at in LATITUDES_DEG]
    messages: Rows = []
    for model in (spectral_gpt(), shipped_workload()):
        messages += _messages(model)
    return {"passes": passes, "links": links, "messages": messages}


def shipped_workload() -> Workload:
    """That of the shipped vision transformer for EuroSAT; its first layer is the stem and a block."""
    net = load()
    return workload(net.profile(1), width=net.width, classes=len(net.classes))


def _passes(shell: str, scenario: Scenario, stop_s: float) -> Rows:
    world = scenario.world()
    plan = world.contacts(0.0, stop_s)
    rows: Rows = []
    for station in world.stations:
        to = plan.to == plan.nodes.position(station.id)
        open_s, close_s = plan.open_s[to], plan.close_s[to]
        whole = (open_s > 0.0) & (close_s < stop_s)
        length_s = close_s - open_s
        row: Row = {"shell": shell, "station": station.id, "latitude_deg": float(station.latitude_deg)}
        row["passes_a_day"] = float(to.sum() * DAY_S / stop_s)
        row.update(mean_s=float(length_s[whole].mean()), longest_s=float(length_s.max()))
        row["satellites_in_view"] = float(length_s.sum() / stop_s)
        rows.append(row)
    return rows


def _links(shell: str, scenario: Scenario, stop_s: float) -> Row:
    """Share of the time for which a link between two planes is open, of all that ever are."""
    plan = scenario.world().contacts(0.0, stop_s)
    first = scenario.planes * scenario.satellites_per_plane  # stations come after satellites
    each = scenario.satellites_per_plane
    between = (plan.from_ < first) & (plan.to < first) & (plan.from_ // each != plan.to // each)
    pairs = (scenario.planes - 1) * each * 2
    open_s = float((plan.close_s - plan.open_s)[between].sum())
    return {
        "shell": shell,
        "cut_above_deg": scenario.max_latitude_deg,
        "share_open": open_s / (pairs * stop_s),
        "mean_s": float((plan.close_s - plan.open_s)[between].mean()),
    }


def _messages(model: Workload) -> Rows:
    codec = embedding_codec()
    encoder_bytes = float(sum(model.layer_weight_bytes[1:]))
    sizes = {
        "raw image": model.image_bytes,
        "embedding": model.cut_bytes(1),
        "embedding, float16": 0.5 * model.cut_bytes(1),
        f"embedding, {codec.name}": model.cut_bytes(1) / codec.ratio,
        "feature": model.feature_bytes,
        "head": model.head_bytes,
        "LoRA of rank 8 and head": model.lora_bytes(8),
        "encoder": encoder_bytes,
    }
    all_flop = model.board_flop(model.layers)
    return [
        {
            "model": model.name,
            "message": message,
            "size_bytes": size,
            "by_raw": size / model.image_bytes,
            "board_share": model.board_flop(1) / all_flop,
            "all_flop": all_flop,
        }
        for message, size in sizes.items()
    ]


def _draw(tables: Tables) -> list[Picture]:
    with panels(1, 2, (9.6, 3.4)) as (figure, axes):
        ax = axes[0, 0]
        for (name, _), colour, marker in zip(SHELLS.items(), palette.CYCLE, "os"):
            own = where(tables["passes"], shell=name)
            ax.plot(
                [abs(row["latitude_deg"]) for row in own],
                [row["satellites_in_view"] for row in own],
                marker,
                color=colour,
                markerfacecolor="none",
                label=name,
            )
        for row in where(tables["passes"], shell=next(iter(SHELLS))):
            if row["station"] in STATIONS["four polar"]:
                at = abs(row["latitude_deg"]), row["satellites_in_view"]
                ax.annotate(
                    row["station"], at, xytext=(-6, 4), textcoords="offset points", fontsize=7, ha="right"
                )
        ax.set_xlabel("latitude of the station, north or south (°)")
        ax.set_ylabel("satellites in view")
        ax.set_ylim(0, 1.15 * max(row["satellites_in_view"] for row in tables["passes"]))
        style.grid(ax)
        ax.set_title("Who is seen")
        ax.legend(loc="upper left")
        ax = axes[0, 1]
        own = tables["messages"][: len(tables["messages"]) // 2]
        sizes = [row["size_bytes"] for row in own]
        places = range(len(own))
        ax.barh(places, sizes, color=palette.CYCLE[0], height=0.6)
        for place, size in zip(places, sizes):
            ax.text(1.2 * size, place, quantity(size, "B"), va="center", fontsize=8)
        ax.set_xscale("log")
        ax.set_xlim(0.5 * min(sizes), 30 * max(sizes))
        ax.set_yticks(places, [row["message"] for row in own])
        ax.invert_yaxis()
        ax.tick_params(axis="y", length=0)
        style.label_axis(ax.xaxis, "size_bytes", sizes, log=True)
        style.grid(ax, "x")
        ax.set_title(f"What is sent: {own[0]['model']}")
    return [
        Picture(
            "contacts",
            figure,
            "Left: satellites that a station has in view, the mean over a day, at 10° and more. Right: "
            "sizes of messages, of an image where they are one's, on a logarithmic axis.",
        )
    ]


CONTACTS = Experiment(
    "Contacts, and what is sent over them",
    "Passes of a day over the twelve stations, links between planes where they are cut above a latitude, and "
    "messages of SpectralGPT, computed from its architecture, and of the shipped network, on which training "
    "is tried. The codec is that of the shipped network's first cut, and its ratio there.",
    _compute,
    _draw,
)
