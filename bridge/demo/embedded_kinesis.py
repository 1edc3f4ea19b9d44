"""A Kinesis that needs nothing but Python."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

from botocore.config import Config
from botocore.session import Session

from bridge.errors import BridgeError, UsageError

START_S = 30.0


@dataclass(frozen=True, slots=True)
class StreamAddress:
    """A stream of an embedded server, with credentials that nobody checks."""

    url: str
    stream: str
    region: str = "eu-west-1"
    access_key: str = "demo"
    secret_key: str = "demo"  # noqa: S105 - there is nothing to protect

    def client(self) -> Any:
        """A client of its own kind, which shares nothing with the mirror's.

        Making one reads files, and its calls block.
        """
        return Session().create_client(
            "kinesis",
            region_name=self.region,
            endpoint_url=self.url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            # A repeated PutRecords would double records, and nothing fails here.
            config=Config(retries={"total_max_attempts": 1}),
        )


def require_moto() -> None:
    """Raises ``UsageError`` where what the embedded Kinesis needs is not installed."""
    if find_spec("moto") is None or find_spec("flask") is None:
        raise UsageError("kmbridge demo", "the embedded Kinesis is missing: pip install 'kmbridge[demo]'")


@asynccontextmanager
async def embedded_kinesis(stream: str, shards: int) -> AsyncIterator[StreamAddress]:
    """A server with one stream, on a free port of this machine, for as long as the context lasts."""
    process = await asyncio.to_thread(_start)
    try:
        address = StreamAddress(f"http://127.0.0.1:{await _port(process)}", stream)
        await asyncio.to_thread(_create, address, shards)
        yield address
    finally:
        process.kill()
        await asyncio.to_thread(process.communicate)


def _start() -> Popen[bytes]:
    return Popen(
        [sys.executable, "-m", "bridge.demo.moto_process"],
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        # An interrupt at the terminal reaches the demo alone, which then stops its servers.
        start_new_session=True,
    )


async def _port(process: Popen[bytes]) -> int:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    reading = asyncio.create_task(asyncio.to_thread(process.stdout.readline))
    await asyncio.wait([reading], timeout=START_S)
    if not reading.done() or not reading.result():
        raise BridgeError("start the embedded Kinesis", "it did not start", "python -m moto.server shows why")
    return int(reading.result())


def _create(address: StreamAddress, shards: int) -> None:
    address.client().create_stream(StreamName=address.stream, ShardCount=shards)
