"""How fast the server takes records from a writer that makes nothing of them.

A process of its own: ``python -m bench.to_kinesis.ceiling ENDPOINT STREAM RECORDS`` writes bodies that are ready before
the first call, several calls at once, and prints JSON.
"""

import asyncio
import json
import sys
import time
from base64 import b64encode
from itertools import islice

from bench.bare import BareCaller, bare_caller
from bench.load import VALUE_BYTES
from tests.support.records import generate

_ENTRIES = 500
_BODIES = 40
_CALLS = 8


def bodies(stream: str) -> list[bytes]:
    """Calls of PutRecords with 500 records of 1 KB each, half random."""
    records = generate(_ENTRIES * _BODIES, 10_000, size=VALUE_BYTES)
    return [
        json.dumps(
            {
                "StreamName": stream,
                "Records": [
                    {"Data": b64encode(record.value(0)).decode(), "PartitionKey": record.key}
                    for record in islice(records, _ENTRIES)
                ],
            }
        ).encode()
        for _ in range(_BODIES)
    ]


async def write(server: BareCaller, ready: list[bytes], turns: list[int]) -> None:
    while turns:
        await server.send("PutRecords", ready[turns.pop() % _BODIES])


async def measure(endpoint: str, stream: str, records: int) -> dict[str, float]:
    """Write ``records`` records or a few more, from the first call to the last answer."""
    ready = bodies(stream)
    turns = list(range(-(-records // _ENTRIES)))
    written = len(turns) * _ENTRIES
    async with bare_caller(endpoint) as server:
        await server.shards(stream)
        begun, cpu_begun = time.monotonic(), time.process_time()
        await asyncio.gather(*(write(server, ready, turns) for _ in range(_CALLS)))
        return {
            "records": written,
            "seconds": time.monotonic() - begun,
            "cpu_s": time.process_time() - cpu_begun,
        }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(sys.argv[1], sys.argv[2], int(sys.argv[3])))))
