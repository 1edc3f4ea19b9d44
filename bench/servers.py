"""The servers of a benchmark run, and the environment of the programs that use them."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.request import urlopen

from tests.support.kinesis_api import CREDENTIALS, REGION
from tests.support.shared import SharedServers

ENVIRONMENT = {
    **CREDENTIALS,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}
"""Nobody's account, whatever is configured on the machine."""


@dataclass(frozen=True, slots=True)
class Servers:
    """``kinesis`` is ``http://host:port``, ``kafka`` is ``host:port``."""

    kinesis: str
    kafka: str


@contextmanager
def running_servers() -> Iterator[Servers]:
    """A real Kinesis server and a real broker, as the tests use them; stopped on leaving.

    Raises ``MissingServerError`` where one of them cannot be had.
    """
    os.environ.update(ENVIRONMENT)
    # A program that was never started before compiles all that it imports; every later start is like its second.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    shared = SharedServers.create()
    try:
        yield Servers(shared.kinesis(), shared.kafka())
    finally:
        shared.stop()


def held_records(kinesis: str) -> int:
    """Kinesis records in all streams of the server, as its own metrics count them.

    Reading a stream instead would cost the server as much as the writing does.
    """
    with urlopen(f"{kinesis}/metrics", timeout=10) as answer:
        found = re.search(rb"^ferrokinesis_retained_records (\d+)$", answer.read(), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"{kinesis} does not tell how many records it holds")
    return int(found[1])
