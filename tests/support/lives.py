"""What each life of a mirror that was killed left behind, and whether the next one began where it may."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from checkpoints.base import Checkpoint
from tests.support.kafka_reader import TopicRecord
from tests.support.origins import Origin, place

_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Death:
    """The end of one life: what was stored, and how many records each partition of the topic held."""

    checkpoints: Mapping[str, Checkpoint]
    ends: Mapping[int, int]


def sent_again(records: Iterable[TopicRecord], deaths: Sequence[Death]) -> list[str]:
    """The records that a life sent although they stood at or before the checkpoint with which it began."""
    wrong: list[str] = []
    for record in records:
        lives = sum(death.ends[record.partition] <= record.offset for death in deaths)
        if lives == 0:
            continue
        origin = Origin.of(record)
        stored = deaths[lives - 1].checkpoints.get(origin.shard)
        if stored is None or stored.position is None:
            continue
        if origin.place <= place(stored.position):
            wrong.append(f"life {lives}: {origin.shard}/{origin.place}, checkpoint {stored.position}")
    return wrong[:_EXAMPLES]
