import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bridge.migration.cutover.record import NAME
from bridge.migration.cutover.watch import CutoverWatch
from checkpoints.base import StoreUnreachableError
from checkpoints.documents import Document
from checkpoints.memory import MemoryDocuments
from connectors.base import Clock
from tests.bridge.migration.cutover.test_cutover import STEPS, Migration
from tests.bridge.migration.cutover.world import World
from tests.support.waiting import eventually


class Impatient(Clock):
    """Half a minute is no time."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@asynccontextmanager
async def watching(documents: MemoryDocuments) -> AsyncIterator[CutoverWatch]:
    watch = CutoverWatch(documents, Impatient())
    looking = asyncio.create_task(watch.run())
    yield watch
    looking.cancel()


def states(watch: CutoverWatch) -> list[str]:
    found = watch.told()
    assert found is not None
    assert isinstance(found["steps"], list)
    return [step["state"] for step in found["steps"]]


async def test_a_migration_is_followed_as_it_is_saved() -> None:
    """Which steps are done, and which is next; before the first one is taken there is none."""
    migration = Migration(World())
    async with watching(migration.documents) as watch:
        await asyncio.sleep(0)
        assert watch.told() is None
        await migration.until(STEPS[1])
        await eventually(lambda: watch.told() is not None and states(watch)[:3] == ["done", "done", "next"], "two done")
        assert set(states(watch)[3:]) == {"later"}
        await migration.finish()
        await eventually(lambda: (watch.told() or {}).get("is_finished") is True, "the end")


async def test_what_cannot_be_read_is_left_as_it_was() -> None:
    """The mirror goes on, and so does the look at its migration."""

    class Unreachable(MemoryDocuments):
        failures = 0

        async def load(self, name: str) -> Document | None:
            if await super().load(name) is not None and self.failures < 3:
                self.failures += 1
                raise StoreUnreachableError("load the document", "no route", "")
            return await super().load(name)

    documents = Unreachable()
    async with watching(documents) as watch:
        await documents.save(NAME, '{"format": 99}', None)
        await eventually(lambda: documents.failures == 3, "all failures")
        await asyncio.sleep(0)
        assert watch.told() is None
