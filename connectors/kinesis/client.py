"""Calls to the Kinesis API, one HTTP request each: signed, timed, its answer typed.

Nothing is repeated here but a request whose credentials had to be renewed.
"""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Generic, Protocol, TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiobotocore.session import AioSession
from aiohttp.abc import AbstractStreamWriter
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.utils import get_environ_proxies
from msgspec.json import Decoder
from yarl import URL

from connectors.base import Clock, ConnectorError, SettingsError, TransientError, UnreachableError
from connectors.kinesis.credentials import Credentials, Keys
from connectors.kinesis.endpoint import Endpoints, endpoints
from connectors.kinesis.faults import CredentialsError, fault
from connectors.kinesis.stream import StreamName
from connectors.times import milliseconds

T = TypeVar("T")

_TARGET = "Kinesis_20131202."
_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=5, sock_read=20)
# What is written waits behind an answer that does not come, so a lost one must be noticed soon.
_TIMEOUTS = {"PutRecords": aiohttp.ClientTimeout(total=10, sock_connect=5)}
# Holds the largest answer, 10 MiB as base64, so that the socket is never paused while it arrives.
_READ_BUFFER = 16 * 1024 * 1024
_CONNECTIONS = 256


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """``body_size`` is in bytes as they came over the wire, ``server_ms`` the time by the server's Date header."""

    value: T
    body_size: int
    server_ms: int


class Caller(Protocol):
    """One who can call the Kinesis API."""

    @property
    def target(self) -> str:
        """The address and region called, for messages."""

    def server_now_ms(self) -> int:
        """The server's time, as far as its last answer tells it; rather too early than too late."""

    async def call(
        self, operation: str, parameters: Mapping[str, object], answer: msgspec.json.Decoder[T]
    ) -> Answer[T]:
        """Make one call.

        Raises ``UnreachableError`` without an answer, ``TransientError`` for one that was broken or a fault of the
        server, and the errors of ``faults`` for a refusal.
        """


@dataclass(frozen=True, slots=True)
class Connection:
    """Where to and as whom."""

    stream: StreamName
    region: str | None
    endpoint_url: str | None
    assume_role_arn: str | None


class _Fault(msgspec.Struct):
    type: str = msgspec.field(name="__type", default="")
    message: str = ""
    message_in_capitals: str = msgspec.field(name="Message", default="")


class ServerTime:
    """Follows the server's clock by the Date headers of its answers."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._header: str | None = None
        self._header_ms = 0
        self._ahead_ms = 0

    def seen(self, header: str | None) -> int:
        """The time in a Date header, in milliseconds; where there is none that tells it, the one expected now."""
        if header is None:
            return self.now_ms()
        if header != self._header:
            told_ms = _told_ms(header)
            if told_ms is None:
                return self.now_ms()
            self._header_ms = told_ms
            self._header = header
            self._ahead_ms = self._header_ms - self._clock.now_ms()
        return self._header_ms

    def now_ms(self) -> int:
        return self._clock.now_ms() + self._ahead_ms


def _told_ms(header: str) -> int | None:
    """The time that a Date header tells; None where it is malformed or of no zone, as that of a proxy may be."""
    try:
        time = parsedate_to_datetime(header)
    except (ValueError, TypeError, OverflowError):
        return None
    return milliseconds(time) if time.tzinfo is not None else None


class KinesisClient(Caller):
    """Speaks to the data plane and the control plane of one region."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        credentials: Credentials,
        region: str,
        addresses: Endpoints,
        time: ServerTime,
    ) -> None:
        self._http = http
        self._credentials = credentials
        self._region = region
        self._addresses = addresses
        self._time = time
        self._urls = {text: URL(text) for text in (addresses.data, addresses.control)}

    @property
    def target(self) -> str:
        return f"{self._addresses.control} in {self._region}"

    def server_now_ms(self) -> int:
        return self._time.now_ms()

    async def call(
        self, operation: str, parameters: Mapping[str, object], answer: msgspec.json.Decoder[T]
    ) -> Answer[T]:
        body = msgspec.json.encode(parameters)
        keys = await self._credentials.keys()
        try:
            return await self._send(operation, body, keys, answer)
        except CredentialsError:
            if not await self._credentials.renew(keys):
                raise
        return await self._send(operation, body, await self._credentials.keys(), answer)

    async def _send(self, operation: str, body: bytes, keys: Keys, answer: Decoder[T]) -> Answer[T]:
        address = self._addresses.of(operation)
        headers = self._signed(operation, address, body, keys)
        try:
            async with self._http.post(
                self._urls[address], data=Body(body), headers=headers, timeout=_TIMEOUTS.get(operation, _TIMEOUT)
            ) as response:
                content = await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._unanswered(operation, error) from error
        server_ms = self._time.seen(response.headers.get("Date"))
        if response.status != 200:
            raise self._refusal(operation, response, content)
        try:
            return Answer(answer.decode(content), len(content), server_ms)
        except msgspec.DecodeError as error:
            raise TransientError(
                f"{operation} at {self.target}", f"not an answer of Kinesis: {error}", "check endpoint_url"
            ) from error

    def _signed(self, operation: str, address: str, body: bytes, keys: Keys) -> dict[str, str]:
        request = AWSRequest(
            "POST",
            address,
            data=body,
            headers={
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": _TARGET + operation,
                "Host": urlsplit(address).netloc,
            },
        )
        SigV4Auth(keys, "kinesis", self._region).add_auth(request)
        return dict(request.headers)

    def _unanswered(self, operation: str, error: Exception) -> ConnectorError:
        cause = "no answer in time" if isinstance(error, TimeoutError) else _cause(error)
        kind = UnreachableError if isinstance(error, aiohttp.ClientConnectorError) else TransientError
        return kind(f"{operation} at {self.target}", cause, "check endpoint_url, the region and the network")

    def _refusal(self, operation: str, response: aiohttp.ClientResponse, content: bytes) -> ConnectorError:
        try:
            told = msgspec.json.decode(content, type=_Fault)
        except msgspec.DecodeError:
            told = _Fault(message=content[:200].decode(errors="replace"))
        code = told.type or response.headers.get("x-amzn-ErrorType", "") or f"HTTP {response.status}"
        # Either form may be qualified: "com.amazonaws.kinesis#Code" in bodies, "Code:http://…" in headers.
        code = code.rpartition("#")[2].partition(":")[0]
        return fault(operation, self.target, response.status, code, told.message or told.message_in_capitals)


def _cause(error: Exception) -> str:
    """A refused connection as that: what aiohttp says of it speaks of TLS, also where there is none."""
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, ConnectionRefusedError):
        return "connection refused"
    return str(error) or type(error).__name__


class Body(aiohttp.Payload):
    """The bytes of a request, handed to the socket as they are.

    aiohttp warns of bytes above 1 MiB, which take the socket a while, and offers files instead, which it cuts into
    pieces at a cost. A request of Kinesis has 10 MiB at the most.
    """

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._size = len(content)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return str(self._value, encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        await writer.write(self._value)


@asynccontextmanager
async def connect(connection: Connection, clock: Clock) -> AsyncIterator[Caller]:
    """A client for as long as the context is entered. Opens no connection yet, but looks the credentials up.

    Raises ``SettingsError`` without a region, ``RefusedError`` without credentials.
    """
    try:
        profile = AioSession()
        region = _region(connection, profile)
        addresses = await asyncio.to_thread(
            endpoints,
            connection.stream,
            region,
            connection.endpoint_url,
            fips=bool(profile.get_config_variable("use_fips_endpoint")),
            dual_stack=bool(profile.get_config_variable("use_dualstack_endpoint")),
        )
        certificates = profile.get_config_variable("ca_bundle")
    except BotoCoreError as error:
        raise SettingsError("read the AWS configuration", str(error), "check AWS_PROFILE and its files") from error
    credentials = Credentials(profile, region, connection.assume_role_arn)
    await credentials.keys()
    async with _http(addresses, certificates) as http:
        yield KinesisClient(http, credentials, region, addresses, ServerTime(clock))


def _http(addresses: Endpoints, certificates: str | None) -> aiohttp.ClientSession:
    trust = ssl.create_default_context(cafile=certificates) if certificates else True
    url = addresses.data
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=_CONNECTIONS, ssl=trust),
        timeout=_TIMEOUT,
        read_bufsize=_READ_BUFFER,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("Accept", "Accept-Encoding"),
        headers={"User-Agent": "kmbridge"},
        proxy=get_environ_proxies(url).get(urlsplit(url).scheme),
    )


def _region(connection: Connection, profile: AioSession) -> str:
    named = connection.stream.region
    # Botocore reads AWS_DEFAULT_REGION alone; AWS's own containers, and its other tools, know this one.
    told = os.environ.get("AWS_REGION") or profile.get_config_variable("region")
    region = connection.region or named or told
    if not region:
        raise SettingsError(
            f"find the region of stream {connection.stream.name}", "none is given", "set region, or AWS_REGION"
        )
    if named is not None and region != named:
        raise SettingsError(
            f"find the region of stream {connection.stream.name}",
            f"region is {region}, the ARN says {named}",
            "leave region out, or make the two agree",
        )
    return str(region)
