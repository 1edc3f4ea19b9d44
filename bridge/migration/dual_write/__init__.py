"""An application writes to two places: one decides, the other follows, and both hold the same, each key in order."""

from bridge.migration.dual_write.blocking import BlockingDualWriter
from bridge.migration.dual_write.counts import DualWriteCounts
from bridge.migration.dual_write.errors import (
    ClosedError,
    DualWriteError,
    RejectedError,
    SpoolBusyError,
    SpoolError,
    SpoolFormatError,
    SwapError,
)
from bridge.migration.dual_write.intake import Written
from bridge.migration.dual_write.metrics import DualWriteMetrics
from bridge.migration.dual_write.settings import DualWriteSettings, WhenFull
from bridge.migration.dual_write.targets import KafkaTarget, KinesisTarget, Target
from bridge.migration.dual_write.writer import DualWriter

__all__ = [
    "BlockingDualWriter",
    "ClosedError",
    "DualWriteCounts",
    "DualWriteError",
    "DualWriteMetrics",
    "DualWriteSettings",
    "DualWriter",
    "KafkaTarget",
    "KinesisTarget",
    "RejectedError",
    "SpoolBusyError",
    "SpoolError",
    "SpoolFormatError",
    "SwapError",
    "Target",
    "WhenFull",
    "Written",
]
