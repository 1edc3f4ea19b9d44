"""Batches for a Kafka sink, sinks for tests, and an observer that remembers."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource

from connectors.base import Batch, Clock, Observer, Place
from connectors.kafka.settings import KafkaSinkSettings
from connectors.kafka.sink import KafkaSink
from tests.support.waiting import wait_until

_TIMEOUT_S = 30


class Memory(Observer):
    """Remembers what it heard."""

    def __init__(self) -> None:
        self.sizes: list[tuple[int, int]] = []
        self.retries: list[tuple[str, str]] = []

    def compressed(self, before: int, after: int) -> None:
        self.sizes.append((before, after))

    def retried(self, operation: str, reason: str) -> None:
        self.retries.append((operation, reason))


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def sink_to(address: str, topic: str, **settings: Any) -> KafkaSink:
    return KafkaSink(KafkaSinkSettings(address, topic, **settings), Clock(), Observer())


def batch_of(
    pairs: Sequence[tuple[bytes | None, bytes | None]], *, time_ms: int | None = None, first: int = 0
) -> Batch:
    """A batch of keys and values, all of one time (now, if none is given)."""
    positions = [str(first + number) for number in range(len(pairs))]
    return Batch(
        partition="lane",
        place=Place(positions[-1] if positions else None),
        positions=positions,
        keys=[key for key, _ in pairs],
        values=[value for _, value in pairs],
        timestamps_ms=[now_ms() if time_ms is None else time_ms] * len(pairs),
    )


def numbered(first: int, count: int, *, keys: int = 20, size: int = 0) -> Batch:
    """Records whose values are their numbers, filled up to ``size`` bytes, of ``keys`` keys in turn."""
    pairs = [(b"key-%d" % (number % keys), b"%d" % number) for number in range(first, first + count)]
    return batch_of([(key, value.ljust(size)) for key, value in pairs], first=first)


def alter_topic(address: str, topic: str, config: Mapping[str, str]) -> None:
    """Return when its broker, which lags behind the controller, says so too."""
    admin = AdminClient({"bootstrap.servers": address})
    entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in config.items()]
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)
    (done,) = admin.incremental_alter_configs([resource]).values()
    done.result(_TIMEOUT_S)

    def told() -> bool:
        (asked,) = admin.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, topic)]).values()
        found = asked.result(_TIMEOUT_S)
        return all(found[name].value == value for name, value in config.items())

    wait_until(told, f"{topic} with {config}", _TIMEOUT_S)
