"""One topic as its cluster describes it, looked up or created before the first record."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from confluent_kafka import KafkaError, KafkaException, TopicCollection, Uuid
from confluent_kafka.admin._acl import AclOperation
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.cimpl import NewTopic

from connectors.base import Clock, ConnectorError, RefusedError
from connectors.kafka.connection import WRITE, Access, ClientLog, Connection, admin_client, kafka_error, translate
from connectors.kafka.limits import Limits

T = TypeVar("T")

_LOOKS, _LOOK_S = 10, 0.2
_ADMIN_S = 4
_NO_ID = str(Uuid(0, 0))


@dataclass(frozen=True, slots=True)
class CreateTopic:
    """How a topic that does not exist is made. -1 takes the broker's default."""

    partitions: int = -1
    replication_factor: int = -1
    config: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as found. ``id`` is empty where the broker tells none; unknown limits bound nothing."""

    name: str
    id: str
    cluster_id: str
    partitions: int
    limits: Limits

    def identity(self, partitions: int) -> str:
        """It with that many partitions, by which keys find theirs; empty where no id is told."""
        return f"{self.id} with {partitions} partitions" if self.id else ""

    def is_regrown(self, identity: str) -> bool:
        """Whether what had ``identity`` is this, with another number of partitions."""
        before, _, counted = identity.partition(" ")
        return bool(counted) and before == self.id and identity != self.identity(self.partitions)


class TopicDesk:
    """Asks a cluster about one topic. Blocks up to 25 seconds in all: for a thread of its own."""

    def __init__(self, connection: Connection, clock: Clock, reach_s: float, access: Access = WRITE) -> None:
        """``access`` is what must be allowed. Raises ``SettingsError`` where librdkafka does not take the settings."""
        self._access = access
        self._address = connection.bootstrap_servers
        self._reach_s = reach_s
        self._log = ClientLog(clock)
        try:
            self._admin = admin_client(connection.settings(), self._log.error)
        except KafkaException as error:
            raise translate(kafka_error(error), "configure the Kafka client", "") from None

    def look_up(self, name: str, create: CreateTopic | None) -> Topic:
        """The topic, created first if it is missing and ``create`` says how.

        Raises ``UnreachableError`` without an answer, ``RefusedError`` where the topic or a permission is missing.
        """
        cluster = self._metadata(f"reach Kafka for topic {name}")
        # A cluster without a controller (librdkafka's mock cluster) never answers what only a controller can tell.
        tells = cluster.controller_id in cluster.brokers
        if name not in cluster.topics:
            if tells:
                self._check_seen(name)
            if create is not None and tells:
                self._create(name, create)
            cluster = self._wait_for(name, by_name=create is not None)
        found = cluster.topics[name]
        if found.error is not None:
            raise translate(found.error, f"look up topic {name}", self._address, access=self._access)
        identity = self._identity(name) if tells else ""
        limits = self._limits(name) if tells else Limits()
        return Topic(name, identity, cluster.cluster_id or "", len(found.partitions), limits)

    def _check_seen(self, name: str) -> None:
        """Raises ``RefusedError`` where the topic is hidden, which a broker says only when asked for it by name."""
        try:
            _answer(self._admin.describe_topics(TopicCollection([name]), request_timeout=_ADMIN_S))
        except KafkaException as error:
            if kafka_error(error).code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                raise self._named(error, f"look up topic {name}") from None

    def _wait_for(self, name: str, *, by_name: bool) -> Any:
        """The cluster's metadata once it has the topic: brokers hear of a new one some moments after its creation.

        Asked for a topic ``by_name``, clusters may create it with their own defaults.
        """
        operation = f"look up topic {name}"
        for _ in range(_LOOKS):
            self._admin.poll(_LOOK_S)
            cluster = self._metadata(operation, name if by_name else None)
            found = cluster.topics.get(name)
            if found is not None and found.error is None:
                return cluster
        raise RefusedError(
            operation,
            f"{self._address}: the topic does not exist",
            self._access.missing,
        )

    def _metadata(self, operation: str, name: str | None = None) -> Any:
        try:
            if name is None:
                return self._admin.list_topics(timeout=self._reach_s)
            return self._admin.list_topics(name, timeout=self._reach_s)
        except KafkaException as error:
            raise self._named(error, operation) from None

    def _create(self, name: str, create: CreateTopic) -> None:
        operation = f"create topic {name}"
        new = NewTopic(
            name,
            num_partitions=create.partitions,
            replication_factor=create.replication_factor,
            config=dict(create.config),
        )
        try:
            _answer(self._admin.create_topics([new], operation_timeout=_ADMIN_S, request_timeout=_ADMIN_S))
        except KafkaException as error:
            if kafka_error(error).code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise _refusal(self._named(error, operation), kafka_error(error)) from None

    def _identity(self, name: str) -> str:
        """The topic's id. Raises ``RefusedError`` where the broker says that we may not do what we are here for."""
        asked = TopicCollection([name])
        try:
            found = _answer(
                self._admin.describe_topics(asked, include_authorized_operations=True, request_timeout=_ADMIN_S)
            )
        except KafkaException as error:
            return self._unknown(error, f"describe topic {name}", "")
        allowed = found.authorized_operations
        if allowed and not {self._access.operation, AclOperation.ALL}.intersection(allowed):
            refused = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)
            raise translate(refused, f"{self._access.task} {name}", self._address, access=self._access)
        return topic_id(found)

    def _limits(self, name: str) -> Limits:
        asked = ConfigResource(ConfigResource.Type.TOPIC, name)
        try:
            entries = _answer(self._admin.describe_configs([asked], request_timeout=_ADMIN_S))
        except KafkaException as error:
            return self._unknown(error, f"read the configuration of topic {name}", Limits())
        return Limits.of({key: entry.value for key, entry in entries.items() if entry.value is not None})

    def _unknown(self, error: KafkaException, operation: str, instead: T) -> T:
        """``instead`` of what an old broker does not know or our rights do not cover; other errors are raised."""
        code = kafka_error(error).code()
        if code in {
            KafkaError.TOPIC_AUTHORIZATION_FAILED,
            KafkaError.CLUSTER_AUTHORIZATION_FAILED,
            KafkaError.UNSUPPORTED_VERSION,
            KafkaError._UNSUPPORTED_FEATURE,  # noqa: SLF001
        }:
            return instead
        raise self._named(error, operation) from None

    def _named(self, error: KafkaException, operation: str) -> ConnectorError:
        self._admin.poll(0)
        return translate(kafka_error(error), operation, self._address, self._log.last_error, self._access)


def topic_id(described: Any) -> str:
    """The id of a topic that was described; empty where its broker is older than such ids."""
    text = str(described.topic_id)
    return "" if text == _NO_ID else text


def _answer(futures: Mapping[Any, "Future[T]"]) -> Any:
    """What one admin call about one thing came to. The call has its own deadline; ours is a net."""
    (future,) = futures.values()
    return cast("Any", future).result(_ADMIN_S * 3)


def _refusal(named: ConnectorError, error: KafkaError) -> ConnectorError:
    """A topic that the broker will not create stays so, but for faults of the moment."""
    if error.retriable() or (named.retriable and error.code() < 0) or isinstance(named, RefusedError):
        return named
    return RefusedError(named.operation, named.cause, "check create_topic")
