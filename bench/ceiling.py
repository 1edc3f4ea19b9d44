"""How fast the server gives its records to a reader that does nothing with them.

A process of its own: ``python -m bench.ceiling ENDPOINT STREAM`` reads the stream once and prints JSON.
"""

import asyncio
import json
import sys
import time

from bench.bare import BareCaller, bare_caller

_ITERATOR = b'"NextShardIterator":"'
_RECORD = b'"SequenceNumber":'


async def read(server: BareCaller, stream: str, shard: str) -> tuple[int, float]:
    """The number of the shard's records, and when the last of them was here. Looks for two words in the answers."""
    iterator = await server.iterator(stream, shard, "TRIM_HORIZON")
    total, last = 0, time.monotonic()
    while True:
        body = await server.ask("GetRecords", {"ShardIterator": iterator, "Limit": 10_000})
        records = body.count(_RECORD)
        if not records:
            return total, last
        total, last = total + records, time.monotonic()
        begin = body.index(_ITERATOR) + len(_ITERATOR)
        iterator = body[begin : body.index(b'"', begin)].decode()


async def measure(endpoint: str, stream: str) -> dict[str, float]:
    """Read all shards at once, from the first call to the last record."""
    async with bare_caller(endpoint) as server:
        shards = await server.shards(stream)
        begun, cpu_begun = time.monotonic(), time.process_time()
        results = await asyncio.gather(*(read(server, stream, shard) for shard in shards))
        ended, cpu_s = max(last for _, last in results), time.process_time() - cpu_begun
    records = sum(total for total, _ in results)
    return {"records": records, "seconds": ended - begun, "cpu_s": cpu_s}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(sys.argv[1], sys.argv[2]))))
