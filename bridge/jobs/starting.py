"""A mirror's configuration, changed for a job."""

from bridge.config import Configuration
from bridge.config.section import Section
from bridge.config.source import Source
from bridge.jobs.span import Kind, Point

SHARE = 0.8
"""Of a shard's read limit, for a job: the rest is for its other consumers."""


def starting(configuration: Configuration, since: Point) -> Configuration:
    """``configuration`` with a source that starts at ``since``; where that is a position, at its oldest records."""
    return configuration.model_copy(
        update={"source": changed(configuration.source, start=_start(configuration, since))}
    )


def leaving_room(configuration: Configuration) -> Configuration:
    """``configuration`` with a source that leaves its other consumers ``1 - SHARE``, unless it says what it takes."""
    stream = configuration.source.kinesis
    if stream is None or "read_share" in stream.model_fields_set:
        return configuration
    return configuration.model_copy(update={"source": changed(configuration.source, read_share=SHARE)})


def polling(source: Source) -> Source:
    """``source`` without subscriptions of its own: a shard has one for each consumer, and that is the mirror's."""
    if source.kinesis is None:
        return source
    stream = source.kinesis.model_copy(update={"read": "polling", "fan_out_consumer": None})
    return source.model_copy(update={"kinesis": stream})


def changed(choice: Section, **keys: object) -> Section:
    """``choice`` with ``keys`` of its end changed."""
    return choice.model_copy(
        update={name: end.model_copy(update=keys) for name, end in choice if isinstance(end, Section)}
    )


def _start(configuration: Configuration, since: Point) -> object:
    """The value of the key ``start``."""
    if since.time is not None:
        return since.time
    if since.kind is Kind.NOW:
        return "latest"
    return "trim_horizon" if configuration.source.kinesis is not None else "earliest"
