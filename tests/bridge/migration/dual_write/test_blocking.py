"""The dual writer without an event loop, and its metrics."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from bridge.migration.dual_write import BlockingDualWriter, ClosedError, DualWriteMetrics
from connectors.base import UnreachableError
from tests.bridge.migration.dual_write.conftest import Pair, by_key, series
from tests.support.waiting import eventually, wait_until


def test_threads_send_through_one_writer(pair: Pair) -> None:
    """Each key that one thread sends is in its order, and leaving waits for both ends."""
    sent = series(200, keys=4)

    def send(key: int) -> None:
        for name, value in sent[key::4]:
            assert writer.send(name, value, timeout_s=30).place

    with BlockingDualWriter(pair.settings) as writer, ThreadPoolExecutor(4) as threads:
        list(threads.map(send, range(4)))
    assert pair.authority.values_by_key() == pair.shadow.values_by_key() == by_key(sent)


def test_submitted_records_keep_their_order(pair: Pair) -> None:
    """Without waiting for each; beyond the bound the caller waits."""
    sent = series(500)
    with BlockingDualWriter(pair.settings, most_waiting=10) as writer:
        answers = [writer.submit(key, value) for key, value in sent]
        writer.swap()
        assert writer.counts().swaps == 1
    assert all(answer.result().place for answer in answers)
    assert pair.authority.values_by_key() == by_key(sent)


def test_what_cannot_be_entered_leaves_no_thread_behind(pair: Pair) -> None:
    """The error is the writer's own, and another one may be made."""
    pair.authority.is_away = True
    before = threading.active_count()
    writer = BlockingDualWriter(pair.settings)
    with pytest.raises(UnreachableError):
        writer.__enter__()
    wait_until(lambda: threading.active_count() <= before, "its threads end")
    with pytest.raises(ClosedError):
        writer.send(b"key", b"value")


async def test_metrics_are_those_of_the_counts(pair: Pair) -> None:
    """A writer that is not entered has none, and disturbs no scrape."""
    registry = CollectorRegistry()
    pair.shadow.refuses = lambda record: "too_large" if record.value == b"3" else None
    writer = pair.writer()
    registry.register(DualWriteMetrics({"orders": writer.counts}))
    assert "writer=" not in generate_latest(registry).decode()
    async with writer:
        await asyncio.gather(*(writer.send(key, value) for key, value in series(5)))
        await eventually(lambda: writer.counts().spool_records == 0, "the shadow has caught up")
        text = generate_latest(registry).decode()
    assert 'kmbridge_dual_write_authority_records_total{writer="orders"} 5.0' in text
    assert 'kmbridge_dual_write_shadow_rejected_records_total{reason="too_large",writer="orders"} 1.0' in text
    assert 'kmbridge_dual_write_shadow_lag_seconds{writer="orders"} 0.0' in text
