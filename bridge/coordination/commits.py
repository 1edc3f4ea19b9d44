"""Offsets committed by a member of a group, through the consumer that is the member."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from checkpoints.base import CheckpointError, FencedError
from checkpoints.kafka.connection import kafka_error
from checkpoints.kafka.group.committer import ConsumerGroup
from checkpoints.kafka.group.refusals import refusal

Offsets = Callable[[Consumer], Sequence[TopicPartition]]
"""What to commit, told when it is about to be sent; nothing where nothing needs to be."""

_Answer = tuple[KafkaError | None, Sequence[TopicPartition]]

_PASSING = {KafkaError.ILLEGAL_GENERATION, KafkaError.REBALANCE_IN_PROGRESS, KafkaError.STALE_MEMBER_EPOCH}
"""The group goes on to its next generation, in which a member hears of it whether it still is one."""

_ANSWER_S = 15.0
_LEFT = "this worker has left the group"


@dataclass(frozen=True, slots=True)
class _Request:
    offsets: Offsets
    deadline: float
    done: "Future[None]" = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class _Sent:
    request: _Request
    offsets: Sequence[TopicPartition]


class Commits:
    """Asked for by an event loop, made by the thread that polls the consumer, one after the other.

    No other thread can: in confluent-kafka 2.16 each call waits for a poll in another one, without end where that is
    repeated. The consumer answers a commit in a later poll, so that a broker which does not answer keeps nobody from
    hearing that the group has gone on without this member.
    """

    def __init__(self, place: ConsumerGroup) -> None:
        self._place = place
        self._operation = f"commit offsets of group {place.group}"
        self._waiting: deque[_Request] = deque()
        self._again: _Request | None = None
        """The one to be sent a second time, before those that wait."""
        self._sent: _Sent | None = None
        self._answer: _Answer | None = None
        self._is_closed = False

    async def ask(self, offsets: Offsets) -> None:
        """Return when they are committed, as long as this worker is a member: in this generation or the next one.

        Raises ``FencedError`` where it is none any more, and another ``CheckpointError`` where nothing is certain.
        """
        request = _Request(offsets, time.monotonic() + _ANSWER_S)
        self._waiting.append(request)
        if self._is_closed:
            self._refuse_waiting(_LEFT)
        try:
            async with asyncio.timeout(_ANSWER_S):
                await asyncio.wrap_future(request.done)
        except TimeoutError:
            raise CheckpointError(self._operation, f"no answer within {_ANSWER_S:g} s", "tried again") from None

    def answered(self, error: KafkaError | None, offsets: Sequence[TopicPartition]) -> None:
        """What the consumer calls while it is polled."""
        self._answer = (error, offsets)

    def serve(self, consumer: Consumer) -> None:
        """Between two polls of a member: hand on what was answered, and send what is next."""
        self._settle()
        while self._sent is None and (request := self._next()) is not None:
            self._send(consumer, request)

    def serve_at_once(self, consumer: Consumer) -> None:
        """Where nothing is polled until what is asked for is answered: commit it all, again what was sent already."""
        sent, self._sent = self._sent, None
        if sent is not None:
            self._commit(consumer, sent)
        while (request := self._next()) is not None:
            prepared = self._prepared(consumer, request)
            if prepared is not None:
                self._commit(consumer, prepared)

    def refuse(self, cause: str) -> None:
        """Of no member: what was sent may have taken effect, and what is asked for is not sent."""
        sent, self._sent = self._sent, None
        if sent is not None:
            sent.request.done.set_exception(self._fenced(cause))
        self._refuse_waiting(cause)

    def close(self) -> None:
        """``refuse`` from now on, for this worker is about to leave the group."""
        self._is_closed = True
        self.refuse(_LEFT)

    def _next(self) -> _Request | None:
        """The next one that somebody still waits for."""
        again, self._again = self._again, None
        if again is not None:
            return again
        with suppress(IndexError):
            while True:
                request = self._waiting.popleft()
                if request.done.set_running_or_notify_cancel():
                    return request
        return None

    def _send(self, consumer: Consumer, request: _Request) -> None:
        prepared = self._prepared(consumer, request)
        if prepared is None:
            return
        self._answer = None
        try:
            consumer.commit(offsets=list(prepared.offsets), asynchronous=True)
        except KafkaException as error:
            self._finish(request, kafka_error(error))
        else:
            self._sent = prepared

    def _prepared(self, consumer: Consumer, request: _Request) -> _Sent | None:
        """None where nothing is to be sent, and ``request`` is done."""
        try:
            offsets = request.offsets(consumer)
        except KafkaException as error:
            self._finish(request, kafka_error(error))
            return None
        if not offsets:
            self._finish(request, None)
            return None
        return _Sent(request, offsets)

    def _commit(self, consumer: Consumer, sent: _Sent) -> None:
        try:
            answered = consumer.commit(offsets=list(sent.offsets), asynchronous=False)
        except KafkaException as error:
            self._finish(sent.request, kafka_error(error))
        else:
            self._finish(sent.request, _error(None, answered or ()))

    def _settle(self) -> None:
        answer, self._answer = self._answer, None
        # What was answered and is not what was sent last was committed a second time since.
        if answer is None or self._sent is None or not _is_about(answer, self._sent.offsets):
            return
        sent, self._sent = self._sent, None
        error = _error(*answer)
        if error is not None and error.code() in _PASSING and time.monotonic() < sent.request.deadline:
            self._again = sent.request
        else:
            self._finish(sent.request, error)

    def _finish(self, request: _Request, error: KafkaError | None) -> None:
        if error is None:
            request.done.set_result(None)
        else:
            request.done.set_exception(refusal(error, self._operation, self._place))

    def _refuse_waiting(self, cause: str) -> None:
        while (request := self._next()) is not None:
            request.done.set_exception(self._fenced(cause))

    def _fenced(self, cause: str) -> CheckpointError:
        return FencedError(self._operation, cause)


def _error(error: KafkaError | None, offsets: Sequence[TopicPartition]) -> KafkaError | None:
    return error or next((each.error for each in offsets if each.error is not None), None)


def _is_about(answer: _Answer, offsets: Sequence[TopicPartition]) -> bool:
    error, answered = answer
    return _places(answered) == _places(offsets) or (error is not None and not answered)


def _places(offsets: Sequence[TopicPartition]) -> set[tuple[int, int]]:
    return {(each.partition, each.offset) for each in offsets}
