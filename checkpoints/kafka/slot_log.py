"""The checkpoints of a mirror in the slots' log."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from threading import Event

from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient

from checkpoints.base import Checkpoint, StoreFormatError
from checkpoints.kafka.document import Author, decode, key_prefix, partition_of
from checkpoints.kafka.keyed_log import KeyedLog
from checkpoints.kafka.slots import slot_of
from checkpoints.kafka.topic import CheckpointTopic


@dataclass(frozen=True, slots=True)
class Reading:
    """What a mirror's slots hold: complete but for those in ``held``, whose ends an open transaction hides."""

    checkpoints: Mapping[str, Checkpoint]
    authors: Mapping[int, frozenset[Author]]
    """Who wrote the checkpoints of each slot."""
    reached: Mapping[int, int]
    """The offset at which each slot is read on."""
    held: frozenset[int]


class SlotLog:
    """Reads slots, each record once: a second reading goes on where the first one ended. Blocks; for one thread."""

    def __init__(self, place: CheckpointTopic, slots: int, admin: AdminClient, committed: Consumer) -> None:
        """``committed`` is a consumer with read_committed, which nobody assigns anything else while we read."""
        self._prefix = key_prefix(place.mirror)
        self._log = KeyedLog(place, self._prefix, admin, committed)
        self._topic = place.topic
        self._slots = slots

    def ends(self, slots: Collection[int]) -> dict[int, int]:
        """The high watermark of each slot: what any transaction wrote before now is below it, open or not."""
        return self._log.ends(slots)

    def read(self, ends: Mapping[int, int], patience_s: float, stop: Event) -> Reading:
        """The mirror's checkpoints in the slots of ``ends``, each read up to its end.

        A slot whose end is hidden by an open transaction is waited for, for ``patience_s``, and then is among the held
        ones. So it is where ``stop`` was set. Raises ``StoreFormatError`` for what is not ours to read.
        """
        held = self._log.read(ends, patience_s, stop)
        checkpoints: dict[str, Checkpoint] = {}
        authors: dict[int, set[Author]] = {slot: set() for slot in ends}
        for slot in ends:
            for key, value in self._log.values(slot).items():
                partition = self._partition(key, slot)
                checkpoints[partition], author = decode(value, self._named(key, slot))
                authors[slot].add(author)
        return Reading(
            checkpoints,
            {slot: frozenset(each) for slot, each in authors.items()},
            {slot: self._log.reached(slot) for slot in ends},
            held,
        )

    def hidden_authors(self, ends: Mapping[int, int], stop: Event) -> frozenset[Author]:
        """Who, of any mirror, wrote between the place up to which each slot could be read and its end."""
        return self._log.hidden_authors(ends, stop)

    def _partition(self, key: bytes, slot: int) -> str:
        """The partition that ``key`` in ``slot`` is of. Raises ``StoreFormatError`` where it belongs elsewhere."""
        partition = partition_of(key, self._prefix, self._named(key, slot))
        home = slot_of(partition, self._slots)
        if home != slot:
            raise StoreFormatError(
                f"read the checkpoint {self._named(key, slot)}",
                f"with {self._slots} slots it belongs in slot {home}: partitions were added to the topic",
                "name a new topic with checkpoints.kafka.topic, and set there where the mirror stands",
            )
        return partition

    def _named(self, key: bytes, slot: int) -> str:
        return f"{key.decode(errors='replace')} in slot {slot} of topic {self._topic}"
