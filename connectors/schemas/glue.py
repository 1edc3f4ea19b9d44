"""AWS Glue's schema registry. Source: the service model ``glue``, 2017-03-31.

It knows no references: a schema holds all that it needs, and Protobuf is taken as text alone.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ClassVar, Protocol, Self
from uuid import UUID

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore import xform_name

from connectors.aws import told_region
from connectors.base import Clock, RefusedError, TransientError
from connectors.schemas import formats
from connectors.schemas.definition import Compatibility, Definition, Format, Registered
from connectors.schemas.framing.glue import GlueFraming
from connectors.schemas.glue_faults import MissingEntityError, TakenError, explained
from connectors.schemas.registry import Registry
from connectors.schemas.settings import DEFAULT_REGISTRY, GlueSettings

_TIMEOUT_S = 6.0
_ATTEMPTS = 2
_NOBODY = bytes(16)
_CHECK_S = 0.5
_CHECKS = 60
"""Glue looks at a new version for about a second, longer for a long history."""


class Caller(Protocol):
    """One who can call Glue."""

    async def call(self, action: str, parameters: Mapping[str, object]) -> Mapping[str, Any]:
        """Make one call. Raises ``ConnectorError``, after few attempts."""


Connect = Callable[[GlueSettings], AbstractAsyncContextManager[Caller]]


class GlueRegistry(Registry):
    """Schemas are named by the sixteen bytes of their version's id."""

    kind: ClassVar[str] = "glue"
    framing: GlueFraming

    def __init__(self, settings: GlueSettings, framing: GlueFraming, clock: Clock, connect: Connect) -> None:
        self.framing = framing
        self._settings = settings
        self._clock = clock
        self._connect = connect
        self._opened = AsyncExitStack()
        self._caller: Caller

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opened:
            self._caller = await opened.enter_async_context(self._connect(self._settings))
            await self.fetch(_NOBODY)
            self._opened = opened.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._opened.aclose()

    @property
    def address(self) -> str:
        where = self._settings.endpoint_url or self._settings.region or "the AWS environment's region"
        return f"Glue registry {self._settings.registry} ({where})"

    async def fetch(self, schema: bytes) -> Registered | None:
        return await self._version({"SchemaVersionId": str(UUID(bytes=schema))})

    async def compatibility(self, subject: str) -> Compatibility | None:
        found = await self._caller.call("GetSchema", {"SchemaId": self._id(subject)})
        told = str(found["Compatibility"])
        return Compatibility(told) if told in set(Compatibility) else None

    async def before(self, schema: Registered) -> Sequence[Definition]:
        asked = [
            await self._version(
                {"SchemaId": self._id(schema.subject), "SchemaVersionNumber": {"VersionNumber": number}}
            )
            for number in range(1, schema.version)
        ]
        return [each.definition for each in asked if each is not None]

    def adapted(self, definition: Definition) -> Definition:
        return formats.whole(definition)

    async def register(self, subject: str, definition: Definition, compatibility: Compatibility | None) -> bytes:
        named = {"SchemaId": self._id(subject), "SchemaDefinition": definition.text}
        try:
            found = await self._caller.call("GetSchemaByDefinition", named)
        except MissingEntityError:
            found = await self._added(subject, definition, compatibility or Compatibility.BACKWARD)
        version = str(found["SchemaVersionId"])
        await self._available(subject, version, str(found.get("Status", found.get("SchemaVersionStatus"))))
        return UUID(version).bytes

    async def _added(self, subject: str, definition: Definition, compatibility: Compatibility) -> Mapping[str, Any]:
        named = {"SchemaId": self._id(subject), "SchemaDefinition": definition.text}
        try:
            return await self._caller.call("RegisterSchemaVersion", named)
        except MissingEntityError:
            pass
        try:
            return await self._caller.call("CreateSchema", self._creation(subject, definition, compatibility))
        except TakenError:
            # Another worker was first.
            return await self._caller.call("RegisterSchemaVersion", named)
        except MissingEntityError as error:
            raise RefusedError(
                error.operation, error.cause, f"aws glue create-registry --registry-name {self._settings.registry}"
            ) from error

    def _creation(self, subject: str, definition: Definition, compatibility: Compatibility) -> Mapping[str, object]:
        registry = self._settings.registry
        return {
            **({} if registry == DEFAULT_REGISTRY else {"RegistryId": {"RegistryName": registry}}),
            "SchemaName": subject,
            "DataFormat": definition.format.value,
            "Compatibility": compatibility.value,
            "SchemaDefinition": definition.text,
        }

    async def _available(self, subject: str, version: str, status: str) -> None:
        """Return once Glue has found the version to be compatible."""
        operation = f"register a version of {subject} in {self.address}"
        for _ in range(_CHECKS):
            if status == "AVAILABLE":
                return
            if status != "PENDING":
                raise RefusedError(
                    operation,
                    f"version {version} is {status}: it is not compatible with those before it",
                    "set the schema's compatibility to NONE in Glue, delete the version, or choose another subject",
                )
            await self._clock.sleep(_CHECK_S)
            status = str((await self._caller.call("GetSchemaVersion", {"SchemaVersionId": version}))["Status"])
        raise TransientError(operation, f"version {version} is still PENDING after {_CHECKS * _CHECK_S:g} s")

    async def _version(self, named: Mapping[str, object]) -> Registered | None:
        try:
            found = await self._caller.call("GetSchemaVersion", named)
        except MissingEntityError:
            return None
        if found["Status"] in ("FAILURE", "DELETING"):
            return None
        definition = Definition(Format(found["DataFormat"]), str(found["SchemaDefinition"]))
        return Registered(definition, str(found["SchemaArn"]).rpartition("/")[2], int(found["VersionNumber"]))

    def _id(self, subject: str) -> Mapping[str, str]:
        return {"RegistryName": self._settings.registry, "SchemaName": subject}


@dataclass(frozen=True, slots=True)
class GlueClient(Caller):
    """Speaks through a client of aiobotocore."""

    client: Any
    where: str

    async def call(self, action: str, parameters: Mapping[str, object]) -> Mapping[str, Any]:
        with explained(f"{action} at {self.where}"):
            answer: Mapping[str, Any] = await getattr(self.client, xform_name(action))(**parameters)
        return answer


@asynccontextmanager
async def connect(settings: GlueSettings) -> AsyncIterator[Caller]:
    """A client for as long as the context is entered, with credentials as the AWS tools find them."""
    config = AioConfig(
        connect_timeout=_TIMEOUT_S,
        read_timeout=_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        warm_up_loader_caches=True,
    )
    region = told_region(settings.region)
    creating = AioSession().create_client("glue", region_name=region, endpoint_url=settings.endpoint_url, config=config)
    where = settings.endpoint_url or f"Glue in {region or 'the AWS region of the environment'}"
    with explained(f"reach {where}"):
        client = await creating.__aenter__()
    try:
        yield GlueClient(client, where)
    finally:
        await client.close()
