"""What a Kinesis source and a Kinesis sink are told."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from connectors.codecs.codec import Codec
from connectors.codecs.decoding import Decompress, ReadCodec

Start = Literal["trim_horizon", "latest"] | datetime
Deaggregation = Literal["keep_all", "kcl", "never"]


@dataclass(frozen=True, slots=True)
class KinesisSourceSettings:
    """What a Kinesis source is told. Everything but ``stream`` may be left out."""

    stream: str
    """Name or ARN. Another account's stream needs the ARN."""
    region: str | None = None
    """None: the ARN's, else the one that the environment or the profile names."""
    endpoint_url: str | None = None
    start: Start = "trim_horizon"
    """Where a mirror without a checkpoint begins. A time needs its zone."""
    poll_interval_s: float = 1.0
    """How often an idle shard is asked for news."""
    deaggregate: Deaggregation = "keep_all"
    """``kcl`` leaves out what Amazon's client library would: aggregates that do not wholly belong into their shard."""
    codec: ReadCodec = "auto"
    """What the data is looked through for; ``deaggregate`` then says what becomes of aggregates."""
    decompress: Decompress = "never"
    """``auto`` undoes gzip and Zstandard of the stream's own producers."""
    read_share: float = 1.0
    """Of a shard's read limits; above 1 only for servers that have none."""
    assume_role_arn: str | None = None


@dataclass(frozen=True, slots=True)
class FanOutSettings:
    """For whom a stream's shards are subscribed to."""

    consumer: str
    """Its name, registered where it is missing, or the ARN of one that is there."""
    fallback: Literal["stop", "polling"] = "stop"
    """What to do where the stream has as many consumers as it may have."""


@dataclass(frozen=True, slots=True)
class KinesisSinkSettings:
    """What a Kinesis sink is told. Everything but ``stream`` and ``codec`` may be left out."""

    stream: str
    """Name or ARN. Another account's stream needs the ARN."""
    codec: Codec
    region: str | None = None
    """None: the ARN's, else the one that the environment or the profile names."""
    endpoint_url: str | None = None
    """None: AWS, whose limits a shard is taken to have from the beginning; others have none until they refuse."""
    assume_role_arn: str | None = None
    calls_in_flight: int = 8
    away_s: float = 3.0
    """After not having run for longer, the sink asks who owns the lanes before it writes: half a session."""
    tells_places: bool = False
    """Whether outcomes say where each record is."""
