"""Calls to the Kinesis API, one HTTP request each: signed, timed, its answer typed.

Nothing is repeated here but a request whose credentials had to be renewed.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
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
from yarl import URL

from connectors.aws import told_region
from connectors.base import Clock, ConnectorError, SettingsError, TransientError, UnreachableError
from connectors.kinesis.credentials import Credentials, Keys
from connectors.kinesis.endpoint import Endpoints, endpoints
from connectors.kinesis.faults import CredentialsError, Told, fault
from connectors.kinesis.long_answer import LONG_READ_BUFFER, LONG_TIMEOUT, LongAnswer, ReceivedAnswer
from connectors.kinesis.server_time import ServerTime
from connectors.kinesis.stream import StreamName

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

    def stream(self, operation: str, parameters: Mapping[str, object]) -> AbstractAsyncContextManager[LongAnswer]:
        """Make one call whose answer keeps coming while the context is entered. Entering raises as ``call``."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Where to and as whom."""

    stream: StreamName
    region: str | None
    endpoint_url: str | None
    assume_role_arn: str | None


class KinesisClient(Caller):
    """Speaks to the data plane and the control plane of one region."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        long: aiohttp.ClientSession,
        credentials: Credentials,
        region: str,
        addresses: Endpoints,
        time: ServerTime,
    ) -> None:
        """``long`` is for answers that keep coming: each has a connection to itself."""
        self._http = http
        self._long = long
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
        response = await self._answered(self._http, operation, parameters)
        async with response:
            content = await self._read(operation, response)
        server_ms = self._time.seen(response.headers.get("Date"))
        try:
            # What an operation with nothing to tell answers with is empty, not an empty object.
            return Answer(answer.decode(content or b"{}"), len(content), server_ms)
        except msgspec.DecodeError as error:
            raise TransientError(
                f"{operation} at {self.target}", f"not an answer of Kinesis: {error}", "check endpoint_url"
            ) from error

    @asynccontextmanager
    async def stream(self, operation: str, parameters: Mapping[str, object]) -> AsyncIterator[LongAnswer]:
        async with await self._answered(self._long, operation, parameters) as response:
            self._time.seen(response.headers.get("Date"))
            yield ReceivedAnswer(response.content, lambda error: self._unanswered(operation, error))

    async def _answered(
        self, http: aiohttp.ClientSession, operation: str, parameters: Mapping[str, object]
    ) -> aiohttp.ClientResponse:
        """An answer of success, its body still to come. The caller closes it."""
        body = msgspec.json.encode(parameters)
        keys = await self._credentials.keys()
        try:
            return await self._send(http, operation, body, keys)
        except CredentialsError:
            if not await self._credentials.renew(keys):
                raise
        return await self._send(http, operation, body, await self._credentials.keys())

    async def _send(
        self, http: aiohttp.ClientSession, operation: str, body: bytes, keys: Keys
    ) -> aiohttp.ClientResponse:
        address = self._addresses.of(operation)
        headers = self._signed(operation, address, body, keys)
        timeout = _TIMEOUTS.get(operation, http.timeout)
        try:
            response = await http.post(self._urls[address], data=Body(body), headers=headers, timeout=timeout)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._unanswered(operation, error) from error
        if response.status == 200:
            return response
        async with response:
            self._time.seen(response.headers.get("Date"))
            raise self._refusal(operation, response, await self._read(operation, response))

    async def _read(self, operation: str, response: aiohttp.ClientResponse) -> bytes:
        try:
            return await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._unanswered(operation, error) from error

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
            told = msgspec.json.decode(content, type=Told)
        except msgspec.DecodeError:
            told = Told(small=content[:200].decode(errors="replace"))
        code = told.type or response.headers.get("x-amzn-ErrorType", "") or f"HTTP {response.status}"
        # Either form may be qualified: "com.amazonaws.kinesis#Code" in bodies, "Code:http://…" in headers.
        code = code.rpartition("#")[2].partition(":")[0]
        return fault(operation, self.target, response.status, code, told.message)


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
    trust = ssl.create_default_context(cafile=certificates) if certificates else None
    async with (
        _http(addresses, trust, _TIMEOUT, _READ_BUFFER, connections=_CONNECTIONS) as http,
        _http(addresses, trust, LONG_TIMEOUT, LONG_READ_BUFFER, connections=0) as long,
    ):
        yield KinesisClient(http, long, credentials, region, addresses, ServerTime(clock))


def _http(
    addresses: Endpoints, trust: ssl.SSLContext | None, timeout: aiohttp.ClientTimeout, buffer: int, *, connections: int
) -> aiohttp.ClientSession:
    """``connections`` at the most, 0 without a limit; ``buffer`` is the bytes that a socket may bring unasked."""
    url = addresses.data
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections, ssl=True if trust is None else trust),
        timeout=timeout,
        read_bufsize=buffer,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("Accept", "Accept-Encoding"),
        headers={"User-Agent": "kmbridge"},
        proxy=get_environ_proxies(url).get(urlsplit(url).scheme),
    )


def _region(connection: Connection, profile: AioSession) -> str:
    named = connection.stream.region
    region = told_region(connection.region or named) or profile.get_config_variable("region")
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
