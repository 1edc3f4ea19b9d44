"""What we may do at an end: tried where that changes nothing, else as the end tells it."""

from confluent_kafka.admin._acl import AclOperation

from bridge.doctor.check import Check, EndCheck, Findings
from bridge.doctor.sample import UnreadableError
from bridge.doctor.scene import Role, Scene, StreamEnd, TopicEnd
from bridge.findings import Finding, Severity, failure
from connectors.kafka.connection import READ, WRITE, Access
from connectors.kafka.inspection import TopicDescription

_WRITERS = {Role.SINK, Role.DEAD_LETTER}


class Permissions(EndCheck):
    name = "permissions"

    async def run(self, scene: Scene) -> Findings:
        match scene.ends[self.role]:
            case StreamEnd() as end:
                return await self._of_stream(scene, end)
            case TopicEnd() as end:
                return await self._of_topic(end)

    async def _of_stream(self, scene: Scene, end: StreamEnd) -> Findings:
        is_read = self.role is Role.SOURCE or (self.role is Role.SINK and scene.configuration.sends_origins)
        found: list[Finding] = []
        if is_read:
            purpose = "" if self.role is Role.SOURCE else "a mirror that was cut off reads back what it had written"
            found.append(await self._read(end, purpose, Severity.FAILED))
        if self.role in _WRITERS:
            reason = "not tried: Kinesis has no PutRecords without a record"
            remedy = "grant kinesis:PutRecords on it, and kms:GenerateDataKey on its key"
            found.append(self.skipped(f"writing to {end.address}", reason, remedy))
        return found

    async def _of_topic(self, end: TopicEnd) -> Findings:
        if self.role is Role.SOURCE:
            return (await self._read(end, "", Severity.FAILED),)
        found = [told(self, end.topic, WRITE)]
        if self.role is Role.SINK:
            found.append(
                await self._read(end, "kmbridge verify and translate read it; a mirror does not", Severity.WARNING)
            )
        return found

    async def _read(self, end: StreamEnd | TopicEnd, purpose: str, otherwise: Severity) -> Finding:
        try:
            sample = await end.sample()
        except UnreadableError as error:
            return failure(self.name, error, otherwise)
        return self.ok(f"{end.address} can be read: {sample}", purpose)


class CheckpointPermissions(Check):
    """Of the topic that holds the checkpoints, and of transactions."""

    name = "permissions"
    needs = frozenset({Role.CHECKPOINTS})

    async def run(self, scene: Scene) -> Findings:
        kept = scene.checkpoints
        found: list[Finding] = []
        if kept.topic is not None:
            found += [told(self, kept.topic, READ), told(self, kept.topic, WRITE)]
        if kept.begin_transaction is not None:
            await kept.begin_transaction()
            found.append(self.ok("transactions can be begun", "tried under an id that no worker has"))
        return found


def told(check: Check, topic: TopicDescription, access: Access) -> Finding:
    """Whether we may do with ``topic`` what ``access`` is, as its brokers tell it."""
    may = topic.may(access.operation)
    what = "read" if access.operation is AclOperation.READ else "written to"
    if may is None:
        reason = "not tried: its brokers do not tell, and nothing is written to look"
        return check.skipped(f"whether {topic.address} can be {what}", reason, f"grant {access.permission}")
    if may:
        return check.ok(f"{topic.address} can be {what}", "as its brokers tell")
    return check.failed(
        f"{topic.address} cannot be {what}", "its brokers say that we may not", f"grant {access.permission}"
    )
