"""The consumers that a migration is to move: whether they are there, and how far they are."""

from bridge.config.cutover import Consumers as Moving
from bridge.config.cutover import Cutover
from bridge.doctor.check import BOTH_ENDS, Check, Findings
from bridge.doctor.scene import Scene
from bridge.findings import Finding, Severity
from bridge.migration.measures.places import ConsumerPlaces, application_places, group_places
from bridge.migration.measures.suitability import CONSUMERS, application, consumer_group, looked
from bridge.migration.sides import Sides


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
        places = await application_places(sides, name, region=region, endpoint_url=url)
        return found, self._how_far(sides, f"application {name}", places)

    async def _group(self, sides: Sides, asked: Cutover, moving: Moving) -> Findings:
        found = await looked(CONSUMERS, consumer_group(sides, moving.group))
        if found.severity is not Severity.OK:
            return (found,)
        return found, self._how_far(sides, f"group {moving.group}", await group_places(sides, moving.group))

    def _how_far(self, sides: Sides, name: str, places: ConsumerPlaces) -> Finding:
        if places.is_through:
            return self.ok(f"{name} has processed all that is there")
        behind = [each for each in places.partitions if each.unread_ms is not None]
        if not behind:
            return self.ok(f"{name} may not have processed all that is there", "its places do not tell")
        oldest = min(behind, key=lambda each: each.unread_ms or 0)
        minutes = (sides.clock.now_ms() - (oldest.unread_ms or 0)) / 60_000
        found = f"{name} has records of {len(behind)} partitions before it, the oldest of {minutes:.0f} minutes ago"
        return self.ok(found, "as consumers at work have; they move when they are through or at rest")
