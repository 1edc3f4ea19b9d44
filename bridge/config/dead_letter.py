"""Where records go that the sink cannot take."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from bridge.config.names import Topic
from bridge.config.quantities import allowed
from bridge.config.section import Section


class DeadLetterTopic(Section):
    topic: Topic = Field(description="In the sink's cluster.")


class DeadLetterFile(Section):
    path: Path


class DeadLetter(Section):
    kafka: DeadLetterTopic | None = None
    file: DeadLetterFile | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.kafka is None) == (self.file is None):
            raise allowed("exactly one of kafka: {topic: TOPIC} and file: {path: FILE}")
        return self
