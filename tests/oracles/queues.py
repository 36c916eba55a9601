"""Queues simulated event by event, in plain Python: what closed forms are held against."""

from __future__ import annotations

import heapq
import random


def lindley_wait_s(rate_per_s, service_s, shares, arrivals, seed):
    """Mean waiting in one queue: W' = max(0, W + S - A), with Poisson arrivals and drawn service times."""
    draws = random.Random(seed)
    wait = total = 0.0
    for _ in range(arrivals):
        total += wait
        service = draws.choices(service_s, shares)[0]
        wait = max(0.0, wait + service - draws.expovariate(rate_per_s))
    return total / arrivals


class _Station:
    def __init__(self):
        self.free_at_s = 0.0

    def serve(self, now_s, seconds):
        self.free_at_s = max(now_s, self.free_at_s) + seconds
        return self.free_at_s


def way(links, origin, target):
    """Positions of the links from one node to another in a network that is a tree."""
    queue, seen = [(origin, [])], {origin}
    while queue:
        here, path = queue.pop(0)
        if here == target:
            return path
        for a, (sender, receiver) in enumerate(links):
            if sender == here and receiver not in seen:
                seen.add(receiver)
                queue.append((receiver, [*path, a]))
    raise ValueError("no way")


def delays_s(problem, assignment, requests, seed):
    """Mean delay of each task: first come first served at every node and link, Poisson arrivals.

    `problem` is a dictionary of the format, its network a tree; `requests` of each task are counted, after a
    tenth as many that warm up.
    """
    draws = random.Random(seed)
    place = {node["id"]: v for v, node in enumerate(problem["nodes"])}
    links = [(place[link["from"]], place[link["to"]]) for link in problem["links"]]
    flop = {service["name"]: service["flop"] for service in problem["services"]}
    nodes = [_Station() for _ in place]
    wires = [_Station() for _ in links]
    events, number = [], 0
    sums = [0.0] * len(problem["tasks"])
    counts = [0] * len(problem["tasks"])

    def put(at_s, what):
        nonlocal number
        number += 1
        heapq.heappush(events, (at_s, number, what))

    def send(at_s, request, path, size, then):
        """Over the first link; the rest of the way when it has arrived there."""
        if not path:
            then(at_s)
            return
        link = problem["links"][path[0]]
        sent_s = wires[path[0]].serve(at_s, 8 * size / link["rate_bps"])
        put(sent_s + link["latency_s"], lambda now_s: send(now_s, request, path[1:], size, then))

    def start(t, at_s):
        task, hosts = problem["tasks"][t], [place[id] for id in assignment[problem["tasks"][t]["name"]]]
        missing = [len(stage["inputs"]) for stage in task["stages"]]

        def come(k, now_s):
            missing[k] -= 1
            if missing[k] == 0:
                speed = problem["nodes"][hosts[k]]["flop_per_s"]
                seconds = flop[task["stages"][k]["service"]] / speed
                put(nodes[hosts[k]].serve(now_s, seconds), lambda end_s: ended(k, end_s))

        def ended(k, now_s):
            if k == len(hosts) - 1:
                path = way(links, hosts[k], place[task["sink"]])
                send(now_s, t, path, task["output_bytes"], lambda end_s: done(end_s))
                return
            for j, stage in enumerate(task["stages"]):
                for of in stage["inputs"]:
                    if of["from"] == k:
                        path = way(links, hosts[k], hosts[j])
                        send(now_s, t, path, of["bytes"], lambda end_s, j=j: come(j, end_s))

        def done(now_s):
            counts[t] += 1
            if counts[t] > requests // 10:
                sums[t] += now_s - at_s

        for k, stage in enumerate(task["stages"]):
            for of in stage["inputs"]:
                if of["from"] < 0:
                    path = way(links, place[task["source"]], hosts[k])
                    send(at_s, t, path, of["bytes"], lambda end_s, k=k: come(k, end_s))

    for t, task in enumerate(problem["tasks"]):
        at_s = 0.0
        for _ in range(requests + requests // 10):
            at_s += draws.expovariate(task["rate_per_s"])
            put(at_s, lambda now_s, t=t: start(t, now_s))
    while events:
        at_s, _, what = heapq.heappop(events)
        what(at_s)
    return [total / (done - requests // 10) for total, done in zip(sums, counts)]
