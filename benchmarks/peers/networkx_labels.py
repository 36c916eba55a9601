"""Label setting in pure Python on a networkx graph, as a researcher would write it.

A* on labels (sum, bottleneck, error, stage in progress). Three backward passes tell the least sum, bottleneck
and error from every vertex to the end, each by itself: labels are ordered by sum + least sum
+ (M - 1) · max(bottleneck, stage in progress, least bottleneck) and dropped where the error cannot stay
within its budget. At every vertex a list of the labels that no other dominates; as the routes must
be simple, a label dominates only those that have visited all nodes it has. The first label out of the heap
at the end is optimal, for the key never falls along an arc.

    python benchmarks/peers/networkx_labels.py PROBLEM.json
"""

from __future__ import annotations

import heapq
import json
import sys
import time

import layered_graph
import networkx

ROUNDING = 1e-12  # error sums taken in another order differ by less


def to_networkx(graph: layered_graph.LayeredGraph) -> networkx.DiGraph:
    """The layered graph with its seconds as edge attributes and the entered node as one bit."""
    g = networkx.DiGraph()
    g.add_nodes_from(range(len(graph.vertices)))
    for arc in graph.arcs:
        g.add_edge(
            arc.tail,
            arc.head,
            stage_s=arc.stage_s,
            ends_stage=arc.ends_stage,
            hop_s=arc.hop_s,
            seconds=arc.stage_s + arc.hop_s + arc.latency_s,
            error=arc.error,
            node=0 if arc.node < 0 else 1 << arc.node,
        )
    return g


def search(graph: layered_graph.LayeredGraph, g: networkx.DiGraph) -> tuple[float, list[int], int]:
    """Least delay, the vertices on the way, and how many labels left the heap; infinite if there is none."""
    least = layered_graph.bounds(graph)
    budget = graph.budget + ROUNDING
    # sum, bottleneck, error, stage in progress, nodes visited
    labels = [(0.0, 0.0, 0.0, 0.0, 1 << graph.source_node)]
    came_from = [(-1, graph.source)]
    heap = [(0.0, 0)]
    settled: dict[int, list[tuple]] = {}
    expanded = 0
    while heap:
        delay, at = heapq.heappop(heap)
        label, vertex = labels[at], came_from[at][1]
        if vertex == graph.end:
            route = []
            while at >= 0:
                route.append(came_from[at][1])
                at = came_from[at][0]
            return delay, route[::-1], expanded
        if any(dominates(other, label) for other in settled.setdefault(vertex, [])):
            continue
        settled[vertex].append(label)
        expanded += 1
        total, bottleneck, error, stage, visited = label
        for _, head, arc in g.out_edges(vertex, data=True):
            if visited & arc["node"] or error + arc["error"] + least.error[head] > budget:
                continue
            new_stage = stage + arc["stage_s"]
            new_total = total + arc["seconds"]
            new_bottleneck = max(bottleneck, arc["hop_s"])
            if arc["ends_stage"]:
                new_bottleneck, new_stage = max(new_bottleneck, new_stage), 0.0
            new = (new_total, new_bottleneck, error + arc["error"], new_stage, visited | arc["node"])
            if any(dominates(other, new) for other in settled.get(head, ())):
                continue
            labels.append(new)
            came_from.append((at, head))
            longest = max(new_bottleneck, new_stage, least.bottleneck_s[head])
            delay = new_total + least.sum_s[head] + (graph.micro_batches - 1) * longest
            heapq.heappush(heap, (delay, len(labels) - 1))
    return float("inf"), [], expanded


def dominates(a: tuple, b: tuple) -> bool:
    return a[0] <= b[0] and a[1] <= b[1] and a[2] <= b[2] and a[3] <= b[3] and a[4] & ~b[4] == 0


def solve(problem: dict) -> dict:
    """Least delay of a problem, seconds to build the graph and to search it, and the plan."""
    begun = time.perf_counter()
    graph = layered_graph.build(problem)
    g = to_networkx(graph)
    built = time.perf_counter()
    delay, route, expanded = search(graph, g)
    done = time.perf_counter()
    path, stages = layered_graph.stages(problem, graph, route)
    return {
        "peer": f"networkx {networkx.__version__}",
        "objective": delay if route else None,
        "seconds": done - built,
        "build_seconds": built - begun,
        "vertices": len(graph.vertices),
        "arcs": len(graph.arcs),
        "labels_expanded": expanded,
        "plan": {"path": path, "stages": stages} if route else None,
    }


if __name__ == "__main__":
    print(json.dumps(solve(layered_graph.load(sys.argv[1])), indent=1))
