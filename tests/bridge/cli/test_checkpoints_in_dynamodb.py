"""kmbridge checkpoints, where they are in a table with one owner."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import pytest

from checkpoints.base import Checkpoint
from checkpoints.dynamodb.reader import DynamoReader
from checkpoints.dynamodb.store import DynamoCheckpoints
from checkpoints.dynamodb.table import Table
from connectors.base import Clock
from tests.bridge.cli.called import Called, call
from tests.bridge.test_config_mistakes import VALID
from tests.support.kinesis_api import REGION

FIRST = "shardId-000000000000"
SESSION_S = 1.0


class Kept:
    """A mirror's configuration, and its table."""

    def __init__(self, folder: Path, moto: str) -> None:
        self.table = Table(f"kept-{uuid4().hex[:8]}", REGION, moto)
        self.config = folder / "o.yaml"
        section = f"{{dynamodb: {{table: {self.table.name}, region: {REGION}, endpoint_url: '{moto}'}}}}"
        self.config.write_text(f"{VALID}checkpoints: {section}\nworkers: {{session_timeout: 1s}}\n")

    @property
    def store(self) -> DynamoCheckpoints:
        return DynamoCheckpoints(self.table, "orders", clock=Clock(), session_s=SESSION_S)

    async def load(self) -> Mapping[str, Checkpoint]:
        return await DynamoReader(self.table, "orders").load()


@pytest.fixture
def kept(tmp_path: Path, moto: str) -> Kept:
    return Kept(tmp_path, moto)


async def called(capsys: pytest.CaptureFixture[str], *arguments: object) -> Called:
    return await asyncio.to_thread(call, capsys, "checkpoints", *arguments)


async def owner(capsys: pytest.CaptureFixture[str], kept: Kept) -> object:
    listed = await called(capsys, "list", kept.config, "--json")
    return json.loads(listed.out)["checkpoints"][0]["owner"]


async def test_the_owner_is_whom_the_header_names(capsys: pytest.CaptureFixture[str], kept: Kept) -> None:
    """Nobody before and after."""
    assert (await called(capsys, "set", kept.config, FIRST, "5000", "--new")).code == 0
    assert await owner(capsys, kept) is None
    async with kept.store:
        named = await owner(capsys, kept)
        refused = await called(capsys, "set", kept.config, FIRST, "6000", "--force")
        assert (refused.code, refused.out) == (1, "")
        assert str(named) in refused.err
    assert await owner(capsys, kept) is None
    assert (await kept.load())[FIRST].position == "5000"


async def test_changes_print_where_it_stood(capsys: pytest.CaptureFixture[str], kept: Kept) -> None:
    """As in every store."""
    assert (await called(capsys, "set", kept.config, FIRST, "5000", "--new")).out == f"{FIRST}: nothing -> 5000\n"
    assert (await called(capsys, "reset", kept.config, "--yes")).out == f"{FIRST}: 5000 -> forgotten\n"
    assert await kept.load() == {}
