"""Consumers' places on the other side of a mirror: found, and set where that is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.config import Configuration
from bridge.migration.leases.lease import Lease, Sentinel
from bridge.migration.leases.new_table import create
from bridge.migration.leases.rest import Moving, watch
from bridge.migration.leases.table import lease_table
from bridge.migration.translation import group as groups
from bridge.migration.translation.application import leases_of, new_leases, place, unresolved
from bridge.migration.translation.checks import Checks
from bridge.migration.translation.errors import ConsumerMovingError, LostRecordsError, UnknownPlaceError
from bridge.migration.translation.progress import ApplicationProgress, Before, GroupProgress, Mark
from bridge.migration.translation.report import TranslatedPartition, TranslateReport, TranslationGap
from bridge.migration.translation.request import Direction, TranslateRequest
from bridge.migration.translation.search import Found, Search
from bridge.migration.translation.sides import Sides, opened
from bridge.migration.translation.survey import Move, Side
from checkpoints.dynamodb.table import Table
from connectors.base import Clock, Partition


async def translate(
    configuration: Configuration, request: TranslateRequest, *, clock: Clock | None = None
) -> TranslateReport:
    """Where the consumers of one side of ``configuration`` go on at the other, and how much they will see again.

    Every record that is not processed is at or behind the new place, as far as it is mirrored yet. With ``apply`` the
    place is set: of a group without members, or of an application that has no table. It takes the application's
    failover time and some seconds, and may be repeated.

    Raises the errors of ``translation.errors``, ``TableExistsError``, ``ConnectorError`` and ``CheckpointError``
    (what cannot be reached within half a minute), and ``UsageError``.
    """
    clock = clock or Clock()
    async with opened(configuration, clock) as sides:
        task = _Task(configuration, request, sides, clock)
        if request.direction is Direction.TO_GROUP:
            return await task.to_group()
        return await task.to_application()


@dataclass(frozen=True, slots=True)
class _Task:
    configuration: Configuration
    request: TranslateRequest
    sides: Sides
    clock: Clock

    async def to_group(self) -> TranslateReport:
        group = groups.group_of(self.configuration, self.request.group)
        former, members = await groups.committed(group), await groups.at_work(group)
        self._refuse_moving(members if self.request.apply else ())
        seen = await watch(self._table(), clock=self.clock, failover_s=self.request.failover_s)
        moving = tuple(map(str, seen.movements)) if isinstance(seen, Moving) else ()
        self._refuse_moving(moving if self.request.apply else ())
        stream, topic = self.sides.stream, self.sides.topic
        new = await Side.of(topic, self.clock.now_ms())
        old = await Side.of(stream, self.clock.now_ms())
        name = stream.address.rpartition(":")[2]
        leases = leases_of(seen.scan.leases.values(), name, stream.stream.created_ms // 1000, self.request.application)
        progress = ApplicationProgress(await self._marks(leases, old), old.partitions)
        move = Move(
            stream,
            topic,
            progress,
            self.sides.reach(stream, topic),
            self.sides.reach(topic, stream),
            is_carried=not self.sides.is_from_stream,
            may_rerun=self._may_rerun,
            needs_record=False,
        )
        found = await Search(move, old, new).run()
        begins_late = self._starts_late or any(each.position is not None for each in new.beginnings.values())
        gaps = self._checked(move, found, begins_late=begins_late)
        offsets = {name: _offset(found, new, name) for name in found.cuts}
        if self.request.apply:
            await groups.move(group, offsets)
        partitions = [
            _partition(name, str(offset), found, _text(former.get(name)))
            for name, offset in sorted(offsets.items(), key=lambda item: int(item[0]))
        ]
        return self._report(partitions, gaps, moving)

    async def to_application(self) -> TranslateReport:
        group = groups.group_of(self.configuration, self.request.group)
        moving = await groups.at_work(group)
        self._refuse_moving(moving if self.request.apply else ())
        offsets = await groups.committed_some(group)
        stream, topic = self.sides.stream, self.sides.topic
        new = await Side.of(stream, self.clock.now_ms())
        shards = await stream.stream.shards()
        old = await Side.of(topic, self.clock.now_ms())
        progress = GroupProgress(await self._offsets(offsets, old))
        move = Move(
            topic,
            stream,
            progress,
            self.sides.reach(topic, stream),
            self.sides.reach(stream, topic),
            is_carried=self.sides.is_from_stream,
            may_rerun=False,
            needs_record=True,
        )
        found = await Search(move, old, new).run()
        gaps = self._checked(move, found, begins_late=True)
        leases = new_leases(found.cuts, shards)
        if self.request.apply:
            if await groups.committed(group) != offsets or (moving := await groups.at_work(group)):
                self._refuse_moving(moving or (f"group {group.group} committed meanwhile",))
            await create(self._table(), leases, clock=self.clock)
        partitions = [_partition(lease.shard, place(lease.checkpoint), found) for lease in leases]
        return self._report(partitions, gaps, moving)

    def _table(self) -> Table:
        region = self.request.lease_region or self.sides.stream.address.split(":")[1]
        return lease_table(self.request.application, region, self.request.lease_endpoint_url)

    @property
    def _may_rerun(self) -> bool:
        """Whether a record may stand in the topic again, behind a crash of a mirror."""
        return self.configuration.sink.kafka is not None and self.configuration.delivery == "at_least_once"

    @property
    def _starts_late(self) -> bool:
        return self.configuration.source.end.start not in ("trim_horizon", "earliest")

    async def _marks(self, leases: Mapping[str, Lease], old: Side) -> dict[str, Mark]:
        marks: dict[str, Mark] = {shard: lease.checkpoint for shard, lease in leases.items()}
        unknown = unresolved(leases)
        begin = self.request.initial_position
        if unknown and begin is None:
            raise UnknownPlaceError(
                f"read the leases of {self.request.application}",
                f"{', '.join(f'{shard} is at {place(leases[shard].checkpoint)}' for shard in unknown)}, "
                "which tells no time",
                "say with --initial-position from when on the application reads, as it is configured",
            )
        for shard in unknown:
            marks[shard] = (
                await self._begun(shard, begin, old) if isinstance(begin, datetime) else Sentinel.TRIM_HORIZON
            )
        return marks

    async def _begun(self, shard: str, begin: datetime, old: Side) -> Mark:
        """What is processed of a shard that is read from a time on: what arrived before."""
        if shard not in old.ends:
            return Sentinel.SHARD_END
        stream = self.sides.stream
        place = (await stream.at_time([Partition(shard)], int(begin.timestamp() * 1000)))[shard]
        async with stream.reading(shard, place, old.ends[shard]) as batches:
            async for batch in batches:
                return Before(batch.positions[0])
        return Sentinel.SHARD_END

    async def _offsets(self, committed: Mapping[str, int], old: Side) -> dict[str, int]:
        begin, offsets = self.request.initial_position, dict(committed)
        absent = [partition for partition in old.partitions if partition.id not in committed]
        if absent and isinstance(begin, datetime):
            places = await self.sides.topic.at_time(absent, int(begin.timestamp() * 1000))
            offsets |= {name: int(each.position) + 1 for name, each in places.items() if each.position is not None}
        return offsets

    def _refuse_moving(self, moving: Sequence[str]) -> None:
        if moving:
            raise ConsumerMovingError("translate", "; ".join(moving), "stop the consumers, then translate again")

    def _checked(self, move: Move, found: Found, *, begins_late: bool) -> tuple[TranslationGap, ...]:
        is_mirrored = (move.old is self.sides.stream) is self.sides.is_from_stream
        checks = Checks(move, found, is_mirrored, begins_late)
        checks.raise_behind()
        gaps = tuple(checks.gaps())
        if gaps and self.request.apply and self.configuration.on_gap == "stop":
            named = "; ".join(f"{each.partition} from {each.lost_from} to {each.lost_to}" for each in gaps)
            raise LostRecordsError(
                "translate",
                f"the new side lacks records that are not processed: {named}",
                "copy them with kmbridge backfill, or accept the loss with on_gap: continue",
            )
        return gaps

    def _report(
        self, partitions: Sequence[TranslatedPartition], gaps: Sequence[TranslationGap], moving: Sequence[str]
    ) -> TranslateReport:
        sides, request = self.sides, self.request
        return TranslateReport(
            request.direction,
            request.application,
            request.group,
            sides.stream.address,
            sides.topic.address,
            tuple(partitions),
            tuple(gaps),
            tuple(moving),
            request.apply,
            sides.stream.records,
            sides.topic.records,
        )


def _offset(found: Found, new: Side, name: str) -> int:
    first, end = found.cuts[name].first, new.ends[name].position
    if first is not None:
        return int(first.position)
    return int(end) + 1 if end is not None else 0


def _partition(name: str, place: str, found: Found, former: str | None = None) -> TranslatedPartition:
    return TranslatedPartition(name, place, found.cuts[name].again, found.cuts[name].left_out, former)


def _text(offset: int | None) -> str | None:
    return None if offset is None else str(offset)
