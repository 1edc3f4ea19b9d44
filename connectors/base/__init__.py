"""The contracts between the engine and the systems it reads and writes.

A *source* is a set of partitions (Kinesis shards, Kafka partitions), each an ordered sequence of records.
A *sink* takes batches and says when they are durable. Neither knows the other, and the engine knows no brand.

Terms used throughout:

position
    A source's own text for a place in one partition, opaque to everyone else. Reading resumes *strictly after* it.
    Positions of one partition are totally ordered by the source, never by comparing the texts.
watermark
    Milliseconds since the epoch, by the source's clock: every record that arrived in the partition before this time
    stands at or before the position it comes with. It moves on an idle partition too, and so tells an old position
    where nothing was missed from one behind which records have expired.
lane
    The path of one source partition through the engine; its name is the partition's id.
"""

from connectors.base.batch import Batch, size_of
from connectors.base.budget import HEADER_OVERHEAD, RECORD_OVERHEAD, Budget, Reservation
from connectors.base.clock import Clock
from connectors.base.connector import Connector
from connectors.base.errors import (
    ConnectorError,
    GapError,
    RefusedError,
    SettingsError,
    TransientError,
    UncertainError,
    UnreachableError,
    WithdrawnError,
)
from connectors.base.observer import Observer
from connectors.base.outcome import Outcome, Rejected
from connectors.base.place import End, Partition, Place, Position
from connectors.base.record import (
    DUAL_WRITE_HEADER,
    ORIGIN_HEADER,
    OWN_PREFIX,
    PARTS_HEADER,
    REPLAY_HEADER,
    Header,
    Record,
    identity_of,
)
from connectors.base.scope import Save, Scope
from connectors.base.sink import Setting, Sink
from connectors.base.source import Source

__all__ = [
    "DUAL_WRITE_HEADER",
    "HEADER_OVERHEAD",
    "ORIGIN_HEADER",
    "OWN_PREFIX",
    "PARTS_HEADER",
    "RECORD_OVERHEAD",
    "REPLAY_HEADER",
    "Batch",
    "Budget",
    "Clock",
    "Connector",
    "ConnectorError",
    "End",
    "GapError",
    "Header",
    "Observer",
    "Outcome",
    "Partition",
    "Place",
    "Position",
    "Record",
    "RefusedError",
    "Rejected",
    "Reservation",
    "Save",
    "Scope",
    "Setting",
    "SettingsError",
    "Sink",
    "Source",
    "TransientError",
    "UncertainError",
    "UnreachableError",
    "WithdrawnError",
    "identity_of",
    "size_of",
]
