"""The keys of a mirror, and what follows from several of them together."""

from typing import Literal

from pydantic import Field

from bridge.config.checkpoints import Checkpoints, CheckpointTopic, KafkaCheckpoints, KafkaTopic
from bridge.config.dead_letter import DeadLetter
from bridge.config.names import NAME_PATTERN, Name, share_a_server
from bridge.config.process import Http, Limits, Log, Workers
from bridge.config.quantities import Duration
from bridge.config.section import Section
from bridge.config.sink import Sink
from bridge.config.source import Source


class MirrorSection(Section):
    """Each section is valid by itself; ``rules`` say which go together."""

    name: Name = Field(description="Names checkpoints and metrics.", json_schema_extra={"pattern": NAME_PATTERN})
    source: Source
    sink: Sink
    checkpoints: Checkpoints = Field(
        default="auto", description="auto: the topic kmbridge-checkpoints in the sink's cluster."
    )
    checkpoint_interval: Duration = Field(
        default=0.5,
        description="How often progress is saved, where that is not part of a transaction.",
        json_schema_extra={"default": "500ms"},
    )
    workers: Workers = Field(default_factory=Workers)
    provenance: Literal["auto", "always", "never"] = "auto"
    on_gap: Literal["stop", "continue"] = "stop"
    transforms: tuple[()] = ()
    on_error: Literal["stop", "dead_letter"] = "stop"
    dead_letter: DeadLetter | None = None
    limits: Limits = Field(default_factory=Limits)
    http: Http | None = Field(default_factory=Http)
    log: Log = Field(default_factory=Log)

    @property
    def delivery(self) -> Literal["exactly_once", "at_least_once"]:
        """What ``sink.kafka.delivery`` says, or stands for where it is left out."""
        return self.sink.kafka.delivery or ("exactly_once" if self.checkpoints_in_sink else "at_least_once")

    @property
    def checkpoint_topic(self) -> CheckpointTopic | None:
        """The topic that holds the checkpoints; None where they are not in Kafka."""
        if isinstance(self.checkpoints, KafkaCheckpoints):
            section = self.checkpoints.kafka
        elif self.checkpoints == "auto":
            section = KafkaTopic()
        else:
            return None
        servers = section.bootstrap_servers or self.sink.kafka.bootstrap_servers
        return CheckpointTopic(section.topic, servers, section.slots)

    @property
    def checkpoints_in_sink(self) -> bool:
        """Whether a transaction of the sink can hold the checkpoints: one server in both lists is one cluster."""
        place = self.checkpoint_topic
        return place is not None and share_a_server(place.bootstrap_servers, self.sink.kafka.bootstrap_servers)
