"""Where a mirror's migration stands, as those see it who look at the mirror."""

import asyncio
from pathlib import Path

from bridge.config import Configuration, load
from bridge.fleet.watching import migration_of
from bridge.migration.cutover.record import NAME
from checkpoints.sqlite.documents import SqliteDocuments
from tests.bridge.migration.cutover.test_cutover import STEPS, Migration
from tests.bridge.migration.cutover.world import World
from tests.support.waiting import eventually

FILE = """\
name: orders
source: {{kinesis: {{stream: orders, region: eu-west-1}}}}
sink: {{kafka: {{bootstrap_servers: [b:1], topic: orders}}}}
checkpoints: {{sqlite: {{path: {folder}/checkpoints.db}}}}
{more}
"""


async def _asked(folder: Path, more: str) -> Configuration:
    file = folder / "orders.yaml"
    await asyncio.to_thread(file.write_text, FILE.format(folder=folder, more=more))
    return await asyncio.to_thread(load, [str(file)], environment={})


async def test_what_the_last_command_saved_is_told(tmp_path: Path) -> None:
    """It is found beside the mirror's checkpoints."""
    asked = await _asked(tmp_path, "cutover: {}")
    migration = Migration(World())
    await migration.until(STEPS[1])
    saved = await migration.documents.load(NAME)
    assert saved is not None
    assert asked.sqlite_path is not None
    async with SqliteDocuments(asked.sqlite_path, asked.name) as documents:
        await documents.save(NAME, saved.text, None)
    async with migration_of(asked) as told:
        await eventually(lambda: told() is not None, "it is read")
        found = told()
        assert found is not None
        assert found["is_finished"] is False


async def test_a_mirror_without_a_migration_is_asked_for_none(tmp_path: Path) -> None:
    """Its checkpoints are not touched for it."""
    async with migration_of(await _asked(tmp_path, "")) as told:
        assert told() is None
    assert not (tmp_path / "checkpoints.db").exists()
