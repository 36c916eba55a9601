"""Networks of computers and links: nodes, links, graphs, snapshots, timelines, routing, devices.

`Node`, `Link` and `Network` are immutable values in SI units; `chain`, `ring` and `with_ground` build
networks from scalars or arrays; `device` gives the speed, memory and power of known computers. A `Graph`
has the links as columns, for networks of thousands; a `Snapshot` says when it holds, a `Timeline` how graphs
follow each other. `shortest_paths` and `hops` route in graphs, `latencies` in timelines. A `ContactPlan` says
who can send to whom, and when; `earliest_arrival` routes in it.
"""

from .._core.network import ContactPlan, Contacts, Graph, Link, Network, Node, Nodes, Snapshot, Timeline
from ..core.constants import EARTH_RADIUS_M, LIGHT_M_PER_S
from ..core.keywords import tell_of_slips as _tell_of_slips
from .arrival import ContactRoute, EarliestArrival, book, earliest_arrival
from .build import chain, link, ring, with_ground
from .contact_files import load_contact_plan, save_contact_plan
from .device import DEVICES, Device, device
from .display import attach as _attach_displays
from .exchange import attach as _attach_exchange
from .exchange import from_networkx
from .geometry import ring_hop_m
from .latencies import Latencies, latencies
from .lifetime import path_lifetime_s
from .routing import ShortestPaths, hops, shortest_paths

__all__ = [
    "DEVICES",
    "EARTH_RADIUS_M",
    "LIGHT_M_PER_S",
    "ContactPlan",
    "ContactRoute",
    "Contacts",
    "Device",
    "EarliestArrival",
    "Graph",
    "Latencies",
    "Link",
    "Network",
    "Node",
    "Nodes",
    "ShortestPaths",
    "Snapshot",
    "Timeline",
    "book",
    "chain",
    "device",
    "earliest_arrival",
    "from_networkx",
    "hops",
    "latencies",
    "link",
    "load_contact_plan",
    "path_lifetime_s",
    "ring",
    "ring_hop_m",
    "save_contact_plan",
    "shortest_paths",
    "with_ground",
]

_attach_displays()
_attach_exchange()
_tell_of_slips(__name__)
