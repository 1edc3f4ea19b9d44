"""Documents in the table of checkpoints."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from checkpoints.base import StoreFormatError
from checkpoints.documents import DocumentChangedError
from checkpoints.dynamodb.attributes import number
from checkpoints.dynamodb.client import Caller, Connect, connect
from checkpoints.dynamodb.documents import DynamoDocuments
from checkpoints.dynamodb.faults import MissingTableError
from checkpoints.dynamodb.table import Table
from connectors.base import Clock
from tests.checkpoints.test_dynamodb import DynamoStorage
from tests.contracts.checkpoint_store import Storage
from tests.contracts.documents import NAME, TEXT, DocumentsContract, Place
from tests.support.kinesis_api import REGION
from tests.support.moto import moto_server


class DynamoPlace(Place):
    def __init__(self, table: Table) -> None:
        self.table = table

    @property
    def storage(self) -> Storage:
        return DynamoStorage(self.table)

    def documents(self, mirror: str = "orders", connect: Connect = connect) -> DynamoDocuments:
        return DynamoDocuments(self.table, mirror, clock=Clock(), connect=connect)

    @property
    def recipe(self) -> tuple[str, str]:
        imports = (
            "from checkpoints.dynamodb.documents import DynamoDocuments\n"
            "from checkpoints.dynamodb.table import Table\n"
            "from connectors.base import Clock"
        )
        table = f"Table({self.table.name!r}, {self.table.region!r}, {self.table.endpoint_url!r})"
        return imports, f"DynamoDocuments({table}, 'orders', clock=Clock())"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture
def place(server: str) -> DynamoPlace:
    """In a table that does not exist yet."""
    return DynamoPlace(Table(f"checkpoints-{uuid4().hex[:12]}", REGION, server))


class TestDynamoDocuments(DocumentsContract):
    @pytest.fixture
    def place(self, place: DynamoPlace) -> Place:
        return place


class Repeating(Caller):
    """Loses the answer of each write once, and repeats the call, as clients of AWS do by themselves."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def call(self, action: str, parameters: Mapping[str, object]) -> Mapping[str, object]:
        if action == "PutItem":
            await self._caller.call(action, parameters)
        return await self._caller.call(action, parameters)


@asynccontextmanager
async def repeating(table: Table) -> AsyncIterator[Caller]:
    async with connect(table) as caller:
        yield Repeating(caller)


async def test_a_save_whose_answer_was_lost_and_which_was_repeated_has_succeeded(place: DynamoPlace) -> None:
    """Who finds its own document in its way was not overtaken by anybody; another's is still told."""
    async with place.documents() as plain:
        await plain.save("made", TEXT, None)
    async with place.documents(connect=repeating) as documents:
        saved = await documents.save(NAME, TEXT, None)
        saved = await documents.save(NAME, "again", saved.version)
        with pytest.raises(DocumentChangedError):
            await documents.save(NAME, "third", None)
        assert await documents.load(NAME) == saved


async def test_looking_makes_no_table(place: DynamoPlace) -> None:
    """Where there is no table there is no document."""
    async with place.documents() as documents:
        assert await documents.load(NAME) is None
    async with connect(place.table) as caller:
        with pytest.raises(MissingTableError):
            await caller.call("DescribeTable", {"TableName": place.table.name})


async def test_a_document_of_a_newer_version_is_refused_and_left_alone(place: DynamoPlace) -> None:
    """An older version does not touch what it cannot understand, and says what to upgrade."""
    async with place.documents() as documents, connect(place.table) as caller:
        saved = await documents.save(NAME, TEXT, None)
        await rewrite(caller, place.table, version=2)
        with pytest.raises(StoreFormatError, match=r"cutover.*format 2.*upgrade"):
            await documents.load(NAME)
        await rewrite(caller, place.table, version=1)
        assert await documents.load(NAME) == saved


async def rewrite(caller: Caller, table: Table, version: int) -> None:
    await caller.call(
        "UpdateItem",
        {
            "TableName": table.name,
            "Key": {"mirror": {"S": "orders#documents"}, "partition": {"S": NAME}},
            "UpdateExpression": "SET version = :version",
            "ExpressionAttributeValues": {":version": number(version)},
        },
    )


async def test_documents_are_entered_once_and_used_while_entered(place: DynamoPlace) -> None:
    """Mistakes of a caller are told, not waited for."""
    documents = place.documents()
    with pytest.raises(RuntimeError, match="not entered"):
        await documents.load(NAME)
    async with documents:
        with pytest.raises(RuntimeError, match="entered already"):
            await documents.__aenter__()
