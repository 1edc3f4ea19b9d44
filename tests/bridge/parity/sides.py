"""Two equal sides, to plant differences in."""

from dataclasses import dataclass, replace

from bridge.parity.comparison import compare
from bridge.parity.digest import content
from bridge.parity.report import ParityReport
from bridge.parity.run import Run
from connectors.base import Header


@dataclass(frozen=True)
class Mirrored:
    """A record at its origin, and the place in the sink that holds it."""

    partition: str
    position: str
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]
    place: str

    def at_origin(self) -> Run:
        return self._run(self.partition)

    def in_sink(self) -> Run:
        return self._run(self.place)

    def _run(self, place: str) -> Run:
        headers = content(self.headers)
        return Run(self.partition, place, [self.position], [self.position], [self.key], [self.value], [headers])

    def but(self, **changes: object) -> "Mirrored":
        return replace(self, **changes)  # type: ignore[arg-type]


def records(count: int = 60, keys: int = 6) -> list[Mirrored]:
    """Positions of a different number of digits, three shards, two sink partitions."""
    made = []
    for number in range(count):
        key = number % keys
        made.append(
            Mirrored(
                f"shard-{key % 3}",
                str(95 + number),
                f"key-{key}".encode(),
                f"value {number}".encode(),
                (("trace", b"1"), ("trace", None)),
                f"partition-{key % 2}",
            )
        )
    return made


def compared(source: list[Mirrored], sink: list[Mirrored]) -> ParityReport:
    return compare([record.at_origin() for record in source], [record.in_sink() for record in sink])
