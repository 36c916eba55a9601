"""From what a file says of each satellite to element sets, with the file's own places in messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .element_sets import COLUMNS, ElementSets, first_repeated, first_wrong, shown

_DTYPES: dict[str, Any] = {
    "integer": np.int64, "number": np.float64, "moment": "datetime64[us]", "text": np.str_
}  # fmt: skip

Place = Callable[[int, str], str]
"""Where the value of a record and a column stands in the file, for the start of a message."""


def gather(columns: Mapping[str, list[Any]], place: Place, *, duplicates: str) -> ElementSets:
    """Element sets of one list a column, `place` telling in messages where each value stood.

    Moments are whole microseconds since 1970.
    """
    arrays = {}
    for column in COLUMNS:
        values = columns[column.name]
        if column.kind == "text":  # an array is as wide as its longest; what is cut is out of range still
            values = [text[:100] for text in values]
        array = arrays[column.name] = np.array(values, dtype=_DTYPES[column.kind])
        wrong = first_wrong(column, array)
        if wrong is not None:
            raise ValueError(f"{place(wrong, column.name)}: {shown(array[wrong])} is not {column.range}")
    numbers = arrays["catalogue_number"]
    if duplicates == "latest":
        # By satellite, then epoch, then place; the last of each satellite stays, in the order of the file.
        order = np.lexsort((np.arange(len(numbers)), arrays["epoch"], numbers))
        last = np.append(np.diff(numbers[order]) != 0, True)[: len(numbers)]
        kept = np.sort(order[last])
        arrays = {name: values[kept] for name, values in arrays.items()}
    else:
        twice = first_repeated(numbers)
        if twice:
            first, again = twice
            raise ValueError(
                f"{place(again, 'catalogue_number')}: {numbers[again]} stands at "
                f"{place(first, 'catalogue_number')} already; duplicates='latest' keeps the latest epoch"
            )
    return ElementSets(**arrays)
