"""Durations, sizes, times and addresses as a person writes them."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?(ms|s|m|h|d)", re.ASCII)
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,9})?) ?(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)", re.ASCII)
_SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600), "d": Decimal(86400)}
_BYTES = {
    "B": 1,
    **{unit: 1000**power for power, unit in enumerate(("KB", "MB", "GB", "TB"), 1)},
    **{unit: 1024**power for power, unit in enumerate(("KiB", "MiB", "GiB", "TiB"), 1)},
}

_MOMENT = {"type": "string", "format": "date-time", "examples": ["2026-01-31T12:00:00Z"]}


def allowed(what: str) -> PydanticCustomError:
    """The error of a value that is not ``what`` a key allows."""
    return PydanticCustomError("not_allowed", "Input should be {what}", {"what": what})


def duration(value: Any) -> float:
    """Seconds of ``200ms``, ``1s``, ``1.5m``, ``2h`` or ``7d``."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None or not Decimal(match[1]):
        raise allowed("a duration above 0 with its unit: 200ms, 1s, 5m, 2h, 7d")
    return float(Decimal(match[1]) * _SECONDS[match[2]])


def size(value: Any) -> int:
    """Bytes of ``256MiB``, ``1GB``, or of a plain number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise allowed("a size with its unit: 512KiB, 256MiB, 1GiB, or a number of bytes")
    return int(Decimal(match[1]) * _BYTES[match[2]])


def stream_start(value: Any) -> Any:
    """``trim_horizon``, ``latest``, or a moment."""
    return _start(value, "trim_horizon", "earliest is a topic's word")


def topic_start(value: Any) -> Any:
    """``earliest``, ``latest``, or a moment."""
    return _start(value, "earliest", "trim_horizon is a stream's word")


def _start(value: Any, beginning: str, misplaced: str) -> Any:
    """A moment without its zone is refused: guessing it would lose hours."""
    if value in (beginning, "latest"):
        return value
    expected = f"{beginning}, latest, or an ISO-8601 time with its zone, as 2026-01-31T12:00:00Z"
    if isinstance(value, str) and misplaced.startswith(f"{value} "):
        raise allowed(f"{expected} ({misplaced})")
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise allowed(expected)
    return moment


def host_port(value: Any) -> tuple[str, int]:
    """Host and port of ``127.0.0.1:8080`` or ``[::1]:8080``."""
    if isinstance(value, str):
        host, _, port = value.rpartition(":")
        host = host.strip("[]") if host.startswith("[") and host.endswith("]") else host
        if host and re.fullmatch(r"\d{1,5}", port, re.ASCII) and int(port) <= 65535 and not re.search(r"[\s/@]", host):
            return host, int(port)
    raise allowed("HOST:PORT, as 127.0.0.1:8080")


def duration_text(seconds: float) -> str:
    """``seconds`` as ``duration`` reads them."""
    return f"{seconds:.9f}".rstrip("0").rstrip(".") + "s"


def listen_text(listen: tuple[str, int]) -> str:
    """``listen`` as ``host_port`` reads it."""
    host, port = listen
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _no_boolean(value: Any) -> Any:
    """YAML's yes is no 1."""
    if isinstance(value, bool):
        raise allowed("a number")
    return value


Count = Annotated[int, Field(ge=1), BeforeValidator(_no_boolean)]
Slots = Annotated[int, Field(ge=1, le=1000), BeforeValidator(_no_boolean)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False), BeforeValidator(_no_boolean)]
"""A second."""

Share = Annotated[float, Field(gt=0), BeforeValidator(_no_boolean)]

Duration = Annotated[
    float,
    BeforeValidator(duration),
    PlainSerializer(duration_text, when_used="json"),
    WithJsonSchema(
        {"type": "string", "pattern": r"^[0-9.]+ ?(ms|s|m|h|d)$", "examples": ["200ms", "1s", "5m", "2h", "7d"]}
    ),
]
"""Seconds."""

Size = Annotated[
    int,
    BeforeValidator(size),
    WithJsonSchema(
        {
            "anyOf": [{"type": "integer"}, {"type": "string", "pattern": r"^[0-9.]+ ?(B|[KMGT]B|[KMGT]iB)$"}],
            "examples": ["512KiB", "256MiB", "1GB", 1000000],
        }
    ),
]
"""Bytes."""

StreamStart = Annotated[
    Literal["trim_horizon", "latest"] | datetime,
    BeforeValidator(stream_start),
    WithJsonSchema({"anyOf": [{"enum": ["trim_horizon", "latest"]}, _MOMENT]}),
]
"""Where to read a stream from."""

TopicStart = Annotated[
    Literal["earliest", "latest"] | datetime,
    BeforeValidator(topic_start),
    WithJsonSchema({"anyOf": [{"enum": ["earliest", "latest"]}, _MOMENT]}),
]
"""Where to read a topic from."""

Listen = Annotated[
    tuple[str, int],
    BeforeValidator(host_port),
    PlainSerializer(listen_text, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^.+:[0-9]+$", "examples": ["127.0.0.1:8080", "[::1]:8080"]}),
]
"""Host and port."""
