from collections.abc import AsyncIterator

import pytest

from tests.bridge.workers.stage import Stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    made = Stage()
    async with made.open():
        yield made
