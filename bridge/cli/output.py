"""Results on stdout: a table for a person, plain lines for a pipe, one JSON document on request."""

import json
import sys
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text


def print_json(result: object) -> None:
    print(json.dumps(result, ensure_ascii=False, indent=2))


def print_rows(columns: Sequence[str], rows: Sequence[Sequence[str]], styles: Mapping[str, str] | None = None) -> None:
    """A table on a terminal; elsewhere a line a row, its fields separated by tabs.

    ``styles`` are rich's, by the whole text of a field.
    """
    if not sys.stdout.isatty():
        print("\t".join(columns))
        for row in rows:
            print("\t".join(row))
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*(Text(field, (styles or {}).get(field, "")) for field in row))
    Console(markup=False, highlight=False).print(table)


def age(milliseconds: int) -> str:
    """A stretch of time in its largest unit, as ``90s``, ``12m``, ``3h``, ``5d``."""
    seconds = max(0, milliseconds) / 1000
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds:.0f}s"
