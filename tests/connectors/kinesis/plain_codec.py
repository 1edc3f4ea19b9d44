"""Codecs that do as little as possible."""

from collections.abc import Sequence

from connectors.base import Batch, Rejected
from connectors.codecs.codec import Codec, Encode


class PlainCodec(Codec):
    """The value alone, under the key as it is."""

    @property
    def carries_origins(self) -> bool:
        return False

    @property
    def packs(self) -> bool:
        return False

    def refusals(self, batch: Batch) -> tuple[Rejected, ...]:
        return ()

    def partition_keys(self, batch: Batch) -> Sequence[str]:
        return [key.decode() if key is not None else "null" for key in batch.keys]

    def encoder(self, batch: Batch) -> Encode:
        values = batch.values

        def encode(index: int) -> bytes:
            return values[index] or b""

        return encode

    def entry(self, partition_key: str, parts: Sequence[bytes]) -> bytes:
        return parts[0]

    def overhead(self, partition_key: str) -> int:
        return 0


class PackingCodec(PlainCodec):
    """Values of one key side by side."""

    @property
    def packs(self) -> bool:
        return True

    def entry(self, partition_key: str, parts: Sequence[bytes]) -> bytes:
        return b"".join(parts)
