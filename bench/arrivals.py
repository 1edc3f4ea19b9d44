"""What arrived in a topic, as a consumer sees it that has nothing to do with the programs under measurement."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer

from tests.support.records import Stamp

_POLL_MS = 200


@dataclass(slots=True)
class Arrivals:
    """Every record of a topic that a reader of committed ones sees, as counts. Times are the broker's: when it appended
    the record to its log.
    """

    records: int = 0
    at_ms: Counter[int] = field(default_factory=Counter)
    """Records by the millisecond of their appending."""
    faults: list[str] = field(default_factory=list)
    _numbers: dict[bytes, int] = field(default_factory=dict)
    """Of each key the number that its next record must have."""

    @property
    def first_ms(self) -> int:
        return min(self.at_ms)

    def records_per_second(self, until_ms: float) -> float:
        """From the first append to ``until_ms``. What the first one brought took place before it: it does not count."""
        span_ms = until_ms - self.first_ms
        return (self.records - self.at_ms[self.first_ms]) * 1000 / span_ms if span_ms else 0.0

    def see(self, key: bytes, value: bytes, appended_ms: int) -> None:
        self.records += 1
        self.at_ms[appended_ms] += 1
        number, expected = Stamp.of(value).number, self._numbers.get(key, 0)
        if number == expected:
            self._numbers[key] = number + 1
        else:
            self.faults.append(f"{key.decode()}: number {number} where {expected} was due")

    def judge(self, counts: Mapping[bytes, int]) -> None:
        """Raise where not every record of ``counts`` arrived exactly once, or a key's records out of order."""
        short = [f"{key.decode()}: {self._numbers.get(key, 0)} of {count}" for key, count in counts.items()
                 if self._numbers.get(key, 0) != count]  # fmt: skip
        faults = [*self.faults, *short]
        if faults or self.records != sum(counts.values()):
            raise WrongArrivalsError(f"{self.records} of {sum(counts.values())} records; {'; '.join(faults[:5])}")


class WrongArrivalsError(Exception):
    """A program under measurement lost, doubled or reordered records: its figures mean nothing."""


async def read_arrivals(address: str, topic: str) -> Arrivals:
    """All that the topic holds now and that is committed."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=address,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=_POLL_MS,
        max_partition_fetch_bytes=8 * 1024 * 1024,
    )
    await consumer.start()
    try:
        return await _read(consumer)
    finally:
        await consumer.stop()


async def _read(consumer: Any) -> Arrivals:
    arrivals = Arrivals()
    parts = list(consumer.assignment())
    ends = await consumer.end_offsets(parts)
    while behind := [part for part in parts if await consumer.position(part) < ends[part]]:
        for messages in (await consumer.getmany(*behind, timeout_ms=_POLL_MS)).values():
            for message in messages:
                arrivals.see(message.key, message.value, message.timestamp)
    return arrivals
