"""Checkpoints written beside living workers, because an operator insists."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, cast

from confluent_kafka import KafkaException, Producer

from checkpoints.base import CheckpointError
from checkpoints.kafka.connection import explained
from checkpoints.kafka.writer import SlotRecord
from connectors.kafka.transaction import transactional

_ANSWER_S = 10.0


class UnfencedWriter:
    """Writes each save as a transaction of its own, whoever owns the slots: their owner's next checkpoint prevails.

    The group's committed offsets, which are their owner's to move, stay as they are.
    """

    def __init__(self, client: Mapping[str, object], topic: str, transactional_id: str) -> None:
        """``client`` configures any client of the checkpoints' cluster."""
        self._settings = transactional({**client, "enable.idempotence": True, "linger.ms": 0}, transactional_id)
        self._topic = topic

    async def write(self, records: Sequence[SlotRecord]) -> None:
        """As promised by ``checkpoints.kafka.writer.Writer``, but for the fence."""
        await asyncio.to_thread(self._write, records)

    def _write(self, records: Sequence[SlotRecord]) -> None:
        with explained("save checkpoints"):
            producer = Producer(cast("dict[str, Any]", self._settings))
            # It ends what an earlier call left open, which so cannot come later than this one.
            producer.init_transactions(_ANSWER_S)
            producer.begin_transaction()
            for record in records:
                producer.produce(self._topic, record.value, record.key, record.slot)
            try:
                producer.commit_transaction(_ANSWER_S)
            except KafkaException as error:
                if not error.args[0].retriable():
                    raise
                raise CheckpointError(
                    "save checkpoints",
                    f"no answer within {_ANSWER_S:g} s, so that nobody can say whether they are saved",
                    "look with: kmbridge checkpoints list",
                ) from None
