"""Named problems: collaborative inference over a ring of satellites, and PipeEdge's boards."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ...codec import Codec, menu
from ...core.checks import count
from ...model import Profile, image_bytes, pipeedge, vit
from ...network import Network, Node, chain, device, link, ring, with_ground
from ...split import Problem
from .parameters import FOOTPRINT_BYTES, MAX_ERROR

_CLASSES = 45


def problem(
    model: str | Profile = "vit-gigantic/14",
    *,
    image: str | tuple[int, int] = "1080p",
    bits_per_pixel: float = 24,
    batch: int = 64,
    micro_batches: int = 8,
    power_modes_w: Sequence[int] = (30, 50, 15, 30, 50),
    relays: int = 7,
    precision: str = "fp16-tensor",
    utilisation: float = 0.2,
    memory_bytes: float = 8e9,
    footprint_bytes: float | None = None,
    isl_rate_bps: float = 0.5e9,
    s2g_rate_bps: float = 0.8e9,
    propagation_s: float = 11.9e-3,
    s2g_propagation_s: float = 1.7e-3,
    ground_computes: bool = False,
    codecs: Sequence[Codec] | None = None,
    max_error: float | None = MAX_ERROR,
    name: str | None = None,
) -> Problem:
    """Collaborative inference of a vision transformer over satellites (arXiv 2604.04654).

    Computing satellites ``s0``, ``s1``, ... hold the model in parts; ``s0`` has the images, and the last
    of them sees the node ``ground``, which wants the result. `PARAMETERS` says of every default whether
    it is stated, derived or assumed.

    Parameters
    ----------
    model : str or Profile
        A vision transformer by name, or a profile for batch / micro_batches images, taken as it is but
        for its input.
    image : str or (int, int)
        Size of the raw images: ``"240p"`` to ``"1080p"``, or width and height [px].
    bits_per_pixel : float
        Of a raw image.
    batch, micro_batches : int
        Images of the task, and the parts they flow in; the second divides the first.
    power_modes_w : sequence of int
        Mode of the Jetson AGX Orin (15, 30 or 50) on every computing satellite, in order [W].
    relays : int
        Satellites that only relay and close the ring, so that there are two ways round. 0: a plain
        one-way chain of the computing satellites.
    precision, utilisation : str, float
        As for `network.device`, of satellites and ground alike.
    memory_bytes : float
        Room for layers on a computing satellite [B].
    footprint_bytes : float, optional
        Memory of the whole model, spread evenly over the layers [B]. Default: `FOOTPRINT_BYTES`, or
        what the profile says where that has no entry.
    isl_rate_bps, s2g_rate_bps : float
        Of the links between satellites, and of the one to the ground [bit/s].
    propagation_s, s2g_propagation_s : float
        Of the same links [s].
    ground_computes : bool
        Whether the ground may host layers, on an RTX 4070 Ti with 12 GB. The benchmark that sends all raw
        images down needs it.
    codecs : sequence of Codec, optional
        Default: ``codec.menu("gumbel-mask")``.
    max_error : float or None
        Limit of the accumulated error; the default is `MAX_ERROR`.
    name : str, optional
        Of the problem; default: from model and image.

    Returns
    -------
    Problem
        Nodes in groups ``satellite``, ``relay`` and ``ground``, links in ``isl`` and ``s2g``.

    Raises
    ------
    ValueError, TypeError
        Names the field, the value and what is allowed.

    Examples
    --------
    >>> from constellm import paper
    >>> problem = paper.collaborative.problem(image="720p", s2g_rate_bps=0.4e9)
    >>> len(problem.layers), len(problem.nodes), problem.sink
    (48, 13, 'ground')
    """
    images = _share(batch, micro_batches)
    profile = _profile(model, images, footprint_bytes)
    orbit = _orbit(power_modes_w, relays, precision, utilisation, memory_bytes, isl_rate_bps, propagation_s)
    server = device("rtx-4070-ti", precision=precision, utilisation=utilisation)
    last = f"s{len(power_modes_w) - 1}"
    size = image if isinstance(image, str) else "x".join(map(str, image))
    return Problem(
        name=_name(f"collaborative-{profile.name}-{size}") if name is None else name,
        model=profile.replace(input_bytes=image_bytes(image, batch=images, bits_per_pixel=bits_per_pixel)),
        network=with_ground(
            orbit,
            at=last,
            rate_bps=s2g_rate_bps,
            latency_s=s2g_propagation_s,
            flop_per_s=server.flop_per_s if ground_computes else 0.0,
            memory_bytes=server.memory_bytes if ground_computes else 0.0,
            power_w=server.power_w if ground_computes else 0.0,
        ),
        codecs=menu("gumbel-mask") if codecs is None else codecs,
        micro_batches=micro_batches,
        max_error=max_error,
    )


def edge_boards(
    model: str = "google/vit-base-patch16-224",
    *,
    boards: Mapping[str, int] | None = None,
    rate_bps: float = 1e9,
    latency_s: float = 0.0,
    micro_batches: int = 8,
    codecs: Sequence[Codec] | None = None,
    max_error: float | None = None,
    name: str | None = None,
) -> Problem:
    """PipeEdge's measured vision transformers on a chain of its low-power boards.

    Layer times, sizes and memory are the measured ones (Hu et al., DSD 2022, arXiv 2110.14895; batch 8,
    FP32), as are board memory and link rate by default. The chain in one order, propagation and the number of
    micro-batches are assumptions.

    Parameters
    ----------
    model : str
        ``"google/vit-base-patch16-224"`` or ``"google/vit-large-patch16-224"``.
    boards : mapping of str to int, optional
        How many boards of each type, in chain order; default: four ``Minnowboard-E3845``, then four
        ``RCC-VE-C2000``, the order of the authors' example schedule.
    rate_bps, latency_s : float
        Of every link [bit/s], [s].
    micro_batches : int
        Batches of 8 images that flow through.
    codecs : sequence of Codec, optional
        Default: ``codec.menu("none")``, as PipeEdge does not compress.
    max_error : float or None
        Limit of the accumulated error.
    name : str, optional
        Of the problem; default: from the model.

    Returns
    -------
    Problem
        Nodes ``<type>-<i>`` in a group for each type of board.

    Raises
    ------
    ValueError, TypeError
        Names the field, the value and what is allowed.

    Examples
    --------
    >>> from constellm import paper
    >>> problem = paper.collaborative.edge_boards()
    >>> len(problem.layers), len(problem.nodes)
    (48, 8)
    """
    measured = pipeedge(model)
    nodes = []
    for board, number in ({"Minnowboard-E3845": 4, "RCC-VE-C2000": 4} if boards is None else boards).items():
        if board not in measured.device_times:
            known = ", ".join(map(repr, measured.device_times))
            raise ValueError(f"boards: {board!r} is not one of {known}")
        nodes += [
            Node(
                id=f"{board}-{i}",
                flop_per_s=0.0,
                memory_bytes=measured.device_memory_bytes[board],
                layer_time_s=measured.device_times[board],
                group=board,
            )
            for i in range(count(f"boards[{board!r}]", number))
        ]
    if not nodes:
        raise ValueError("boards: names no board, at least one is needed")
    links = [
        link(a.id, b.id, rate_bps=rate_bps, latency_s=latency_s, group="lan")
        for a, b in zip(nodes, nodes[1:])
    ]
    return Problem(
        name=_name(f"edge-boards-{model}") if name is None else name,
        model=measured.profile,
        network=Network(nodes=nodes, links=links, source=nodes[0].id, sink=nodes[-1].id),
        codecs=menu("none") if codecs is None else codecs,
        micro_batches=micro_batches,
        max_error=max_error,
    )


def _name(text: str) -> str:
    """`text` with every character that a problem's name may not hold replaced."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)


def _share(batch: int, micro_batches: int) -> int:
    """Images of a micro-batch."""
    batch, micro_batches = count("batch", batch), count("micro_batches", micro_batches)
    if batch % micro_batches:
        raise ValueError(f"micro_batches: {micro_batches} does not divide batch = {batch}")
    return batch // micro_batches


def _profile(model: str | Profile, images: int, footprint_bytes: float | None) -> Profile:
    if isinstance(model, Profile):
        if model.batch != images:
            raise ValueError(f"model: for {model.batch} images, but batch / micro_batches is {images}")
        profile = model
    else:
        profile = vit(model, batch=images, classes=_CLASSES)
        footprint_bytes = FOOTPRINT_BYTES.get(model) if footprint_bytes is None else footprint_bytes
    return profile if footprint_bytes is None else profile.with_memory(footprint_bytes)


def _orbit(
    power_modes_w: Sequence[int],
    relays: int,
    precision: str,
    utilisation: float,
    memory_bytes: float,
    rate_bps: float,
    latency_s: float,
) -> Network:
    relays = count("relays", relays, least=0)
    if len(power_modes_w) == 0:
        raise ValueError("power_modes_w: names no satellite, at least one must compute")
    if relays and relays + len(power_modes_w) < 3:
        raise ValueError(
            f"relays: {relays} and {len(power_modes_w)} computing satellites are too few for a ring"
        )
    for i, mode in enumerate(power_modes_w):
        if mode not in (15, 30, 50):
            raise ValueError(f"power_modes_w[{i}]: {mode!r} is not one of 15, 30, 50")
    orins = [
        device(f"jetson-agx-orin-{mode}w", precision=precision, utilisation=utilisation)
        for mode in power_modes_w
    ]
    n = len(orins)
    make = ring if relays else chain
    return make(
        n + relays,
        flop_per_s=[orin.flop_per_s for orin in orins] + [0.0] * relays,
        memory_bytes=[memory_bytes] * n + [0.0] * relays,
        power_w=[orin.power_w for orin in orins] + [0.0] * relays,
        node_group=["satellite"] * n + ["relay"] * relays,
        rate_bps=rate_bps,
        latency_s=latency_s,
    )
