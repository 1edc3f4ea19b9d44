"""How records come into the checkpoint topic: the promise of whoever writes them, and records for its transactions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from checkpoints.base import CheckpointError


@dataclass(frozen=True, slots=True)
class SlotRecord:
    """A record of the checkpoint topic; ``value`` None deletes its key.

    ``offset`` is what the group's committed offset of the slot becomes in the same transaction: for people who look
    at the group's lag, nobody starts from it. Records of one slot in one call carry the same.
    """

    slot: int
    key: bytes
    value: bytes | None
    offset: int


class Writer(Protocol):
    """Writes records of the checkpoint topic, fenced by the generation of the mirror's group."""

    async def write(self, records: Sequence[SlotRecord]) -> None:
        """Write ``records``, all or none, in their order and after those of earlier calls.

        Durable on return, or with the transaction that they become part of. Raises ``FencedError`` where another
        worker owns a slot meanwhile, and another ``CheckpointError`` where nothing is certain. A cancelled call may
        take effect or not, whole, and never after a later one.
        """


class TransactionRecords:
    """The records that go with a transaction which somebody else commits. Used in the event loop."""

    def __init__(self) -> None:
        self._records: list[SlotRecord] | None = None

    def open(self) -> None:
        """From here on records are collected for the next transaction. None of an earlier one are left."""
        self._records = []

    def take(self) -> Sequence[SlotRecord]:
        """The records for the transaction, which is closed to others by this; empty where it was not open."""
        records, self._records = self._records, None
        return records or ()

    async def write(self, records: Sequence[SlotRecord]) -> None:
        """Make ``records`` part of the open transaction: durable when it is committed, and if it is not, nowhere.

        Raises ``CheckpointError`` where none is open.
        """
        if self._records is None:
            raise CheckpointError("save checkpoints", "no transaction is open", "it was aborted; the lanes start again")
        self._records.extend(records)
