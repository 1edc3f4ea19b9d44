"""Where records go that the sink cannot take."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from bridge.config.names import StreamName, Topic
from bridge.config.section import Choice, Section


class DeadLetterTopic(Section):
    """A topic of dead letters."""

    topic: Topic = Field(description="In the sink's cluster; in the source's where the sink is Kinesis.")


class DeadLetterStream(Section):
    """A stream of dead letters, as envelopes."""

    stream: StreamName = Field(
        description="A name, at the sink's endpoint and in its region; at the source's where the sink is Kafka."
    )


class DeadLetterFile(Section):
    """A file of dead letters on this machine."""

    path: Path = Field(description="Lines of JSON.")


class DeadLetter(Choice):
    """Where records go that the sink can never take: exactly one of the three."""

    forms: ClassVar[tuple[str, ...]] = ("kafka: {topic: TOPIC}", "kinesis: {stream: STREAM}", "file: {path: FILE}")

    kafka: DeadLetterTopic | None = None
    kinesis: DeadLetterStream | None = None
    file: DeadLetterFile | None = None
