"""Who computes and who can send to whom: nodes, links, chains, rings, ground stations, devices.

`Node`, `Link` and `Network` are immutable values in SI units; `chain`, `ring` and `with_ground` build
networks from scalars or arrays; `device` gives the speed, memory and power of known computers.
"""

from .._core.network import Link, Network, Node
from .build import chain, link, ring, with_ground
from .device import DEVICES, Device, device
from .geometry import EARTH_RADIUS_M, LIGHT_M_PER_S, ring_hop_m

__all__ = [
    "DEVICES",
    "EARTH_RADIUS_M",
    "LIGHT_M_PER_S",
    "Device",
    "Link",
    "Network",
    "Node",
    "chain",
    "device",
    "link",
    "ring",
    "ring_hop_m",
    "with_ground",
]
