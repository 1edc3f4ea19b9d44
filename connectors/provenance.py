"""Where a record comes from, as text that travels with it: one hop a header, oldest first.

A hop is ``ORIGIN>DESTINATION``: ORIGIN the address of the source with partition and position, DESTINATION the address
of the sink without a position. Addresses and positions never contain ``>``, nor positions ``/`` or ``~``: behind that
stands the number of a part, where several records were made of one, but for the first of them. How many they are stands
in a header before the first one's hop.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from connectors.base import ORIGIN_HEADER, PARTS_HEADER, REPLAY_HEADER, Batch, Header


@dataclass(frozen=True, slots=True)
class Hop:
    """One hop, taken apart."""

    source: str
    partition: str
    position: str
    destination: str
    part: str = ""
    """``~1`` and so on; empty of the first part, and of the only one."""

    @property
    def identity(self) -> str:
        """What told the record from all others of its partition, as ``Batch.identities``."""
        return f"{self.position}{self.part}"


def stamp(batch: Batch, source: str, destination: str) -> Batch:
    """``batch`` with the origin of this hop for each record. ``source`` and ``destination`` are addresses.

    All parts of its records are in it: the first one of several says how many there are.
    """
    told = batch if batch.parts is None else _counted(batch)
    return replace(told, origins=origins(batch.partition, batch.identities, source, destination))


def _counted(batch: Batch) -> Batch:
    counts = Counter(batch.positions)
    before: Sequence[tuple[Header, ...]] = [()] * len(batch) if batch.headers is None else batch.headers
    rows = zip(before, batch.positions, batch.parts or (), strict=True)
    return replace(
        batch,
        headers=[
            headers if part or counts[position] == 1 else (*headers, (PARTS_HEADER, str(counts[position]).encode()))
            for headers, position, part in rows
        ],
    )


def marked(batch: Batch, replay: str) -> Batch:
    """``batch`` with every record marked as sent again on purpose, by the replay of that id."""
    mark = (REPLAY_HEADER, replay.encode())
    before: Sequence[tuple[Header, ...]] = [()] * len(batch) if batch.headers is None else batch.headers
    return replace(batch, headers=[(*headers, mark) for headers in before])


def origins(partition: str, identities: Sequence[str], source: str, destination: str) -> list[bytes]:
    before = f"{source}/{partition}/"
    after = f">{destination}"
    return [f"{before}{identity}{after}".encode() for identity in identities]


def parse(text: bytes) -> Hop:
    """The parts of one hop. Raises ``ValueError`` for text that is none."""
    origin, arrow, destination = text.decode().rpartition(">")
    parts = origin.rsplit("/", 2)
    if not arrow or len(parts) != 3 or not all(parts) or not destination:
        raise ValueError(f"not an origin: {text!r}")
    position, mark, part = parts[2].partition("~")
    return Hop(parts[0], parts[1], position, destination, f"{mark}{part}")


def way(headers: Sequence[Header], here: str) -> tuple[Hop, ...]:
    """The unbroken hops by which a record came to ``here``, the address it is read at, oldest first.

    Empty for a native record. So is one whose last hop leads elsewhere: an application read it there and forwarded
    headers that it did not know. Whatever stands before a break in the chain is such a left-over too.
    """
    hops: list[Hop] = []
    for name, text in reversed(headers):
        if name != ORIGIN_HEADER or text is None:
            continue
        try:
            hop = parse(text)
        except ValueError:
            break
        if hop.destination != here:
            break
        hops.append(hop)
        here = hop.source
    return tuple(reversed(hops))


def looped(batch: Batch, here: str, sink: str) -> list[int]:
    """The indexes of those records which were in ``sink`` before they came to ``here``: mirrored, they would echo."""
    if batch.headers is None:
        return []
    start = f"{sink}/".encode()
    named = [
        index
        for index, headers in enumerate(batch.headers)
        if any(name == ORIGIN_HEADER and text is not None and text.startswith(start) for name, text in headers)
    ]
    return [index for index in named if any(hop.source == sink for hop in way(batch.headers[index], here))]


def last_origins(batch: Batch, here: str) -> list[bytes | None]:
    """Of each record where its last hop came from, as text; None for a native record, and for a replayed one."""
    if batch.headers is None:
        return [None] * len(batch)
    end = f">{here}".encode()
    return [_before(last_origin(headers), end) for headers in batch.headers]


def last_origin(headers: Sequence[Header]) -> bytes | None:
    """The hop that brought a record where it is, as text; None for a native one, and for one sent again on purpose."""
    origin: bytes | None = None
    for name, text in headers:
        if name == ORIGIN_HEADER:
            origin = text
        elif name == REPLAY_HEADER:
            return None
    return origin


def parts(headers: Sequence[Header]) -> int:
    """How many parts the last hop made of what it read, as the first of them says; 1 of any other record."""
    last = next((at for at in range(len(headers) - 1, 0, -1) if headers[at][0] == ORIGIN_HEADER), 0)
    name, text = headers[last - 1] if last else ("", None)
    return int(text) if name == PARTS_HEADER and text is not None and text.isdigit() else 1


def _before(origin: bytes | None, end: bytes) -> bytes | None:
    return origin[: -len(end)] if origin is not None and origin.endswith(end) else None
