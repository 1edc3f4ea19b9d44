"""What the schemas of one registry are in another."""

import asyncio
from dataclasses import dataclass

from connectors.schemas import formats
from connectors.schemas.cache import Cache
from connectors.schemas.definition import Compatibility, Definition, Field, Format, Registered
from connectors.schemas.formats import protobuf
from connectors.schemas.formats.messages import Messages
from connectors.schemas.naming import Naming
from connectors.schemas.registry import Registry


@dataclass(frozen=True, slots=True)
class Known:
    """A schema of the registry that records come from. ``messages`` is None but of Protobuf."""

    registered: Registered
    messages: Messages | None = None


@dataclass(frozen=True, slots=True)
class Counterpart:
    """A schema of the registry that records go to, and what says which message of it a body is."""

    schema: bytes
    message: bytes = b""


class Translation:
    """Asks each registry once for each thing, as long as the answer is among the latest ``limit``.

    Every call raises what the registries raise, and ``SettingsError`` where a schema cannot be named as it is asked.
    """

    def __init__(
        self, source: Registry, target: Registry, naming: Naming, compatibility: Compatibility | None, limit: int
    ) -> None:
        """``compatibility`` is what new subjects get; None: what that of the schema has in the other registry."""
        self.source = source
        self.target = target
        self._naming = naming
        self._fixed = compatibility
        self._known = Cache[bytes, Known | None](limit)
        self._counterparts = Cache[tuple[Field, bytes, str | None], Counterpart](limit)
        self._written = Cache[tuple[str, Definition], _Written](limit)
        """What is registered, by its subject: versions have those before them in common, messages their schema."""

    async def known(self, schema: bytes) -> Known | None:
        """The schema where records come from; None where that registry has none of this id."""

        async def ask() -> Known | None:
            registered = await self.source.fetch(schema)
            if registered is None:
                return None
            definition = registered.definition
            is_protobuf = definition.format is Format.PROTOBUF
            return Known(registered, await asyncio.to_thread(protobuf.messages, definition) if is_protobuf else None)

        found = await self._known.get(schema, ask)
        if found is None:
            # It may be registered yet.
            self._known.forget(schema)
        return found

    async def counterpart(self, field: Field, schema: bytes, known: Known, message: str | None) -> Counterpart:
        """What ``schema`` is where records go to, for its ``message`` of Protobuf; registered if it is missing."""

        async def ask() -> Counterpart:
            return await self._registered(field, known, message)

        return await self._counterparts.get((field, schema, message), ask)

    async def _registered(self, field: Field, known: Known, message: str | None) -> Counterpart:
        registered = known.registered
        definition = registered.definition
        record = message
        if message is None and self._naming.by_record:
            record = formats.name(definition)
        subject = self._naming.subject(field, record, registered.subject)
        compatibility = await self._compatibility(registered)
        await self._register_earlier(subject, registered, compatibility)
        written = await self._register(subject, definition, compatibility)
        if message is None:
            return Counterpart(written.schema)
        messages = await asyncio.to_thread(protobuf.messages, written.definition)
        return Counterpart(written.schema, self.target.framing.message_of(message, messages))

    async def _register_earlier(self, subject: str, schema: Registered, compatibility: Compatibility | None) -> None:
        """Have those first that were first: each version is compared with those before it."""
        for earlier in await self.source.before(schema) if schema.version > 1 else ():
            await self._register(subject, earlier, compatibility)

    async def _register(self, subject: str, definition: Definition, compatibility: Compatibility | None) -> "_Written":
        async def ask() -> _Written:
            adapted = await asyncio.to_thread(self.target.adapted, definition)
            return _Written(await self.target.register(subject, adapted, compatibility), adapted)

        return await self._written.get((subject, definition), ask)

    async def _compatibility(self, schema: Registered) -> Compatibility | None:
        if self._fixed is not None or not schema.subject:
            return self._fixed
        return await self.source.compatibility(schema.subject)


@dataclass(frozen=True, slots=True)
class _Written:
    """A schema in the registry that records go to, as that takes it."""

    schema: bytes
    definition: Definition
