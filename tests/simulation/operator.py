"""Somebody who tells lanes what to do, at moments and to lanes drawn from a seed."""

import asyncio
from collections.abc import Sequence
from contextvars import Context
from random import Random

from bridge.engine.orders import Orders
from bridge.engine.passing import OrderError
from bridge.engine.status import LaneState
from connectors.base import End
from tests.simulation.seat import Seat
from tests.simulation.virtual_time import PROCESS
from tests.simulation.world import World

_PATIENCE_S = 60.0


class Operator:
    """Pauses, resumes, tries again, and skips some records where nobody looks at every transaction."""

    def __init__(self, world: World, seats: Sequence[Seat], random: Random) -> None:
        self._world = world
        self._seats = seats
        self._random = random

    async def work(self, orders: int) -> None:
        for _ in range(orders):
            await self._world.clock.sleep(self._random.uniform(0.0, 8.0))
            await self._order(self._random.choice(self._seats))

    async def resume_all(self) -> None:
        """Let go on whatever was paused."""
        for seat in self._seats:
            lanes = [] if seat.mirror is None else seat.mirror.status().lanes
            for lane in lanes:
                if lane.state is LaneState.PAUSED:
                    await self._told(seat, lane.partition, "resume")

    async def _order(self, seat: Seat) -> None:
        lanes = [] if seat.mirror is None else seat.mirror.status().lanes
        if lanes and not seat.is_frozen:
            actions = ["pause", "pause", "resume", "retry"]
            if not self._world.scenario.transactions:
                actions.append("skip")
            await self._told(seat, self._random.choice(lanes).partition, self._random.choice(actions))

    async def _told(self, seat: Seat, name: str, action: str) -> None:
        """In the process of the seat, as if it had been asked; a refusal is an answer."""
        if seat.mirror is None:
            return
        context = Context()
        context.run(PROCESS.set, seat.name)
        order = asyncio.get_running_loop().create_task(self._carried(seat.mirror.orders, name, action), context=context)
        # One that dies meanwhile gives no answer.
        await asyncio.wait([order], timeout=_PATIENCE_S)
        if not order.done():
            order.cancel()
            await asyncio.wait([order])
        elif not isinstance(order.exception(), OrderError | None):
            order.result()

    async def _carried(self, orders: Orders, name: str, action: str) -> None:
        match action:
            case "pause":
                await orders.pause(name, "operator")
            case "resume":
                await orders.resume(name, "operator")
            case "retry":
                await orders.retry(name, "operator")
            case "skip":
                await self._skip(orders, name)

    async def _skip(self, orders: Orders, name: str) -> None:
        records = self._world.stream.shards[name].records
        if records:
            end = End(self._random.choice(records).position)
            # It may take effect though nobody hears of it: from here on any of these may be left out.
            self._world.may_be_passed(name, end.position or "")
            await orders.skip(name, "operator", end)
