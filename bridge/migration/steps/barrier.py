from collections.abc import Mapping

from bridge.migration.gates.drain import drained
from bridge.migration.gates.gate import Gate
from bridge.migration.gates.hearing import heard
from bridge.migration.gates.returned import return_task, returned
from bridge.migration.gates.scene import Scene, Side, Way
from bridge.migration.measures import ends as recorded
from bridge.migration.measures.ends import Ends
from bridge.migration.steps.producers_stopped import ProducersStopped
from bridge.migration.steps.step import Course, Step
from bridge.migration.steps.verified import new_side_began
from connectors.counted import counted

_WAIT_S = 60.0


class Barrier(Step):
    """Where the old side ends for good, and the mirror has come there on every shard.

    Once it has, the end of the new side is recorded too: whatever is produced there later is behind that.
    """

    name = "barrier"
    title = "the mirror has drained the old side"
    back_to = ProducersStopped.name

    async def act(self, course: Course) -> Course:
        scene = self._scene
        old = await scene.ends(Side.OLD)
        found = await drained(scene, Way.FORWARD, old, _WAIT_S)
        # Nobody has been asked to produce to the new side yet. Who did has to stop, and it has to come back first.
        if found.holds:
            early = await returned(scene, new_side_began(course))
            found = Gate((*found.figures, *early.figures), early.missing)
        facts: dict[str, object] = {
            "old": recorded.written(old),
            "figures": list(found.figures),
            "missing": found.missing,
        }
        if found.holds:
            facts["new"] = recorded.written(await scene.ends(Side.NEW))
        return await listened(scene, course.remembering(self.name, facts))

    def task(self, course: Course) -> str:
        return return_task(self._scene) if course.of(self.name).get("missing") else ""

    async def gate(self, course: Course) -> Gate:
        facts, late = course.of(self.name), late_at(self._scene, course)
        figures = tuple(map(str, _listed(facts.get("figures"))))
        return Gate((*figures, *late.figures), str(facts.get("missing") or late.missing))

    async def look(self, course: Course) -> Gate | None:
        return await self.gate(course) if course.of(self.name) else None

    def task_back(self, course: Course) -> str:
        return return_task(self._scene)

    async def ready_back(self, course: Course) -> Gate:
        """Producers may have begun to write to the new side, without anybody having asked."""
        return await returned(self._scene, new_side_began(course))

    def left_back(self, course: Course) -> str:
        return f"start the producers of {self._scene.names.old}"


def at_barrier(course: Course, side: Side) -> Ends:
    """Where ``side`` ended at the barrier; the old one, as far as it has been listened to since."""
    return course.ends(Barrier.name, side)


async def listened(scene: Scene, course: Course) -> Course:
    """Listen to the old side from the barrier on, or from where this was done last: so it is read once in all."""
    more = await heard(scene, Side.OLD, at_barrier(course, Side.OLD))
    facts = dict(course.of(Barrier.name))
    facts |= {"old": recorded.written(more.until), "late": _late(facts) + more.count}
    return course.remembering(Barrier.name, facts | ({"last": more.place} if more.count else {}))


def late_at(scene: Scene, course: Course) -> Gate:
    """Whether nothing was produced to the old side behind the barrier, as far as it was ``listened`` to."""
    facts, where = course.of(Barrier.name), scene.names.old
    if late := _late(facts):
        return Gate((), f"producers still write to {where}: {counted(late, 'record')}, {facts.get('last', '')}")
    return Gate((f"nothing was produced to {where} since",))


def _late(facts: Mapping[str, object]) -> int:
    """How many records came behind the barrier."""
    known = facts.get("late", 0)
    assert isinstance(known, int)  # noqa: S101 - as it was written
    return known


def _listed(found: object) -> list[object]:
    return found if isinstance(found, list) else []
