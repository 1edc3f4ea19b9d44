"""How librdkafka is reached and configured, and how its errors and log lines are told to the rest."""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclOperation

from connectors.base import Clock, ConnectorError, RefusedError, SettingsError, TransientError, UnreachableError
from connectors.kafka.auth import Auth, Open

Value = str | int | bool

log = logging.getLogger("connectors.kafka.librdkafka")

PROTECTED = frozenset(
    {
        "acks",
        "background_event_cb",
        "batch.size",
        "bootstrap.servers",
        "check.crcs",
        "client.id",
        "compression.codec",
        "compression.type",
        "consume_cb",
        "delivery.report.only.error",
        "delivery.timeout.ms",
        "dr_cb",
        "dr_msg_cb",
        "auto.offset.reset",
        "enable.auto.commit",
        "enable.auto.offset.store",
        "enable.gapless.guarantee",
        "enable.idempotence",
        "enable.partition.eof",
        "error_cb",
        "fetch.max.bytes",
        "fetch.message.max.bytes",
        "fetch.queue.backoff.ms",
        "group.id",
        "group.instance.id",
        "group.protocol",
        "heartbeat.interval.ms",
        "isolation.level",
        "log.queue",
        "log_cb",
        "log_level",
        "logger",
        "max.in.flight",
        "max.in.flight.requests.per.connection",
        "max.partition.fetch.bytes",
        "max.poll.interval.ms",
        "message.max.bytes",
        "message.send.max.retries",
        "message.timeout.ms",
        "metadata.broker.list",
        "oauth_cb",
        "offset_commit_cb",
        "on_commit",
        "on_delivery",
        "partition.assignment.strategy",
        "partitioner",
        "partitioner_cb",
        "queue.buffering.max.kbytes",
        "queue.buffering.max.messages",
        "queued.max.messages.kbytes",
        "queued.min.messages",
        "queuing.strategy",
        "rebalance_cb",
        "request.required.acks",
        "retries",
        "session.timeout.ms",
        "statistics.interval.ms",
        "stats_cb",
        "throttle_cb",
        "topic.metadata.refresh.interval.ms",
        "transaction.timeout.ms",
        "transactional.id",
    }
)
"""Keys that the bridge sets itself: order, durability and the bound on memory rest on them."""


@dataclass(frozen=True, slots=True)
class Access:
    """What is done with a topic, and what that takes."""

    operation: AclOperation
    task: str
    permission: str
    missing: str
    """What to do where the topic does not exist."""


WRITE = Access(
    AclOperation.WRITE,
    "write to topic",
    "Write and Describe on the topic (kafka-cluster:WriteData, DescribeTopic)",
    "create it, or set create_topic to have it created",
)
READ = Access(
    AclOperation.READ,
    "read topic",
    "Read and Describe on the topic (kafka-cluster:ReadData, DescribeTopic)",
    "check the topic's name and bootstrap_servers",
)

_PERMISSIONS = {
    KafkaError.GROUP_AUTHORIZATION_FAILED: "Read on the group (kafka-cluster:AlterGroup, DescribeGroup)",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: (
        "Write and Describe on the transactional id (kafka-cluster:AlterTransactionalId, DescribeTransactionalId)"
    ),
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "IdempotentWrite on the cluster (kafka-cluster:WriteDataIdempotently)",
}
_CREDENTIALS = (KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED, KafkaError._SSL)  # noqa: SLF001
_UNREACHABLE = (
    KafkaError._TRANSPORT,  # noqa: SLF001
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
    KafkaError._TIMED_OUT,  # noqa: SLF001
    KafkaError._RESOLVE,  # noqa: SLF001
)
_UNREACHABLE_HINT = "check address, network, auth (or security.protocol) and that the broker runs"
_NOISE = re.compile(r"^\[thrd:[^\]]*\]: |/bootstrap(?=:)| \(after \d+ms in state .*\)$")
# What librdkafka says of four bytes that it took for the length of an answer.
_NO_LENGTH = re.compile(r"Receive failed: Invalid response size .*increase receive\.message\.max\.bytes")
_TOKENLESS = "OAuth token not set"
_NO_KAFKA = "the endpoint does not speak Kafka (or wants TLS)"

# Hints about the configuration are for developers; of a fatal error the sink recovers, and tells of an aborted
# transaction itself: a group that gains a member aborts some.
_LEVELS = {"CONFWARN": logging.DEBUG, "FATAL": logging.WARNING, "TXNERR": logging.DEBUG}


def protected(settings: Mapping[str, Value]) -> tuple[str, ...]:
    """The keys of ``settings`` that only the bridge may set, sorted."""
    return tuple(sorted(PROTECTED.intersection(settings)))


@dataclass(frozen=True, slots=True)
class Connection:
    """A cluster, how it is entered, and librdkafka's settings for it. Secrets among these are not in its repr.

    With ``auth`` by tokens librdkafka (2.16) makes a client in no less than a second, and the event loop must not wait
    for that.
    """

    bootstrap_servers: str
    client_id: str
    librdkafka: Mapping[str, Value] = field(repr=False)
    auth: Auth = field(default_factory=Open)

    def settings(self) -> dict[str, object]:
        """What any client of the cluster is configured with. Raises ``SettingsError`` for keys of ours."""
        if refused := protected(self.librdkafka):
            raise SettingsError(
                "configure the Kafka client",
                f"librdkafka setting{'s' if len(refused) > 1 else ''} {', '.join(refused)} cannot be changed",
                "remove it: the bridge's guarantees rest on its own value",
            )
        return {"log_level": 5, **self.librdkafka, **self.auth.settings(), **self._ours()}

    def _ours(self) -> dict[str, object]:
        return {"bootstrap.servers": self.bootstrap_servers, "client.id": self.client_id}


def admin_client(settings: Mapping[str, object], heard: Callable[[KafkaError], None] | None = None) -> AdminClient:
    """An administrator with the ``settings`` of any client, which logs nothing: what goes wrong its calls raise.

    ``heard`` is told beside them what befalls its connections. Raises ``KafkaException`` where librdkafka does not take
    the settings.
    """
    own = {"log_level": 0} if heard is None else {"log_level": 0, "error_cb": heard}
    return AdminClient(cast("dict[str, Any]", {**settings, **own}))


class ClientLog:
    """Where librdkafka writes its log. Called by the thread that polls the client.

    A line that repeats within half a minute, as each attempt to connect writes one, is written once.
    """

    def __init__(self, clock: Clock, partitions_changed: Callable[[str], None] | None = None) -> None:
        """``partitions_changed`` hears when a topic's partition count is not what it was, gone ones included."""
        self._clock = clock
        self._partitions_changed = partitions_changed
        self._written: dict[str, float] = {}
        self.last_error = ""

    def log(self, level: int, _pattern: str, facility: str, _client: str, text: str) -> None:
        line = readable(text)
        if facility == "PARTCNT" and self._partitions_changed is not None:
            self._partitions_changed(line)
        self._write(_LEVELS.get(facility, level), line)

    def error(self, error: KafkaError) -> None:
        """An error that librdkafka recovers from by itself."""
        if error.code() != KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001
            self.last_error = readable(error.str())

    def _write(self, level: int, line: str) -> None:
        now = self._clock.monotonic()
        if now - self._written.get(line, now - 60) < 30:
            return
        if len(self._written) > 100:
            self._written.clear()
        self._written[line] = now
        log.log(level, "%s", line)


def readable(text: str) -> str:
    """A text of librdkafka without its thread names and durations, nor its guess at what a foreign answer means."""
    return _NO_LENGTH.sub(_NO_KAFKA, _NOISE.sub("", text))


def kafka_error(error: KafkaException) -> KafkaError:
    """The error of librdkafka inside of what the client raises."""
    inner: object = error.args[0] if error.args else None
    return inner if isinstance(inner, KafkaError) else KafkaError(KafkaError._FAIL, str(error))  # noqa: SLF001


def translate(error: KafkaError, operation: str, place: str, cause: str = "", access: Access = WRITE) -> ConnectorError:
    """``error`` as the contracts name it. ``place`` is the address or topic, ``cause`` what is known beyond it."""
    text = readable(error.str())
    where = f"{place}: " if place and not (cause or text).startswith(place) else ""
    permissions = {KafkaError.TOPIC_AUTHORIZATION_FAILED: access.permission, **_PERMISSIONS}
    for code, permission in permissions.items():
        if error.code() == code or KafkaError(code).str() in text:
            return RefusedError(operation, f"{where}{text}", f"grant {permission}")
    if _TOKENLESS in text:
        return TransientError(operation, f"{where}no token to log in with", "the log says why; it is asked for again")
    if error.code() in _CREDENTIALS:
        return RefusedError(operation, f"{where}{cause or text}", "check auth, or the credentials under librdkafka")
    if error.code() == KafkaError._INVALID_ARG:  # noqa: SLF001
        return SettingsError(operation, f"{where}{text}", "check the librdkafka settings")
    if error.code() in _UNREACHABLE:
        hint = (
            "check bootstrap_servers and auth (or security.protocol)"
            if _NO_KAFKA in (cause or text)
            else _UNREACHABLE_HINT
        )
        return UnreachableError(operation, f"{where}{cause or text}", hint)
    return TransientError(operation, f"{where}{text}")
