"""A worker that does as a test tells it: a program, with the real channel to its supervisor.

Arguments: the port of the test's stage, and its index. It writes lines to the stage, ``INDEX PID`` and ``draining``,
and takes orders from it: ``show STATE RECORDS LANE=STATE…``, ``stammer``, ``mute`` and ``exit CODE``.
"""

import asyncio
import os
import sys
from dataclasses import replace

from bridge.cli.stop import heeding
from bridge.control.order import Answer, Order, Skipped
from bridge.engine.passing import UnknownLaneError
from bridge.engine.status import LATENCY_BOUNDS_S, LaneState, LaneStatus, Latency, MirrorState, MirrorStatus
from bridge.telemetry.counters import Counters
from bridge.telemetry.observed import ObservedMirror
from bridge.workers import channel
from bridge.workers.merged import NOTHING


class Role:
    """What it shows of itself."""

    def __init__(self) -> None:
        self.status: MirrorStatus = NOTHING.status
        self.counters = Counters()

    def show(self, state: str, records: str, *lanes: str) -> None:
        count = int(records)
        for _ in range(count - self.status.records_written):
            self.counters.retried("write", "timeout")
            self.counters.throttled("read")
        self.status = replace(
            self.status,
            state=MirrorState(state),
            lanes=tuple(_lane(*lane.split("=")) for lane in lanes),
            records_read=count + 1,
            bytes_read=count * 20,
            records_written=count,
            bytes_written=count * 10,
            records_per_second=2.0,
            skipped={"loop": count},
            dead_letters={"too_large": count},
            gaps=count,
            buffered_bytes=100,
            latency=Latency((count, *(0,) * len(LATENCY_BOUNDS_S)), count / 2),
        )

    async def carry_out(self, order: Order) -> Answer:
        """Each order to lane 1, none to others; the one called slow never."""
        match order.partition:
            case "1":
                return Answer(
                    order.action.value, "7", None, is_kept=True, skipped=Skipped("8", "9", 2, None, order.who)
                )
            case "slow":
                await asyncio.Event().wait()
            case "bug":
                raise ZeroDivisionError
        raise UnknownLaneError("tell it", "not here")


def _lane(partition: str, state: str) -> LaneStatus:
    return LaneStatus(partition, LaneState(state), "7", 0, None, 1, 1.0, None, None)


async def perform(port: int, index: int) -> int:
    orders, stage = await asyncio.open_connection("127.0.0.1", port)
    role = Role()
    channel.INTERVAL_S = 0.01

    def drain(_: str = "") -> None:
        stage.write(b"draining\n")

    with heeding(drain):
        observed = ObservedMirror("stand-in", lambda: role.status, role.counters.snapshot)
        async with channel.reporting(observed, role, drain):
            stage.write(f"{index} {os.getpid()}\n".encode())
            # A stage that is gone ends it too: nothing outlives its test.
            while line := await orders.readline():
                match line.decode().split():
                    case ["show", *words]:
                        role.show(*words)
                    case ["stammer"]:
                        os.write(0, b"\0\0\0\1?")
                    case ["mute"]:
                        channel.INTERVAL_S = 3600
                    case ["exit", code]:
                        return int(code)
    return 99


if __name__ == "__main__":
    sys.exit(asyncio.run(perform(int(sys.argv[1]), int(sys.argv[2]))))
