"""Which rules of the format a transfer plan breaks, in fractions, flow by flow and moment by moment."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

TOLERANCE = Fraction(1, 10**9)


def broken(problem: dict[str, Any], plan: dict[str, Any]) -> set[str]:
    """Of both as their files say: the kinds of rules, in words."""
    ids = [node["id"] for node in problem["nodes"]]
    sinks = set(problem.get("sinks", ()))
    supply = {node["id"]: Fraction(node.get("supply_bytes", 0)) for node in problem["nodes"]}
    demand = {node["id"]: Fraction(node.get("demand_bytes", 0)) for node in problem["nodes"]}
    room = TOLERANCE * sum(bytes for id, bytes in supply.items() if id not in sinks)
    finish_s = Fraction(plan["finish_s"])
    flows = [
        (flow["contact"], *(Fraction(flow[key]) for key in ("start_s", "end_s", "bytes")))
        for flow in plan["flows"]
    ]
    moments = sorted({Fraction(0), *(t for _, start, end, _ in flows for t in (start, end))})
    found = set()
    if Fraction(plan["lower_bound_s"]) > finish_s * (1 + TOLERANCE):
        found.add("bound")
    if finish_s * (1 - TOLERANCE) > moments[-1]:
        found.add("later")
    for c, start, end, sent in flows:
        contact = problem["contacts"][c]
        if not start < end:
            found.add("backwards")
            return found
        if start < Fraction(contact["open_s"]) * (1 - TOLERANCE):
            found.add("opens")
        if end > Fraction(contact["close_s"]) * (1 + TOLERANCE):
            found.add("closes")
        if end > finish_s * (1 + TOLERANCE):
            found.add("after")
        if contact["from"] in sinks and sent > 0:
            found.add("sink")
    for t, after in zip(moments, moments[1:]):
        for c, contact in enumerate(problem["contacts"]):
            here = sum(
                (
                    sent / (end - start)
                    for of, start, end, sent in flows
                    if of == c and start <= t and after <= end
                ),
                Fraction(0),
            )
            if (
                here * 8 > Fraction(contact["rate_bps"]) * (1 + 2 * TOLERANCE)
                and after - t > TOLERANCE * after
            ):
                found.add("rate")
    for node in problem["nodes"]:
        id = node["id"]
        for t in moments:
            holds = supply[id]
            for c, start, end, sent in flows:
                part = sent * min(max((t - start) / (end - start), Fraction(0)), Fraction(1))
                holds += part * (problem["contacts"][c]["to"] == id) - part * (
                    problem["contacts"][c]["from"] == id
                )
            if holds < -room:
                found.add("sent")
            limit = node.get("storage_bytes")
            if limit is not None and id not in sinks and holds > Fraction(limit) + room:
                found.add("storage")
        if demand[id] > 0 and holds < demand[id] - room:
            found.add("demand")
        supply[id] = holds
    if sinks and sum(supply[id] for id in ids if id not in sinks) > room:
        found.add("arrived")
    return found
