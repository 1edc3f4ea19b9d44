"""Glue's registry: schemas and versions made as they are missing, waits for them, and errors with what to do."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from connectors.base import Clock, ConnectorError, RefusedError, TransientError, UnreachableError
from connectors.schemas.definition import Compatibility, Definition, Format
from connectors.schemas.framing.glue import GlueFraming
from connectors.schemas.glue import Caller, GlueRegistry, connect
from connectors.schemas.glue_faults import MissingEntityError, TakenError, explained
from connectors.schemas.settings import GlueSettings
from tests.support.clocks import PatientClock
from tests.support.kinesis_api import REGION
from tests.support.moto import moto_server
from tests.support.ports import HOST, free_port

SHOP = f"shop-{uuid4().hex}"
"""Moto's servers have one memory a process."""
VERSION = "5c1f0f0e-0000-4000-8000-000000000001"
FIRST = Definition(Format.AVRO, '{"type": "string"}')
SECOND = Definition(Format.AVRO, '{"type": "bytes"}')


@pytest.fixture(scope="module")
def glue() -> Iterator[str]:
    with moto_server() as url:
        boto3.client("glue", endpoint_url=url).create_registry(RegistryName=SHOP)
        yield url


def registry_at(url: str, name: str = SHOP) -> GlueRegistry:
    return GlueRegistry(GlueSettings(name, REGION, url), GlueFraming(), Clock(), connect)


async def test_schema_is_made_then_its_versions_and_each_once(glue: str) -> None:
    """A new subject gets its compatibility, and what is there already its id; both are found by their ids."""
    async with registry_at(glue) as registry:
        first = await registry.register("orders", FIRST, Compatibility.FULL_ALL)
        second = await registry.register("orders", SECOND, Compatibility.NONE)
        again = await registry.register("orders", FIRST, None)
        found = await registry.fetch(second)

        assert again == first != second
        assert found is not None
        assert (found.definition, found.subject, found.version) == (SECOND, "orders", 2)
        assert list(await registry.before(found)) == [FIRST]
        assert await registry.compatibility("orders") is Compatibility.FULL_ALL
        assert await registry.fetch(bytes(range(16))) is None


async def test_missing_registry_is_named_with_the_command_that_makes_it(glue: str) -> None:
    """Only the default one is made by itself."""
    async with registry_at(glue, "nowhere") as registry:
        with pytest.raises(RefusedError, match="aws glue create-registry --registry-name nowhere"):
            await registry.register("orders", FIRST, None)


async def test_nobody_there_is_unreachable() -> None:
    """Entering says which address, within seconds."""
    with pytest.raises(UnreachableError, match=f"{HOST}.*endpoint_url"):
        await registry_at(f"http://{HOST}:{free_port()}").__aenter__()


class Answers(Caller):
    """Answers in their order, by action; an error is raised."""

    def __init__(self, **answers: list[Mapping[str, Any] | ConnectorError]) -> None:
        self._answers = answers
        self.called: list[str] = []

    async def call(self, action: str, parameters: Mapping[str, object]) -> Mapping[str, Any]:
        self.called.append(action)
        if parameters.get("SchemaVersionId") == str(UUID(int=0)):
            raise MissingEntityError(action, "Schema version is not found.")
        answer = self._answers[action].pop(0)
        if isinstance(answer, ConnectorError):
            raise answer
        return answer


def registry_of(answers: Answers, clock: Clock | None = None) -> GlueRegistry:
    @asynccontextmanager
    async def connected(settings: GlueSettings) -> AsyncIterator[Caller]:
        yield answers

    return GlueRegistry(GlueSettings("shop"), GlueFraming(), clock or PatientClock(), connected)


def version(status: str) -> Mapping[str, str]:
    return {"SchemaVersionId": VERSION, "Status": status}


MISSING = MissingEntityError("GetSchemaByDefinition", "Schema is not found.")


async def test_version_is_waited_for_until_it_can_be_used() -> None:
    """Glue looks at a new one for a while; its id is given out when readers can find it."""
    answers = Answers(
        GetSchemaByDefinition=[MISSING],
        RegisterSchemaVersion=[version("PENDING")],
        GetSchemaVersion=[version("PENDING"), version("AVAILABLE")],
    )
    clock = PatientClock()
    async with registry_of(answers, clock) as registry:
        assert await registry.register("orders", FIRST, None) == UUID(VERSION).bytes
    assert sum(clock.waited) == 1.0


async def test_version_that_is_not_compatible_is_refused() -> None:
    """With what to do about it."""
    answers = Answers(GetSchemaByDefinition=[MISSING], RegisterSchemaVersion=[version("FAILURE")])
    async with registry_of(answers) as registry:
        with pytest.raises(RefusedError, match=r"is FAILURE: it is not compatible.*compatibility to NONE"):
            await registry.register("orders", FIRST, None)


async def test_version_that_stays_pending_is_tried_again_later() -> None:
    """The lane waits, and asks anew; it does not hang."""
    answers = Answers(GetSchemaByDefinition=[version("PENDING")], GetSchemaVersion=[version("PENDING")] * 60)
    async with registry_of(answers) as registry:
        with pytest.raises(TransientError, match="still PENDING after 30 s"):
            await registry.register("orders", FIRST, None)


async def test_two_workers_that_make_a_schema_at_once_get_one() -> None:
    """Who comes second registers his version in what the first made."""
    answers = Answers(
        GetSchemaByDefinition=[MISSING],
        RegisterSchemaVersion=[MISSING, version("AVAILABLE")],
        CreateSchema=[TakenError("CreateSchema", "Schema already exists.")],
    )
    async with registry_of(answers) as registry:
        assert await registry.register("orders", FIRST, None) == UUID(VERSION).bytes


@pytest.mark.parametrize(
    ("code", "status", "kind", "hint"),
    [
        ("ThrottlingException", 400, TransientError, ""),
        ("InternalServiceException", 500, TransientError, ""),
        ("AccessDeniedException", 400, RefusedError, "grant glue:CreateSchema"),
        ("EntityNotFoundException", 400, MissingEntityError, ""),
        ("UnrecognizedClientException", 403, RefusedError, "check which credentials are in use"),
    ],
)
def test_answers_say_whether_trying_again_may_help(
    code: str, status: int, kind: type[ConnectorError], hint: str
) -> None:
    """By Glue's codes; a right that is missing is named."""
    told = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    with pytest.raises(ConnectorError) as raised, explained("CreateSchema at Glue"):
        raise ClientError(told, "CreateSchema")
    assert type(raised.value) is kind
    assert hint in raised.value.hint
