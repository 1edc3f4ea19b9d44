"""What the mirror's transforms leave nothing of: the sink need not hold it."""

from collections.abc import Collection
from contextlib import aclosing
from functools import partial

from bridge.parity.reading import Extent, Side
from connectors.transform import Transform


async def dropped(side: Side, extent: Extent, positions: Collection[str], transform: Transform) -> set[str]:
    """Those of ``positions``, in ``extent``, which ``transform`` drops. Records that it rejects are none of them.

    Raises as reading, and what ``transform`` raises in spite of some attempts.
    """
    found: set[str] = set()
    async with aclosing(side.batches(extent)) as batches:
        async for batch in batches:
            chosen = batch.pick([index for index, each in enumerate(batch.positions) if each in positions])
            if len(chosen):
                made = await side.insist(partial(transform.apply, chosen))
                rejected = {chosen.positions[each.index] for each in made.rejected}
                found |= set(chosen.positions).difference(made.batch.positions, rejected)
    return found
