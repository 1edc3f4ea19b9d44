"""A Kafka topic as a source."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from threading import Event, Thread
from types import TracebackType
from typing import ParamSpec, Self

from confluent_kafka import IsolationLevel, KafkaException

from connectors.base import Batch, Budget, Clock, End, Observer, Partition, Place, Position, SettingsError, Source
from connectors.kafka.connection import READ, kafka_error, translate
from connectors.kafka.fetching.fetcher import Fetcher
from connectors.kafka.fetching.offsets import OffsetDesk, before, following
from connectors.kafka.inspection import TopicDescription, TopicInspector
from connectors.kafka.partition_reader import PartitionReader, Surroundings
from connectors.kafka.source_settings import KafkaSourceSettings
from connectors.kafka.source_watch import SourceWatch
from connectors.kafka.topic import Topic, TopicDesk
from connectors.kafka.topic_state import TopicState
from connectors.times import milliseconds, moment_at

P = ParamSpec("P")


class KafkaSource(Source):
    """The partitions of one topic. A position is the offset of the last record read, as text.

    Where the log goes on without records (behind transactions, where it was compacted) an empty batch moves the
    position. The source joins no group: whoever calls ``read`` must own the partition.
    """

    def __init__(self, settings: KafkaSourceSettings, clock: Clock, observer: Observer) -> None:
        """Raises ``SettingsError`` for librdkafka settings that only the bridge may choose."""
        settings.connection().settings()
        self._settings = settings
        self._clock = clock
        self._observer = observer
        self._around: Surroundings | None = None
        self._left = Event()
        self._grown = asyncio.Event()
        self._watcher: Thread | None = None

    async def __aenter__(self) -> Self:
        topic = await asyncio.to_thread(self._look_up)
        state = TopicState(topic)
        loop = asyncio.get_running_loop()
        fetcher = await asyncio.to_thread(self._fetcher, loop, state)
        settings = self._settings
        offsets = OffsetDesk(settings.connection(), topic.name, settings.level)
        self._around = Surroundings(fetcher, state, self._confirm, offsets, self._clock)
        watch = SourceWatch(settings.connection(), topic, settings.level, self._clock, settings.look_s)
        tell = _in_loop(loop, state.see)
        self._watcher = Thread(target=watch.run, args=(self._left, tell), name=f"kafka {topic.name} watch", daemon=True)
        self._watcher.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        if self._around is not None:
            await self._around.fetcher.leave()
        if self._watcher is not None:
            await asyncio.to_thread(self._watcher.join)

    @property
    def identity(self) -> str:
        """The topic's id and its number of partitions, by which keys find theirs; empty where no id is told."""
        state = self._entered.state
        return state.topic.identity(state.growth.accepted)

    def is_regrown(self, identity: str) -> bool:
        return self._entered.state.topic.is_regrown(identity)

    @property
    def address(self) -> str:
        topic = self._entered.state.topic
        return f"kafka:{topic.cluster_id}:{topic.name}"

    @property
    def largest_record(self) -> int | None:
        """By the topic's max.message.bytes, which bounds records as they were sent: compressed ones may be larger."""
        return self._entered.state.topic.limits.largest_record

    @property
    def retention_ms(self) -> int | None:
        return self._entered.state.topic.limits.kept_for_ms

    def resumed(self, identity: str, place: Place) -> Place:
        """Offsets are the same as long as it is the same topic, however many partitions it has."""
        return place if identity.partition(" ")[0] == self._entered.state.topic.id else Place()

    def stored(self, places: Mapping[str, Place]) -> None:
        """Shows them in the display group, if there is one."""
        self._entered.fetcher.stored(places)

    async def partitions(self) -> AsyncGenerator[tuple[Partition, ...], None]:
        growth = self._entered.state.growth
        while True:
            self._grown.clear()
            yield tuple(Partition(str(number)) for number in range(growth.seen))
            await self._grown.wait()

    async def start(self, partitions: Sequence[Partition]) -> Mapping[str, Place]:
        """A time behind the last record, as ``latest``, is where the partition ends now."""
        found = await self._found("where to start", self._first_offsets(), partitions)
        return {str(number): before(offset) for number, offset in found.items()}

    def rank(self, position: Position | None) -> tuple[int, ...]:
        return (following(Place(position)),)

    def just_before(self, position: Position) -> Place:
        return before(following(Place(position)) - 1)

    async def ends(self, partitions: Sequence[Partition], until_ms: int | None) -> Mapping[str, End]:
        """Positions: of the last record that readers can see now, or before the first one later than ``until_ms``.

        An end before the first offset is ``-1``.
        """
        offsets = self._entered.offsets
        if until_ms is None:
            tell = offsets.ends
        elif until_ms > self._clock.now_ms():
            raise SettingsError(
                f"end at {_iso(until_ms)}", "that is in the future", "--until now ends with what is there"
            )
        else:
            tell = partial(offsets.at_time, time_ms=until_ms + 1)
        found = await self._found("where to end", tell, partitions)
        return {str(number): End(position=str(offset - 1)) for number, offset in found.items()}

    async def high_watermarks(self, partitions: Sequence[Partition]) -> Mapping[str, int]:
        """The offsets behind all that is written, whoever can see it: an open transaction hides what follows it.

        Raises what ``ends`` does.
        """
        state, connection = self._entered.state, self._settings.connection()
        offsets = OffsetDesk(connection, state.topic.name, IsolationLevel.READ_UNCOMMITTED)
        found = await self._found("where the log ends", offsets.ends, partitions)
        return {str(number): offset for number, offset in found.items()}

    async def at_time(self, partitions: Sequence[Partition], time_ms: int) -> Mapping[str, Place]:
        """From where the first record of ``time_ms`` or later is read, and all behind it; 0 is the oldest record.

        Where there is none yet, what is still to come.
        """
        offsets = self._entered.offsets
        tell = partial(offsets.at_time, time_ms=time_ms)
        found = await self._found("where to begin", tell, partitions)
        return {str(number): before(offset) for number, offset in found.items()}

    async def described(self) -> TopicDescription | None:
        """The topic as an administrator sees it; None where there is none. The source need not be entered.

        Raises ``UnreachableError`` and ``RefusedError``.
        """
        return await asyncio.to_thread(self._describe)

    def _describe(self) -> TopicDescription | None:
        settings = self._settings
        return TopicInspector(settings.connection().settings(), self._clock, settings.reach_s).describe(settings.topic)

    async def _found(
        self, what: str, tell: Callable[[Iterable[int]], Mapping[int, int]], partitions: Sequence[Partition]
    ) -> Mapping[int, int]:
        """What ``tell``, which blocks, says of ``partitions``."""
        try:
            return await asyncio.to_thread(tell, [int(partition.id) for partition in partitions])
        except KafkaException as error:
            operation = f"find {what} in topic {self._settings.topic}"
            raise translate(kafka_error(error), operation, self._settings.bootstrap_servers, access=READ) from None

    def _first_offsets(self) -> Callable[[Iterable[int]], Mapping[int, int]]:
        """Who tells the offsets at which the settings begin."""
        start, offsets = self._settings.start, self._entered.offsets
        if start == "earliest":
            return offsets.beginnings
        if start == "latest":
            return offsets.ends
        time_ms = milliseconds(start)
        if time_ms > self._clock.now_ms():
            raise SettingsError(f"start at {start}", "that is in the future", "start: latest begins now")
        return lambda numbers: offsets.at_time(numbers, time_ms)

    def read(self, partition: Partition, after: Place, budget: Budget) -> AsyncGenerator[Batch, None]:
        return PartitionReader(int(partition.id), after, budget, self._entered).batches()

    @property
    def _entered(self) -> Surroundings:
        if self._around is None:
            raise RuntimeError("the source has not been entered")
        return self._around

    def _look_up(self) -> Topic:
        settings = self._settings
        return TopicDesk(settings.connection(), self._clock, settings.reach_s, READ).look_up(settings.topic, None)

    async def _confirm(self) -> None:
        """Raises ``RefusedError`` where the topic is not there or another, and where we may not read it any more."""
        found, state = await asyncio.to_thread(self._look_up), self._entered.state
        if state.topic.id and found.id and found.id != state.topic.id:
            raise state.replaced(found.id)

    def _fetcher(self, loop: asyncio.AbstractEventLoop, state: TopicState) -> Fetcher:
        def count(partitions: int) -> None:
            if state.grow(partitions):
                self._grown.set()

        try:
            return Fetcher(self._settings, self._clock, self._observer, _in_loop(loop, count))
        except KafkaException as error:
            raise translate(kafka_error(error), "configure the Kafka consumer", "") from None


def _iso(ms: int) -> str:
    return moment_at(ms).isoformat(timespec="milliseconds")


def _in_loop(loop: asyncio.AbstractEventLoop, function: Callable[P, None]) -> Callable[P, None]:
    """``function``, called in the event loop if that still runs, whichever thread asks for it."""

    def call(*args: P.args, **_: P.kwargs) -> None:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(function, *args)

    return call
