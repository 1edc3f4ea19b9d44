"""A record's value as JSON: for expressions, and for changes that leave all else as it was."""

import json
import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from bridge.transforms.unfit import UnfitError

NOT_JSON = "not_json"
_LEAST, _BEYOND = -(1 << 63), 1 << 64
_LONG_NUMBER = re.compile(rb"[0-9]{19}")


def decoded(value: bytes) -> Any:
    """What JSON says. Raises ``UnfitError`` for what is none."""
    return _read(msgspec.json.decode, value)


def has_long_number(value: bytes) -> bool:
    """Whether there may be an integer in it that has more than 64 bits."""
    return _LONG_NUMBER.search(value) is not None


def shortly_decoded(value: bytes) -> Any:
    """What ``decoded`` takes, with integers of more than 64 bits as the text of their digits."""
    return _short.decode(value.decode())


def exactly_decoded(value: bytes) -> Any:
    """What JSON says, each number with all its digits, as ``encoded`` writes it again. Raises as ``decoded``."""
    return _read(_exact.decode, value)


def encoded(value: object) -> bytes:
    """``value`` as JSON. Raises ``UnfitError`` for what JSON has no form for."""
    try:
        return _encoder.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise UnfitError(NOT_JSON, f"cannot be written as JSON: {error}") from error


def plain(value: object) -> object:
    """What an expression gave, as JSON has it: keys in the order of their letters, the same each time; times as text.

    Raises ``UnfitError`` for what JSON has no form for.
    """
    match value:
        case None | bool() | int() | float() | str():
            return value
        case dict():
            return {key: plain(value[key]) for key in sorted(value, key=str)}
        case list():
            return [plain(each) for each in value]
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case timedelta():
            return f"{value.total_seconds():g}s"
        case _:
            raise UnfitError(NOT_JSON, f"JSON has no form for {type(value).__name__}")


def _read(decode: Any, value: bytes) -> Any:
    try:
        return decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnfitError(NOT_JSON, f"the value is not JSON: {error}") from error


def _short_number(digits: str) -> int | str:
    number = int(digits)
    return number if _LEAST <= number < _BEYOND else digits


_exact = msgspec.json.Decoder(float_hook=Decimal)
_short = json.JSONDecoder(parse_int=_short_number)
_encoder = msgspec.json.Encoder(decimal_format="number")
