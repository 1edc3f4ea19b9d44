"""The clients of a checkpoint topic's cluster, and how their errors are told."""

import re
from collections.abc import Hashable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from checkpoints.base import CheckpointError, StoreRefusedError, StoreSettingsError, StoreUnreachableError

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

Settings = Mapping[str, object]
"""librdkafka's settings for any client of the cluster: ``bootstrap.servers`` and what it takes to be let in."""

ANSWER_S = 8.0
"""How long a broker may take to answer."""

MOVING = {
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
}
"""What brokers say while a group's coordinator begins, or is another."""

OVERTAKEN = {
    KafkaError._FENCED,  # noqa: SLF001
    KafkaError.PRODUCER_FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
}
"""What a producer hears when another has begun with its transactional id."""

_CREDENTIALS = {KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED, KafkaError._SSL}  # noqa: SLF001
_UNREACHABLE = {
    KafkaError._TRANSPORT,  # noqa: SLF001
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
    KafkaError._TIMED_OUT,  # noqa: SLF001
    KafkaError._RESOLVE,  # noqa: SLF001
}
_PERMISSIONS = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: (
        "Describe, Read and Write on the checkpoint topic (kafka-cluster:DescribeTopic, ReadData, WriteData)"
    ),
    KafkaError.GROUP_AUTHORIZATION_FAILED: (
        "Describe and Read on the mirror's group (kafka-cluster:DescribeGroup, AlterGroup)"
    ),
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "Describe on the cluster (kafka-cluster:DescribeCluster)",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: (
        "Describe and Write on the mirror's transactional ids "
        "(kafka-cluster:DescribeTransactionalId, AlterTransactionalId)"
    ),
}


_NOISE = re.compile(r"/bootstrap(?=:)| \(after \d+ms in state .*\)$")
"""What librdkafka says of itself in an error."""


class Heard:
    """What a client was last told of its brokers: why they do not answer, where the call itself says only that."""

    def __init__(self) -> None:
        self.last = ""

    def __call__(self, error: KafkaError) -> None:
        """As ``error_cb``: called by whoever polls the client."""
        if error.code() != KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001
            self.last = _NOISE.sub("", error.str())


def admin_client(settings: Settings, heard: Heard | None = None) -> AdminClient:
    return AdminClient(_with(settings, None if heard is None else {"error_cb": heard}))


def consumer(settings: Settings, group: str, isolation: Literal["read_committed", "read_uncommitted"]) -> Consumer:
    """A consumer for partitions assigned by hand, which tells their ends. It names ``group`` and never joins it."""
    return Consumer(
        _with(
            settings,
            {
                "group.id": group,
                "isolation.level": isolation,
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                # At the end of a partition the broker would wait half a second for nothing.
                "fetch.wait.max.ms": 10,
                # What is fetched ahead is bounded, and goes on without a pause.
                "queued.max.messages.kbytes": 4096,
                "fetch.queue.backoff.ms": 5,
            },
        )
    )


def transactional_producer(settings: Settings, transactional_id: str) -> Producer:
    """A producer that can do nothing but begin where ``transactional_id`` was left."""
    own = {"transactional.id": transactional_id, "transaction.timeout.ms": 10_000, "message.timeout.ms": 5_000}
    return Producer(_with(settings, own))


def answers(futures: Mapping[K, "Future[T]"]) -> dict[K, T]:
    """What one call of an ``AdminClient`` came to. The call has its own deadline; ours is a net."""
    return {asked: future.result(ANSWER_S * 2) for asked, future in futures.items()}


def kafka_error(error: KafkaException) -> KafkaError:
    """The error of librdkafka inside of what its clients raise."""
    inner: object = error.args[0] if error.args else None
    return inner if isinstance(inner, KafkaError) else KafkaError(KafkaError._FAIL, str(error))  # noqa: SLF001


@contextmanager
def explained(operation: str) -> Iterator[None]:
    """Turns what the cluster refuses or does not answer into an error which says what to do."""
    try:
        yield
    except KafkaException as error:
        raise explanation(kafka_error(error), operation) from error


def explanation(error: KafkaError, operation: str, heard: str = "") -> CheckpointError:
    """``heard`` is why the brokers do not answer, where that is known."""
    code, text = error.code(), error.str()
    if code in _PERMISSIONS:
        return StoreRefusedError(operation, text, f"grant {_PERMISSIONS[code]}")
    if code in _CREDENTIALS:
        return StoreRefusedError(operation, text, "check the credentials for the checkpoints' cluster")
    if code == KafkaError._INVALID_ARG:  # noqa: SLF001
        return StoreSettingsError(operation, text, "check the librdkafka settings")
    if code in _UNREACHABLE:
        return StoreUnreachableError(
            operation, heard or text, "check address, network, auth (or security.protocol) and the brokers"
        )
    return CheckpointError(operation, text)


def _with(settings: Settings, own: Mapping[str, object] | None = None) -> dict[str, Any]:
    # What matters is told by the calls that fail; each attempt to connect is not, beside the sink's own client.
    return {**settings, "log_level": 0, **(own or {})}
