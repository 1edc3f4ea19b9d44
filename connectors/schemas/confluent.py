"""Confluent's schema registry, and those that answer as it does: Karapace, Apicurio, Redpanda.

Source: Confluent's API reference. The client is Confluent's own.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import ClassVar, Self
from uuid import UUID

from confluent_kafka.schema_registry import Schema, SchemaReference
from confluent_kafka.schema_registry.common.schema_registry_client import ConfigCompatibilityLevel, ServerConfig
from confluent_kafka.schema_registry.schema_registry_client import AsyncSchemaRegistryClient

from connectors.base import RefusedError, SettingsError
from connectors.schemas.cache import Cache
from connectors.schemas.confluent_faults import AbsentError, explained
from connectors.schemas.definition import Compatibility, Definition, Format, Reference, Registered
from connectors.schemas.framing.confluent import ConfluentFraming
from connectors.schemas.registry import Registry
from connectors.schemas.settings import ConfluentSettings

_NOBODY = (0).to_bytes(4, "big")
_TIMEOUT_S = 6.0
_LEVELS = {
    Compatibility.BACKWARD_ALL: "BACKWARD_TRANSITIVE",
    Compatibility.FORWARD_ALL: "FORWARD_TRANSITIVE",
    Compatibility.FULL_ALL: "FULL_TRANSITIVE",
}
_COMPATIBILITIES = {_LEVELS.get(each, each.value): each for each in Compatibility}
_REFERENCES = 1_000


Connect = Callable[[Mapping[str, object]], AsyncSchemaRegistryClient]


class ConfluentRegistry(Registry):
    """Schemas are named by the four bytes of their id, or by the sixteen of their GUID."""

    kind: ClassVar[str] = "confluent"
    framing: ConfluentFraming

    def __init__(self, settings: ConfluentSettings, framing: ConfluentFraming, topic: str, connect: Connect) -> None:
        """Of several subjects that have a schema, one of ``topic`` is its own, else the first."""
        self.framing = framing
        self._settings = settings
        self._topic = topic
        self._connect = connect
        self._client: AsyncSchemaRegistryClient
        self._references = Cache[tuple[str, int], Registered](_REFERENCES)

    async def __aenter__(self) -> Self:
        try:
            # It reads certificates from files.
            self._client = await asyncio.to_thread(self._connect, _client_settings(self._settings))
        except (OSError, ValueError) as error:
            hint = "check tls: its files, and whether key and certificate belong together"
            raise SettingsError(f"make a client for {self.address}", str(error), hint) from error
        try:
            await self.fetch(_NOBODY)
        except BaseException:
            await self._client.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    @property
    def address(self) -> str:
        return f"schema registry {self._settings.urls[0]}"

    async def fetch(self, schema: bytes) -> Registered | None:
        text = self.framing.text(schema)
        try:
            with explained(f"get schema {text} of {self.address}"):
                if len(schema) == len(_NOBODY):
                    found = await self._client.get_schema(int(text))
                else:
                    found = await self._client.get_schema_by_guid(text)
        except AbsentError:
            return None
        await self._forget()
        subject, version = await self._place(schema)
        return Registered(await self._definition(found), subject, version)

    async def compatibility(self, subject: str) -> Compatibility | None:
        for asked in (subject, None):
            try:
                with explained(f"get the compatibility of {subject} in {self.address}"):
                    config = await self._client.get_config(asked)
            except AbsentError:
                continue
            level = config.compatibility or config.compatibility_level
            return None if level is None else _COMPATIBILITIES.get(str(level))
        return None

    async def before(self, schema: Registered) -> Sequence[Definition]:
        with explained(f"get the versions of {schema.subject} in {self.address}"):
            versions = await self._client.get_versions(schema.subject)
        earlier = [await self._version(schema.subject, each) for each in sorted(versions) if each < schema.version]
        return [each.definition for each in earlier]

    def adapted(self, definition: Definition) -> Definition:
        return definition

    async def register(self, subject: str, definition: Definition, compatibility: Compatibility | None) -> bytes:
        is_new = compatibility is not None and await self._is_new(subject)
        schema = await self._schema(definition)
        with explained(f"register a schema as {subject} in {self.address}"):
            registered = await self._client.register_schema_full_response(subject, schema)
        await self._forget()
        if is_new and compatibility is not None:
            # The first version is compared with none, and not every registry takes this of a subject without any.
            await self._set(subject, compatibility)
        if not self.framing.in_header and registered.schema_id is not None:
            return registered.schema_id.to_bytes(4, "big")
        if registered.guid is None:
            raise RefusedError(
                f"register a schema as {subject} in {self.address}",
                "it tells no GUID, which a header needs",
                "set framing: prefix, or use a registry that has GUIDs (Confluent Platform 8)",
            )
        return UUID(registered.guid).bytes

    async def _forget(self) -> None:
        """The client's own cache has no bound; whoever asks here keeps the answer."""
        await self._client.clear_caches()  # type: ignore[no-untyped-call]

    async def _schema(self, definition: Definition) -> Schema:
        """``definition`` as the client takes it, with all that it refers to registered."""
        references = []
        for each in definition.references:
            with explained(f"register {each.name} as {each.subject} in {self.address}"):
                other = await self._schema(each.definition)
                await self._client.register_schema_full_response(each.subject, other)
                registered = await self._client.lookup_schema(each.subject, other)
            references.append(SchemaReference(each.name, each.subject, registered.version))
        return Schema(definition.text, definition.format.value, references)

    async def _definition(self, schema: Schema) -> Definition:
        references = []
        for each in schema.references or ():
            subject, version = str(each.subject), int(each.version or 1)
            other = await self._version(subject, version)
            references.append(Reference(str(each.name), subject, other.definition))
        return Definition(Format(schema.schema_type or Format.AVRO), schema.schema_str or "", tuple(references))

    async def _version(self, subject: str, version: int) -> Registered:
        async def ask() -> Registered:
            with explained(f"get version {version} of {subject} in {self.address}"):
                found = await self._client.get_version(subject, version, deleted=True)
            return Registered(await self._definition(found.schema), subject, version)

        return await self._references.get((subject, version), ask)

    async def _place(self, schema: bytes) -> tuple[str, int]:
        """Subject and version of the schema; empty and 0 where it is under none any more."""
        text = self.framing.text(schema)
        try:
            with explained(f"get the subjects of schema {text} of {self.address}"):
                found = await self._client.get_schema_versions(int(text)) if len(schema) == len(_NOBODY) else []
        except AbsentError:
            return "", 0
        places = sorted((str(each.subject), int(each.version or 0)) for each in found)
        own = [place for place in places if place[0].startswith(self._topic)]
        return next(iter(own or places), ("", 0))

    async def _is_new(self, subject: str) -> bool:
        try:
            with explained(f"get the versions of {subject} in {self.address}"):
                return not await self._client.get_versions(subject)
        except AbsentError:
            return True

    async def _set(self, subject: str, compatibility: Compatibility) -> None:
        level = ConfigCompatibilityLevel(_LEVELS.get(compatibility, compatibility.value))
        with explained(f"set the compatibility of {subject} in {self.address}"):
            await self._client.set_config(subject, ServerConfig(compatibility=level))


def connect(settings: Mapping[str, object]) -> AsyncSchemaRegistryClient:
    """Blocks. Raises ``ValueError`` or ``OSError`` for settings that cannot be."""
    return AsyncSchemaRegistryClient.new_client(dict(settings))


def _client_settings(settings: ConfluentSettings) -> Mapping[str, object]:
    return {
        "url": ",".join(settings.urls),
        "timeout": _TIMEOUT_S,
        # The lane tries again itself.
        "max.retries": 1,
        "retries.wait.ms": 200,
        **({} if settings.user is None else {"basic.auth.user.info": ":".join(settings.user)}),
        **settings.tls,
    }
