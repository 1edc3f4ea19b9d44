from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.bridge.migration.leases.tables import Application, JumpingClock
from tests.support.kinesis_api import REGION
from tests.support.moto import moto_server


@pytest.fixture(scope="package")
def server() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture
def application(server: str) -> Application:
    """One whose table does not exist yet."""
    return Application(f"app-{uuid4().hex[:12]}", REGION, server)


@pytest.fixture
def clock() -> JumpingClock:
    return JumpingClock()
