"""The servers of a benchmark run, and the environment of the programs that use them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

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
    shared = SharedServers.create()
    try:
        yield Servers(shared.kinesis(), shared.kafka())
    finally:
        shared.stop()
