"""What an expression is told of a record."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from bridge.transforms.json_value import decoded
from bridge.transforms.unfit import UnfitError
from connectors.base import Batch

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class Variable(StrEnum):
    VALUE = "value"
    """As JSON; null of a tombstone."""
    TEXT = "text"
    """The value as the text that it is; null of a tombstone."""
    KEY = "key"
    """As text; null where there is none."""
    HEADERS = "headers"
    """By name, each the last of that name as text; null where that is none, or where its value is not text."""
    TIMESTAMP = "timestamp"
    PARTITION = "partition"


def fact(variable: Variable, batch: Batch, index: int) -> object:
    """What ``variable`` is for the record of ``batch`` at ``index``. Raises ``UnfitError`` where it cannot be told."""
    return _FACTS[variable](batch, index)


def _value(batch: Batch, index: int) -> object:
    value = batch.values[index]
    if value is None:
        return None
    # The plain search is fifty times faster than the exact one.
    if b"\\u0000" in value and _ESCAPED_NUL.search(value) is not None:
        raise _with_nul("the value")
    return decoded(value)


def _text(batch: Batch, index: int) -> str | None:
    return _as_text("the value", batch.values[index])


def _key(batch: Batch, index: int) -> str | None:
    return _as_text("the key", batch.keys[index])


def _headers(batch: Batch, index: int) -> dict[str, str | None]:
    headers = batch.headers[index] if batch.headers is not None else ()
    return {name: _text_or_none(value) for name, value in headers if "\0" not in name}


def _timestamp(batch: Batch, index: int) -> datetime:
    try:
        return _EPOCH + timedelta(milliseconds=batch.timestamps_ms[index])
    except OverflowError as error:
        raise UnfitError("invalid_timestamp", f"{batch.timestamps_ms[index]} ms is no time") from error


def _as_text(what: str, value: bytes | None) -> str | None:
    if value is None:
        return None
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        raise UnfitError("not_text", f"{what} is not text: {error}") from error
    if "\0" in text:
        raise _with_nul(what)
    return text


def _text_or_none(value: bytes | None) -> str | None:
    try:
        return _as_text("a header", value)
    except UnfitError:
        return None


def _with_nul(what: str) -> UnfitError:
    """The library of expressions ends a text there, and so would take one text for another."""
    return UnfitError("not_text", f"{what} has a character U+0000, which expressions cannot read")


_FACTS: Mapping[Variable, Callable[[Batch, int], object]] = {
    Variable.VALUE: _value,
    Variable.TEXT: _text,
    Variable.KEY: _key,
    Variable.HEADERS: _headers,
    Variable.TIMESTAMP: _timestamp,
    Variable.PARTITION: lambda batch, _: batch.partition,
}
