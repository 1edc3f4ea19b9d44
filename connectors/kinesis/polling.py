"""A Kinesis stream as a source, read with GetRecords."""

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from datetime import datetime
from random import Random
from types import TracebackType
from typing import Self

from connectors.base import (
    Batch,
    Budget,
    Clock,
    End,
    Observer,
    Partition,
    Place,
    Position,
    RefusedError,
    SettingsError,
    Source,
)
from connectors.kinesis.client import Connection, connect
from connectors.kinesis.opening import Connect, open_stream
from connectors.kinesis.position import just_before, rank
from connectors.kinesis.reading.cursor import Cursor
from connectors.kinesis.reading.order import OrderGuard
from connectors.kinesis.reading.poll import Poll
from connectors.kinesis.reading.read_size import Average
from connectors.kinesis.reading.shard_reader import ShardReader
from connectors.kinesis.reading.surroundings import Surroundings
from connectors.kinesis.reading.tip import Tip
from connectors.kinesis.services import FanOutConsumer, ReadingServices
from connectors.kinesis.settings import KinesisSourceSettings
from connectors.kinesis.shards import Shard
from connectors.kinesis.stream import StreamName
from connectors.kinesis.summary import Summary
from connectors.times import iso, milliseconds

_BEGINNING_MS = 120_000


class KinesisSource(Source):
    """The shards of one stream. Positions are those of ``connectors.kinesis.position``."""

    def __init__(
        self,
        settings: KinesisSourceSettings,
        clock: Clock,
        random: Random,
        observer: Observer,
        connect: Connect = connect,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._random = random
        self._observer = observer
        self._connect = connect
        self._open: AsyncExitStack | None = None
        self._around: Surroundings | None = None

    async def __aenter__(self) -> Self:
        settings, connection = self._settings, self._connection()
        async with AsyncExitStack() as opened:
            stream = await opened.enter_async_context(
                open_stream(connection, self._clock, self._random, self._observer, self._connect)
            )
            self._around = Surroundings(
                settings,
                stream.api,
                stream.directory,
                stream.watch,
                OrderGuard(),
                Average(),
                self._clock,
                self._random,
                self._observer,
            )
            self._open = opened.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open is not None:
            await self._open.aclose()

    @property
    def identity(self) -> str:
        return self._entered.watch.summary.identity

    @property
    def address(self) -> str:
        return self._entered.watch.summary.address

    @property
    def largest_record(self) -> int:
        return self._entered.watch.summary.largest_with_key

    @property
    def repeats(self) -> bool:
        return True

    def partitions(self) -> AsyncGenerator[tuple[Partition, ...], None]:
        return self._entered.directory.partitions()

    async def start(self, partitions: Sequence[Partition]) -> Mapping[str, Place]:
        place = await self._first_place()
        return {partition.id: place for partition in partitions}

    def rank(self, position: Position | None) -> tuple[int, ...]:
        with _refusing("compare positions"):
            return rank(position)

    def just_before(self, position: Position) -> Place:
        with _refusing("begin at a position"):
            return Place(just_before(position))

    async def ends(self, partitions: Sequence[Partition], until_ms: int | None) -> Mapping[str, End]:
        now_ms = await self._latest_now_ms()
        if until_ms is not None and until_ms > now_ms:
            raise _still_to_come("end", until_ms, now_ms, "--until now ends with what is there")
        end = End(time_ms=now_ms if until_ms is None else until_ms)
        return {partition.id: end for partition in partitions}

    @property
    def summary(self) -> Summary:
        """The stream as it was last looked at. Valid once entered."""
        return self._entered.watch.summary

    async def server_ms(self) -> int:
        """The time by the server's clock, milliseconds since the epoch, in whole seconds. Raises what the call does."""
        return (await self._entered.api.describe()).server_ms

    async def fan_out_consumers(self) -> tuple[FanOutConsumer, ...]:
        """Those that are registered for enhanced fan-out. Raises what the call raises."""
        found = await self._entered.api.list_consumers(self.summary.arn)
        return tuple(FanOutConsumer(each.consumer_name, each.consumer_arn) for each in found)

    def reading_services(self) -> ReadingServices:
        """For asking which services of AWS read the stream. Valid once entered."""
        return ReadingServices(self._connection(), self.summary.arn)

    @property
    def keeps_order(self) -> bool:
        """Whether the records of a key go to one shard, in their order. Valid once entered."""
        return not self._entered.watch.summary.automatic

    @property
    def retention_ms(self) -> int:
        return self._entered.watch.summary.retention_ms

    @property
    def created_ms(self) -> int:
        """When the stream was made, milliseconds since the epoch. Valid once entered."""
        return self._entered.watch.summary.created_ms

    async def shards(self) -> Mapping[str, Shard]:
        """All shards that have not expired, as they are now. Raises what the call raises."""
        return await self._entered.directory.fresh()

    async def open_shards(self) -> list[Shard]:
        """Those of ``shards`` that still take records. Raises what the call raises."""
        return [shard for shard in (await self.shards()).values() if not shard.closed]

    async def at_time(self, partitions: Sequence[Partition], time_ms: int) -> Mapping[str, Place]:
        """From where what arrived at ``time_ms`` or later is read; all that is left, where some of it has expired."""
        place = Place(iso(time_ms), time_ms) if time_ms > self._oldest_ms() else Place()
        return {partition.id: place for partition in partitions}

    def read(self, partition: Partition, after: Place, budget: Budget) -> AsyncGenerator[Batch, None]:
        around, cursor = self._entered, Cursor(partition.id, after)
        poll = Poll(partition.id, budget, around)
        return ShardReader(partition.id, cursor, poll, Tip(around.clock), around).batches()

    def _connection(self) -> Connection:
        settings = self._settings
        name = StreamName.of(settings.stream)
        return Connection(name, settings.region, settings.endpoint_url, settings.assume_role_arn)

    @property
    def _entered(self) -> Surroundings:
        if self._around is None:
            raise RuntimeError("the source is not entered")
        return self._around

    def _oldest_ms(self) -> int:
        """Nothing that arrived later has expired, nor will while somebody begins to read."""
        return max(self.created_ms, self._entered.horizon_ms() + _BEGINNING_MS)

    async def _first_place(self) -> Place:
        """Where to begin, by the server's clock: a time of this machine might lie in the server's future."""
        start = self._settings.start
        if start == "trim_horizon":
            return Place()
        if not isinstance(start, datetime):
            now_ms = (await self._entered.api.describe()).server_ms
            return Place(iso(now_ms), now_ms)
        start_ms, now_ms = milliseconds(start), await self._latest_now_ms()
        if start_ms > now_ms:
            raise _still_to_come("start", start_ms, now_ms, "start: latest begins now")
        return Place(iso(start_ms), start_ms)

    async def _latest_now_ms(self) -> int:
        """The end of the second which the server says it is: it tells whole ones."""
        return (await self._entered.api.describe()).server_ms + 999


def _still_to_come(what: str, asked_ms: int, now_ms: int, hint: str) -> SettingsError:
    return SettingsError(f"{what} at {iso(asked_ms)}", f"it is {iso(now_ms)} at the server", hint)


@contextmanager
def _refusing(operation: str) -> Iterator[None]:
    """Text that is no position is a person's mistake."""
    try:
        yield
    except ValueError as error:
        raise RefusedError(operation, str(error)) from error
