"""A function of the user's own tried in a test, called as a mirror calls it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bridge.leavable_thread import LeavableThread
from bridge.transforms.answers import told
from bridge.transforms.function import BatchFunction, RecordFunction
from bridge.transforms.python import PythonSettings, calls_of
from connectors.base import Record


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of the records that were given."""

    records: tuple[Record, ...]
    """What goes on, in order; parts of a record that was split stand together."""
    dropped: tuple[Record, ...]
    """Those given of which nothing goes on."""
    rejected: tuple[tuple[Record, str], ...]
    """Those given for which the function raised, or returned what is no record, and why: they go by ``on_error``."""


def trial(
    function: RecordFunction | BatchFunction,
    records: Sequence[Record],
    *,
    takes: Literal["record", "batch"] = "record",
    timeout_s: float = 30.0,
) -> Trial:
    """What a mirror with ``transforms: - python`` and these settings makes of ``records``, read together.

    Each record has a position of its own. Blocks: in an async test it is called with ``asyncio.to_thread``.

    Raises ``TryAgainError`` where the function does, ``TransientError`` where a call takes too long, ``RefusedError``
    where the function loses the order of a batch, and ``ValueError`` for two records at one position.
    """
    if len({record.position for record in records}) < len(records):
        raise ValueError("two of the records have one position; it tells them apart")
    thread = LeavableThread("trial")
    calls = calls_of(function, PythonSettings(_name(function), takes, timeout_s=timeout_s), thread)
    try:
        answers = asyncio.run(calls.answers(records))
    finally:
        thread.end()
    both = [*zip(records, answers, strict=True)]
    return Trial(
        tuple(made for _, answer in both if not isinstance(answer, Exception) for made in answer),
        tuple(record for record, answer in both if answer == ()),
        tuple((record, told(answer)) for record, answer in both if isinstance(answer, Exception)),
    )


def _name(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)
