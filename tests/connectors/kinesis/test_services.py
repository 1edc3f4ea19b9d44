"""Which services of AWS read a stream, as the services themselves tell it."""

import asyncio
import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from aiohttp import web

from connectors.base import RefusedError, UnreachableError
from connectors.kinesis.client import Connection
from connectors.kinesis.services import FanOutConsumer, ReadingServices
from connectors.kinesis.stream import StreamName
from tests.support.kinesis_api import REGION
from tests.support.ports import HOST, free_port
from tests.support.serving import serving

SERVICES = ("LAMBDA", "FIREHOSE")
ARN = f"arn:aws:kinesis:{REGION}:123456789012:stream/orders"
ROLE = "arn:aws:iam::123456789012:role/reader"


@dataclass(frozen=True)
class Account:
    """An imitation of one, whose services are asked instead of AWS."""

    kinesis: Any
    functions: Any
    firehose: Any

    def stream(self, name: str) -> str:
        self.kinesis.create_stream(StreamName=name, ShardCount=1)
        return str(self.kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"])

    def feed(self, function: str, arn: str) -> None:
        self.functions.create_function(
            FunctionName=function, Runtime="python3.12", Role=ROLE, Handler="main.handle", Code={"ZipFile": _program()}
        )
        self.functions.create_event_source_mapping(EventSourceArn=arn, FunctionName=function, StartingPosition="LATEST")

    def deliver(self, name: str, arn: str) -> None:
        self.firehose.create_delivery_stream(
            DeliveryStreamName=name,
            DeliveryStreamType="KinesisStreamAsSource",
            KinesisStreamSourceConfiguration={"KinesisStreamARN": arn, "RoleARN": ROLE},
            S3DestinationConfiguration={"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::archive"},
        )


def _program() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("main.py", "def handle(event, context): pass")
    return content.getvalue()


@pytest.fixture
def account(moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for service in SERVICES:
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", moto)
    session = boto3.session.Session(region_name=REGION)
    iam = session.client("iam", endpoint_url=moto)
    with ExitStack() as open_clients:
        open_clients.enter_context(closing(iam))
        trust = {"Version": "2012-10-17", "Statement": []}
        iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps(trust))
        clients = [session.client(each, endpoint_url=moto) for each in ("kinesis", "lambda", "firehose")]
        for client in clients:
            open_clients.enter_context(closing(client))
        yield Account(*clients)


def _asked(arn: str, endpoint_url: str | None = None) -> ReadingServices:
    return ReadingServices(Connection(StreamName.of(arn), REGION, endpoint_url, None), arn)


async def test_those_who_read_the_stream_are_named(account: Account) -> None:
    """And those of other streams are not."""
    mine, other = account.stream("orders"), account.stream("others")
    account.feed("bill", mine)
    account.feed("count", other)
    account.deliver("archive", mine)
    account.deliver("elsewhere", other)
    asked = _asked(mine)
    functions, delivering = await asyncio.gather(asked.functions(), asked.delivery_streams())
    assert [str(each) for each in functions] == ["Lambda function bill"]
    assert [str(each) for each in delivering] == ["Firehose delivery stream archive"]
    lonely = _asked(account.stream("unread"))
    assert await lonely.functions([FanOutConsumer("bill", f"{ARN}/consumer/bill:1")]) == ()
    assert await lonely.delivery_streams() == ()


async def test_without_the_permission_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody needs it to mirror."""

    async def handler(_: web.Request) -> web.StreamResponse:
        document = {"__type": "AccessDeniedException", "message": "not authorized"}
        return web.json_response(document, status=403, headers={"x-amzn-ErrorType": "AccessDeniedException"})

    async with serving(handler) as url:
        for service in SERVICES:
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", url)
        with pytest.raises(RefusedError, match="lambda:ListEventSourceMappings"):
            await _asked(ARN).functions()
        with pytest.raises(RefusedError, match="firehose:DescribeDeliveryStream"):
            await _asked(ARN).delivery_streams()


async def test_a_stream_of_another_server_is_not_looked_for_at_aws() -> None:
    """Nobody there knows it; an address of the service can be named."""
    with pytest.raises(RefusedError, match="AWS_ENDPOINT_URL_LAMBDA"):
        await _asked(ARN, f"http://{HOST}:4567").functions()


async def test_a_service_that_does_not_answer_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """After few attempts."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_FIREHOSE", f"http://{HOST}:{free_port()}")
    with pytest.raises(UnreachableError):
        await _asked(ARN).delivery_streams()
