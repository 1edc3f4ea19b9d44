"""Moto's imitation of AWS, for what is not Kinesis data: DynamoDB, STS, Glue.

Its Kinesis loses records under concurrent PutRecords and never ends a shard: no proof of anything about records.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from moto.server import ThreadedMotoServer

from tests.support.ports import HOST


@contextmanager
def moto_server() -> Iterator[str]:
    """The URL of a server inside this process, which starts in milliseconds and forgets everything at the end."""
    server = ThreadedMotoServer(ip_address=HOST, port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()
