"""What has been fetched for one lane and not read yet."""

import asyncio
from collections import deque
from contextlib import suppress

from confluent_kafka import KafkaError

from connectors.kafka.fetching.chunk import Chunk, together

_BATCH_RECORDS = 3_000


class Inbox:
    """Filled by the fetching thread, which may take the newest back; emptied by the lane, in the event loop.

    ``put``, ``take_back`` and ``end`` are for that thread, ``wake`` for any, the others for the event loop.
    """

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.is_asking = False
        """Whether the lane waits for records, or for the budget to take them."""
        self.fault: KafkaError | None = None
        """Why nothing comes behind what is here."""
        self._chunks: deque[Chunk] = deque()
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __len__(self) -> int:
        """Chunks that wait."""
        return len(self._chunks)

    def put(self, chunk: Chunk) -> None:
        self._chunks.append(chunk)
        self.wake()

    def take_back(self) -> Chunk | None:
        """The newest chunk, if there is one."""
        with suppress(IndexError):
            return self._chunks.pop()
        return None

    def end(self, fault: KafkaError) -> None:
        """Nothing follows."""
        self.fault = fault
        self.wake()

    def wake(self) -> None:
        """Let the lane look up from its waiting."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._news.set)

    async def news(self) -> None:
        """Wait until something is put, or the lane is woken."""
        await self._news.wait()
        self._news.clear()

    def due(self) -> int | None:
        """Bytes of memory of what is to be read next; None where nothing waits."""
        waiting = self._chunks.copy()
        if not waiting:
            return None
        memory = records = 0
        for chunk in waiting:
            if records and (not len(chunk) or records + len(chunk) > _BATCH_RECORDS):
                break
            memory, records = memory + chunk.memory, records + len(chunk)
            if not len(chunk):
                break
        return memory

    def take(self, memory: int) -> Chunk | None:
        """What is to be read next, as far as it fits ``memory``; None where all was taken back meanwhile.

        The news of an end comes alone, so that a batch's place is that of its last record.
        """
        taken: list[Chunk] = []
        for chunk in iter(self._oldest, None):
            if taken and (not len(chunk) or not len(taken[-1]) or chunk.memory > memory):
                self._chunks.appendleft(chunk)
                break
            memory -= chunk.memory
            taken.append(chunk)
        return together(taken) if taken else None

    def _oldest(self) -> Chunk | None:
        with suppress(IndexError):
            return self._chunks.popleft()
        return None
