"""Who else works under the mirror's name."""

from bridge.doctor.check import Check, Findings
from bridge.doctor.scene import Kept, Role, Scene
from connectors.counted import counted


class Conflicts(Check):
    name = "conflicts"
    needs = frozenset({Role.CHECKPOINTS})

    async def run(self, scene: Scene) -> Findings:
        kept = scene.checkpoints
        if kept.holders:
            held = ", ".join(map(str, kept.holders))
            reason = f"it owns the checkpoints in {kept.place}: run and backfill are refused beside it"
            return (self.warning(f"{held} works under the name {scene.configuration.name}", reason, "stop it first"),)
        if kept.members:
            return self._of_members(scene, kept)
        return (self.ok(f"nobody works under the name {scene.configuration.name}"),)

    def _of_members(self, scene: Scene, kept: Kept) -> Findings:
        named = ", ".join(map(str, kept.members[:5]))
        found = f"group {scene.configuration.group} has {counted(len(kept.members), 'worker')}: {named}"
        if not any(member.slots for member in kept.members):
            reason = "none of them owns anything here: they are just starting, or mirror something else under this name"
            return (self.warning(found, reason, "look again; if it stays so, name one of the mirrors otherwise"),)
        return (self.ok(found, "this mirror runs: whoever starts now shares its work"),)
