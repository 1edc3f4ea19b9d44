"""What the origin of a mirrored record says, taken apart by the format's description and not by the product."""

import re
from dataclasses import dataclass
from typing import Self

from tests.support.kafka_reader import TopicRecord

HEADER = "kmbridge-origin"
_ORIGIN = re.compile(
    r"kinesis:(?P<region>[^:/]+):(?P<account>\d{12}):(?P<stream>[^/>]+)/(?P<shard>shardId-\d{12})/"
    r"(?P<sequence>\d+)(#(?P<sub>\d+))?>kafka:(?P<cluster>[^:>]+):(?P<topic>[^/>]+)"
)

Place = tuple[int, int]
"""Sequence number and number within an aggregate, -1 where there is none: places of a shard compare as such."""


@dataclass(frozen=True, slots=True)
class Origin:
    region: str
    stream: str
    shard: str
    place: Place
    cluster: str
    topic: str

    @classmethod
    def of(cls, record: TopicRecord) -> Self:
        """Raises ``ValueError`` where there is none, more than one, or one of another form."""
        texts = [value or b"" for name, value in record.headers if name == HEADER]
        match = _ORIGIN.fullmatch(texts[0].decode()) if len(texts) == 1 else None
        if match is None:
            raise ValueError(f"not one origin of a Kinesis record: {texts}")
        position = match["sequence"] + (f"#{match['sub']}" if match["sub"] else "")
        return cls(match["region"], match["stream"], match["shard"], place(position), match["cluster"], match["topic"])


def place(position: str) -> Place:
    """Where a position that is behind a record stands."""
    sequence, _, sub = position.partition("#")
    return int(sequence), int(sub) if sub else -1
