"""A record as it is met on one side: where it stands, and where on the other side it was before, if it was there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connectors.base import ORIGIN_HEADER, REPLAY_HEADER, Batch, Header, Position
from connectors.provenance import parse


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record was before it was mirrored."""

    partition: str
    position: Position


@dataclass(frozen=True, slots=True)
class Sighting:
    """``origin`` is its place on the other side, None for a record that did not come from there."""

    position: Position
    key: bytes | None
    time_ms: int
    """When it arrived, milliseconds since the epoch."""
    origin: Origin | None
    keeps_time: bool = True
    """Whether a copy of it has the time at which it arrived here, and not one of its own."""


def sightings(batch: Batch, here: str, other: str) -> Iterator[Sighting]:
    """The records of ``batch``, read at the address ``here``; but for those that were sent again on purpose."""
    start, end = f"{other}/".encode(), f">{here}".encode()
    for index, position in enumerate(batch.positions):
        headers = batch.headers[index] if batch.headers is not None else ()
        if any(name == REPLAY_HEADER for name, _ in headers):
            continue
        time_ms = batch.arrived_ms[index]
        keeps_time = batch.timestamps_ms[index] == time_ms
        yield Sighting(position, batch.keys[index], time_ms, _origin(headers, start, end), keeps_time)


def _origin(headers: Sequence[Header], start: bytes, end: bytes) -> Origin | None:
    hop = next((text for name, text in reversed(headers) if name == ORIGIN_HEADER), None)
    if hop is None or not (hop.startswith(start) and hop.endswith(end)):
        return None
    try:
        found = parse(hop)
    except ValueError:
        return None
    return Origin(found.partition, found.position)
