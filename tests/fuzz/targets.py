"""What reads other people's bytes: each target makes a hostile case of a seeded generator and reads it.

A target is made with a scratch folder; a call with a generator reads one case. It returns where the case was
read, after it has looked whether the value makes sense, and lets pass what was raised otherwise.
"""

from __future__ import annotations

import importlib.util
import io
import json
import math
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import constellm
from constellm import codec, flow, model, moe, network, orbit, services, split
from constellm.core.table import Table

from . import stores
from .mutate import json_bytes, mutated_bytes, mutated_text

DATA = Path(__file__).resolve().parents[1] / "data"
PACKAGE = Path(constellm.__file__).parent

Case = Callable[[random.Random], None]
"""Reads one case."""


def _crc32c_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 & -(byte & 1))
        table.append(byte)
    return table


_CRC32C = _crc32c_table()


def _resealed(message: bytes) -> bytes:
    """The same with the checksum that fits."""
    crc = 0xFFFFFFFF
    for byte in message[7:]:
        crc = (crc >> 8) ^ _CRC32C[(crc ^ byte) & 255]
    return message[:3] + (crc ^ 0xFFFFFFFF).to_bytes(4, "little") + message[7:]


def messages(scratch: Path) -> Case:
    """`codec.decode` and `codec.inspect`."""
    most = 2**24
    numbers = np.random.default_rng(0).standard_normal((10, 24)).astype(np.float32)
    seeds = []
    for sparsify in ("none", "mask", "top-k", "block-top-k", "slicer"):
        for bits in (None, 2, 5, 8):
            for entropy in ("none", "zero-order", "context"):
                keep = 1.0 if sparsify in ("none", "mask") else 0.3
                scheme = codec.Scheme(
                    sparsify=sparsify, keep=keep, block=8, bits=bits, scale="block", entropy=entropy
                )
                mask = numbers > 0.5 if sparsify == "mask" else None
                seeds.append(codec.encode(numbers, scheme, mask=mask))

    def read(rng: random.Random) -> None:
        message = mutated_bytes(rng, rng.choice(seeds))
        if rng.random() < 0.9:
            message = _resealed(message[:7].ljust(7, b"\0") + message[7:])
        decoded = codec.decode(message, max_bytes=most)
        assert decoded.nbytes <= most and np.isfinite(decoded).all()
        assert codec.inspect(message)["shape"] == decoded.shape

    return read


def _problems() -> dict[str, dict[str, Any]]:
    files = [path for path in sorted((DATA / "split").glob("*.json")) if not path.stem.endswith(".plan")]
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in files}


def problems(scratch: Path) -> Case:
    """`split.load_problem`; what is read goes there and back, and now and then is solved."""
    seeds = list(_problems().values())
    file = scratch / "problem.json"

    def read(rng: random.Random) -> None:
        file.write_bytes(json_bytes(rng, rng.choice(seeds)))
        problem = split.load_problem(file)
        assert split.problem_from_dict(problem.to_dict()) == problem
        if rng.random() < 0.3:
            plan = split.solve(problem, time_limit_s=0.1)
            assert not plan.path or (split.check(problem, plan) == [] and math.isfinite(plan.delay_s))

    return read


def plans(scratch: Path) -> Case:
    """`split.load_plan`, `check` and `evaluate`; a plan that is read breaks no rule."""
    seeds = []
    for name, problem in _problems().items():
        plan = json.loads((DATA / "split" / f"{name}.plan.json").read_text(encoding="utf-8"))
        seeds.append((split.problem_from_dict(problem), plan))
    file = scratch / "x.plan.json"

    def read(rng: random.Random) -> None:
        problem, plan = rng.choice(seeds)
        file.write_bytes(json_bytes(rng, plan))
        found = split.load_plan(file, problem)
        assert split.check(problem, found) == []
        assert not found.path or math.isfinite(split.evaluate(problem, found).delay_s)

    return read


def experts(scratch: Path) -> Case:
    """`moe.load_problem` and `load_plan`; what is read goes there and back, and now and then is solved."""
    seeds = []
    for path in sorted((DATA / "moe").glob("*.plan.json")):
        problem, plan = (path.with_name(path.name.replace(".plan", "")), path)
        seeds.append([json.loads(file.read_text(encoding="utf-8")) for file in (problem, plan)])
    file, archive, again = scratch / "x.json", scratch / "x.npz", scratch / "again.json"
    latencies = io.BytesIO()
    np.save(latencies, np.full((1, 2, 4), 0.01))
    of_archive = {
        "format": "constellm.moe-problem", "version": 1, "name": "archive", "top_k": 2, "unreachable_s": 0.1,
        "satellites": ["a", "b", "c", "d"], "layers": [{"weights": [0.5, 0.3, 0.2]}], "latency_npz": "x.npz",
    }  # fmt: skip

    def damage_archive(rng: random.Random) -> None:
        """As a zip file, or what is in it, with the checksum that fits."""
        inside = rng.random() < 0.7
        content = mutated_bytes(rng, latencies.getvalue()) if inside else latencies.getvalue()
        with zipfile.ZipFile(archive, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as file:
            file.writestr("latency_s.npy", content)
        if not inside:
            archive.write_bytes(mutated_bytes(rng, archive.read_bytes()))

    def solve(rng: random.Random, problem: moe.Problem) -> None:
        plan = moe.solve(problem, method=rng.choice(list(moe.METHODS)), time_limit_s=0.1)
        if plan.placement:
            assert math.isfinite(plan.token_latency_s) and 0 <= plan.lower_bound_s <= plan.token_latency_s
            assert moe.evaluate(problem, plan).token_latency_s == plan.token_latency_s
        moe.save_plan(plan, again)
        assert moe.load_plan(again, problem).placement == plan.placement

    def read_problem(rng: random.Random) -> None:
        data = rng.choice([*(problem for problem, _ in seeds), of_archive])
        damage_archive(rng)
        file.write_bytes(json_bytes(rng, data) if rng.random() < 0.7 else json.dumps(data).encode())
        try:
            problem = moe.load_problem(file)
        except OSError as error:  # of an archive that is not there
            raise ValueError(str(error)) from None
        moe.save_problem(problem, again, latency_npz=rng.choice([None, "again.npz"]))
        assert moe.load_problem(again) == problem
        if rng.random() < 0.3:
            solve(rng, problem)

    def read(rng: random.Random) -> None:
        if rng.random() < 0.6:
            read_problem(rng)
            return
        problem, plan = rng.choice(seeds)
        file.write_bytes(json_bytes(rng, plan))
        problem = moe.problem_from_dict(problem)
        found = moe.load_plan(file, problem)
        assert not found.placement or found.gap <= 1 and math.isfinite(found.token_latency_s)

    return read


def transfers(scratch: Path) -> Case:
    """`flow.load_problem` and `load_plan`; what is read goes there and back, and now and then is solved."""
    seeds = []
    for path in sorted((DATA / "flow").glob("*.least.json")):
        data = json.loads(path.with_name(path.name.replace(".least", "")).read_text(encoding="utf-8"))
        seeds.append((data, flow.plan_to_dict(flow.solve(flow.problem_from_dict(data)))))
    file, again = scratch / "x.json", scratch / "again.json"

    def read_problem(rng: random.Random) -> None:
        file.write_bytes(json_bytes(rng, rng.choice(seeds)[0]))
        problem = flow.load_problem(file)
        flow.save_problem(problem, again)
        assert flow.load_problem(again) == problem
        if rng.random() < 0.3:
            method = rng.choice(["optimal", "intervals", "direct"])
            plan = flow.solve(problem, method=method, time_limit_s=0.1)
            assert flow.check(problem, plan) == ()
            flow.save_plan(plan, again)
            assert flow.load_plan(again, problem) == plan

    def read(rng: random.Random) -> None:
        if rng.random() < 0.6:
            read_problem(rng)
            return
        data, plan = rng.choice(seeds)
        file.write_bytes(json_bytes(rng, plan))
        problem = flow.problem_from_dict(data)
        found = flow.load_plan(file, problem)
        assert flow.check(problem, found) == () and not found.finish_s < found.lower_bound_s * (1 - 1e-9)

    return read


def shared_services(scratch: Path) -> Case:
    """`services.load_problem` and `load_plan`; what is read goes there and back, and is evaluated."""
    seeds = []
    for path in sorted((DATA / "services").glob("*.plan.json")):
        problem, plan = (path.with_name(path.name.replace(".plan", "")), path)
        seeds.append([json.loads(file.read_text(encoding="utf-8")) for file in (problem, plan)])
    file, again = scratch / "x.json", scratch / "again.json"

    def evaluate(problem: services.Problem, plan: dict[str, Any]) -> None:
        """The plan of the problem as it was, where names are still the same."""
        placement = services.Placement(plan["replicas"], plan["assignment"])
        try:
            found = services.evaluate(problem, placement)
        except ValueError:
            return
        assert math.isfinite(found.cost) and math.isfinite(found.delay_s)
        for loads in (found.node_load_flop_per_s, found.link_load_bps, found.memory_bytes):
            assert np.isfinite(loads).all() and (loads >= 0).all()
        services.check(problem, placement)

    def read(rng: random.Random) -> None:
        data, plan = rng.choice(seeds)
        if rng.random() < 0.6:
            file.write_bytes(json_bytes(rng, data))
            problem = services.load_problem(file)
            services.save_problem(problem, again)
            assert services.load_problem(again) == problem
            if "replicas" in plan:
                evaluate(problem, plan)
            return
        file.write_bytes(json_bytes(rng, plan))
        problem = services.problem_from_dict(data)
        found = services.load_plan(file, problem)
        assert found.placement is None or (services.check(problem, found) == [] and found.gap <= 1)
        services.save_plan(found, again)
        assert services.load_plan(again, problem) == found

    return read


_PIPEEDGE_MODELS = """\
google/vit-base-patch16-224: {layers: 2, mem_MB: [10, 20], parameters_in: 150528, parameters_out: [5, 6]}
other: {layers: 2, mem_MB: [1.5, 2.5], parameters_in: 10, parameters_out: [5, 6]}
"""
_PIPEEDGE_DEVICES = """\
one:
  bw_Mbps: 1000
  mem_MB: 2048
  model_profiles:
    other:
    - {batch_size: 8, dtype: torch.float32, time_s: [0.1, 0.2]}
two:
  bw_Mbps: 10
  mem_MB: 20
  model_profiles: {other: [{batch_size: 8, dtype: torch.float32, time_s: [1, 2]}]}
"""


def tables(scratch: Path) -> Case:
    """Model tables, codec tables and measured cuts: CSV, PipeDream's text, PipeEdge's YAML."""
    measured = (PACKAGE / "infer" / "data" / "vit-eurosat-cuts.csv").read_text(encoding="utf-8")
    graph = (PACKAGE / "model" / "data" / "pipedream" / "gnmt.txt").read_text(encoding="utf-8")
    devices = scratch / "device_types.yml"
    devices.write_text(_PIPEEDGE_DEVICES, encoding="utf-8")

    def profile(path: Path) -> object:
        return model.from_csv(path, input_bytes=1e5)

    readers: list[tuple[str, Callable[[Path], object]]] = [
        ("name,flop,memory_bytes,output_bytes\na,1e9,100,10\nb,2e9,200,20\n", profile),
        ("name,ratio,error\nnone,1,0\nhalf,2,0.1\n", codec.from_table),
        ("method,delay_s\noptimal,0.25\nuniform,0.5\n", Table.read_csv),
        ("".join(measured.splitlines(keepends=True)[:4]), codec.read_measured_cuts),
        (graph, model.read_pipedream),
    ]
    if importlib.util.find_spec("yaml"):
        readers.append((_PIPEEDGE_MODELS, lambda path: model.read_pipeedge(path, devices)))
        models = scratch / "models.yml"
        models.write_text(_PIPEEDGE_MODELS, encoding="utf-8")
        readers.append((_PIPEEDGE_DEVICES, lambda path: model.read_pipeedge(models, path)))
    file = scratch / "table"

    def read(rng: random.Random) -> None:
        text, reader = rng.choice(readers)
        data = mutated_text(rng, text).encode("utf-8", "surrogatepass")
        file.write_bytes(mutated_bytes(rng, data) if rng.random() < 0.3 else data)
        reader(file)

    return read


def configurations(scratch: Path) -> Case:
    """`model.from_config` of a ``config.json``."""
    listed = json.loads((DATA / "architectures.json").read_text(encoding="utf-8"))["published"]
    seeds = [entry["config"] for entry in listed]
    file = scratch / "config.json"

    def read(rng: random.Random) -> None:
        config = rng.choice(seeds)
        file.write_bytes(json_bytes(rng, config))
        options = {} if "image_size" in config or "vision_config" in config else {"prompt_tokens": 100}
        profile = model.from_config(file, **options)
        assert all(math.isfinite(layer.flop) for layer in profile.layers)

    return read


def elements(scratch: Path) -> Case:
    """`orbit.read_elements` of every form; what is read goes there and back."""
    sets = orbit.sample_elements()[:2]
    keywords = json.loads(orbit.format_elements(sets))
    kvn = "".join(
        "CCSDS_OMM_VERS = 2.0\n" + "".join(f"{name} = {value}\n" for name, value in values.items())
        for values in keywords
    )
    segments = "".join(
        f"<segment>{''.join(f'<{name}>{value}</{name}>' for name, value in values.items())}</segment>"
        for values in keywords
    )
    texts = [orbit.format_elements(sets, form) for form in ("tle", "csv", "json")]
    texts += [kvn, f"<ndm>{segments}</ndm>"]
    file = scratch / "elements"

    def read(rng: random.Random) -> None:
        how = rng.random()
        if how < 0.4:
            data = json_bytes(rng, rng.choice([keywords, keywords[0]]))
        elif how < 0.6:
            data = mutated_text(rng, rng.choice(texts)).encode("utf-8", "surrogatepass")
        else:
            data = mutated_bytes(rng, rng.choice(texts).encode())
        file.write_bytes(data)
        found = orbit.read_elements(file, duplicates=rng.choice(["refuse", "latest"]))
        assert orbit.parse_elements(orbit.format_elements(found)) == found
        if rng.random() < 0.3:
            states = orbit.propagate(found, [0.0, 1e5])
            assert (np.isfinite(states.position_m).all(axis=2) == (states.error == 0)).all()

    return read


def constellations(scratch: Path) -> Case:
    """`orbit.load_constellation`, `read_hypatia` and `read_stations`; constellations go there and back."""
    orbit.write_elements(orbit.sample_elements()[:3], scratch / "sets.tle")
    grid = {"pattern": "plus-grid", "shell": "a", "seam": "open", "shift": 1, "max_latitude_deg": 70}
    seed = {
        "format": "constellm.constellation", "version": 1, "name": "sky", "epoch": "2026-03-01T12:00:00Z",
        "shells": [
            {"name": "a", "planes": 2, "satellites_per_plane": 3, "altitude_m": 5e5, "inclination_deg": 53},
            {
                "name": "b", "planes": 1, "satellites_per_plane": 4, "mean_motion_rev_per_day": 15,
                "inclination_deg": 97, "plane_phase_deg": [5], "propagator": "two-body",
            },
        ],
        "element_sets": ["sets.tle"],
        "stations": [{"id": "g", "latitude_deg": 78.2, "longitude_deg": 15.4, "max_range_m": 2e6}],
        "links": [grid, {"pattern": "nearest", "shell": None, "count": 2}, {"pattern": "ground", "seed": 1}],
    }  # fmt: skip
    sites = json.loads((PACKAGE / "orbit" / "data" / "brahe" / "dsn.json").read_text(encoding="utf-8"))
    file, again = scratch / "sky.json", scratch / "again.json"
    small = orbit.Shell(name="s", planes=3, satellites_per_plane=4, altitude_m=5e5, inclination_deg=53.0)
    folder = scratch / "hypatia"
    orbit.write_hypatia(
        orbit.Constellation(
            small, stations=orbit.station("g", 78.2, 15.4), links=[orbit.plus_grid(), orbit.ground()]
        ),
        folder,
    )
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())}

    def read_hypatia(rng: random.Random) -> None:
        damaged = rng.choice(list(texts))
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
        lines = texts[damaged].splitlines(keepends=True)
        at = rng.randrange(len(lines))
        lines[at] = mutated_text(rng, lines[at]) + "\n"
        damaged.write_bytes("".join(lines).encode("utf-8", "surrogatepass"))
        world = orbit.read_hypatia(folder)
        if world.shells and len(world.links) == 2:
            orbit.write_hypatia(world, scratch / "again")
            orbit.read_hypatia(scratch / "again")

    def read(rng: random.Random) -> None:
        if rng.random() < 0.2:
            read_hypatia(rng)
            return
        if rng.random() < 0.3:
            file.write_bytes(json_bytes(rng, sites))
            assert all(isinstance(one, orbit.Station) for one in orbit.read_stations(file))
            return
        file.write_bytes(json_bytes(rng, seed))
        try:
            world = orbit.load_constellation(file)
        except OSError as error:  # of element sets that are not there
            raise ValueError(str(error)) from None
        orbit.save_constellation(world, again)
        assert orbit.load_constellation(again) == world
        if len(world.satellite_ids) < 1000:
            assert world.at(60.0).graph.link_count % 2 == 0

    return read


def contacts(scratch: Path) -> Case:
    """`network.load_contact_plan`; what is read goes there and back, and a message is sent over it."""
    ion = (DATA / "contact_plans" / "relay.ionrc").read_text(encoding="utf-8")
    hdtn = json.loads((DATA / "contact_plans" / "relay.json").read_text(encoding="utf-8"))

    def read(rng: random.Random) -> None:
        if rng.random() < 0.5:
            file = scratch / "plan.json"
            file.write_bytes(json_bytes(rng, hdtn))
        else:
            file = scratch / "plan.ionrc"
            lines = ion.splitlines(keepends=True)
            at = rng.randrange(len(lines))
            lines[at] = mutated_text(rng, lines[at]) + "\n"
            data = "".join(lines).encode("utf-8", "surrogatepass")
            file.write_bytes(mutated_bytes(rng, data) if rng.random() < 0.3 else data)
        plan = network.load_contact_plan(file)
        again = scratch / "again.json"
        network.save_contact_plan(plan, again)
        assert network.load_contact_plan(again, epoch=plan.epoch) == plan
        network.earliest_arrival(plan, 0, size_bytes=1e3).route(0, len(plan.nodes) - 1)

    return read


def activations(scratch: Path) -> Case:
    """Counts and traces of experts in every form of `moe`; a trace goes there and back."""
    drawn = moe.draw_trace(moe.zipf_weights(6, layers=2), top_k=2, tokens=9)
    routes = drawn.expert_ids.swapaxes(0, 1).tolist()
    table = {"layers_in_order": [0, 7], "models": {"m": {"expert_counts": {"a": [[3, 4, 5], [4, 4, 4]]}}}}
    response = {"prompt_routed_experts": routes[:3], "choices": [{"routed_experts": routes[3:]}]}
    record = {"step": 0, "stage": "pre_dispatch", "block": "decoder", "layer": 3, "rank": 0}
    record |= {"num_tokens": 9, "topk": 2, "top_indices": drawn.expert_ids[0].tolist()}
    ids = "\t".join(map(str, drawn.expert_ids[0].ravel()))
    text = f"{ids}\t\t" + "\t".join(["0.25"] * drawn.expert_ids[0].size) + "\n"
    arrays = scratch / "trace.npz"
    moe.save_trace(drawn, arrays)
    whole, folder = arrays.read_bytes(), scratch / "esft"
    folder.mkdir()

    def read(rng: random.Random) -> None:
        how = rng.randrange(5)
        if how == 0:
            file = scratch / "counts.json"
            file.write_bytes(json_bytes(rng, table))
            found = moe.read_expert_counts(file, model="m", top_k=1)
            np.testing.assert_allclose(found.shares.sum(axis=1), 1.0, rtol=1e-9)
            assert found.summary()
            return
        if how == 1:
            (scratch / "response.json").write_bytes(json_bytes(rng, response))
            trace = moe.read_vllm(scratch / "response.json", experts=6)
        elif how == 2:
            (scratch / "records.jsonl").write_bytes(json_bytes(rng, record))
            trace = moe.read_megatron(scratch / "records.jsonl", experts=6, in_order=True)
        elif how == 3:
            line = mutated_bytes(rng, text.encode()) if rng.random() < 0.9 else text.encode()
            (folder / "expert_weights_1.txt").write_bytes(line)
            trace = moe.read_esft(folder, experts=6, top_k=2)
        else:
            arrays.write_bytes(mutated_bytes(rng, whole))
            trace = moe.load_trace(arrays)
        moe.save_trace(trace, arrays)
        assert moe.load_trace(arrays) == trace and trace.summary()

    return read


TARGETS: dict[str, Callable[[Path], Case]] = {
    "messages": messages,
    "problems": problems,
    "plans": plans,
    "experts": experts,
    "transfers": transfers,
    "services": shared_services,
    "tables": tables,
    "constellations": constellations,
    "contacts": contacts,
    "configurations": configurations,
    "elements": elements,
    "activations": activations,
    "stores": stores.damaged,
    "kills": stores.killed,
}
"""By name."""
