"""The consumers that a migration is to move: whether they are there, and how far they are."""

import asyncio
from collections.abc import Awaitable

from bridge.config.cutover import Consumers as Moving
from bridge.config.cutover import Cutover
from bridge.doctor.check import BOTH_ENDS, Check, Findings
from bridge.doctor.scene import Scene
from bridge.findings import Finding, LookError, Severity, failure
from bridge.migration.measures.places import ConsumerPlaces, application_places, group_places
from bridge.migration.measures.suitability import CONSUMERS, application, consumer_group, looked
from bridge.migration.sides import Sides
from connectors.counted import counted

_FAR_S = 3.0


class Consumers(Check):
    """Those on the side that the migration leaves."""

    name = CONSUMERS
    needs = BOTH_ENDS

    async def run(self, scene: Scene) -> Findings:
        asked = scene.configuration.cutover
        if asked is None or not asked.consumers:
            return ()
        look = self._application if scene.configuration.source.kinesis is not None else self._group
        async with scene.sides() as sides:
            return [finding for each in asked.consumers for finding in await look(sides, asked, each)]

    async def _application(self, sides: Sides, asked: Cutover, moving: Moving) -> Findings:
        name, region, url = moving.application, asked.lease_region, asked.lease_endpoint_url
        known = application(sides, name, region, url, begins_somewhere=moving.start is not None)
        found = await looked(CONSUMERS, known)
        if found.severity is not Severity.OK:
            return (found,)
        places = application_places(sides, name, region=region, endpoint_url=url)
        return found, await self._how_far(sides, f"application {name}", places)

    async def _group(self, sides: Sides, asked: Cutover, moving: Moving) -> Findings:
        found = await looked(CONSUMERS, consumer_group(sides, moving.group))
        if found.severity is not Severity.OK:
            return (found,)
        return found, await self._how_far(sides, f"group {moving.group}", group_places(sides, moving.group))

    async def _how_far(self, sides: Sides, name: str, looking: Awaitable[ConsumerPlaces]) -> Finding:
        """Reads the first record of each partition that is not processed, which may take long where there are many."""
        try:
            async with asyncio.timeout(_FAR_S):
                places = await looking
        except TimeoutError:
            return self.skipped(f"how far {name} is", f"no answer within {_FAR_S:g} s", "kmbridge translate tells")
        except LookError as error:
            return failure(self.name, error, Severity.WARNING)
        return self._told(sides, name, places)

    def _told(self, sides: Sides, name: str, places: ConsumerPlaces) -> Finding:
        if places.is_through:
            return self.ok(f"{name} has processed all that is there")
        behind = [each for each in places.partitions if each.unread_ms is not None]
        if not behind:
            return self.ok(f"{name} may not have processed all that is there", "its places do not tell")
        oldest = min(behind, key=lambda each: each.unread_ms or 0)
        age = counted((sides.clock.now_ms() - (oldest.unread_ms or 0)) / 60_000, "minute", ".0f")
        found = f"{name} has records of {counted(len(behind), 'partition')} before it, the oldest of {age} ago"
        return self.ok(found, "as consumers at work have; they move when they are through or at rest")
