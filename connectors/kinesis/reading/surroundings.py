"""What all readers of a source share."""

from dataclasses import dataclass
from random import Random

from connectors.base import Clock, Observer
from connectors.kinesis.api import StreamApi
from connectors.kinesis.reading.order import OrderGuard
from connectors.kinesis.reading.read_size import Average
from connectors.kinesis.settings import KinesisSourceSettings
from connectors.kinesis.shards import ShardDirectory
from connectors.kinesis.summary import StreamWatch


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The stream as it is opened, and what its shards' readers have in common."""

    settings: KinesisSourceSettings
    api: StreamApi
    directory: ShardDirectory
    watch: StreamWatch
    order: OrderGuard
    average: Average
    clock: Clock
    random: Random
    observer: Observer

    def horizon_ms(self) -> int:
        """What arrived before has expired, by the server's clock."""
        return self.api.server_now_ms() - self.watch.summary.retention_ms
