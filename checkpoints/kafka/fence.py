"""Ending what dead workers left open."""

import logging
import re
import time
from collections.abc import Collection, Mapping
from threading import Event
from typing import Protocol

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin._group import ConsumerGroupDescription

from checkpoints.kafka.connection import (
    ANSWER_S,
    OVERTAKEN,
    Settings,
    admin_client,
    explained,
    kafka_error,
    transactional_producer,
)
from checkpoints.kafka.document import Author

_NUMBER = re.compile(r"-[0-9]+\Z")
_SLICE_S = 0.5
_END_S = 30.0

log = logging.getLogger(__name__)


def worker_of(writer: str) -> str:
    """The worker whose transactional id ``writer`` is: that without the number behind it."""
    return _NUMBER.sub("", writer)


class Fence(Protocol):
    """Knows which writers are dead, and ends their transactions. Its methods block, and any thread may call them."""

    def dead(self, authors: Collection[Author]) -> frozenset[Author]:
        """Those of ``authors`` whose worker is no member of its group. Whoever may be alive is not among them."""

    def end(self, author: Author, stop: Event) -> bool:
        """End the transaction that ``author`` may have open; another worker may be doing the same.

        Whether there is none any more. Gives up soon after ``stop`` is set.
        """


class GroupFence:
    """A ``Fence`` that asks the group's coordinator who is alive.

    A member's client id is its worker's id, and its transactional ids are this, or this and a number behind it:
    ``kmbridge-orders-3f2a-0`` belongs to ``kmbridge-orders-3f2a``.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def dead(self, authors: Collection[Author]) -> frozenset[Author]:
        groups = {author.group for author in authors if author.group}
        if not groups:
            return frozenset()
        members = self._members(groups)
        return frozenset(
            author
            for author in authors
            if (living := members.get(author.group)) is not None
            and living.isdisjoint((author.writer, worker_of(author.writer)))
        )

    def end(self, author: Author, stop: Event) -> bool:
        try:
            self._begin_anew(author.writer, stop)
        except KafkaException as error:
            code = kafka_error(error).code()
            if code not in OVERTAKEN:
                log.warning("cannot end the transaction of %s: %s", author.writer, kafka_error(error).str())
            return code in OVERTAKEN
        if stop.is_set():
            return False
        log.info("%s is gone: its transaction, if there was one, is ended", author.writer)
        return True

    def _members(self, groups: Collection[str]) -> Mapping[str, frozenset[str]]:
        """The client ids of each group's members. Groups of which nothing could be learned are left out."""
        with explained(f"look up the members of groups {', '.join(sorted(groups))}"):
            # Its answers come as long as there is a reference to the client.
            admin = admin_client(self._settings)
            futures = admin.describe_consumer_groups(list(groups), request_timeout=ANSWER_S)
        found: dict[str, frozenset[str]] = {}
        for group, future in futures.items():
            try:
                described: ConsumerGroupDescription = future.result(ANSWER_S * 2)
            except KafkaException as error:
                if kafka_error(error).code() == KafkaError.GROUP_ID_NOT_FOUND:
                    found[group] = frozenset()
                else:
                    log.warning("cannot tell who is alive in group %s: %s", group, kafka_error(error).str())
            else:
                found[group] = frozenset(member.client_id for member in described.members)
        return found

    def _begin_anew(self, writer: str, stop: Event) -> None:
        """What a successor of ``writer`` would do first. It ends what is open under that id."""
        producer = transactional_producer(self._settings, writer)
        deadline = time.monotonic() + _END_S
        while not stop.is_set():
            try:
                producer.init_transactions(_SLICE_S)
            except KafkaException as error:
                if not kafka_error(error).retriable() or time.monotonic() > deadline:
                    raise
            else:
                return
