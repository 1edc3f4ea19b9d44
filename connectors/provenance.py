"""Where a record comes from, as text that travels with it: one hop a header, oldest first.

A hop is ``ORIGIN>DESTINATION``: ORIGIN the address of the source with partition and position, DESTINATION the address
of the sink without a position. Addresses and positions never contain ``>``, nor positions ``/``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from connectors.base import Batch


@dataclass(frozen=True, slots=True)
class Hop:
    """One hop, taken apart."""

    source: str
    partition: str
    position: str
    destination: str


def stamp(batch: Batch, source: str, destination: str) -> Batch:
    """``batch`` with the origin of this hop for each record. ``source`` and ``destination`` are addresses."""
    return replace(batch, origins=origins(batch.partition, batch.positions, source, destination))


def origins(partition: str, positions: Sequence[str], source: str, destination: str) -> list[bytes]:
    before = f"{source}/{partition}/"
    after = f">{destination}"
    return [f"{before}{position}{after}".encode() for position in positions]


def parse(text: bytes) -> Hop:
    """The parts of one hop. Raises ``ValueError`` for text that is none."""
    origin, arrow, destination = text.decode().rpartition(">")
    parts = origin.rsplit("/", 2)
    if not arrow or len(parts) != 3 or not all(parts) or not destination:
        raise ValueError(f"not an origin: {text!r}")
    return Hop(parts[0], parts[1], parts[2], destination)
