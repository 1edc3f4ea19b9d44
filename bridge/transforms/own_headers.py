"""The bridge's own headers, which are not a record's content: where it comes from, and whether it was sent before."""

from dataclasses import replace

from connectors.base import OWN_PREFIX, Batch, Header


class OwnHeaders:
    """Those of a batch, while it is transformed."""

    def __init__(self, batch: Batch) -> None:
        self._kept: dict[str, tuple[Header, ...]] = {}
        """By position, of the records that have any."""
        self.rest = batch
        """The batch without them."""
        if batch.headers is not None:
            both = zip(batch.positions, batch.headers, strict=True)
            self._kept = {position: own for position, headers in both if (own := tuple(filter(_is_own, headers)))}
        if self._kept:
            self.rest = _without_own(batch)

    def put_back(self, batch: Batch) -> Batch:
        """``batch``, which was made of ``rest``, with each record's own headers behind its others, and no more."""
        if not self._kept and batch.headers is None:
            return batch
        bare = _without_own(batch)
        if not self._kept:
            return bare
        before = bare.headers or [()] * len(bare)
        both = zip(before, bare.positions, strict=True)
        return replace(bare, headers=[(*headers, *self._kept.get(position, ())) for headers, position in both])


def _without_own(batch: Batch) -> Batch:
    if batch.headers is None or not any(_is_own(header) for headers in batch.headers for header in headers):
        return batch
    rest = [tuple(header for header in headers if not _is_own(header)) for headers in batch.headers]
    return replace(batch, headers=rest if any(rest) else None)


def _is_own(header: Header) -> bool:
    return header[0].startswith(OWN_PREFIX)
