"""Which services of AWS read a stream: functions of Lambda and delivery streams of Firehose, by what is configured."""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from aiohttp import ClientError as HttpError
from botocore.exceptions import BotoCoreError, ClientError

from connectors.base import RefusedError, UnreachableError
from connectors.kinesis.client import Connection
from connectors.kinesis.credentials import Credentials

_TIMEOUT_S = 3.0
_ATTEMPTS = 2
_MOST_DELIVERY_STREAMS = 50
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
_DELIVERY: Literal["Firehose delivery stream"] = "Firehose delivery stream"
_AWS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


@dataclass(frozen=True, slots=True)
class FanOutConsumer:
    """One that is registered with the stream, and has 2 MB/s of each shard for itself."""

    name: str
    arn: str


@dataclass(frozen=True, slots=True)
class ReadingService:
    """One that reads the stream. ``fans_out``: it takes nothing of the limits that polling readers share."""

    kind: Literal["Lambda function", "Firehose delivery stream"]
    name: str
    fans_out: bool = False

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class ReadingServices:
    """Asks with the credentials, and in the region, with which the stream itself is reached.

    Each method raises ``RefusedError`` without the permission, which its hint names, and for a stream that is not at
    AWS unless an address of that service is configured (AWS_ENDPOINT_URL); ``UnreachableError`` without an answer.
    """

    def __init__(self, connection: Connection, stream_arn: str) -> None:
        self._connection = connection
        self._arn = stream_arn
        self._region = stream_arn.split(":")[3]

    async def functions(self, consumers: Iterable[FanOutConsumer] = ()) -> tuple[ReadingService, ...]:
        """The functions that Lambda feeds from the stream, or from one of its registered ``consumers``."""
        async with self._client("lambda", "ListEventSourceMappings") as client:
            found = [await _functions(client, self._arn, fans_out=False)]
            found += [await _functions(client, each.arn, fans_out=True) for each in consumers]
        return tuple(each for some in found for each in some)

    async def delivery_streams(self) -> tuple[ReadingService, ...]:
        """The delivery streams that read the stream, among the first 50 that read any."""
        async with self._client("firehose", "ListDeliveryStreams and firehose:DescribeDeliveryStream") as client:
            asked = {"DeliveryStreamType": "KinesisStreamAsSource", "Limit": _MOST_DELIVERY_STREAMS}
            names = (await client.list_delivery_streams(**asked))["DeliveryStreamNames"]
            return tuple([ReadingService(_DELIVERY, name) for name in names if await self._feeds(client, name)])

    async def _feeds(self, client: Any, name: str) -> bool:
        """One at a time: Firehose describes five a second."""
        shown = await client.describe_delivery_stream(DeliveryStreamName=name)
        source = shown["DeliveryStreamDescription"].get("Source", {})
        return bool(source.get("KinesisStreamSourceDescription", {}).get("KinesisStreamARN") == self._arn)

    @asynccontextmanager
    async def _client(self, service: str, actions: str) -> AsyncIterator[Any]:
        operation = f"ask who reads stream {self._arn}"
        session = AioSession()
        keys = await Credentials(session, self._region, self._connection.assume_role_arn).keys()
        config = AioConfig(
            connect_timeout=_TIMEOUT_S,
            read_timeout=_TIMEOUT_S,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            warm_up_loader_caches=True,
        )
        creating = session.create_client(
            service,
            region_name=self._region,
            aws_access_key_id=keys.access_key,
            aws_secret_access_key=keys.secret_key,
            aws_session_token=keys.token,
            config=config,
        )
        with _explained(operation, f"{service}:{actions}"):
            async with creating as client:
                check_place(operation, self._connection.endpoint_url, service, client.meta.endpoint_url)
                yield client


def check_place(operation: str, stream_url: str | None, service: str, url: str) -> None:
    """A stream of another server than AWS is not looked for at AWS.

    Raises ``RefusedError`` where ``stream_url`` is such a server's, None being AWS's, and ``url`` of ``service`` AWS's.
    """
    if stream_url is not None and not _is_aws(stream_url) and _is_aws(url):
        raise RefusedError(
            operation, f"{stream_url} is not AWS", f"AWS_ENDPOINT_URL_{service.upper()} names another to ask"
        )


async def _functions(client: Any, arn: str, *, fans_out: bool) -> list[ReadingService]:
    found: list[ReadingService] = []
    asked = {"EventSourceArn": arn}
    while True:
        page = await client.list_event_source_mappings(**asked)
        found += [
            ReadingService("Lambda function", each["FunctionArn"].rpartition("function:")[2], fans_out)
            for each in page["EventSourceMappings"]
            if each["EventSourceArn"] == arn
        ]
        if not page.get("NextMarker"):
            return found
        asked = {"EventSourceArn": arn, "Marker": page["NextMarker"]}


def _is_aws(url: str) -> bool:
    return (urlsplit(url).hostname or "").endswith(_AWS)


@contextmanager
def _explained(operation: str, permission: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        hint = f"grant {permission}, to be told" if error.response["Error"]["Code"] in _DENIED else ""
        raise RefusedError(operation, str(error), hint) from error
    except (BotoCoreError, HttpError, OSError) as error:
        raise UnreachableError(operation, str(error), "check the network, and the region") from error
