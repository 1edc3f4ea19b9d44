"""Offsets that somebody commits for a group without members."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from threading import Event

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions

from bridge.coordination import empty_group
from bridge.coordination.empty_group import EmptyGroup
from checkpoints.kafka.group.committer import CommittedOffset, ConsumerGroup
from tests.support.waiting import eventually

_PLACE = ConsumerGroup({"bootstrap.servers": "nowhere:1"}, "kmbridge-orders", "orders")
_OVERTAKEN_S = 0.3
"""A later call that is not kept from it comes by then."""


class _Cluster:
    """Takes offsets, the first of them rather behind others than before them."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.taken: list[int] = []
        self._has_others = Event()

    def alter_consumer_group_offsets(
        self, groups: Sequence[ConsumerGroupTopicPartitions], request_timeout: float
    ) -> Mapping[str, "Future[ConsumerGroupTopicPartitions]"]:
        offset = (groups[0].topic_partitions or [])[0].offset
        self.asked.append(offset)
        if len(self.asked) == 1:
            self._has_others.wait(_OVERTAKEN_S)
        self.taken.append(offset)
        self._has_others.set()
        answer: Future[ConsumerGroupTopicPartitions] = Future()
        answer.set_result(groups[0])
        return {"": answer}


async def test_a_cancelled_commit_never_takes_effect_behind_a_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that is interrupted at ``checkpoints set`` and given again leaves what the second one said."""
    cluster = _Cluster()
    monkeypatch.setattr(empty_group, "admin_client", lambda _: cluster)
    group = EmptyGroup(_PLACE, 6.0)
    cancelled = asyncio.create_task(group.commit({0: CommittedOffset(1)}))
    await eventually(lambda: cluster.asked == [1], "the first commit under way")
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    await group.commit({0: CommittedOffset(2)})
    await eventually(lambda: len(cluster.taken) == 2, "both taken")
    assert cluster.taken == [1, 2]
