"""What is told of consumers, and of all that has to hold before a migration begins."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from bridge.config import Configuration, load
from bridge.findings import Finding, Severity
from bridge.migration.measures.consumers import ConsumerState, application, group
from bridge.migration.measures.ends import ends_of
from bridge.migration.measures.places import ConsumerPlaces, application_places, group_places
from bridge.migration.measures.preflight import Consumers, preflight
from bridge.migration.sides import Sides, opened
from connectors.base import Clock
from tests.support.consumers import Group, KclApplication, shards_of
from tests.support.ends import StreamEnd, TopicEnd
from tests.support.factories import StreamFactory, TopicFactory
from tests.support.ports import free_port
from tests.support.records import generate
from tests.support.resharding import shard_ids, split_one
from tests.support.topic_writer import abort_transaction
from tests.support.verifying import written
from tests.support.waiting import until
from tests.support.way import Way

KEYS = 40
AN_HOUR_MS = 3_600_000


class Stage:
    """A stream and a topic, and the consumers of both."""

    def __init__(self, stream: StreamEnd, topic: TopicEnd, dynamo: str, folder: Path) -> None:
        self.stream, self.topic, self.folder = stream, topic, folder
        self.group = Group(f"group-{uuid4().hex[:8]}", topic)
        self.application = KclApplication(f"app-{uuid4().hex[:8]}", dynamo)

    def configuration(self, **more: Any) -> Configuration:
        config = written(self.folder, self.stream, self.topic, more)
        return load([str(config)], environment=os.environ)

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[Sides]:
        async with opened(await asyncio.to_thread(self.configuration), Clock()) as sides:
            yield sides

    async def findings(self, **more: Any) -> tuple[Finding, ...]:
        consumers = Consumers([self.application.name], [self.group.name], lease_endpoint_url=self.application.url)
        asked = await asyncio.to_thread(lambda: self.configuration(**more))
        return await preflight(asked, consumers, Clock(), lasts_ms=AN_HOUR_MS)


@pytest.fixture
def stage(kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory, moto: str, tmp_path: Path) -> Stage:
    return Stage(StreamEnd(kinesis, stream(2)), TopicEnd(kafka, topic(3)), moto, tmp_path)


async def test_an_application_is_told_by_its_table(stage: Stage) -> None:
    """Absent without one; at rest where nothing moves, with the first record of each shard that is unprocessed."""
    async with stage.looking() as sides:
        name, url = stage.application.name, stage.application.url
        assert (await application(sides, name, failover_s=0, endpoint_url=url)).state is ConsumerState.ABSENT
        began_ms = int(time.time()) * 1000
        await stage.stream.write(generate(200, KEYS))
        one, other = shards_of(await stage.stream.records()).values()
        await stage.application.stand({one[0].shard: (one[-1].sequence, 0), other[0].shard: (other[3].sequence, 0)})
        found = await application(sides, name, failover_s=0, endpoint_url=url)
        assert (found.state, found.at_work) == (ConsumerState.AT_REST, ())
        places = await application_places(sides, name, endpoint_url=url)
        assert not places.is_through
        unread = {each.partition: each.unread_ms for each in places.partitions}
        assert unread[one[0].shard] is None
        assert (unread[other[0].shard] or 0) >= began_ms


async def test_an_application_is_through_when_all_its_shards_are(stage: Stage, draw: Random) -> None:
    """Those that have no lease any more, or not yet, count; a lease that tells no place leaves it open."""
    name, url = stage.application.name, stage.application.url
    await stage.stream.write(generate(100, KEYS))
    await asyncio.to_thread(split_one, stage.stream, draw)
    await stage.stream.write(generate(100, KEYS))
    lasts = {shard: (each[-1].sequence, 0) for shard, each in shards_of(await stage.stream.records()).items()}
    is_open = await asyncio.to_thread(shard_ids, stage.stream)
    await stage.application.stand({shard: place for shard, place in lasts.items() if shard in is_open})
    async with stage.looking() as sides:

        async def found() -> ConsumerPlaces:
            return await application_places(sides, name, endpoint_url=url)

        async def told(shard: str) -> bool | None:
            return {each.partition: each.is_through for each in (await found()).partitions}[shard]

        assert (await found()).is_through
        shard = min(is_open & lasts.keys())
        await stage.application.put(shard, "LATEST")
        assert await told(shard) is None
        assert not (await found()).is_through
        await stage.application.put(shard, "TRIM_HORIZON")
        assert await told(shard) is False


async def test_a_group_is_told_by_its_offsets_and_members(stage: Stage) -> None:
    """Absent with neither, at rest without members, moving with one, who is named."""
    async with stage.looking() as sides:
        assert (await group(sides, stage.group.name)).state is ConsumerState.ABSENT
        await stage.topic.write(generate(200, KEYS))
        sizes = [sum(each.partition == number for each in await stage.topic.records()) for number in range(3)]
        await stage.group.stand({0: sizes[0], 1: 1})
        found = await group(sides, stage.group.name)
        assert found.state is ConsumerState.AT_REST
        places = await group_places(sides, stage.group.name)
        assert {each.partition: (each.place, each.is_through) for each in places.partitions} == {
            "0": (str(sizes[0]), True),
            "1": ("1", False),
            "2": (None, False),
        }
        member = stage.group.member()

        async def is_at_work() -> bool:
            await asyncio.to_thread(member.poll, 0.2)
            return (await group(sides, stage.group.name)).state is ConsumerState.MOVING

        try:
            await until(is_at_work, "a member of the group")
        finally:
            member.close()


async def test_a_group_is_through_before_a_marker(stage: Stage) -> None:
    """A consumer commits behind the last record that it was given, and no record follows the end of a transaction."""
    await stage.topic.write(generate(100, KEYS))
    sizes = [sum(each.partition == number for each in await stage.topic.records()) for number in range(3)]
    await asyncio.to_thread(abort_transaction, stage.topic.address, stage.topic.name)
    await stage.group.stand(dict(enumerate(sizes)))
    async with stage.looking() as sides:

        async def is_marked() -> bool:
            return (await ends_of(sides.sink))["0"].position == str(sizes[0] + 1)

        await until(is_marked, "the marker at the end")
        assert (await group_places(sides, stage.group.name)).is_through


async def test_a_migration_that_can_begin_is_told_so(stage: Stage) -> None:
    """Every check says what it found."""
    await stage.stream.write(generate(100, KEYS))
    await stage.application.stand(dict.fromkeys(shards_of(await stage.stream.records()), "TRIM_HORIZON"))
    await stage.group.stand({0: 0})
    findings = await stage.findings()
    assert {each.severity for each in findings} == {Severity.OK}
    assert all(each.found and not each.remedy for each in findings)


async def test_what_is_missing_is_named_with_its_remedy(stage: Stage) -> None:
    """All of it at once, and the rest is looked at all the same."""
    failed = [each for each in await stage.findings(provenance="never") if each.severity is Severity.FAILED]
    assert [each.check for each in failed] == ["origins", "way back", "consumers", "consumers"]
    assert [each.found for each in failed[2:]] == [
        f"application {stage.application.name} is not there",
        f"group {stage.group.name} is not there",
    ]
    assert all(each.remedy for each in failed)


async def test_a_mirror_that_leads_back_is_noticed(stage: Stage, tmp_path: Path) -> None:
    """Somebody runs one already: a second one would double what it does."""
    await stage.topic.write(generate(50, KEYS))
    async with Way(tmp_path / "back", stage.topic, stage.stream).mirror() as mirror:
        await mirror.until_written(50)
        assert await mirror.stop() == 0
    [found] = [each for each in await stage.findings() if each.check == "loops"]
    assert found.severity is Severity.WARNING
    assert "50" in found.found


async def test_an_end_that_is_not_reached_is_all_that_is_told(stage: Stage) -> None:
    """Within half a minute, with its address."""
    nobody = f"127.0.0.1:{free_port()}"
    [found] = await stage.findings(sink={"kafka": {"bootstrap_servers": [nobody], "topic": "orders"}})
    assert (found.check, found.severity) == ("reachability", Severity.FAILED)
    assert nobody in str(found)


async def test_records_that_expire_too_early_are_a_warning(stage: Stage) -> None:
    """A day is what streams have by default, and a migration may take longer."""
    consumers = Consumers()
    asked = await asyncio.to_thread(stage.configuration)
    findings = await preflight(asked, consumers, Clock(), lasts_ms=25 * AN_HOUR_MS)
    [found] = [each for each in findings if each.severity is not Severity.OK]
    assert found.severity is Severity.WARNING
    assert "24 h" in found.found
