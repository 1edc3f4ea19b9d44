"""Whether the target of a job will keep what is going to be copied, before the first record is."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from bridge.engine.budget import ByteBudget
from bridge.engine.policy import OnError
from connectors.base import (
    Batch,
    Clock,
    ConnectorError,
    Partition,
    Place,
    Position,
    Setting,
    SettingsError,
    Sink,
    Source,
)

log = structlog.get_logger(__name__)

_LOOK_S = 5.0
_SIDE_BY_SIDE = 64
_MEMORY = 32 * 2**20
_HOUR_MS = 3_600_000
_TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True)
class _Glance:
    """What the first records of a partition show."""

    partition: str
    position: Position
    """Of the oldest of them."""
    time_ms: int
    too_large: str
    """Why one of them is; empty: none is."""


async def check_target(
    source: Source, sink: Sink, starts: Mapping[str, Place], *, on_error: OnError, clock: Clock
) -> None:
    """Compare the first records behind ``starts``, by partition, with the settings of ``sink``; both are entered.

    Takes some seconds at the most: partitions that have shown no record by then are left out, and the log says how
    many. It also says what will be kept for a short time only, and what may go with the volume. ``source`` has the
    bounds of the job, and is not the one that the job reads with: a gap of which one reader has been told is not told
    to the next.

    Raises ``SettingsError``, with the setting and the value it needs, where records would be refused or deleted.
    """
    for setting in sink.volume_limits():
        log.warning("the oldest records go when there are more bytes than that", setting=str(setting))
    glances = await _Look(source, sink).at(starts)
    if on_error is OnError.STOP:
        _check_sizes(glances)
    if glances:
        _check_ages(min(glances, key=lambda each: each.time_ms), sink.age_limits(), clock.now_ms())


class _Look:
    """A short one, at many partitions side by side."""

    def __init__(self, source: Source, sink: Sink) -> None:
        self._source = source
        self._sink = sink
        self._budget = ByteBudget(_MEMORY)
        self._turn = asyncio.Semaphore(_SIDE_BY_SIDE)
        self._found: dict[str, _Glance | None] = {}

    async def at(self, starts: Mapping[str, Place]) -> list[_Glance]:
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_S), asyncio.TaskGroup() as tasks:
                for name, start in starts.items():
                    tasks.create_task(self._look(name, start), name=f"look at {name}")
        if left_out := len(starts) - len(self._found):
            log.warning("the age of some records is not known before they are copied", partitions=left_out)
        return [glance for glance in self._found.values() if glance is not None]

    async def _look(self, name: str, start: Place) -> None:
        async with self._turn:
            try:
                self._found[name] = await self._first(name, start)
            except ConnectorError as error:
                # Whatever it is, the job meets it too, and knows what to do about it.
                log.info("no look at a partition", partition=name, error=str(error))

    async def _first(self, name: str, start: Place) -> _Glance | None:
        async with aclosing(self._source.read(Partition(name), start, self._budget)) as batches:
            async for batch in batches:
                batch.release()
                if len(batch):
                    return self._glance(batch)
                if batch.is_last or batch.lag_ms == 0:
                    break
        return None

    def _glance(self, batch: Batch) -> _Glance:
        times = batch.timestamps_ms
        oldest = min(range(len(batch)), key=times.__getitem__)
        large = (each.detail for each in self._sink.inspect(batch) if each.reason == _TOO_LARGE)
        return _Glance(batch.partition, batch.positions[oldest], times[oldest], next(large, ""))


def _check_sizes(glances: Iterable[_Glance]) -> None:
    for glance in glances:
        if glance.too_large:
            raise SettingsError(
                f"copy partition {glance.partition}",
                f"the sink cannot take one of its first records: {glance.too_large}",
                "raise that setting; or on_error: dead_letter puts such records aside",
            )


def _check_ages(oldest: _Glance, limits: Iterable[Setting], now_ms: int) -> None:
    """Nobody can use what stays for less than an hour; it is copied nevertheless, with a warning."""
    age_ms = now_ms - oldest.time_ms
    needed_ms = -(-(age_ms + 2 * _HOUR_MS) // _HOUR_MS) * _HOUR_MS
    time = datetime.fromtimestamp(oldest.time_ms / 1000, UTC).isoformat(timespec="milliseconds")
    narrow = [limit for limit in limits if limit.value < age_ms + _HOUR_MS]
    short = [limit for limit in narrow if limit.value < age_ms]
    if short:
        needs = " and ".join(f"{limit.name} to at least {needed_ms} on {limit.place}" for limit in narrow)
        raise SettingsError(
            f"copy records of {time}, as at {oldest.partition}/{oldest.position}",
            f"they would be refused or deleted at once for their age: {', '.join(map(str, short))}",
            f"set {needs}; or --timestamps now gives them the time of copying",
        )
    for limit in narrow:
        log.warning(
            "the oldest records will be kept for a short time", setting=str(limit), needs=needed_ms, oldest=time
        )
