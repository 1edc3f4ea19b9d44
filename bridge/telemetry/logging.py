"""Logs: one line an event to stderr, for people on a terminal and for machines elsewhere."""

import logging
import sys
from collections.abc import MutableMapping
from enum import StrEnum
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

SECRET = "[secret]"  # noqa: S105 - what stands in a secret's place

_SECRET_WORDS = ("password", "secret", "token", "credential", "authorization", "private_key", "sasl.jaas")
_NOISE = ("aiobotocore", "aiohttp.access", "asyncio", "boto3", "botocore", "httpcore2", "httpx2", "urllib3")
"""Libraries whose debug and info lines are about themselves."""
_RAISED = ("aiobotocore.credentials", "botocore.credentials")
"""What these warn of, traceback and all, they raise as well where it matters, and it is told in one line."""

_OWN_FIELDS = ("_record", "_from_structlog", "exc_info", "stack_info")
"""What structlog puts into an event for itself."""


class LogFormat(StrEnum):
    AUTO = "auto"
    """Console on a terminal, JSON elsewhere."""
    CONSOLE = "console"
    JSON = "json"


def configure_logging(log_format: LogFormat, level: str, stream: TextIO | None = None) -> None:
    """Send all logs of the process, of structlog and of the standard library alike, to ``stream`` (default: stderr).

    ``level`` is a standard name in any case. To be called once by a command; a later call replaces the former.
    """
    target = stream or sys.stderr
    number = logging.getLevelNamesMapping()[level.upper()]
    shared = _shared_processors()
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderer(log_format, target)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    for name in _NOISE:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    for name in _RAISED:
        logging.getLogger(name).setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def _shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        mask_secrets,
    ]


def _renderer(log_format: LogFormat, target: TextIO) -> list[Processor]:
    on_terminal = target.isatty()
    if log_format is LogFormat.CONSOLE or (log_format is LogFormat.AUTO and on_terminal):
        return [structlog.dev.ConsoleRenderer(colors=on_terminal, timestamp_key="time")]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]


def mask_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put ``SECRET`` in the place of every value whose name says that it is one, at any depth."""
    return {name: value if name in _OWN_FIELDS else _masked(name, value) for name, value in event.items()}


def _masked(name: object, value: object) -> object:
    if isinstance(name, str) and any(word in name.lower() for word in _SECRET_WORDS):
        return SECRET
    if isinstance(value, dict):
        return {inner: _masked(inner, content) for inner, content in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(None, content) for content in value]
    return value
