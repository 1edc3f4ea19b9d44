"""Documents are saved beside a worker that mirrors, into the very slot in which it keeps its checkpoints."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from bridge.config import load
from bridge.keeping.documents import documents_of
from checkpoints.documents import Documents
from connectors.base import Clock
from tests.contracts.documents import NAME, killed_while_saving
from tests.support.checker import check_exact
from tests.support.crew import Crew
from tests.support.factories import Figure
from tests.support.mirror_process import MirrorProcess
from tests.support.records import TestRecord, generate, ids_by_key
from tests.support.route import Route, RouteFactory

pytestmark = pytest.mark.broker

KEYS = 500
SIZE = 1_000
RECORDS = 12_000
PART = 200
SAVES = 8


async def test_a_worker_feels_nothing_of_documents_and_they_outlive_it(
    route: RouteFactory, seed: int, figure: Figure
) -> None:
    """Exactly once, with one slot for all; some who save are killed with -9, and then the worker.

    No record is lost or doubled, the worker does not stumble, and what was saved is there.
    """
    path = route(shards=4)
    sent = list(generate(RECORDS, KEYS, seed=seed, size=SIZE))
    slots = {"sqlite": None, "kafka": {"topic": f"{path.topic}-checkpoints", "slots": 1}}
    async with Crew(path, more={"checkpoints": slots}) as crew:
        (worker,) = await crew.hire_many(1)
        asked = await asyncio.to_thread(load, [str(worker.config)], environment={})
        async with documents_of(asked, Clock()) as documents:
            stumbles = troubles(worker)
            writing = asyncio.create_task(path.write(sent[: RECORDS // 2]))
            began = time.monotonic()
            version = await saved(documents, SAVES)
            figure("a save beside a worker", f"{(time.monotonic() - began) / SAVES:.2f} s")
            returned = await asyncio.to_thread(killed_while_saving, recipe(worker), 2)
            await path.until_committed(await writing)
            assert troubles(worker) == stumbles

            rest = asyncio.create_task(write_in_parts(path, sent[RECORDS // 2 :]))
            # Of what is on its way there may be none at each look; what is written stays so.
            await worker.until_written(RECORDS // 2 + 1)
            await worker.kill()
            last = await documents.save("beside", "the worker is dead", version)
            worker.start()
            await rest
            await path.until_committed(len(sent))
            assert await documents.load("beside") == last
            killed = await documents.load(NAME)
            assert killed is not None
            assert killed.version in (returned, returned + 1)
        assert await crew.stop() == [0]
    await path.until_settled()
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict


async def write_in_parts(path: Route, records: Sequence[TestRecord]) -> None:
    """For longer than the worker takes to begin: it is killed with more to come."""
    for first in range(0, len(records), PART):
        await path.write(records[first : first + PART])


def troubles(worker: MirrorProcess) -> int:
    """How often it has logged what a person should look at."""
    return sum(worker.printed().count(f'"level": "{level}"') for level in ("warning", "error"))


async def saved(documents: Documents, times: int) -> int:
    version: int | None = None
    for number in range(times):
        version = (await documents.save("beside", f"number {number}", version)).version
    return version or 0


def recipe(worker: MirrorProcess) -> tuple[str, str]:
    imports = (
        "from bridge.config import load\n"
        "from bridge.keeping.documents import documents_of\n"
        "from connectors.base import Clock"
    )
    return imports, f"documents_of(load([{str(worker.config)!r}], environment={{}}), Clock())"
