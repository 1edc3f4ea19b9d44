"""Results on stdout: a table for a person, plain lines for a pipe, one JSON document on request."""

import json
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table


def print_json(result: object) -> None:
    print(json.dumps(result, ensure_ascii=False, indent=2))


def print_rows(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on a terminal; elsewhere a line a row, its fields separated by tabs."""
    if not sys.stdout.isatty():
        print("\t".join(columns))
        for row in rows:
            print("\t".join(row))
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*row)
    Console(markup=False, highlight=False).print(table)
