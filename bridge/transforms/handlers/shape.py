"""The contract of an event: how records are told to a handler, and how its answer is read."""

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from bridge.transforms.handlers.fate import Fate
from connectors.base import Batch

NOBODY = "000000000000"
"""Stands for an account that is not known."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The stream that events name as theirs."""

    region: str
    account: str
    stream: str

    @property
    def arn(self) -> str:
        return f"arn:aws:kinesis:{self.region}:{self.account}:stream/{self.stream}"


class Shape(ABC):
    @abstractmethod
    def entry(self, batch: Batch, index: int) -> bytes:
        """The record of ``batch`` at ``index`` as it stands in an event: JSON."""

    @abstractmethod
    def event(self, entries: Sequence[bytes]) -> bytes:
        """The event that has these entries: JSON."""

    @abstractmethod
    def fates(self, batch: Batch, indexes: range, answer: bytes) -> Sequence[Fate]:
        """What ``answer``, JSON, says of the records at ``indexes``, from the first on.

        Fewer than those: the one behind failed, this time, and is to be asked again with all behind it. Raises
        ``HandlerError`` for what is no such answer.
        """


def identifier(batch: Batch, index: int) -> str:
    """By which an event tells the record from all others of ``batch``: its position, and which part of it it is."""
    positions = batch.positions
    position = positions[index]
    if index == 0 or positions[index - 1] != position:
        return position
    # Parts stand together, and a record may have thousands.
    first = bisect_left(range(index), x=True, key=lambda at: positions[at] == position)
    return f"{position}~{index - first}"


def partition_key(batch: Batch, index: int) -> str:
    """The record's key, as far as it is text; empty where there is none."""
    return (batch.keys[index] or b"").decode(errors="backslashreplace")
