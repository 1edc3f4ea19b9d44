"""A topic as its cluster describes it to an administrator, for those who only look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin._acl import AclOperation
from confluent_kafka.admin._config import ConfigResource

from connectors.base import Clock, ConnectorError
from connectors.kafka.connection import READ, Access, ClientLog, admin_client, kafka_error, translate
from connectors.kafka.limits import Limits
from connectors.kafka.topic import topic_id

_ANSWER_S = 4
_UNTOLD = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.UNSUPPORTED_VERSION,
    KafkaError._UNSUPPORTED_FEATURE,  # noqa: SLF001
}


@dataclass(frozen=True, slots=True)
class PartitionDescription:
    number: int
    has_leader: bool
    replicas: int
    in_sync: int


@dataclass(frozen=True, slots=True)
class TopicDescription:
    """A topic as found."""

    name: str
    id: str
    cluster_id: str
    partitions: tuple[PartitionDescription, ...]
    settings: Mapping[str, str]
    """As they are in effect, by their names; empty where we may not know."""
    allowed: frozenset[AclOperation] | None
    """What we may do with it; None where the brokers do not tell."""

    @property
    def address(self) -> str:
        """As provenance writes it."""
        return f"kafka:{self.cluster_id}:{self.name}"

    @property
    def identity(self) -> str:
        """As ``Connector.identity`` promises."""
        return f"{self.id} with {len(self.partitions)} partitions" if self.id else ""

    @property
    def limits(self) -> Limits:
        return Limits.of(self.settings)

    def may(self, operation: AclOperation) -> bool | None:
        """Whether we may do that with it; None where the brokers do not tell."""
        if self.allowed is None:
            return None
        return not self.allowed.isdisjoint({operation, AclOperation.ALL})

    def number(self, setting: str) -> int | None:
        """A setting that is one; None where it is not told."""
        text = self.settings.get(setting)
        return None if text is None else int(text)


class TopicInspector:
    """Asks a cluster about topics, and never makes it create one. Blocks for some seconds: for a thread of its own."""

    def __init__(self, settings: Mapping[str, object], clock: Clock, reach_s: float) -> None:
        """``settings`` are librdkafka's for any client. Raises ``SettingsError`` where it refuses them."""
        self._address = str(settings["bootstrap.servers"])
        self._reach_s = reach_s
        self._log = ClientLog(clock)
        try:
            self._admin = admin_client(settings, self._log.error)
        except KafkaException as error:
            raise translate(kafka_error(error), "configure the Kafka client", "") from None

    def describe(self, name: str, access: Access = READ) -> TopicDescription | None:
        """The topic; None where there is none of that name. ``access`` is what it is for, in what errors say.

        Raises ``UnreachableError`` without an answer, ``RefusedError`` where we may not know of it.
        """
        operation = f"look at topic {name}"
        try:
            cluster: str | None = self._admin.list_topics(timeout=self._reach_s).cluster_id
            asked = TopicCollection([name])
            described = self._answer(
                self._admin.describe_topics(asked, include_authorized_operations=True, request_timeout=_ANSWER_S)
            )
        except KafkaException as error:
            if kafka_error(error).code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                return None
            raise self._named(error, operation, access) from None
        allowed: Sequence[AclOperation] | None = described.authorized_operations
        partitions = (
            PartitionDescription(each.id, each.leader is not None, len(each.replicas), len(each.isr))
            for each in described.partitions
        )
        return TopicDescription(
            name,
            topic_id(described),
            cluster or "",
            tuple(partitions),
            self._settings(name, access),
            None if allowed is None else frozenset(allowed),
        )

    def _settings(self, name: str, access: Access) -> Mapping[str, str]:
        asked = ConfigResource(ConfigResource.Type.TOPIC, name)
        try:
            entries = self._answer(self._admin.describe_configs([asked], request_timeout=_ANSWER_S))
        except KafkaException as error:
            if kafka_error(error).code() in _UNTOLD:
                return {}
            raise self._named(error, f"read the configuration of topic {name}", access) from None
        return {key: entry.value for key, entry in entries.items() if entry.value is not None}

    def _answer(self, futures: Mapping[Any, Any]) -> Any:
        """What a call about one thing came to. The call has its own deadline; ours is a net."""
        (future,) = futures.values()
        return cast("Any", future).result(_ANSWER_S * 3)

    def _named(self, error: KafkaException, operation: str, access: Access) -> ConnectorError:
        self._admin.poll(0)
        return translate(kafka_error(error), operation, self._address, self._log.last_error, access)
