"""A registry of Confluent's kind: Confluent's own client at Apicurio, and its own double where a GUID is needed."""

from collections.abc import Mapping
from uuid import uuid4

import pytest
from aiohttp import web
from confluent_kafka.schema_registry.schema_registry_client import AsyncSchemaRegistryClient

from connectors.base import ConnectorError, RefusedError, SettingsError, TransientError, UnreachableError
from connectors.schemas.confluent import ConfluentRegistry, connect
from connectors.schemas.definition import Compatibility, Definition, Format, Reference
from connectors.schemas.framing.confluent import ConfluentFraming
from connectors.schemas.settings import ConfluentSettings
from tests.support.ports import HOST, free_port
from tests.support.serving import serving

MONEY = Definition(Format.AVRO, '{"type":"record","name":"Money","fields":[{"name":"cents","type":"int"}]}')


def registry_at(*urls: str, framing: ConfluentFraming | None = None, topic: str = "orders") -> ConfluentRegistry:
    return ConfluentRegistry(ConfluentSettings(urls), framing or ConfluentFraming(), topic, connect)


async def test_schema_is_registered_with_what_it_refers_to(registry: str) -> None:
    """Under the subjects that they have; found by its id it is the same again, references of references too."""
    name = uuid4().hex
    line = Definition(
        Format.AVRO,
        '{"type":"record","name":"Line","fields":[{"name":"price","type":"Money"}]}',
        (Reference("Money", f"{name}-money", MONEY),),
    )
    order = Definition(
        Format.AVRO,
        '{"type":"record","name":"Order","fields":[{"name":"line","type":"Line"}]}',
        (Reference("Line", f"{name}-line", line),),
    )
    async with registry_at(registry) as registered:
        schema = await registered.register(f"{name}-value", order, Compatibility.FULL_ALL)
        found = await registered.fetch(schema)

        assert found is not None
        assert (found.definition, found.subject, found.version) == (order, f"{name}-value", 1)
        assert await registered.register(f"{name}-value", order, None) == schema
        assert await registered.compatibility(f"{name}-value") is Compatibility.FULL_ALL
        assert await registered.fetch((999_999).to_bytes(4, "big")) is None


async def test_versions_before_a_schema_are_those_of_its_subject(registry: str) -> None:
    """The oldest first; of several subjects that have it, the one of the topic that is read."""
    name = uuid4().hex
    other = Definition(Format.AVRO, MONEY.text.replace("cents", "pence"))
    async with registry_at(registry, topic=name) as registered:
        await registered.register(f"a-{name}", other, None)
        await registered.register(f"{name}+value", other, None)
        await registered.register(f"{name}-value", MONEY, Compatibility.NONE)
        schema = await registered.register(f"{name}-value", other, None)
        found = await registered.fetch(schema)

        assert found is not None
        assert (found.subject, found.version) == (f"{name}-value", 2)
        assert list(await registered.before(found)) == [MONEY]


async def test_version_that_is_not_compatible_is_refused(registry: str) -> None:
    """The registry's own words, and what to do."""
    name = uuid4().hex
    text = '{"type":"record","name":"Money","fields":[{"name":"more","type":"string"}]}'
    async with registry_at(registry) as registered:
        await registered.register(name, MONEY, Compatibility.BACKWARD)
        with pytest.raises(RefusedError, match=f"register a schema as {name}.*compatibility to NONE"):
            await registered.register(name, Definition(Format.AVRO, text), None)


async def test_header_takes_the_guid() -> None:
    """Of Confluent's own client for tests, whose schemas have one."""

    def double(settings: Mapping[str, object]) -> AsyncSchemaRegistryClient:
        return AsyncSchemaRegistryClient.new_client({"url": "mock://guids"})

    registry = ConfluentRegistry(ConfluentSettings(("mock://",)), ConfluentFraming(in_header=True), "orders", double)
    async with registry:
        schema = await registry.register("orders-value", MONEY, Compatibility.NONE)
        found = await registry.fetch(schema)

    assert len(schema) == 16
    assert found is not None
    assert found.definition == MONEY


async def test_registry_without_guids_cannot_have_headers(registry: str) -> None:
    """The error says what does without."""
    async with registry_at(registry, framing=ConfluentFraming(in_header=True)) as registered:
        with pytest.raises(RefusedError, match=r"tells no GUID.*framing: prefix"):
            await registered.register(uuid4().hex, MONEY, None)


async def test_nobody_there_is_unreachable() -> None:
    """Entering says which address, within seconds."""
    with pytest.raises(UnreachableError, match=f"schema registry http://{HOST}"):
        await registry_at(f"http://{HOST}:{free_port()}").__aenter__()


async def test_certificate_that_is_not_there_is_a_setting_to_change() -> None:
    """Nobody is asked, and it is not tried again: a person has to act."""
    settings = ConfluentSettings((f"https://{HOST}:1",), tls={"ssl.ca.location": "nowhere.pem"})
    with pytest.raises(SettingsError, match="check tls"):
        await ConfluentRegistry(settings, ConfluentFraming(), "orders", connect).__aenter__()


async def test_next_address_answers_where_the_first_does_not(registry: str) -> None:
    """Several addresses are of one registry."""
    async with registry_at(f"http://{HOST}:{free_port()}", registry) as registered:
        assert await registered.fetch((999_999).to_bytes(4, "big")) is None


@pytest.mark.parametrize(
    ("status", "body", "kind", "text"),
    [
        (401, '{"error_code": 401, "message": "Unauthorized"}', RefusedError, "check username and password"),
        (403, '{"error_code": 40301, "message": "Denied"}', RefusedError, "grant it"),
        (404, "<html>not here</html>", RefusedError, "does not answer like a schema registry"),
        (200, "<html>hello</html>", RefusedError, "does not answer like a schema registry"),
        (200, "null", RefusedError, "does not answer like a schema registry"),
        (200, '"hello"', RefusedError, "does not answer like a schema registry"),
        (200, '{"hello": "you"}', RefusedError, "the answer has no schema"),
        (429, "{}", TransientError, "HTTP 429"),
        (500, '{"error_code": 50001, "message": "Error in the backend"}', TransientError, "Error in the backend"),
    ],
)
async def test_answers_say_whether_trying_again_may_help(
    status: int, body: str, kind: type[ConnectorError], text: str
) -> None:
    """A registry in trouble is asked again later; a wrong address, or a wrong password, needs a person."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, text=body, content_type="application/json")

    async with serving(answer) as url:
        with pytest.raises(ConnectorError, match=text) as raised:
            await registry_at(url).__aenter__()
    assert type(raised.value) is kind
