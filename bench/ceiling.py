"""How fast the server gives its records to a reader that does nothing with them.

A process of its own: ``python -m bench.ceiling ENDPOINT STREAM`` reads the stream once and prints JSON.
"""

import asyncio
import json
import sys
import time
from typing import Any

import aiohttp

_HEADERS = {
    "Content-Type": "application/x-amz-json-1.1",
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/kinesis/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=0",
    "X-Amz-Date": "20260101T000000Z",
}
_ITERATOR = b'"NextShardIterator":"'
_RECORD = b'"SequenceNumber":'
_READ_BUFFER = 16 * 1024 * 1024


class Reader:
    """Calls the server without a signature worth checking, and looks for two words in its answers."""

    def __init__(self, http: aiohttp.ClientSession, endpoint: str, stream: str) -> None:
        self._http = http
        self._endpoint = endpoint
        self._stream = stream

    async def shards(self) -> list[str]:
        answer = json.loads(await self._call("ListShards", {"StreamName": self._stream}))
        return [shard["ShardId"] for shard in answer["Shards"]]

    async def read(self, shard: str) -> tuple[int, float]:
        """The number of the shard's records, and when the last of them was here."""
        place = {"StreamName": self._stream, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
        iterator = json.loads(await self._call("GetShardIterator", place))["ShardIterator"]
        total, last = 0, time.monotonic()
        while True:
            body = await self._call("GetRecords", {"ShardIterator": iterator, "Limit": 10_000})
            records = body.count(_RECORD)
            if not records:
                return total, last
            total, last = total + records, time.monotonic()
            begin = body.index(_ITERATOR) + len(_ITERATOR)
            iterator = body[begin : body.index(b'"', begin)].decode()

    async def _call(self, operation: str, parameters: dict[str, Any]) -> bytes:
        headers = {**_HEADERS, "X-Amz-Target": f"Kinesis_20131202.{operation}"}
        body = json.dumps(parameters).encode()
        async with self._http.post(self._endpoint, data=body, headers=headers) as answer:
            content = await answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{operation}: {answer.status} {content[:300]!r}")
            return content


async def measure(endpoint: str, stream: str) -> dict[str, float]:
    """Read all shards at once, from the first call to the last record."""
    async with aiohttp.ClientSession(read_bufsize=_READ_BUFFER) as http:
        reader = Reader(http, endpoint, stream)
        shards = await reader.shards()
        begun, cpu_begun = time.monotonic(), time.process_time()
        results = await asyncio.gather(*(reader.read(shard) for shard in shards))
        ended, cpu_s = max(last for _, last in results), time.process_time() - cpu_begun
    records = sum(total for total, _ in results)
    return {"records": records, "seconds": ended - begun, "cpu_s": cpu_s}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(sys.argv[1], sys.argv[2]))))
