"""The Kinesis API as AWS's own client speaks it, towards a server of the tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import boto3
from aiobotocore.session import get_session
from botocore.config import Config

from tests.support.waiting import wait_until

REGION = "eu-west-1"

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
_LOGIN = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}


@asynccontextmanager
async def kinesis_session(url: str) -> AsyncIterator[Any]:
    """An asynchronous client which never repeats a call by itself."""
    once = Config(retries={"total_max_attempts": 1})
    async with get_session().create_client("kinesis", endpoint_url=url, config=once, **_LOGIN) as client:
        yield client


def kinesis_client(url: str) -> Any:
    """A blocking client. The caller closes it."""
    return boto3.session.Session().client("kinesis", endpoint_url=url, **_LOGIN)


def create_stream(url: str, name: str, shards: int) -> None:
    """Create it and return when it can be used."""
    client = kinesis_client(url)
    try:
        client.create_stream(StreamName=name, ShardCount=shards)
        wait_until(lambda: stream_status(client, name) == "ACTIVE", f"stream {name} active")
    finally:
        client.close()


def delete_stream(url: str, name: str) -> None:
    """Delete it; one that is gone already is none of our business."""
    client = kinesis_client(url)
    try:
        client.delete_stream(StreamName=name, EnforceConsumerDeletion=True)
    except client.exceptions.ResourceNotFoundException:
        return
    finally:
        client.close()


def register_consumer(url: str, stream: str, name: str) -> str:
    """The ARN of a new consumer of ``stream``. Blocks."""
    client = kinesis_client(url)
    try:
        arn = client.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]
        return str(client.register_stream_consumer(StreamARN=arn, ConsumerName=name)["Consumer"]["ConsumerARN"])
    finally:
        client.close()


def stream_status(client: Any, name: str) -> str:
    summary = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    return str(summary["StreamStatus"])


async def put_one(url: str, stream: str, key: str, value: bytes) -> str:
    """Put one record; the id of the shard that took it."""
    async with kinesis_session(url) as client:
        answer = await client.put_record(StreamName=stream, PartitionKey=key, Data=value)
        return str(answer["ShardId"])
