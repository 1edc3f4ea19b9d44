from bridge.migration.measures import ends as recorded
from bridge.migration.measures.ends import Ends, EndsDocument
from bridge.migration.steps.drain import drained
from bridge.migration.steps.producers_stopped import ProducersStopped
from bridge.migration.steps.returned import returned, task
from bridge.migration.steps.scene import Scene, Side, Way
from bridge.migration.steps.silence import silent
from bridge.migration.steps.step import Course, Gate, Step

_WAIT_S = 60.0


class Barrier(Step):
    """Where the old side ends for good, and the mirror has come there on every shard.

    Where the new side ended then is recorded too: what is produced to it later is behind that. What the mirror still
    adds there is told from it by its origin.
    """

    name = "barrier"
    title = "the mirror has drained the old side"
    back_to = ProducersStopped.name

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    async def act(self, course: Course) -> Course:
        ends = {side.value: recorded.written(await self._scene.ends(side)) for side in Side}
        return course.remembering(self.name, ends)

    async def gate(self, course: Course) -> Gate:
        ends = at_barrier(course, Side.OLD)
        found = await drained(self._scene, Way.FORWARD, ends, _WAIT_S)
        late = await silent(self._scene, Side.OLD, ends)
        return Gate((*found.figures, *late.figures), found.missing or late.missing)

    async def look(self, course: Course) -> Gate | None:
        if not course.of(self.name):
            return None
        return await drained(self._scene, Way.FORWARD, at_barrier(course, Side.OLD), 0)

    def task_back(self, course: Course) -> str:
        return task(self._scene)

    async def ready_back(self, course: Course) -> Gate:
        """Producers may have begun to write to the new side, without anybody having asked."""
        return await returned(self._scene, at_barrier(course, Side.NEW))

    def left_back(self, course: Course) -> str:
        return f"start the producers of {self._scene.names.old}"


def at_barrier(course: Course, side: Side) -> Ends:
    """Where ``side`` ended at the barrier, which has been recorded."""
    document = course.of(Barrier.name)[side]
    assert isinstance(document, dict)  # noqa: S101 - as it was written
    found: EndsDocument = document
    return recorded.read(found)
