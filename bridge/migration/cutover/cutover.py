"""The state machine: one step forward or back, by gates that are measured."""

from collections.abc import Sequence
from dataclasses import replace

from bridge.errors import UsageError
from bridge.migration.cutover.record import Record
from bridge.migration.cutover.report import Move, StepReport, StepState
from bridge.migration.steps.step import Course, Step


class Cutover:
    """A migration along ``path``, whose last step is the point of no return.

    Nothing is remembered between two calls but what is in ``record``: any machine can go on, and a call that was killed
    is made again. Every call raises what its steps do, and ``DocumentChangedError`` beside another machine.
    """

    def __init__(self, path: Sequence[Step], record: Record) -> None:
        self._path = path
        self._record = record

    async def survey(self, *, is_measured: bool) -> tuple[tuple[StepReport, ...], Course]:
        """All steps, each with what its gate says now, if that ``is_measured``."""
        course = await self._record.load()
        reports = []
        for step in self._path:
            state = self._state(step, course)
            gate = await step.look(course) if is_measured and not course.is_finished else None
            reports.append(StepReport.of(step, state, gate, step.task(course)))
        return tuple(reports), course

    async def advance(self) -> Move:
        """Take the next step, or tell what is missing for it. Raises ``UsageError`` where only ``finish`` is left."""
        course = await self._begun("advance")
        step = self._next(course)
        if step is self._path[-1]:
            raise UsageError("cutover advance", f"only the last step is left: {step.title}", "kmbridge cutover finish")
        return await self._forward("advance", step, course)

    async def finish(self) -> Move:
        """Take the last step, behind which there is no way back. Raises ``UsageError`` where others are left."""
        course = await self._begun("finish")
        step = self._next(course)
        if step is not self._path[-1]:
            raise UsageError("cutover finish", f"step {step.name} comes first", "kmbridge cutover advance")
        return await self._forward("finish", step, course)

    async def rollback(self) -> Move:
        """Undo the last step that is done, or that has acted; tell what is missing for that."""
        course = await self._begun("rollback")
        step = self._last(course)
        if step is None:
            raise UsageError("cutover rollback", "nothing is done yet")
        gate = await step.ready_back(course)
        if not gate.holds:
            return Move.refused("rollback", step, gate, step.task_back(course))
        undone = self._before(step, await step.undo(course))
        undone = replace(undone, told=step.left_back(undone))
        await self._record.save(undone)
        return Move.made("rollback", step, gate, undone.told, self._next(undone).name)

    async def _forward(self, command: str, step: Step, course: Course) -> Move:
        ready = await step.ready(course)
        if not ready.holds:
            return Move.refused(command, step, ready, step.task(course))
        acted = await step.act(course)
        if acted != course:
            acted = replace(acted, told=step.task(acted))
            await self._record.save(acted)
        gate = await step.gate(acted)
        if not gate.holds:
            return Move.refused(command, step, gate, step.task(acted))
        is_last = step is self._path[-1]
        done = replace(acted, done=(*acted.done, step.name), is_finished=is_last)
        following = None if is_last else self._next(done)
        done = replace(done, told="" if following is None else following.task(done))
        await self._record.save(done)
        return Move.made(command, step, gate, done.told, "" if following is None else following.name)

    async def _begun(self, command: str) -> Course:
        course = await self._record.load()
        if course.is_finished:
            raise UsageError(f"cutover {command}", "the migration is finished", "there is no way back from there")
        return course

    def _next(self, course: Course) -> Step:
        return next(step for step in self._path if step.name not in course.done)

    def _last(self, course: Course) -> Step | None:
        """The last one that has changed anything: also one that has acted, and whose gate did not hold yet."""
        begun = [step for step in self._path if step.name in course.done or step.name in course.facts]
        return begun[-1] if begun else None

    def _before(self, step: Step, course: Course) -> Course:
        """As it was before ``step``, or before the one to which its way back leads."""
        names = [each.name for each in self._path]
        left = names[: names.index(step.back_to or step.name)]
        return replace(
            course,
            done=tuple(name for name in course.done if name in left),
            facts={name: facts for name, facts in course.facts.items() if name in left},
        )

    def _state(self, step: Step, course: Course) -> StepState:
        if step.name in course.done:
            return StepState.DONE
        return StepState.NEXT if step is self._next(course) else StepState.LATER
