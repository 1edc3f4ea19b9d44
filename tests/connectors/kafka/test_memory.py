"""What a Kafka sink keeps in memory of batches that are delivered: at most the last one."""

import gc
import weakref
from collections.abc import Iterator
from dataclasses import replace

import pytest

from connectors.base import Batch
from tests.connectors.kafka.sending import numbered, sink_to
from tests.support.factories import TopicFactory
from tests.support.waiting import eventually


class Column(list[bytes]):
    """A list that tells when it is gone."""

    __slots__ = ("__weakref__",)


@pytest.fixture
def _no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize("origin", [None, b"origin"])
async def test_a_delivered_batch_is_freed_without_the_garbage_collector(
    kafka: str, topic: TopicFactory, origin: bytes | None
) -> None:
    """The collector comes by too rarely for megabytes that hang on a handful of objects."""
    async with sink_to(kafka, topic()) as sink:
        scope = await sink.begin()
        gone = weakref.ref(values := Column(value for value in numbered(0, 500).values if value is not None))
        await scope.submit("lane", with_values(values, origin))
        del values
        await scope.submit("lane", numbered(500, 1))
        await eventually(lambda: gone() is None, "the batch to be freed", timeout_s=5)


def with_values(values: Column, origin: bytes | None) -> Batch:
    batch = replace(numbered(0, len(values)), values=values)
    return batch if origin is None else replace(batch, origins=[origin] * len(values))
