"""What the watch over a topic tells, and when it is silent."""

import asyncio
from dataclasses import replace
from threading import Event

from connectors.base import Clock
from connectors.kafka.limits import Limits
from connectors.kafka.settings import KafkaSinkSettings
from connectors.kafka.topic import Topic, TopicDesk
from connectors.kafka.watch import TopicWatch
from tests.support.factories import TopicFactory
from tests.support.ports import HOST, free_port

_TIMEOUT_S = 20


async def _changes(address: str, topic: Topic, *, ended_after: float = _TIMEOUT_S) -> str | None:
    ended = Event()
    asyncio.get_running_loop().call_later(ended_after, ended.set)
    watch = TopicWatch(KafkaSinkSettings(address, topic.name).connection(), topic, 0.05)
    return await asyncio.to_thread(watch.change, ended)


async def test_the_id_and_the_partition_count_are_compared(kafka: str, topic: TopicFactory) -> None:
    """A topic that is as it was is no news."""
    name = topic(partitions=2)
    desk = TopicDesk(KafkaSinkSettings(kafka, name).connection(), Clock(), _TIMEOUT_S)
    known = await asyncio.to_thread(desk.look_up, name, None)
    assert await _changes(kafka, known, ended_after=1) is None
    assert await _changes(kafka, replace(known, partitions=3)) == "the topic had 3 partitions and has 2"
    change = await _changes(kafka, replace(known, id="another"))
    assert change == f"the topic was recreated: its id was another and is {known.id}"


async def test_a_topic_whose_id_is_unknown_is_not_asked_for(kafka: str, topic: TopicFactory) -> None:
    """Clusters that tell no id may not answer at all."""
    name = topic(partitions=2)
    known = await asyncio.to_thread(
        TopicDesk(KafkaSinkSettings(kafka, name).connection(), Clock(), _TIMEOUT_S).look_up, name, None
    )
    assert await _changes(kafka, replace(known, id="", partitions=3), ended_after=1) is None


async def test_a_broker_that_is_away_is_no_news() -> None:
    """The producer waits for it; so does the watch, until its line ends."""
    known = Topic("orders", "an id", "cluster", 2, Limits())
    assert await _changes(f"{HOST}:{free_port()}", known, ended_after=1) is None
