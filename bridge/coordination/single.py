"""One worker that owns everything."""

import asyncio

from bridge.coordination.base import Coordinator, Owner


class SingleWorker(Coordinator):
    """For stores of one worker, which see to it that there is no other."""

    async def run(self, owner: Owner) -> None:
        await owner.take((0,))
        await asyncio.Event().wait()
