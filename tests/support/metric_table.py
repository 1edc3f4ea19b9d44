"""The tables of docs/metrics.md, made from the definitions.

``make reference`` puts them into the page.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from bridge.telemetry.names import MIRROR, PARITY, Definition

PAGE = Path(__file__).parents[2] / "docs/metrics.md"
_HEAD = ("| metric | type | labels | |", "|---|---|---|---|")
_TABLES = {"Of a mirror": MIRROR, "Of a comparison": PARITY}


def with_tables(page: str) -> str:
    """``page`` with each table as it has to be, behind its heading and in front of the next."""
    for title, definitions in _TABLES.items():
        before, heading, rest = page.partition(f"\n### {title}\n")
        after = rest[rest.index("\n#") :]
        page = "\n".join((f"{before}{heading}", *_table(definitions), after))
    return page


def _table(definitions: Sequence[Definition]) -> Iterator[str]:
    yield from _HEAD
    for each in definitions:
        labels = ", ".join(f"`{label}`" for label in each.labels)
        yield f"| `{each.name}` | {each.kind.value} | {labels} | {each.help} |"


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))
