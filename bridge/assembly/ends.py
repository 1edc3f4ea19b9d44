"""The connectors at a mirror's ends, as its configuration asks for them: made, not entered."""

from dataclasses import dataclass
from random import Random

from bridge.config import Configuration
from bridge.config.ends import KafkaEnd, KinesisEnd
from bridge.config.librdkafka import plain
from bridge.config.sink import CreateTopic as CreateTopicSection
from bridge.config.sink import KafkaSink as KafkaSinkSection
from bridge.config.source import KafkaSource as KafkaSourceSection
from bridge.config.source import KinesisSource as KinesisSourceSection
from bridge.keeping.worker import Keeping
from connectors.base import Clock, Observer, Sink, Source
from connectors.codecs.catalogue import codec_named
from connectors.codecs.codec import Codec
from connectors.file.sink import FileSink
from connectors.kafka.settings import LINGER_MS, KafkaSinkSettings
from connectors.kafka.sink import KafkaSink
from connectors.kafka.source import KafkaSource
from connectors.kafka.source_settings import KafkaSourceSettings
from connectors.kafka.topic import CreateTopic
from connectors.kinesis.fan_out import FanOutSource
from connectors.kinesis.polling import KinesisSource
from connectors.kinesis.settings import FanOutSettings, KinesisSinkSettings, KinesisSourceSettings
from connectors.kinesis.sink import KinesisSink

_FETCHED = 32 * 2**20
"""Bytes that a Kafka source may have fetched before it asks the budget, at the most."""
_PROMPT_LINGER_MS = 1
"""Who has records sent at once does so for the sake of milliseconds: larger batches are worth less."""


@dataclass(frozen=True, slots=True)
class EndMaker:
    """Makes what ``asked`` names, for a worker that keeps its checkpoints as ``keeping`` says."""

    asked: Configuration
    keeping: Keeping
    clock: Clock
    random: Random
    observer: Observer

    def source(self) -> Source:
        end = self.asked.source.end
        return self._reading_stream(end) if isinstance(end, KinesisSourceSection) else self._reading_topic(end)

    def sink(self) -> Sink:
        end = self.asked.sink.end
        if isinstance(end, KafkaSinkSection):
            settings = self._topic_settings(end)
            return KafkaSink(settings, self.clock, self.observer, transactional=self.keeping.transactional)
        return self._writing_stream(end, end.stream, codec_named(end.codec, end.compression))

    def dead_letter(self) -> Sink | None:
        """The one beside the sink. None where there is none, or it is part of the sink's transactions."""
        section = self.asked.dead_letter
        if section is None or self.asked.on_error == "stop":
            return None
        if section.file is not None:
            return FileSink(section.file.path)
        if section.kinesis is not None and self.asked.kinesis_end is not None:
            # For people to look at: a record that a sink refuses may have any shape.
            return self._writing_stream(self.asked.kinesis_end, section.kinesis.stream, codec_named("envelope"))
        if section.kafka is None or self.asked.kafka_end is None or self.keeping.transactional is not None:
            return None
        return KafkaSink(self._beside(self.asked.kafka_end, section.kafka.topic), self.clock, self.observer)

    def _reading_stream(self, section: KinesisSourceSection) -> Source:
        settings = KinesisSourceSettings(
            stream=section.stream,
            region=section.region,
            endpoint_url=section.endpoint_url,
            start=section.start,
            poll_interval_s=section.poll_interval,
            deaggregate=section.deaggregate,
            codec=section.codec,
            decompress=section.decompress,
            read_share=section.read_share,
            assume_role_arn=section.assume_role_arn,
        )
        consumer = self.asked.fan_out_consumer
        if consumer is None:
            return KinesisSource(settings, self.clock, self.random, self.observer)
        fan_out = FanOutSettings(consumer, section.fan_out_fallback)
        return FanOutSource(settings, fan_out, self.clock, self.random, self.observer)

    def _reading_topic(self, section: KafkaSourceSection) -> Source:
        group = self.asked.group
        settings = KafkaSourceSettings(
            bootstrap_servers=",".join(section.servers),
            topic=section.topic,
            start=section.start,
            isolation=section.isolation,
            librdkafka=plain(section.librdkafka),
            auth=section.login,
            client_id=group,
            # The mirror's own group has members, on whatever topic: another one is for tools to look at.
            display_group=None if self.asked.checkpoints_in_source_group else f"{group}-source",
            buffer_bytes=min(_FETCHED, self.asked.limits.memory // 4),
        )
        return KafkaSource(settings, self.clock, self.observer)

    def _writing_stream(self, section: KinesisEnd, stream: str, codec: Codec) -> Sink:
        settings = KinesisSinkSettings(
            stream=stream,
            codec=codec,
            region=section.region,
            endpoint_url=section.endpoint_url,
            assume_role_arn=section.assume_role_arn,
            away_s=self.asked.workers.session_timeout / 2,
        )
        return KinesisSink(settings, self.clock, self.random, self.observer, self.keeping.coordinator.confirm)

    def _topic_settings(self, section: KafkaSinkSection) -> KafkaSinkSettings:
        return KafkaSinkSettings(
            bootstrap_servers=",".join(section.servers),
            topic=section.topic,
            compression=section.compression,
            partitioner=section.partitioner,
            create_topic=None if section.create_topic is None else _new_topic(section.create_topic),
            librdkafka=plain(section.librdkafka),
            auth=section.login,
            client_id=self.asked.group,
            # What the budget lets through is all there can be.
            buffer_bytes=self.asked.limits.memory,
            linger_ms=LINGER_MS if self.asked.fan_out_consumer is None else _PROMPT_LINGER_MS,
        )

    def _beside(self, end: KafkaEnd, topic: str) -> KafkaSinkSettings:
        return KafkaSinkSettings(
            bootstrap_servers=",".join(end.servers),
            topic=topic,
            librdkafka=plain(end.librdkafka),
            auth=end.login,
            client_id=self.asked.group,
            buffer_bytes=self.asked.limits.memory,
        )


def _new_topic(section: CreateTopicSection) -> CreateTopic:
    if section.replication_factor is None:
        return CreateTopic(section.partitions, config=plain(section.config))
    return CreateTopic(section.partitions, section.replication_factor, plain(section.config))
