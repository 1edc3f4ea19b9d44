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
    """
    if not isinstance(answer, Iterable):
        raise TypeError(f"it returned {_kind(answer)}; allowed: the records that go on")
    made: list[list[Record]] = [[] for _ in records]
    numbers = {record.position: number for number, record in enumerate(records)}
    last = 0
    for each in answer:
        number = numbers.get(_checked(each).position, -1)
        if number < last:
            found = "was not given to it" if number < 0 else "stands behind later ones"
            raise MisplacedError(f"it returned a record at position {each.position}, which {found}")
        made[number].append(each)
        last = number
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
    headers: object = record.headers
    if not isinstance(headers, tuple) or not all(map(_is_header, headers)):
        raise TypeError("headers is something else than a tuple of (str, bytes or None)")
    return record


def _is_header(header: object) -> bool:
    if not isinstance(header, tuple) or len(header) != 2:
        return False
    return isinstance(header[0], str) and isinstance(header[1], bytes | None)


def _kind(value: object) -> str:
    return type(value).__name__


def told(error: Exception) -> str:
    """``error`` in one line, with where in the user's code it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{_kind(error)}: {error}{place}"
