"""Whether the checkpoints are kept for as long as the mirror lives."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from bridge.doctor.check import Check, Findings
from bridge.doctor.checks.files import can_write
from bridge.doctor.scene import Role, Scene
from bridge.findings import Finding
from bridge.keeping.stores import asked_slots
from connectors.counted import counted
from connectors.kafka.inspection import TopicDescription


class Checkpoints(Check):
    name = "checkpoints"
    needs = frozenset({Role.CHECKPOINTS})

    async def run(self, scene: Scene) -> Findings:
        kept, asked = scene.checkpoints, scene.configuration
        if asked.checkpoints == "memory":
            reason = "they end with the process: the next one begins anew, and copies all once more"
            return (self.warning("the checkpoints are in memory", reason, "checkpoints: auto"),)
        if asked.sqlite_path is not None:
            return (await self._of_file(asked.sqlite_path),)
        if asked.checkpoint_topic is None:
            return (self.ok(f"{kept.place} has {counted(len(kept.stored), 'checkpoint')}"),)
        if kept.topic is None:
            return (self.ok(f"{kept.place} is not there yet", "the mirror makes it, compacted, when it starts"),)
        return [*self._of_topic(kept.topic, asked_slots(asked))] or (
            self.ok(f"{kept.place}, which is compacted, has {counted(len(kept.stored), 'checkpoint')}"),
        )

    async def _of_file(self, path: Path) -> Finding:
        if await asyncio.to_thread(can_write, path):
            return self.ok(f"the checkpoints are in {path}", "one worker works on them, on this machine")
        remedy = "give us the right to write there, or name another file with checkpoints.sqlite.path"
        return self.failed(f"{path} cannot be written", "its folder is missing, or not ours to write to", remedy)

    def _of_topic(self, topic: TopicDescription, slots: int | None) -> Iterator[Finding]:
        policy = topic.settings.get("cleanup.policy")
        if policy is not None and policy != "compact":
            reason = "checkpoints would be deleted by their age: the mirror refuses it"
            remedy = "set cleanup.policy=compact on it, or name another topic with checkpoints.kafka.topic"
            yield self.failed(f"checkpoint topic {topic.name} has cleanup.policy={policy}", reason, remedy)
        if slots is not None and slots != len(topic.partitions):
            reason = f"checkpoints.kafka.slots asks for {slots}: the mirror refuses it"
            remedy = f"set checkpoints.kafka.slots to {len(topic.partitions)}, or leave it out"
            yield self.failed(
                f"checkpoint topic {topic.name} has {counted(len(topic.partitions), 'partition')}", reason, remedy
            )
        if topic.settings.get("unclean.leader.election.enable") == "true":
            reason = "checkpoints may be gone without a word: the mirror goes back, and copies once more"
            found = f"checkpoint topic {topic.name} has unclean.leader.election.enable=true"
            yield self.warning(found, reason, "set it to false")
        if min((each.replicas for each in topic.partitions), default=0) < 2:
            reason = "checkpoints are lost with one disk, and the mirror begins anew"
            yield self.warning(f"checkpoint topic {topic.name} has one replica", reason, "replication factor 3")
