"""What befalls two mirrors in a row, one of which is never ended and one that is: a fault at a time."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from random import Random

from tests.support.ends import StreamEnd
from tests.support.kafka import KafkaBroker
from tests.support.kafka_proxy import Api, KafkaProxy
from tests.support.kinesis_proxy import Call, Fault, KinesisProxy
from tests.support.mirror_process import MirrorProcess
from tests.support.resharding import merge_two, split_one
from tests.support.shards import open_shards

_OUTAGE_S = 8.0
_LARGEST = 8
"""Shards, at the most."""

Harm = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything there is to harm. ``mortal`` is the mirror that may be ended."""

    broker: KafkaBroker
    kafka: KafkaProxy
    kinesis: KinesisProxy
    source: StreamEnd
    sink: StreamEnd
    mortal: MirrorProcess
    draw: Random

    def faults(self) -> Iterator[tuple[str, Harm]]:
        """Without end: all of them in an order that chance chooses, and again."""
        kinds: dict[str, Harm] = {
            "broker stopped": lambda: self._outage(self.broker.stop),
            "broker killed": lambda: self._outage(self.broker.kill),
            "connections to the broker cut": lambda: asyncio.to_thread(self.kafka.cut),
            "broker silent": self._stall,
            "answers of the broker lost": self._swallow,
            "Kinesis fails": lambda: self._failing((Fault.FAILED, Fault.CUT)),
            "Kinesis throttles": lambda: self._failing((Fault.THROTTLED,)),
            "answers of Kinesis lost": lambda: self._failing((Fault.SWALLOWED, Fault.CUT_ANSWER, Fault.FAILED_AFTER)),
            "source resharded": lambda: asyncio.to_thread(self._reshard, self.source),
            "sink resharded": lambda: asyncio.to_thread(self._reshard, self.sink),
            "mirror killed": self._kill,
            "mirror frozen": self._freeze,
            "mirror restarted": self._restart,
        }
        while True:
            names = list(kinds)
            self.draw.shuffle(names)
            for name in names:
                yield name, kinds[name]

    async def _outage(self, end: Callable[[], None]) -> None:
        await asyncio.to_thread(end)
        await asyncio.sleep(_OUTAGE_S)
        await asyncio.to_thread(self.broker.start)

    async def _stall(self) -> None:
        self.kafka.stall()
        await asyncio.sleep(_OUTAGE_S)
        self.kafka.resume()

    async def _swallow(self) -> None:
        self.kafka.swallows_of = (*Api,)
        self.kafka.to_swallow = 5
        await asyncio.sleep(_OUTAGE_S)
        self.kafka.spare()

    async def _failing(self, faults: tuple[Fault, ...]) -> None:
        draw = Random(self.draw.random())

        def judge(_: Call) -> Fault | None:
            return draw.choice(faults) if draw.random() < 0.3 else None

        before, self.kinesis.judge = self.kinesis.judge, judge
        await asyncio.sleep(_OUTAGE_S)
        self.kinesis.judge = before

    def _reshard(self, end: StreamEnd) -> None:
        change = split_one if len(open_shards(end.url, end.name)) < _LARGEST else merge_two
        change(end, self.draw)

    async def _kill(self) -> None:
        await self.mortal.kill()
        self.mortal.start()

    async def _freeze(self) -> None:
        self.mortal.signal(signal.SIGSTOP)
        await asyncio.sleep(_OUTAGE_S)
        self.mortal.signal(signal.SIGCONT)

    async def _restart(self) -> None:
        if code := await self.mortal.stop():
            raise AssertionError(f"a drained mirror exits with {code}")
        self.mortal.start()
