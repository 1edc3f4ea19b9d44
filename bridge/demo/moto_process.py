"""The process in which the embedded Kinesis runs: prints its port, and ends with its standard input.

It runs apart from the demo so that the two do not share one interpreter lock, and cannot outlive it, however that ends.
"""

import logging
import sys
from collections.abc import Callable
from itertools import islice
from threading import Lock
from typing import Any


def serve() -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    # The demo's own imports do not need it, and it is the slow part of the start.
    from moto.kinesis.models import Shard  # noqa: PLC0415
    from moto.server import ThreadedMotoServer  # noqa: PLC0415

    # Moto looks through the whole shard at every record written and every read: 100,000 records would take minutes.
    Shard.get_max_sequence_number = last_number
    Shard.get_records = records_after
    Shard.put_record = one_at_a_time(Shard.put_record)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    sys.stdin.read()


def last_number(shard: Any) -> int:
    """In the place of a method of moto's shard."""
    return len(shard.records)


def records_after(shard: Any, last: str, limit: int | None) -> tuple[list[Any], int, int]:
    """In the place of a method of moto's shard: the next records, the last one's number, and milliseconds behind.

    Moto numbers the records of a shard 1, 2, 3 and never drops one.
    """
    end = len(shard.records)
    found = [shard.records[number] for number in islice(range(int(last) + 1, end + 1), limit)]
    if not found:
        return [], int(last), 0
    behind_s = shard.records[end].created_at - found[-1].created_at
    return found, found[-1].sequence_number, int(behind_s * 1000)


def one_at_a_time(put_record: Callable[..., Any]) -> Callable[..., Any]:
    """In the place of a method of moto's shard: calls that overlap would take the same number, and lose a record."""
    turn = Lock()

    def put(*arguments: Any) -> Any:
        with turn:
            return put_record(*arguments)

    return put


if __name__ == "__main__":
    serve()
