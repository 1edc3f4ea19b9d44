"""The way of a migration over a world of its own: every gate, every way back, killed at any moment."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from bridge.errors import BridgeError, UsageError
from bridge.migration.cutover.cutover import Cutover
from bridge.migration.cutover.record import Between, Record
from bridge.migration.cutover.report import Move, StepState
from bridge.migration.gates.scene import Side, Way
from bridge.migration.steps.path import path
from bridge.migration.translation.request import Direction
from checkpoints.documents import DocumentChangedError, Documents
from checkpoints.memory import MemoryDocuments
from tests.bridge.migration.cutover.world import FakeScene, KilledError, People, World

BETWEEN = Between("old", "new")
STEPS = [step.name for step in path(FakeScene(World()))]
MOST = 60


def cutover_of(scene: Any, documents: Documents, between: Between = BETWEEN) -> Cutover:
    return Cutover(path(scene), Record(documents, between))


class Migration:
    """One, with people who obey: consumers are at work on the old side, and nothing else is done yet."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.documents = MemoryDocuments()
        self.people = People(world)
        self.cutover = cutover_of(FakeScene(world), self.documents)
        world.readers.add("app" if world.direction is Direction.TO_GROUP else "group")

    async def until(self, step: str) -> None:
        """Advance until ``step`` is done."""
        for _ in range(MOST):
            if step in (await self.cutover.survey(is_measured=False))[1].done:
                return
            self.people.obey((await self.cutover.advance()).task)
        raise AssertionError(f"{step} is never done")

    async def back(self) -> str:
        """Roll one step back; which one."""
        for _ in range(MOST):
            move = await self.cutover.rollback()
            self.people.obey(move.task)
            if move.is_done:
                return move.step
        raise AssertionError("never rolled back")

    async def finish(self) -> None:
        await self.until(STEPS[-2])
        assert (await self.cutover.finish()).is_done


@pytest.fixture(params=list(Direction))
def migration(request: pytest.FixtureRequest) -> Migration:
    world = World(direction=request.param)
    world.tables = {"app"} if request.param is Direction.TO_GROUP else set()
    return Migration(world)


async def test_who_follows_the_instructions_comes_to_the_end(migration: Migration) -> None:
    """Consumers and producers are on the new side, and no record was produced while another one was on its way."""
    await migration.finish()
    world = migration.world
    assert world.producers == {Side.NEW}
    assert world.readers == {"group" if world.direction is Direction.TO_GROUP else "app"}
    assert not world.has_mixed
    steps, course = await migration.cutover.survey(is_measured=True)
    assert course.is_finished
    assert {each.state for each in steps} == {StepState.DONE}


async def test_nothing_moves_while_nobody_does_anything(migration: Migration) -> None:
    """Each refusal says what is missing and what people do, and leaves the migration where it was."""
    move = await migration.cutover.advance()
    while move.is_done:
        move = await migration.cutover.advance()
    assert (move.step, move.task) == ("caught-up", "run the mirror, and keep it running until the end: run forward")
    assert move.missing
    assert (await migration.cutover.advance()) == move


@pytest.mark.parametrize("step", STEPS[:-1])
async def test_there_is_a_way_back_from_every_step_and_forward_again(migration: Migration, step: str) -> None:
    """Back to the beginning all are where they were, by places that were translated back; then to the end."""
    await migration.until(step)
    undone = []
    while (await migration.cutover.survey(is_measured=False))[1].done:
        undone.append(await migration.back())
    world = migration.world
    assert undone[0] == step
    assert world.producers == {Side.OLD}
    assert not world.has_mixed
    if "consumers-moved" in undone:
        first, second = world.translations
        assert first == second[::-1] or first[1] == second[0]
        assert world.readers == {second[1]}
    await migration.finish()
    assert world.producers == {Side.NEW}
    assert not world.has_mixed


@pytest.mark.parametrize("step", ["producers-moved", "barrier"])
async def test_what_was_measured_of_producers_is_measured_again_once_they_are_back(
    migration: Migration, step: str
) -> None:
    """The way back from the barrier leads before it: an end that was recorded says nothing any more."""
    await migration.until(step)
    move = await migration.cutover.rollback()
    while not move.is_done:
        migration.people.obey(move.task)
        move = await migration.cutover.rollback()
    assert move.following == "producers-stopped"


async def test_producers_return_only_when_the_old_side_has_everything(migration: Migration) -> None:
    """The mirror back may be slow, and is waited for; where it does not come to the end nobody is told to start."""
    await migration.until("producers-moved")
    world = migration.world
    world.mirrors.add(Way.REVERSE)
    world.producers.clear()
    world.native[Side.NEW] += 10_000
    move = await migration.cutover.rollback()
    assert (move.is_done, "has not come to the end" in move.missing) == (False, True)
    world.copied[Way.REVERSE] = world.native[Side.NEW]
    assert (await migration.cutover.rollback()).task.startswith("start the producers of old")


async def test_who_produces_to_the_new_side_too_early_is_told_at_the_barrier(migration: Migration) -> None:
    """It goes on when the producer has stopped and the mirror back has brought its records to the old side."""
    await migration.until("producers-stopped")
    world = migration.world
    world.native[Side.NEW] += 3
    move = await migration.cutover.advance()
    assert (move.step, move.missing) == ("barrier", "no worker of the reverse mirror is alive")
    migration.people.obey(move.task)
    assert (await migration.cutover.advance()).is_done
    assert world.copied[Way.REVERSE] == world.native[Side.NEW]


async def test_consumers_do_not_go_back_to_a_side_that_lacks_records(migration: Migration) -> None:
    """What was produced to the new side, by whom and whenever it was, is on the old one first."""
    await migration.until("consumers-moved")
    migration.world.native[Side.NEW] += 3
    migration.world.readers.clear()
    move = await migration.cutover.rollback()
    assert (move.missing, "run the mirror back" in move.task) == ("no worker of the reverse mirror is alive", True)
    assert len(migration.world.translations) == 1


async def test_producers_that_return_too_early_hold_the_way_back_up(migration: Migration) -> None:
    """What is still on its way to the old side would land behind what they write there."""
    await migration.until("producers-moved")
    world = migration.world
    world.mirrors.add(Way.REVERSE)
    world.producers = {Side.OLD}
    move = await migration.cutover.rollback()
    assert (move.step, move.is_done) == ("producers-moved", False)
    assert "producers still write to old" in move.missing


async def test_other_consumers_in_the_configuration_are_not_taken_for_those_that_have_moved(
    migration: Migration,
) -> None:
    """Neither forward nor back: nobody would be translated, or only some."""
    await migration.until("consumers-moved")
    scene = FakeScene(migration.world)
    scene.pairs = ()
    move = await cutover_of(scene, migration.documents).rollback()
    assert move.missing.endswith("let it name the same consumers")


async def test_consumers_that_come_back_to_the_old_side_are_noticed(migration: Migration) -> None:
    """Before the end nobody may be at work there any more."""
    await migration.until(STEPS[-2])
    world = migration.world
    world.readers.add("app" if world.direction is Direction.TO_GROUP else "group")
    move = await migration.cutover.finish()
    assert (move.is_done, "at work on the old side again" in move.missing) == (False, True)


async def test_a_way_back_ends_nowhere_but_at_the_beginning(migration: Migration) -> None:
    """Where nothing is done there is nothing to undo."""
    with pytest.raises(UsageError, match="nothing is done"):
        await migration.cutover.rollback()


async def test_the_last_step_is_taken_by_its_own_name_and_ends_the_way_back(migration: Migration) -> None:
    """Finish is refused before its turn, advance when only that is left, and everything behind it."""
    with pytest.raises(UsageError, match="preflight comes first"):
        await migration.cutover.finish()
    await migration.until(STEPS[-2])
    with pytest.raises(UsageError, match="finish"):
        await migration.cutover.advance()
    assert (await migration.cutover.finish()).is_done
    for command in (migration.cutover.rollback, migration.cutover.advance, migration.cutover.finish):
        with pytest.raises(UsageError, match="no way back"):
            await command()


@pytest.mark.parametrize(
    ("step", "harm", "missing"),
    [
        ("preflight", lambda world: world.obstacles.append("raw"), "raw"),
        ("verify", lambda world: setattr(world, "different", True), "3 records missing"),
        ("caught-up", lambda world: world.mirrors.clear(), "no worker"),
        ("producers-stopped", lambda world: world.producers.add(Side.OLD), "producers still write to old"),
        ("consumers-moved", lambda world: world.readers.update({"app", "group"}), "moving"),
        ("barrier", lambda world: world.producers.add(Side.OLD), "producers still write to old"),
        ("barrier", lambda world: world.mirrors.clear() or world.native.update({Side.OLD: 10_000}), "has not come"),
        ("producers-moved", lambda world: world.producers.add(Side.OLD), "producers still write to old"),
        ("reverse", lambda world: world.mirrors.discard(Way.REVERSE), "no worker"),
        ("verify-again", lambda world: setattr(world, "different", True), "3 records missing"),
        ("finish", lambda world: world.producers.add(Side.OLD), "producers still write to old"),
        ("finish", lambda world: world.readers.clear(), "not at work"),
    ],
)
async def test_each_gate_measures(
    migration: Migration, step: str, harm: Callable[[World], object], missing: str
) -> None:
    """What is not so is told, whatever anybody says."""
    if step != STEPS[0]:
        await migration.until(STEPS[STEPS.index(step) - 1])
    harm(migration.world)
    command = migration.cutover.finish if step == "finish" else migration.cutover.advance
    move = await command()
    assert (move.step, move.is_done) == (step, False)
    assert missing in move.missing


async def test_two_machines_do_not_go_on_at_once(migration: Migration) -> None:
    """Who comes second is refused, and changes nothing."""

    class Slow(FakeScene):
        async def checks(self) -> Any:
            await migration.cutover.advance()
            return await super().checks()

    other = cutover_of(Slow(migration.world), migration.documents)
    with pytest.raises(DocumentChangedError):
        await other.advance()
    assert (await migration.cutover.survey(is_measured=False))[1].done == ("preflight",)


async def test_a_migration_belongs_to_the_ends_between_which_it_began(migration: Migration) -> None:
    """Another topic in the configuration is told, not gone on with."""
    await migration.until("preflight")
    with pytest.raises(BridgeError, match="begun between old and new"):
        await cutover_of(FakeScene(migration.world), migration.documents, Between("old", "newer")).advance()


class Killing:
    """Kills the command at its call number ``at`` of a scene or of documents: before its effect, or behind it."""

    def __init__(self, at: int, *, is_late: bool) -> None:
        self.calls = count()
        self.at = at
        self.is_late = is_late

    def around(self, target: Any) -> Any:
        killing = self

        class Mortal(type(target)):  # type: ignore[misc]
            pass

        def mortal(name: str) -> Any:
            async def call(self: Any, *arguments: Any, **named: Any) -> Any:
                number = next(killing.calls)
                if number == killing.at and not killing.is_late:
                    raise KilledError
                answer = await getattr(target, name)(*arguments, **named)
                if number == killing.at:
                    raise KilledError
                return answer

            return call

        for name in ("translate", "backfill", "verify", "write_reverse", "save"):
            if hasattr(target, name):
                setattr(Mortal, name, mortal(name))
        made = Mortal.__new__(Mortal)
        made.__dict__.update(target.__dict__)
        return made


@pytest.mark.parametrize("is_late", [False, True], ids=["before", "behind"])
@pytest.mark.parametrize("direction", list(Direction))
async def test_killed_at_any_moment_it_is_called_again_and_goes_on(direction: Direction, is_late: bool) -> None:  # noqa: FBT001
    """Forward to the end, all the way back, and forward again: the same as undisturbed."""
    at = 0
    while await _journey(direction, Killing(at, is_late=is_late)):
        at += 1
    assert at > 2 * len(STEPS)


async def _journey(direction: Direction, killing: Killing) -> bool:
    """Whether it was killed on its way."""
    world = World(direction=direction)
    world.tables = {"app"} if direction is Direction.TO_GROUP else set()
    migration = Migration(world)
    mortal = cutover_of(killing.around(FakeScene(world)), killing.around(migration.documents))
    migration.cutover = _Retried(mortal)  # type: ignore[assignment]
    await migration.until(STEPS[-2])
    while (await mortal.survey(is_measured=False))[1].done:
        await migration.back()
    assert (world.producers, world.has_mixed) == ({Side.OLD}, False)
    await migration.until(STEPS[-2])
    while not (await mortal.survey(is_measured=False))[1].is_finished:
        await migration.cutover.finish()
    assert (world.producers, world.has_mixed) == ({Side.NEW}, False)
    assert world.readers == {world.translations[-1][1]}
    return next(killing.calls) > killing.at


class _Retried:
    """Where it is killed, people look at how far it is, and do what they read there."""

    def __init__(self, cutover: Cutover) -> None:
        self._cutover = cutover

    def __getattr__(self, name: str) -> Any:
        async def call(*arguments: Any, **named: Any) -> Move:
            try:
                move: Move = await getattr(self._cutover, name)(*arguments, **named)
            except KilledError:
                _, course = await self._cutover.survey(is_measured=False)
                is_done = course.is_finished or name == "rollback"
                return Move(name, "", "", (), "" if is_done else "killed", course.told, "")
            return move

        return call
