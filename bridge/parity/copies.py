"""Second copies of dual writes, told by their ids.

An end that did not hear that a record had been written is given it again, and holds it twice then. Where the record
says which one it is, the copy is no difference between two ends.
"""

from connectors import dual_write_id
from connectors.base import Batch

_PAGE_BITS = 16


class Copies:
    """Remembers all ids that were read, a bit each."""

    def __init__(self) -> None:
        self.count = 0
        """Second copies so far."""
        self._pages: dict[tuple[str, int], bytearray] = {}

    def without(self, batch: Batch) -> Batch:
        """``batch`` without the records that were read before."""
        if batch.headers is None:
            return batch
        again = {index for index, headers in enumerate(batch.headers) if self._is_known(dual_write_id.of(headers))}
        if not again:
            return batch
        self.count += len(again)
        return batch.pick([index for index in range(len(batch)) if index not in again])

    def _is_known(self, named: dual_write_id.DualWriteId | None) -> bool:
        """Whether it was met before. It is from now on; what has no id never is."""
        if named is None:
            return False
        writer, number = named
        page = self._pages.setdefault((writer, number >> _PAGE_BITS), bytearray(1 << _PAGE_BITS - 3))
        place, bit = (number >> 3) % len(page), 1 << (number & 7)
        is_known = bool(page[place] & bit)
        page[place] |= bit
        return is_known
