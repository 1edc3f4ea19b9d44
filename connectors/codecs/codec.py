"""The contract of codecs: how records of any system are put into the data of Kinesis records."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from connectors.base import Batch, Rejected

Encode = Callable[[int], bytes]
"""Makes the part of one record, by its index in a batch."""


class Codec(ABC):
    """Writes records. One *entry* is the data of one Kinesis record; it holds one or more *parts*, a record each.

    Reading needs no codec to be named: each writes a marker (``connectors.codecs.decoding``).
    """

    @property
    @abstractmethod
    def carries_origins(self) -> bool:
        """Whether ``ORIGIN_HEADER``, and headers at all, survive."""

    @property
    @abstractmethod
    def packs(self) -> bool:
        """Whether several records of one partition key fit into one entry."""

    @abstractmethod
    def refusals(self, batch: Batch) -> tuple[Rejected, ...]:
        """The records of ``batch`` of which something would be lost, whatever their size, rising by index."""

    @abstractmethod
    def partition_keys(self, batch: Batch) -> Sequence[str]:
        """The Kinesis partition key of each record: 1 to 256 characters, the same for the same key.

        That of a record without a key is its own alone.
        """

    @abstractmethod
    def encoder(self, batch: Batch) -> Encode:
        """How each record of ``batch`` becomes a part. Headers and this hop's origins are in it."""

    @abstractmethod
    def entry(self, partition_key: str, parts: Sequence[bytes]) -> bytes:
        """The data of one Kinesis record. Without ``packs`` there is one part, which is the data as it is."""

    @abstractmethod
    def largest(self, size: int, headers: int) -> int:
        """A record with ``size`` bytes in key, value and headers takes no more than this, with its partition key.

        ``headers`` is how many there are. Their names count as UTF-8, this hop's origin as one of them without a name.
        """
