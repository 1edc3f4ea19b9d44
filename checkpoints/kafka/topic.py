"""The checkpoint topic as its cluster describes it, looked up or created."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin._acl import AclOperation
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.cimpl import NewTopic

from checkpoints.base import CheckpointError, StoreFormatError, StoreRefusedError, StoreUnreachableError
from checkpoints.kafka.connection import (
    ANSWER_S,
    Heard,
    Settings,
    admin_client,
    answers,
    explained,
    explanation,
    kafka_error,
)

DEFAULT_TOPIC = "kmbridge-checkpoints"
DEFAULT_SLOTS = 64

_COMPACT = {"cleanup.policy": "compact"}
# The active segment is never compacted, so that it rolls often: who takes a slot over reads all of it.
_ROLLING = {**_COMPACT, "segment.ms": "300000", "max.compaction.lag.ms": "300000", "min.cleanable.dirty.ratio": "0.1"}
CONFIGURATIONS: Sequence[Mapping[str, str]] = (
    {**_ROLLING, "segment.bytes": str(8 * 1024 * 1024)},
    _ROLLING,
    {**_COMPACT, "max.compaction.lag.ms": "300000"},
    _COMPACT,
)
"""What the topic is created with: the first of these that the cluster takes. MSK Serverless lets few be set."""

_REFUSED = {KafkaError.INVALID_CONFIG, KafkaError.POLICY_VIOLATION}
_UNTOLD = {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED}
_APPEARING_S = 10.0
_SLOW_MS = 3_600_000
_LOOK_S = 0.1


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CheckpointTopic:
    """One mirror's part of the topic. ``connection`` are librdkafka's settings, which may hold secrets.

    ``group`` is the consumer group in which the mirror's workers are members; looking here does not join it.
    """

    connection: Settings = field(repr=False)
    mirror: str
    group: str
    topic: str = DEFAULT_TOPIC


class TopicDesk:
    """Asks a cluster about its checkpoint topic. Blocks for some seconds at the most."""

    def __init__(
        self, connection: Settings, name: str, configurations: Sequence[Mapping[str, str]] = CONFIGURATIONS
    ) -> None:
        self._heard = Heard()
        self.admin = admin_client(connection, self._heard)
        """The client with which it asks, for others too."""
        self._name = name
        self._configurations = configurations
        self._allowed: frozenset[AclOperation] = frozenset()

    def look_up(self) -> int | None:
        """How many slots the topic has; None where there is no such topic."""
        described = self._describe()
        return None if described is None else len(described)

    def identity(self) -> str | None:
        """What tells this topic from another one made later under its name; None where there is none at the moment."""
        found = self._ask()
        return None if found is None else str(found.topic_id)

    def look_up_or_create(self, slots: int | None) -> int:
        """How many slots the topic has, which is created first if it is missing.

        Raises ``StoreFormatError`` where it cannot serve: it has other than ``slots`` slots, or is not compacted.
        Raises ``StoreRefusedError`` where a permission is missing, ``StoreUnreachableError`` without an answer.
        """
        found = self.look_up()
        if found is None:
            self._create(slots or DEFAULT_SLOTS)
            found = self._wait_for_leaders()
        if slots is not None and found != slots:
            raise StoreFormatError(
                f"open checkpoint topic {self._name}",
                f"its partitions are its slots: it has {found}, and {slots} are asked for",
                f"set checkpoints.kafka.slots to {found}, or name another topic with checkpoints.kafka.topic",
            )
        self._check_rights()
        self._check_policy()
        return found

    def _describe(self) -> list[bool] | None:
        """Whether each partition has a leader; None where there is no such topic."""
        found = self._ask()
        if found is None:
            return None
        self._allowed = frozenset(found.authorized_operations or ())
        return [partition.leader is not None for partition in found.partitions]

    def _ask(self) -> Any:
        """The topic as it is now; None where there is no such topic."""
        asked = TopicCollection([self._name])
        try:
            # Unlike a look at its metadata this never makes a broker create it with settings of its own.
            futures = self.admin.describe_topics(asked, include_authorized_operations=True, request_timeout=ANSWER_S)
            (found,) = answers(futures).values()
        except KafkaException as error:
            if kafka_error(error).code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                return None
            # Serves what the client had to tell.
            self.admin.poll(0)
            operation = f"look up checkpoint topic {self._name}"
            raise explanation(kafka_error(error), operation, self._heard.last) from error
        return found

    def _create(self, slots: int) -> None:
        refusal: KafkaError | None = None
        for configuration in self._configurations:
            new = NewTopic(self._name, num_partitions=slots, replication_factor=-1, config=dict(configuration))
            try:
                answers(self.admin.create_topics([new], operation_timeout=ANSWER_S / 2, request_timeout=ANSWER_S))
            except KafkaException as error:
                refusal = kafka_error(error)
                if refusal.code() == KafkaError.TOPIC_ALREADY_EXISTS:
                    return
                if refusal.code() not in _REFUSED:
                    break
            else:
                return
        if refusal is not None:
            raise self._refusal(refusal, slots)

    def _refusal(self, error: KafkaError, slots: int) -> CheckpointError:
        operation = f"create checkpoint topic {self._name} with partitions={slots}"
        known = explanation(error, operation)
        if error.retriable() or isinstance(known, StoreUnreachableError):
            return known
        settings = ",".join(f"{name}={value}" for name, value in CONFIGURATIONS[0].items())
        hint = f"let us create it, or create it with partitions={slots} (or others) and {settings}"
        return StoreRefusedError(operation, known.cause, hint)

    def _wait_for_leaders(self) -> int:
        """How many slots the new topic has, once it can be used: brokers hear of it some moments later."""
        deadline = time.monotonic() + _APPEARING_S
        while time.monotonic() < deadline:
            described = self._describe()
            if described and all(described):
                return len(described)
            self.admin.poll(_LOOK_S)
        raise StoreUnreachableError(
            f"open checkpoint topic {self._name}", f"it was created and not ready within {_APPEARING_S:g} s"
        )

    def _check_rights(self) -> None:
        """Raises ``StoreRefusedError`` where the broker says that we may not write; some brokers do not say."""
        if self._allowed and not {AclOperation.WRITE, AclOperation.ALL}.intersection(self._allowed):
            denied = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)
            raise explanation(denied, f"write to checkpoint topic {self._name}")

    def _check_policy(self) -> None:
        """Raises ``StoreFormatError`` where checkpoints would be dropped by their age, or never."""
        operation = f"open checkpoint topic {self._name}"
        asked = ConfigResource(ConfigResource.Type.TOPIC, self._name)
        try:
            (entries,) = answers(self.admin.describe_configs([asked], request_timeout=ANSWER_S)).values()
        except KafkaException as error:
            if kafka_error(error).code() in _UNTOLD:
                return
            with explained(operation):
                raise
        policy = entries["cleanup.policy"].value
        if policy != "compact":
            raise StoreFormatError(
                operation,
                f"its cleanup.policy is {policy}, not compact, so that checkpoints would not be kept",
                "set cleanup.policy=compact on it, or name another topic with checkpoints.kafka.topic",
            )
        rolls_ms = int(entries["segment.ms"].value or 0)
        if rolls_ms > _SLOW_MS:
            log.warning(
                "topic %s has segment.ms=%d: what is written within that time is read anew at each take-over; set %s",
                self._name,
                rolls_ms,
                _ROLLING["segment.ms"],
            )
