"""What a redrive is asked for, and what it makes of the mirror's configuration."""

from dataclasses import dataclass
from typing import Any, Literal

from bridge.config import Configuration
from bridge.config.checkpoints import KafkaCheckpoints, KafkaTopic, SqliteCheckpoints, SqliteFile
from bridge.config.cluster import KafkaCluster
from bridge.config.ends import KafkaEnd, KinesisEnd
from bridge.config.section import Section
from bridge.config.source import KafkaSource, KinesisSource
from bridge.config.source import Source as SourceSection
from bridge.errors import UsageError
from bridge.jobs.span import Point, check_past, check_span
from bridge.jobs.starting import polling


@dataclass(frozen=True, slots=True)
class RedriveRequest:
    """Which letters to send: left out, ``since`` is behind those that were sent before, and ``until`` is now."""

    since: Point | None = None
    until: Point | None = None
    timestamps: Literal["original", "now"] = "original"
    """``now``: each record is written with the time at which it is sent."""


def check(configuration: Configuration, request: RedriveRequest) -> None:
    """Raises ``UsageError`` for what cannot be asked for."""
    if configuration.dead_letter is None:
        raise UsageError(
            f"redrive {configuration.name}", "the configuration has no dead_letter", "it names where the letters are"
        )
    if request.since is not None:
        check_past(request.since)
    if request.until is not None:
        check_span(request.since, request.until)


def own_configuration(configuration: Configuration) -> Configuration:
    """That of a mirror of its own, from the dead letter to the sink of ``configuration``.

    What is refused again is buried again. Letters in a file are read around the source that it has.
    """
    changed: dict[str, object] = {
        "name": f"{configuration.name}-redrive",
        "source": _letters(configuration),
        "on_error": "dead_letter",
        "on_loop": "pass",
        # The letters have the origins that the mirror would have sent.
        "provenance": "never",
        "workers": configuration.workers.model_copy(update={"instance": None}),
    }
    return configuration.model_copy(update={**changed, "checkpoints": _checkpoints(configuration)})


def _checkpoints(configuration: Configuration) -> object:
    """Where they are kept: beside those of the mirror, which may run meanwhile."""
    kept, letters, topic = configuration.checkpoints, configuration.dead_letter, configuration.source.kafka
    if isinstance(kept, SqliteCheckpoints):
        # One process owns a file.
        path = kept.sqlite.path
        return SqliteCheckpoints(sqlite=SqliteFile(path=path.with_name(f"{path.stem}-redrive{path.suffix}")))
    is_file = letters is not None and letters.file is not None
    if is_file and topic is not None and configuration.checkpoints_in_source_group:
        # The group of a topic that is not read has no place for them.
        return KafkaCheckpoints(kafka=KafkaTopic.model_construct(**_given(topic, KafkaCluster)).located_as(topic))
    return kept


def _letters(configuration: Configuration) -> SourceSection:
    """The dead letter as the section of a source."""
    section, stream, topic = configuration.dead_letter, configuration.kinesis_end, configuration.kafka_end
    if section is not None and section.kinesis is not None and stream is not None:
        changed = {**_given(stream, KinesisEnd), "stream": section.kinesis.stream, "codec": "envelope"}
        return SourceSection(kinesis=KinesisSource.model_construct(**changed))
    if section is not None and section.kafka is not None and topic is not None:
        source = KafkaSource.model_construct(**{**_given(topic, KafkaEnd), "topic": section.kafka.topic})
        return SourceSection(kafka=source.located_as(topic))
    return polling(configuration.source)


def _given(section: Section, shared: type[Section]) -> dict[str, Any]:
    """What ``section`` was given of the keys of ``shared``; what was left out stays so in another of that kind."""
    return {name: getattr(section, name) for name in shared.model_fields.keys() & section.model_fields_set}
