"""Changes of bytes, texts and trees of JSON, as accidents and attackers make them."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

_DEEP = "@deep@"
_NASTY = [
    *(None, True, False, 0, 1, -1, 2, 3, 7, 100, 2**31, 2**53 + 1, 2**63, 2**64, -(2**63), 10**30, 10**400),
    *(
        0.0,
        -0.0,
        0.5,
        1e-9,
        5e-324,
        1e15,
        1e30,
        1e300,
        1.7976931348623157e308,
        -1.5,
        float("inf"),
        float("nan"),
    ),
    *("", " ", "a", "\0", "\n", "\x1b[2J", "\ud800", "é", "x" * 5000, "-1", "1e5", "none", _DEEP),
    *([], {}, [[]], [1], ["a"], [None], {"": 1}, {"a": {"b": []}}),
]


def mutated_bytes(rng: random.Random, data: bytes) -> bytes:
    """One to four places changed, cut out, doubled or overwritten."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(changed) + 1)
        length = min(rng.choice([1, 1, 1, 2, 4, 8, 64]), len(changed) - at)
        how = rng.randrange(7)
        if how == 0 and length:
            changed[at] ^= 1 << rng.randrange(8)
        elif how == 1 and length:
            changed[at : at + length] = rng.choice([b"\0", b"\xff", b"\x7f", b"\x80"]) * length
        elif how == 2:
            changed[at : at + length] = rng.randbytes(length)
        elif how == 3:
            changed[at:at] = rng.randbytes(rng.choice([1, 2, 16]))
        elif how == 4:
            del changed[at : at + length]
        elif how == 5:
            changed[at:at] = changed[at : at + length]
        elif rng.random() < 0.2:
            del changed[at:]
    return bytes(changed)


def mutated_text(rng: random.Random, text: str) -> str:
    """Words of the text, numbers and separators replaced by others."""
    words = [word for word in text.replace(",", " ").split() if word] or ["a"]
    others = [
        "-1",
        "0",
        "1e400",
        "nan",
        "inf",
        "1e-320",
        "9" * 400,
        '"',
        "'",
        "\0",
        "",
        ",",
        ";",
        "\n",
        "[",
        "{",
    ]
    others += [
        ":",
        "&a",
        "*a",
        "!!python/object:os.system",
        "- ",
        "x" * 200_000,
        "é",
        "\ufeff",
        "[" * 100_000,
    ]
    for _ in range(rng.randint(1, 4)):
        old = rng.choice(words)
        new = rng.choice(others) if rng.random() < 0.7 else rng.choice(words)
        parts = text.split(old)
        if len(parts) > 1:
            at = rng.randrange(1, len(parts))
            text = old.join(parts[:at]) + new + old.join(parts[at:])
    return text


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Every container with a key or position in it."""
    found, waiting = [], [tree]
    while waiting:
        node = waiting.pop()
        pairs = list(node.items() if isinstance(node, dict) else enumerate(node))
        found += [(node, key) for key, _ in pairs]
        waiting += [value for _, value in pairs if isinstance(value, (dict, list))]
    return found


def mutated_tree(rng: random.Random, tree: dict[str, Any]) -> dict[str, Any]:
    """A copy with one to three values replaced, scaled, removed, doubled, renamed or exchanged."""
    tree = copy.deepcopy(tree)
    for _ in range(rng.randint(1, 3)):
        places = _places(tree)
        if not places:
            break
        node, key = rng.choice(places)
        value = node[key]
        how = rng.randrange(8)
        if how <= 2:
            node[key] = copy.deepcopy(rng.choice(_NASTY))
        elif how == 3 and isinstance(value, (int, float)) and abs(value) < 1e300:
            node[key] = value * rng.choice([0, -1, 0.5, 2, 10, 1e3, 1e9, 1e-9])
        elif how == 4:
            del node[key]
        elif how == 5 and isinstance(node, list):
            node[key:key] = [copy.deepcopy(value)] * rng.choice([1, 1, 2, 50])
        elif how == 6 and isinstance(node, dict):
            node[rng.choice(["", "x", str(key).upper(), f"{key}s"])] = node.pop(key)
        else:
            other, there = rng.choice(places)
            if other is not node and there in (other if isinstance(other, dict) else range(len(other))):
                node[key] = copy.deepcopy(other[there])
    return tree


def json_bytes(rng: random.Random, tree: dict[str, Any]) -> bytes:
    """A mutated file of JSON: most often its tree is, else its text."""
    if rng.random() < 0.2:
        return mutated_bytes(rng, json.dumps(tree).encode())
    text = json.dumps(mutated_tree(rng, tree))
    depth = rng.choice([10, 900, 100_000])
    text = text.replace(
        f'"{_DEEP}"', rng.choice(["[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth])
    )
    data = text.encode()
    return mutated_bytes(rng, data) if rng.random() < 0.1 else data
