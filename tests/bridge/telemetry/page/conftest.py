from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.browser import Browser, Tab, browsing
from tests.support.missing import give_up
from tests.support.provision import MissingServerError


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real one, shared by all tests of the process."""
    try:
        with browsing() as running:
            yield running
    except MissingServerError as error:
        give_up(error)


@pytest.fixture
async def tab(browser: Browser) -> AsyncIterator[Tab]:
    """An empty page. What it complains of fails the test, unless the test took note of it and cleared it."""
    async with browser.tab() as opened:
        yield opened
        assert opened.complaints == []
