"""Calls of the Kinesis API that cost next to nothing: no signature worth checking, bodies as they are."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

_HEADERS = {
    "Content-Type": "application/x-amz-json-1.1",
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/kinesis/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=0",
    "X-Amz-Date": "20260101T000000Z",
}
_READ_BUFFER = 16 * 1024 * 1024


class BareCaller:
    """One server, as its API is reached without any client library."""

    def __init__(self, http: aiohttp.ClientSession, endpoint: str) -> None:
        self._http = http
        self._endpoint = endpoint

    async def shards(self, stream: str) -> list[str]:
        answer = json.loads(await self.ask("ListShards", {"StreamName": stream}))
        return [shard["ShardId"] for shard in answer["Shards"]]

    async def iterator(self, stream: str, shard: str, kind: str) -> str:
        place = {"StreamName": stream, "ShardId": shard, "ShardIteratorType": kind}
        return str(json.loads(await self.ask("GetShardIterator", place))["ShardIterator"])

    async def ask(self, operation: str, parameters: dict[str, Any]) -> bytes:
        return await self.send(operation, json.dumps(parameters).encode())

    async def send(self, operation: str, body: bytes) -> bytes:
        """The answer's body. Raises ``RuntimeError`` where the server refuses."""
        headers = {**_HEADERS, "X-Amz-Target": f"Kinesis_20131202.{operation}"}
        async with self._http.post(self._endpoint, data=body, headers=headers) as answer:
            content = await answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{operation}: {answer.status} {content[:300]!r}")
            return content


@asynccontextmanager
async def bare_caller(endpoint: str) -> AsyncIterator[BareCaller]:
    async with aiohttp.ClientSession(read_bufsize=_READ_BUFFER) as http:
        yield BareCaller(http, endpoint)
