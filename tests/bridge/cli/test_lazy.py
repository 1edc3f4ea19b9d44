"""What a command that runs for long makes of Python's garbage collector."""

import gc
from collections.abc import Iterator

import pytest

from bridge.cli.lazy import lasting
from connectors.kafka.fetching.fetcher import MESSAGES


@pytest.fixture
def collections() -> Iterator[list[str]]:
    """What the collector does from now on; afterwards it is as it was."""
    threshold, seen = gc.get_threshold(), list[str]()

    def see(phase: str, _: object) -> None:
        seen.append(phase)

    gc.callbacks.append(see)
    yield seen
    gc.callbacks.remove(see)
    gc.set_threshold(*threshold)
    gc.unfreeze()


def test_the_collector_never_looks_through_the_messages_of_a_fetch(collections: list[str]) -> None:
    """Messages that are fetched together and freed again, many times over, begin no collection."""
    with lasting():
        pass
    collections.clear()
    for _ in range(50):
        messages = [[index] for index in range(MESSAGES)]
        del messages
    assert not collections
