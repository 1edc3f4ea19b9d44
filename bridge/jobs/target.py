"""Whether a target keeps what a job is about to copy: asked before the first record, not found out behind the last."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass

import structlog

from bridge.engine.budget import ByteBudget
from bridge.engine.making import named
from bridge.engine.mirror import Ends
from bridge.engine.policy import OnError, OnGap, Policy
from bridge.groups import together
from connectors.base import (
    Batch,
    Clock,
    ConnectorError,
    GapError,
    Partition,
    Place,
    Position,
    RefusedError,
    Setting,
    SettingsError,
)
from connectors.times import moment_at

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


async def check_target(ends: Ends, starts: Mapping[Partition, Place], policy: Policy, clock: Clock) -> None:
    """Compare the first records behind ``starts`` with the settings of the sink. Takes some seconds at the most.

    The ends are entered, the source has the bounds of the job. How large records are that are transformed nobody knows
    before they are: their lanes find out. Of children only those are looked at whose parents are
    empty: what is in a parent is older. Partitions that show no record in time are left out, and the log says how many;
    it also says what will be kept for a short time only, and what may go with the volume.

    Raises ``SettingsError``, with the setting and the value it needs, where records would be refused or deleted, and
    ``GapError`` or ``RefusedError`` where the job cannot begin for one.
    """
    for setting in ends.sink.volume_limits():
        log.warning("the oldest records go when there are more bytes than that", setting=str(setting))
    glances = await _Look(ends, policy).at(starts)
    if policy.on_error is OnError.STOP:
        _check_sizes(glances)
    if glances:
        _check_ages(min(glances, key=lambda each: each.time_ms), ends.sink.age_limits(), clock.now_ms())


class _Look:
    """A short one, at many partitions side by side."""

    def __init__(self, ends: Ends, policy: Policy) -> None:
        self._ends = ends
        self._policy = policy
        self._budget = ByteBudget(_MEMORY)
        self._turn = asyncio.Semaphore(_SIDE_BY_SIDE)
        self._asked: set[str] = set()
        self._found: dict[str, _Glance | None] = {}
        """None: it is empty."""

    async def at(self, starts: Mapping[Partition, Place]) -> list[_Glance]:
        listed = {partition.id for partition in starts}
        try:
            async with asyncio.timeout(_LOOK_S):
                while oldest := [each for each in starts if self._is_oldest(each, listed)]:
                    await self._look_at_all({each: starts[each] for each in oldest})
        except TimeoutError:
            pass
        if left_out := len(self._asked) - len(self._found):
            log.warning("the age of some records is not known before they are copied", partitions=left_out)
        return [glance for glance in self._found.values() if glance is not None]

    def _is_oldest(self, partition: Partition, listed: Collection[str]) -> bool:
        """Of those that are not looked at yet: nothing that is listed holds older records."""
        parents = [parent for parent in partition.parents if parent in listed]
        is_next = all(parent in self._found and self._found[parent] is None for parent in parents)
        return is_next and partition.id not in self._asked

    async def _look_at_all(self, starts: Mapping[Partition, Place]) -> None:
        self._asked.update(partition.id for partition in starts)
        async with together() as tasks:
            for partition, start in starts.items():
                tasks.create_task(self._look(partition, start), name=f"look at {partition.id}")

    async def _look(self, partition: Partition, start: Place) -> None:
        async with self._turn:
            try:
                self._found[partition.id] = await self._first(partition, start)
            except GapError as error:
                # A reader that comes back is taken for one that accepts it: nobody may do so silently.
                if self._policy.on_gap is OnGap.STOP:
                    raise
                log.error("a gap where the range begins", partition=partition.id, error=str(error))
            except RefusedError:
                # A position that is none, a missing right: a person must act, and nothing is stored yet.
                raise
            except ConnectorError as error:
                # The job meets it too, and knows what to do about it.
                log.info("no look at a partition", partition=partition.id, error=str(error))

    async def _first(self, partition: Partition, start: Place) -> _Glance | None:
        async with aclosing(self._ends.source.read(partition, start, self._budget)) as batches:
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
        return _Glance(batch.partition, batch.positions[oldest], times[oldest], self._too_large(batch))

    def _too_large(self, batch: Batch) -> str:
        """Why one of ``batch`` is, as it would be sent; empty where none is known to be."""
        ends = self._ends
        if ends.transform is not None:
            return ""
        sent = named(batch, self._policy, ends.source.address, ends.sink.address)
        return next((each.detail for each in ends.sink.inspect(sent) if each.reason == _TOO_LARGE), "")


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
    time = moment_at(oldest.time_ms).isoformat(timespec="milliseconds")
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
