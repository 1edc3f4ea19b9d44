"""What a function of the user's own answered, checked: whatever it returns, nothing else gets into the mirror."""

import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path

from connectors.base import Record

Answer = tuple[Record, ...] | Exception
"""What was made of one record, or why nothing could be."""


class MisplacedError(Exception):
    """No record is at fault: the function does not keep the order or the positions of what it is given."""


def of_record(record: Record, answer: object) -> tuple[Record, ...]:
    """What a function made of ``record``. Raises ``TypeError`` for what is no record."""
    if answer is record:
        return (record,)
    if answer is None:
        return ()
    if isinstance(answer, Record):
        return (_checked(answer),)
    if isinstance(answer, Iterable):
        return tuple(_checked(each) for each in answer)
    raise TypeError(f"it returned {_kind(answer)}; allowed: a Record, several of them, or None")


def of_batch(records: Sequence[Record], answer: object) -> list[tuple[Record, ...]]:
    """What a function made of each of ``records``, told by the position. Raises ``TypeError`` for what is no record,
    and ``MisplacedError`` where one is of none of them, or stands behind what it should stand before.

    Of several at one position, the parts that an earlier step made of one record, the first makes the first, and so on.
    """
    if not isinstance(answer, Iterable):
        raise TypeError(f"it returned {_kind(answer)}; allowed: the records that go on")
    made: list[list[Record]] = [[] for _ in records]
    lasts = {record.position: number for number, record in enumerate(records)}
    firsts = {record.position: number for number, record in reversed([*enumerate(records)])}
    at = 0
    for each in answer:
        last = lasts.get(_checked(each).position, -1)
        if last < at:
            found = "was not given to it" if last < 0 else "stands behind later ones"
            raise MisplacedError(f"it returned a record at position {each.position}, which {found}")
        at = min(last, max(firsts[each.position], at + 1 if made[at] else at))
        made[at].append(each)
    return [tuple(parts) for parts in made]


def _checked(record: object) -> Record:
    """Types alone: a sink would fail over another with words that nobody can relate to the function."""
    if not isinstance(record, Record):
        raise TypeError(f"it returned {_kind(record)} among the records")
    for name in ("key", "value"):
        if not isinstance(getattr(record, name), bytes | None):
            raise TypeError(f"{name} is {_kind(getattr(record, name))}; allowed: bytes or None")
    if type(record.timestamp_ms) is not int:
        raise TypeError(f"timestamp_ms is {_kind(record.timestamp_ms)}; allowed: int")
    if not -(1 << 63) <= record.timestamp_ms < 1 << 63:
        raise ValueError(f"timestamp_ms is {record.timestamp_ms}; allowed: milliseconds, of 64 bits")
    headers: object = record.headers
    if not isinstance(headers, tuple) or not all(map(_is_header, headers)):
        raise TypeError("headers is something else than a tuple of (str, bytes or None)")
    return record


def _is_header(header: object) -> bool:
    if not isinstance(header, tuple) or len(header) != 2:
        return False
    name, value = header
    return isinstance(name, str) and _is_text(name) and isinstance(value, bytes | None)


def _is_text(name: str) -> bool:
    """Half of a character pair is a ``str``, and cannot be sent."""
    try:
        return name.isascii() or bool(name.encode())
    except UnicodeEncodeError:
        return False


def _kind(value: object) -> str:
    return type(value).__name__


def told(error: BaseException) -> str:
    """``error`` in one line, with where in the user's code it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    try:
        words = str(error)
    except Exception:  # noqa: BLE001 - its class is the user's own too
        words = "it does not say why"
    return f"{_kind(error)}: {words}{place}"
