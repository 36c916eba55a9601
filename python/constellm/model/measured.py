"""Published measurements: layer times and sizes of real models on real devices."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import _core
from .._core.model import LayerProfile
from ..core.checks import count, non_negative, short
from ..core.files import as_path, read_text
from ..core.optional import optional_import
from .config import DATA, PathName, element_bytes
from .profile import Profile
from .vision import vit

_MOST_YAML_VALUES = 1_000_000  # PipeEdge's own tables have some ten thousand


@dataclass(frozen=True)
class Measured:
    """A model with measured layer times.

    Attributes
    ----------
    profile : Profile
        Sizes, for the micro-batch that was measured.
    device_times : dict of str to list of float
        Seconds of every layer per micro-batch, by device: ready for ``network.Node(layer_time_s=…)``.
    device_memory_bytes : dict of str to float
        Memory of each device [B], where the table tells it.
    device_rate_bps : dict of str to float
        Network rate of each device [bit/s], where the table tells it.

    Examples
    --------
    >>> from constellm import model
    >>> measured = model.pipeedge("google/vit-base-patch16-224")
    >>> times = measured.device_times["RCC-VE-C2000"]
    >>> len(times) == len(measured.profile), measured.profile.batch
    (True, 8)
    """

    profile: Profile
    device_times: dict[str, list[float]]
    device_memory_bytes: dict[str, float]
    device_rate_bps: dict[str, float]


def pipeedge(model: str) -> Measured:
    """A vision transformer as PipeEdge measured it on two low-power boards, batch 8, float32.

    Parameters
    ----------
    model : str
        ``"google/vit-base-patch16-224"`` (48 sub-layers) or ``"google/vit-large-patch16-224"`` (96).

    Returns
    -------
    Measured
        Devices ``Minnowboard-E3845`` and ``RCC-VE-C2000``.

    Raises
    ------
    ValueError
        For a model that is not shipped; the message lists them.

    Examples
    --------
    >>> from constellm import model
    >>> measured = model.pipeedge("google/vit-base-patch16-224")
    >>> len(measured.profile), sorted(measured.device_times)[:1]
    (48, ['Minnowboard-E3845'])

    Notes
    -----
    Hu et al., DSD 2022, arXiv 2110.14895; the tables are from the repository usc-isi/PipeEdge (BSD-3-Clause).
    """
    table = json.loads((DATA / "pipeedge" / "profiles.json").read_text(encoding="utf-8"))
    return _pipeedge(table["models"], table["devices"], model)


def read_pipeedge(models: PathName, device_types: PathName | None = None) -> dict[str, Measured]:
    """Read PipeEdge's own YAML files (needs PyYAML).

    Parameters
    ----------
    models : str or path
        ``models.yml``, or the folder that holds it and ``device_types.yml``.
    device_types : str or path
        ``device_types.yml``; default: beside `models`.

    Returns
    -------
    dict of str to Measured
        By model name; entries without layers are left out.

    Examples
    --------
    >>> from pathlib import Path
    >>> from constellm import model
    >>> _ = Path("models.yml").write_text(
    ...     "tiny: {layers: 2, parameters_in: 10, parameters_out: [10, 1], mem_MB: [1.0, 2.0]}"
    ... )
    >>> _ = Path("device_types.yml").write_text(
    ...     "board: {mem_MB: 1024, bw_Mbps: 100,"
    ...     " model_profiles: {tiny: [{dtype: torch.float32, batch_size: 8, time_s: [0.1, 0.2]}]}}"
    ... )
    >>> model.read_pipeedge("models.yml")["tiny"].device_times
    {'board': [0.1, 0.2]}
    """
    path = as_path(models)
    if path.is_dir():
        path = path / "models.yml"
    model_table = _read_yaml(path)
    device_table = _read_yaml(as_path(device_types or path.with_name("device_types.yml")))
    names = [name for name, entry in model_table.items() if _layers(name, entry) > 0]
    return {name: _pipeedge(model_table, device_table, name) for name in names}


def _read_yaml(path: Path) -> dict[str, Any]:
    yaml = optional_import("yaml", extra="profiles", purpose="reading YAML needs PyYAML")
    try:
        content = yaml.safe_load(read_text(path))
    except (yaml.YAMLError, RecursionError) as error:
        why = " ".join(str(error).split()) if isinstance(error, yaml.YAMLError) else "it is nested too deeply"
        raise ValueError(f"{path} is no YAML: {why}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a mapping, got {type(content).__name__}")
    # A few aliases of aliases stand for any number of values, one of itself for infinitely many.
    waiting: list[Any] = [content]
    for _ in range(_MOST_YAML_VALUES):
        value = waiting.pop()
        waiting += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        if not waiting:
            return content
    raise ValueError(f"{path}: more than {_MOST_YAML_VALUES} values, aliases written out")


def _entry(place: str, table: Any, key: str) -> Any:
    """What a mapping of the tables has under `key`."""
    if not isinstance(table, Mapping):
        raise TypeError(f"{place}: expected a mapping, got {short(table)}")
    if key not in table:
        raise ValueError(f"{place}: missing key {key!r}")
    return table[key]


def _layers(name: str, entry: Any) -> int:
    if not isinstance(name, str):
        raise TypeError(f"models: expected names, got {short(name)}")
    return count(f"{name}.layers", _entry(name, entry, "layers"), least=0)


def _columns(name: str, layers: int, columns: Mapping[str, Any]) -> list[list[float]]:
    """Each of them as one number per layer."""
    for field, values in columns.items():
        if not isinstance(values, list):
            raise TypeError(f"{name}.{field}: expected a list of numbers, got {short(values)}")
        if len(values) != layers:
            raise ValueError(f"{name}.{field}: {len(values)} values are not {layers}, one per layer")
    return [
        [non_negative(f"{name}.{field}[{i}]", value) for i, value in enumerate(values)]
        for field, values in columns.items()
    ]


def _profiles(devices: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What was measured of a model, by device: the last of its entries."""
    found: dict[str, Any] = {}
    for device, fields in devices.items():
        if not isinstance(device, str):
            raise TypeError(f"devices: expected names, got {short(device)}")
        by_model = _entry(device, fields, "model_profiles") or {}
        if name in by_model:
            entries = _entry(f"{device}.model_profiles", by_model, name)
            if not isinstance(entries, list):
                raise TypeError(f"{device}.model_profiles.{name}: expected a list, got {short(entries)}")
            found.update((device, profile) for profile in entries)
    return found


def _pipeedge(models: Mapping[str, Any], devices: Mapping[str, Any], name: str) -> Measured:
    if name not in models:
        raise ValueError(f"model: {name!r} is not one of {', '.join(models)}")
    entry = models[name]
    layers = _layers(name, entry)
    profiles = _profiles(devices, name)
    batches = {
        (
            count(f"{device}.{name}.batch_size", _entry(f"{device}.{name}", profile, "batch_size")),
            str(_entry(f"{device}.{name}", profile, "dtype")),
        )
        for device, profile in profiles.items()
    }
    if len(batches) != 1:
        raise ValueError(f"{name}: expected measurements of one batch size and type, got {sorted(batches)}")
    batch, dtype = batches.pop()
    dtype = dtype.replace("torch.", "")
    of_model = {field: _entry(name, entry, field) for field in ("parameters_out", "mem_MB")}
    of_devices = {
        f"{device}.time_s": _entry(device, profile, "time_s") for device, profile in profiles.items()
    }
    numbers_out, memory_mb, *times_s = _columns(name, layers, {**of_model, **of_devices})
    per_number = batch * element_bytes(f"{name}.dtype", dtype)
    computed = _computed_layers(name, layers, batch, dtype)
    detail = tuple(
        layer.replace(memory_bytes=memory_mb[i] * 1e6, output_bytes=numbers_out[i] * per_number)
        for i, layer in enumerate(computed)
    )

    def of_device(key: str) -> dict[str, float]:
        return {d: non_negative(f"{d}.{key}", _entry(d, devices[d], key)) * 1e6 for d in profiles}

    return Measured(
        profile=Profile(
            name=name,
            detail=detail,
            input_bytes=non_negative(f"{name}.parameters_in", _entry(name, entry, "parameters_in"))
            * per_number,
            batch=batch,
            dtype=dtype,
            note="PipeEdge (DSD 2022): times, memory and tensor sizes measured; FLOP and weights computed.",
        ),
        device_times=dict(zip(profiles, times_s)),
        device_memory_bytes=of_device("mem_MB"),
        device_rate_bps=of_device("bw_Mbps"),
    )


def _computed_layers(name: str, layers: int, batch: int, dtype: str) -> tuple[LayerProfile, ...]:
    """FLOP and weights of Google's vision transformers; nought for a model whose shape is not known."""
    known = re.fullmatch(r"google/vit-(base|large|huge)-patch(\d+)-(\d+)(?:-in21k)?", name)
    if known is None:
        blank = LayerProfile(name="", flop=0, memory_bytes=0, output_bytes=0)
        return tuple(blank.replace(name=f"layer-{i}") for i in range(layers))
    size, patch, side = known.groups()
    profile = vit(
        f"vit-{size}/{patch}", image_px=int(side), batch=batch, dtype=dtype, granularity="sub-block"
    )
    if len(profile) != layers:
        raise ValueError(f"{name}.layers: {layers} is not {len(profile)}, four per block")
    return profile.detail


def pipedream(model: str) -> Measured:
    """A model as PipeDream measured it on one GPU (which, its files do not say).

    Parameters
    ----------
    model : {"vgg16", "resnet50", "gnmt"}
        The first two at batch 128.

    Returns
    -------
    Measured
        One device, ``gpu``.

    Raises
    ------
    ValueError
        For a model that is not shipped; the message lists them.

    Examples
    --------
    >>> from constellm import model
    >>> len(model.pipedream("vgg16").profile)
    40

    Notes
    -----
    Narayanan et al., SOSP 2019; the graphs are from the repository msr-fiddle/pipedream (MIT).
    """
    names = sorted(path.stem for path in (DATA / "pipedream").glob("*.txt"))
    if model not in names:
        raise ValueError(f"model: {model!r} is not one of {', '.join(names)}")
    return read_pipedream(DATA / "pipedream" / f"{model}.txt")


_NODE = re.compile(
    r"node(?P<id>\d+) -- (?P<op>.*) -- forward_compute_time=(?P<ms>[\d.]+), backward_compute_time=[\d.]+, "
    r"activation_size=(?P<activation>[\d.]+|\[[\d.; ]+\]), parameter_size=(?P<parameters>[\d.]+)"
)
_EDGE = re.compile(r"\tnode(\d+) -- node(\d+)")


@dataclass(frozen=True)
class _Operator:
    id: int
    label: str
    time_s: float
    output_bytes: float
    weight_bytes: float

    @property
    def is_input(self) -> bool:
        return self.label.startswith("Input")

    @property
    def is_view(self) -> bool:
        """Picks one tensor of several; computes and copies nothing."""
        return self.label.startswith("__getitem__")


def read_pipedream(path: PathName) -> Measured:
    r"""Read an operator graph of PipeDream as a line of layers.

    Parameters
    ----------
    path : str or path
        A ``graph.txt`` of PipeDream's profiler.

    Returns
    -------
    Measured
        One device, ``gpu``, with the forward times.

    Notes
    -----
    The operators run in topological order, the lowest number first where there is a choice. A cut
    carries every tensor that a later operator reads, skip connections included, each once. Input nodes
    are the raw input: their times, which are data loading, are dropped, and an input that a later
    operator reads crosses the cuts before it. ``__getitem__`` picks a tensor of its operator's output
    and is no layer. An output that nothing reads is dropped, but for the last operator's, the result.

    Memory is the weights and the output; FLOP are not in the table and stand as 0, so plan such a profile
    with the measured times. Weights are taken as float32, as the profiler writes them.

    Examples
    --------
    >>> from pathlib import Path
    >>> from constellm import model
    >>> _ = Path("graph.txt").write_text(
    ...     "node1 -- Linear -- forward_compute_time=2.000, backward_compute_time=4.000, "
    ...     "activation_size=400.0, parameter_size=800.000\n"
    ...     "node2 -- ReLU -- forward_compute_time=1.000, backward_compute_time=1.000, "
    ...     "activation_size=400.0, parameter_size=0.000\n"
    ...     "\tnode1 -- node2\n"
    ... )
    >>> model.read_pipedream("graph.txt").device_times
    {'gpu': [0.002, 0.001]}
    """
    path = as_path(path)
    operators, edges = _parse_graph(path)
    ids = sorted(operators)
    place = {node: index for index, node in enumerate(ids)}
    order = [
        ids[i] for i in _core.model.topological_order(len(ids), [(place[a], place[b]) for a, b in edges])
    ]
    layers = [op for op in (operators[node] for node in order) if not op.is_input and not op.is_view]
    if not layers:
        raise ValueError(f"{path}: no operator but inputs")
    crossing = _core.model.crossing_bytes(len(layers), _tensors(operators, edges, order, layers))
    detail = tuple(
        LayerProfile(
            name=f"node{layer.id} {layer.label.split('(')[0]}",
            flop=0.0,
            memory_bytes=layer.weight_bytes + layer.output_bytes,
            output_bytes=crossing[index],
            parameters=layer.weight_bytes / 4.0,
            weight_bytes=layer.weight_bytes,
            workspace_bytes=layer.output_bytes,
        )
        for index, layer in enumerate(layers)
    )
    input_bytes = sum(operator.output_bytes for operator in operators.values() if operator.is_input)
    return Measured(
        profile=Profile(
            name=path.stem,
            detail=detail,
            input_bytes=input_bytes,
            note="PipeDream (SOSP 2019): forward times and sizes measured, for the whole batch; no FLOP.",
        ),
        device_times={"gpu": [layer.time_s for layer in layers]},
        device_memory_bytes={},
        device_rate_bps={},
    )


def _parse_graph(path: Path) -> tuple[dict[int, _Operator], list[tuple[int, int]]]:
    operators: dict[int, _Operator] = {}
    edges: list[tuple[int, int]] = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        edge, node = _EDGE.fullmatch(line), _NODE.fullmatch(line)
        if edge:
            edges.append((int(edge[1]), int(edge[2])))
        elif node:
            operators[int(node["id"])] = _Operator(
                id=int(node["id"]),
                label=node["op"],
                time_s=float(node["ms"]) / 1e3,
                output_bytes=sum(float(part) for part in node["activation"].strip("[]").split(";")),
                weight_bytes=float(node["parameters"]),
            )
        elif line.strip():
            raise ValueError(f"{path}, line {number}: neither a node nor an edge: {line[:80]!r}")
    for edge_ids in edges:
        for node_id in edge_ids:
            if node_id not in operators:
                raise ValueError(f"{path}: an edge names node{node_id}, which has no line")
    return operators, edges


def _tensors(
    operators: dict[int, _Operator], edges: list[tuple[int, int]], order: list[int], layers: list[_Operator]
) -> list[tuple[float, int, int]]:
    """Every tensor as (bytes, position that makes it, last position that reads it)."""
    position = {layer.id: index for index, layer in enumerate(layers)}
    made_at = {node: position.get(node, -1) for node in order}
    readers: dict[int, list[int]] = {node: [] for node in order}
    for source, reader in edges:
        readers[source].append(reader)
        if operators[reader].is_view:
            made_at[reader] = made_at[source]
    tensors = []
    for node in order:
        # What is only picked apart never travels whole: its picked tensors stand for it.
        last_read = max((position[reader] for reader in readers[node] if reader in position), default=-1)
        if node == layers[-1].id:
            last_read = len(layers)
        tensors.append((operators[node].output_bytes, made_at[node], last_read))
    return tensors
