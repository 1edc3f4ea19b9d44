"""A registry without a server, which counts what it is asked and fails on request."""

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from connectors.base import ConnectorError
from connectors.schemas.definition import Compatibility, Definition, Format, Registered
from connectors.schemas.framing.frame import Framing
from connectors.schemas.registry import Registry

AVRO = Definition(Format.AVRO, '{"type": "record", "name": "Order", "namespace": "shop", "fields": []}')


class MemoryRegistry(Registry):
    """``schemas`` by what names them. What is registered is named ``first``, and what follows in order."""

    kind: ClassVar[str] = "memory"

    def __init__(self, framing: Framing, first: bytes) -> None:
        self.framing = framing
        self.schemas: dict[bytes, Registered] = {}
        self.fetched: list[bytes] = []
        self.registered: list[tuple[str, str]] = []
        self.compatibilities: dict[str, Compatibility | None] = {}
        self.trouble: ConnectorError | None = None
        self.open = asyncio.Event()
        """Answers wait for it."""
        self.open.set()
        self.asked_at_once = 0
        self._asked = 0
        self._first = first

    @property
    def address(self) -> str:
        return "a registry in memory"

    def add(self, name: bytes, definition: Definition = AVRO, subject: str = "orders-value", version: int = 1) -> None:
        self.schemas[name] = Registered(definition, subject, version)

    async def fetch(self, schema: bytes) -> Registered | None:
        self.fetched.append(schema)
        await self._answer()
        return self.schemas.get(schema)

    async def compatibility(self, subject: str) -> Compatibility | None:
        await self._answer()
        return self.compatibilities.get(subject)

    async def before(self, schema: Registered) -> Sequence[Definition]:
        await self._answer()
        others = [each for each in self.schemas.values() if each.subject == schema.subject]
        earlier = [each for each in others if each.version < schema.version]
        return [each.definition for each in sorted(earlier, key=lambda each: each.version)]

    def adapted(self, definition: Definition) -> Definition:
        return definition

    async def register(self, subject: str, definition: Definition, compatibility: Compatibility | None) -> bytes:
        await self._answer()
        self.registered.append((subject, definition.text))
        self.compatibilities.setdefault(subject, compatibility)
        known = {(each.subject, each.definition.text): name for name, each in self.schemas.items()}
        name = known.get((subject, definition.text))
        if name is None:
            number = int.from_bytes(self._first, "big") + len(self.schemas)
            name = number.to_bytes(len(self._first), "big")
            self.add(name, definition, subject)
        return name

    async def _answer(self) -> None:
        self._asked += 1
        self.asked_at_once = max(self.asked_at_once, self._asked)
        try:
            await self.open.wait()
        finally:
            self._asked -= 1
        if self.trouble is not None:
            raise self.trouble
