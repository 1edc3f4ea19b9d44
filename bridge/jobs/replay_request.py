"""What a replay is asked for, and what it makes of the mirror's configuration."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from bridge.config import Configuration
from bridge.config.names import Stream, Topic
from bridge.errors import UsageError
from bridge.jobs.span import Kind, Point, check_past, check_span
from bridge.jobs.starting import changed, polling, starting

UNTIL_NOW = Point(Kind.NOW, "now")


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """What to send again, where to, and how fast: of ``records_per_s`` and ``speed`` one at the most."""

    since: Point
    until: Point = UNTIL_NOW
    to: str | None = None
    """A topic or stream beside the sink's; None: the sink's own."""
    records_per_s: float | None = None
    speed: float | None = None
    """Keeps the spacing of the records' own times, so many times as fast."""
    timestamps: Literal["original", "now"] = "original"
    """``now``: each record is written with the time at which it is sent."""


def check(configuration: Configuration, request: ReplayRequest) -> None:
    """Raises ``UsageError`` for what cannot be asked for."""
    sink = configuration.sink.kinesis
    if sink is not None and sink.codec == "raw":
        raise UsageError(
            "replay",
            "sink.kinesis.codec: raw has no room for kmbridge-replay, by which records sent again are told",
            "add --set sink.kinesis.codec=kpl, or envelope, if the stream's readers understand it",
        )
    check_past(request.since)
    check_span(request.since, request.until)
    if request.records_per_s is not None and request.speed is not None:
        raise UsageError("--rate and --speed", "each says how fast", "leave one of them out")


def own_configuration(configuration: Configuration, request: ReplayRequest, replay_id: str) -> Configuration:
    """That of a mirror of its own, which starts where the range does and keeps nothing."""
    limits = configuration.limits
    rates = [rate for rate in (limits.records_per_second, request.records_per_s) if rate is not None]
    return configuration.model_copy(
        update={
            "name": f"{configuration.name}-replay-{replay_id}",
            "source": polling(starting(configuration, request.since).source),
            "sink": changed(configuration.sink, **_target(configuration, request.to)),
            "checkpoints": "memory",
            "limits": limits.model_copy(update={"records_per_second": min(rates, default=None)}),
            "workers": configuration.workers.model_copy(update={"instance": None}),
        }
    )


def _target(configuration: Configuration, to: str | None) -> dict[str, object]:
    """The changed keys of the sink's end."""
    is_topic = configuration.sink.kafka is not None
    # No transaction holds checkpoints that are in memory.
    changed: dict[str, object] = {"delivery": None} if is_topic else {}
    if to is not None:
        changed["topic" if is_topic else "stream"] = _checked(to, Topic if is_topic else Stream)
    return changed


def _checked(to: str, kind: Any) -> str:
    with _refusing(to):
        return TypeAdapter[str](kind).validate_python(to)


@contextmanager
def _refusing(to: str) -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        allowed = error.errors()[0]["msg"].removeprefix("Input should be ")
        raise UsageError(f"--to {to}", f"allowed: {allowed}") from None
