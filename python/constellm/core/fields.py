"""Fields of records as tables for people."""

from __future__ import annotations

from typing import Any

from .table import Table


def fields_table(record: Any, section: str = "") -> Table:
    """Name, range, initial value and sentence of every field.

    Parameters
    ----------
    record : type
        A record of the compiled part, which lists its ``fields``.
    section : str
        The object inside its file of which the fields are; empty: the record itself.

    Returns
    -------
    Table
        With a row for every field, in the order in which files hold them.
    """
    rows = []
    for field in record.fields:
        if field.in_files and field.section == section:
            unit = f" [{field.unit}]" if field.unit else ""
            rows.append((f"`{field.name}`", field.range, _initial(field), f"{field.doc}{unit}"))
    return Table(("field", "range", "default", "meaning"), tuple(rows))


def _initial(field: Any) -> str:
    if field.required_in_files:
        return ""
    if field.initial is None:
        return "null" if field.always_written else "left out"
    return f'"{field.initial}"' if isinstance(field.initial, str) else f"{field.initial:g}"
