"""Records that were accepted one after the other, as they stand in the journal."""

from collections.abc import Collection, Iterable, Sequence
from itertools import repeat
from operator import add

import msgspec
from msgspec import Struct

from connectors.base import DUAL_WRITE_HEADER, Batch, Header, Place

Headers = tuple[Header, ...]


class Stretch(Struct, array_like=True, frozen=True, gc=False):
    """Columns of equal length, with at least one record; ``numbers`` rise, not always by one."""

    numbers: Sequence[int]
    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]
    times_ms: Sequence[int]
    """The records' own times, milliseconds since the epoch."""
    headers: Sequence[Headers]

    @property
    def first(self) -> int:
        return self.numbers[0]

    def __len__(self) -> int:
        return len(self.numbers)

    def pick(self, chosen: Sequence[int]) -> "Stretch":
        """The records at the indexes ``chosen`` alone, of which there is one at least."""
        numbers, keys, values, times_ms, headers = self.numbers, self.keys, self.values, self.times_ms, self.headers
        return Stretch(
            [numbers[index] for index in chosen],
            [keys[index] for index in chosen],
            [values[index] for index in chosen],
            [times_ms[index] for index in chosen],
            [headers[index] for index in chosen],
        )

    def without(self, numbers: Collection[int]) -> "Stretch | None":
        """The records of other ``numbers``; None where there are none."""
        if not numbers:
            return self
        chosen = [index for index, number in enumerate(self.numbers) if number not in numbers]
        return self.pick(chosen) if chosen else None

    def batch(self, writer: str, *, has_ids: bool) -> Batch:
        """What is submitted to an end; ``has_ids`` where that can carry the id."""
        positions = list(map(str, self.numbers))
        headers: Sequence[Headers] | None = self.headers if any(self.headers) else None
        if has_ids:
            # The text of ``dual_write_id``, made in C for the whole column.
            names = map(str.encode, map(f"{writer}/".__add__, positions))
            ids: Iterable[Headers] = zip(zip(repeat(DUAL_WRITE_HEADER), names, strict=False), strict=True)
            headers = list(ids) if headers is None else list(map(add, headers, ids))
        return Batch(
            partition=writer,
            place=Place(positions[-1]),
            positions=positions,
            keys=self.keys,
            values=self.values,
            timestamps_ms=self.times_ms,
            headers=headers,
            size=sum(map(len, filter(None, self.keys))) + sum(map(len, filter(None, self.values))),
        )

    def encoded(self) -> bytes:
        return _ENCODER.encode(self)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Stretch)


def decoded(content: bytes) -> Stretch:
    """What ``encoded`` made."""
    return _DECODER.decode(content)
