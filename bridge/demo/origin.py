"""Which record it is that was read at one of the two ends."""

from collections.abc import Callable, Sequence

from connectors.base import ORIGIN_HEADER, Header
from connectors.provenance import parse

Identify = Callable[[str, str, Sequence[Header]], tuple[str, str]]
"""From the partition, the position and the headers of a record to those that it has at the source."""


def at_the_source(partition: str, position: str, _: Sequence[Header]) -> tuple[str, str]:
    """There a record is where it is."""
    return partition, position


def in_the_sink(partition: str, position: str, headers: Sequence[Header]) -> tuple[str, str]:
    """Where the record says it comes from; one that does not say so comes from nowhere at the source."""
    origins = [content for name, content in headers if name == ORIGIN_HEADER and content is not None]
    if not origins:
        return f"no origin, {partition}", position
    hop = parse(origins[-1])
    return hop.partition, hop.position
