from bridge.migration.measures import ends as recorded
from bridge.migration.measures.ends import Ends, EndsDocument
from bridge.migration.steps.drain import drained
from bridge.migration.steps.hearing import heard
from bridge.migration.steps.producers_stopped import ProducersStopped
from bridge.migration.steps.returned import returned, task
from bridge.migration.steps.scene import Scene, Side, Way
from bridge.migration.steps.step import Course, Gate, Step

_WAIT_S = 60.0


class Barrier(Step):
    """Where the old side ends for good, and the mirror has come there on every shard.

    Once it has, the end of the new side is recorded too: whatever is produced there later is behind that.
    """

    name = "barrier"
    title = "the mirror has drained the old side"
    back_to = ProducersStopped.name

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    async def act(self, course: Course) -> Course:
        scene = self._scene
        began = await scene.ends(Side.NEW)
        old = await scene.ends(Side.OLD)
        found = await drained(scene, Way.FORWARD, old, _WAIT_S)
        facts: dict[str, object] = {"old": recorded.written(old), "figures": list(found.figures)}
        if found.holds:
            early = await heard(scene, Side.NEW, began)
            facts |= {"new": recorded.written(await scene.ends(Side.NEW)), "early": early.count}
        else:
            facts["behind"] = found.missing
        return await listened(scene, course.remembering(self.name, facts))

    async def gate(self, course: Course) -> Gate:
        facts, late = course.of(self.name), late_at(self._scene, course)
        figures = tuple(map(str, _listed(facts.get("figures"))))
        if behind := facts.get("behind"):
            return Gate(figures, str(behind))
        if facts.get("early"):
            where = self._scene.names.new
            return Gate(figures, f"{facts['early']} records were produced to {where} already: stop its producers")
        return Gate((*figures, *late.figures), late.missing)

    async def look(self, course: Course) -> Gate | None:
        return await self.gate(course) if course.of(self.name) else None

    def task_back(self, course: Course) -> str:
        return task(self._scene)

    async def ready_back(self, course: Course) -> Gate:
        """Producers may have begun to write to the new side, without anybody having asked."""
        return await returned(self._scene, at_barrier(course, Side.NEW)) if is_drained(course) else Gate()

    def left_back(self, course: Course) -> str:
        return f"start the producers of {self._scene.names.old}"


def is_drained(course: Course) -> bool:
    """Whether the mirror had come to the end of the old side when the barrier was recorded."""
    return "new" in course.of(Barrier.name)


def at_barrier(course: Course, side: Side) -> Ends:
    """Where ``side`` ended at the barrier; the old one, as far as it has been listened to since."""
    document = course.of(Barrier.name)[side]
    assert isinstance(document, dict)  # noqa: S101 - as it was written
    found: EndsDocument = document
    return recorded.read(found)


async def listened(scene: Scene, course: Course) -> Course:
    """Listen to the old side from the barrier on, or from where this was done last: so it is read once in all."""
    more = await heard(scene, Side.OLD, at_barrier(course, Side.OLD))
    facts = dict(course.of(Barrier.name))
    known = facts.get("late", 0)
    assert isinstance(known, int)  # noqa: S101 - as it was written
    facts |= {"old": recorded.written(more.until), "late": known + more.count}
    return course.remembering(Barrier.name, facts | ({"last": more.place} if more.count else {}))


def late_at(scene: Scene, course: Course) -> Gate:
    """Whether nothing was produced to the old side behind the barrier, as far as it was ``listened`` to."""
    facts, where = course.of(Barrier.name), scene.names.old
    if facts.get("late"):
        return Gate((), f"producers still write to {where}: {facts['late']} records, {facts.get('last', '')}")
    return Gate((f"nothing was produced to {where} since",))


def _listed(found: object) -> list[object]:
    return found if isinstance(found, list) else []
