"""A source of sample orders: ``writer.py create SHARDS`` makes the stream, ``writer.py write RATE`` fills it for good.

It needs botocore alone, and is told where by ENDPOINT, REGION and STREAM.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore.session import Session

STREAM = os.environ["STREAM"]
CUSTOMERS = 500
MOST_ENTRIES = 500


def client() -> Any:
    return Session().create_client("kinesis", region_name=os.environ["REGION"], endpoint_url=os.environ["ENDPOINT"])


def create(kinesis: Any, shards: int) -> None:
    """Make the stream unless it is there, and wait until it can be used."""
    try:
        kinesis.create_stream(StreamName=STREAM, ShardCount=shards)
    except kinesis.exceptions.ResourceInUseException:
        print(f"stream {STREAM} is there already")
    kinesis.get_waiter("stream_exists").wait(StreamName=STREAM, WaiterConfig={"Delay": 1})


def write(kinesis: Any, rate: int) -> None:
    """Put that many records each second; what fails is put again, ahead of what comes next."""
    share = min(rate, MOST_ENTRIES)
    entries: list[Mapping[str, Any]] = []
    number = 0
    while True:
        more = [order(number + count) for count in range(share - len(entries))]
        number += len(more)
        entries += more
        results = kinesis.put_records(StreamName=STREAM, Records=entries)["Records"]
        entries = [entry for entry, result in zip(entries, results, strict=True) if "ErrorCode" in result]
        time.sleep(share / rate)


def order(number: int) -> Mapping[str, Any]:
    customer = f"customer-{random.randrange(CUSTOMERS)}"
    data = {"order": number, "customer": customer, "cents": random.randrange(100, 100_000)}
    return {"PartitionKey": customer, "Data": json.dumps(data).encode()}


ACTIONS: Mapping[str, Callable[[Any, int], None]] = {"create": create, "write": write}


if __name__ == "__main__":
    # As the first process of a container it would not heed the signal otherwise.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ACTIONS[sys.argv[1]](client(), int(sys.argv[2]))
