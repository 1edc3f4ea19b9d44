"""Where records go that the sink cannot take."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from bridge.config.names import StreamName, Topic
from bridge.config.section import Choice, Section


class DeadLetterTopic(Section):
    topic: Topic = Field(description="In the sink's cluster; in the source's where the sink is Kinesis.")


class DeadLetterStream(Section):
    stream: StreamName = Field(
        description="A name, at the sink's endpoint and in its region; at the source's where the sink is Kafka."
    )


class DeadLetterFile(Section):
    path: Path = Field(description="Lines of JSON.")


class DeadLetter(Choice):
    forms: ClassVar[tuple[str, ...]] = ("kafka: {topic: TOPIC}", "kinesis: {stream: STREAM}", "file: {path: FILE}")

    kafka: DeadLetterTopic | None = Field(default=None, description="A topic.")
    kinesis: DeadLetterStream | None = Field(default=None, description="A stream.")
    file: DeadLetterFile | None = Field(default=None, description="A file of this machine.")
