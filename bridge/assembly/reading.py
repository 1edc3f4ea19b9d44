"""Both sides of a mirror as sources, for those who only look: made, not entered."""

from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from bridge.config import Configuration
from bridge.config.ends import KafkaEnd, KinesisEnd
from bridge.config.librdkafka import plain
from connectors.base import Clock, Observer, Source
from connectors.kafka.source import KafkaSource
from connectors.kafka.source_settings import KafkaSourceSettings
from connectors.kinesis.polling import KinesisSource
from connectors.kinesis.settings import KinesisSourceSettings

_FETCHED = 16 * 2**20
_POLL_S = 0.5
"""Between two looks at a shard whose end is near."""
_UNLIMITED = 1_000.0
"""Times the read limits that AWS has."""


@dataclass(frozen=True, slots=True)
class SideMaker:
    """Makes readers of what ``asked`` names. They join no group and leave no trace at either end."""

    asked: Configuration
    clock: Clock
    random: Random
    observer: Observer
    read_share: float = 1.0
    """Of the read limit of a stream at AWS; the source's configuration has its own."""
    reach_s: float = 8.0
    """How long a broker may take to answer."""

    def source(self) -> Source:
        """The source, read as the mirror reads it."""
        stream = self.asked.source.kinesis
        if stream is not None:
            settings = replace(
                self._stream(stream, stream.stream),
                start=stream.start,
                deaggregate=stream.deaggregate,
                codec=stream.codec,
                decompress=stream.decompress,
                read_share=stream.read_share,
            )
            return KinesisSource(settings, self.clock, self.random, self.observer)
        topic = self.asked.source.kafka
        assert topic is not None  # noqa: S101 - a choice has exactly one
        found = replace(self._topic(topic, topic.topic), start=topic.start, isolation=topic.isolation)
        return KafkaSource(found, self.clock, self.observer)

    def sink(self) -> Source:
        """What the sink holds, as a consumer of it sees it."""
        stream = self.asked.sink.kinesis
        if stream is not None:
            settings = replace(self._stream(stream, stream.stream), codec=stream.codec)
            return KinesisSource(settings, self.clock, self.random, self.observer)
        topic = self.asked.sink.kafka
        assert topic is not None  # noqa: S101 - a choice has exactly one
        return KafkaSource(self._topic(topic, topic.topic), self.clock, self.observer)

    def dead_letter(self) -> Source | Path | None:
        """The dead letter; None where the mirror has none."""
        section = self.asked.dead_letter
        if section is None or self.asked.on_error == "stop":
            return None
        if section.file is not None:
            return section.file.path
        if section.kinesis is not None and self.asked.kinesis_end is not None:
            settings = replace(self._stream(self.asked.kinesis_end, section.kinesis.stream), codec="envelope")
            return KinesisSource(settings, self.clock, self.random, self.observer)
        if section.kafka is not None and self.asked.kafka_end is not None:
            return KafkaSource(self._topic(self.asked.kafka_end, section.kafka.topic), self.clock, self.observer)
        return None

    def _stream(self, end: KinesisEnd, stream: str) -> KinesisSourceSettings:
        return KinesisSourceSettings(
            stream,
            end.region,
            end.endpoint_url,
            poll_interval_s=_POLL_S,
            # As the sink: AWS has the limits of AWS, others have none.
            read_share=self.read_share if end.endpoint_url is None else _UNLIMITED,
            assume_role_arn=end.assume_role_arn,
        )

    def _topic(self, end: KafkaEnd, topic: str) -> KafkaSourceSettings:
        return KafkaSourceSettings(
            ",".join(end.servers),
            topic,
            librdkafka=plain(end.librdkafka),
            auth=end.login,
            client_id=f"{self.asked.group}-verify",
            buffer_bytes=_FETCHED,
            reach_s=self.reach_s,
        )
