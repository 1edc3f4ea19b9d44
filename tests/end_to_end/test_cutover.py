"""A whole migration by its command, under load, killed and rolled back: consumers that obey see everything in order."""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any, Self
from uuid import uuid4

import pytest

from connectors.base import ORIGIN_HEADER
from tests.support.command import COMMAND, run_command
from tests.support.consumers import Group, KclApplication
from tests.support.ends import End, StreamEnd, TopicEnd
from tests.support.factories import StreamFactory, TopicFactory
from tests.support.mirror_process import MirrorProcess
from tests.support.moving import Application, GroupConsumer, Producer, Seen, in_order, working
from tests.support.ports import HOST, free_port
from tests.support.record_functions import CHANGED, is_left_out
from tests.support.records import Stamp
from tests.support.resharding import shard_ids
from tests.support.transforming import steps
from tests.support.waiting import eventually
from tests.support.way import Way

pytestmark = [pytest.mark.broker, pytest.mark.kinesis, pytest.mark.timeout(400)]

STEPS = (
    "preflight",
    "backfill",
    "caught-up",
    "verify",
    "consumers-moved",
    "producers-stopped",
    "barrier",
    "producers-moved",
    "reverse",
    "verify-again",
)
MOST = 12
PARTITIONS = 3
FAILOVER = "500ms"


class System:
    """Producers, consumers and mirrors of a stream and a topic, and people who do what the command asks of them."""

    def __init__(self, old: End, new: End, dynamo: str, folder: Path, steps: Mapping[str, Any]) -> None:
        """``steps`` is what the mirror's configuration says of transforms."""
        self.old, self.new, self.dynamo, self.folder = old, new, dynamo, folder
        self.application, group = f"app-{uuid4().hex[:8]}", f"group-{uuid4().hex[:8]}"
        self.group = group
        self.producer, self.seen = Producer(), Seen()
        moving = {
            "consumers": [{"application": self.application, "group": group, "failover_time": FAILOVER}],
            "quiet": "2s",
            "lease_endpoint_url": dynamo,
        }
        more: dict[str, Any] = {"checkpoints": None, "cutover": moving, "name": f"move-{uuid4().hex[:8]}", **steps}
        self.mirror = Way(folder, old, new).mirror(more)
        self._back: MirrorProcess | None = None
        self._consumers: dict[str, AsyncExitStack] = {}
        self._mirrors = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.producer.stop()
        for each in list(self._consumers):
            await self.stop_consumers(each)
        await self._mirrors.aclose()

    async def command(self, name: str, kill_after_s: float | None = None) -> dict[str, Any]:
        """What ``kmbridge cutover NAME`` says; killed before, if so, at some moment."""
        if kill_after_s is not None:
            child = await asyncio.create_subprocess_exec(
                *COMMAND, "cutover", name, str(self.mirror.config), stdout=-3, stderr=-3
            )
            await asyncio.sleep(kill_after_s)  # the moment itself is at random
            if child.returncode is None:
                child.kill()
            await child.wait()
        done = await run_command("cutover", name, self.mirror.config, "--json", timeout_s=120)
        assert done.code in (0, 1), done.err
        assert done.out, done.err
        found: dict[str, Any] = json.loads(done.out)
        return found

    async def advance(self, step: str, kill_after_s: float | None = None) -> None:
        """Until ``step`` is done, people doing what is asked of them."""
        for _ in range(MOST * len(STEPS)):
            move = await self.command("advance", kill_after_s)
            await self.obey(move["task"])
            if move["is_done"] and step == move["step"]:
                return
        raise AssertionError(f"{step} is never done")

    async def finish(self, kill_after_s: float | None = None) -> None:
        """Until its gates hold, as somebody who calls it again: consumers may just have fallen behind."""
        moves: list[dict[str, Any]] = []
        while len(moves) < MOST:
            moves.append(await self.command("finish", kill_after_s))
            if moves[-1]["is_done"]:
                return
        raise AssertionError(f"never finished: {moves[-1]}")

    async def rollback(self, step: str, kill_after_s: float | None = None) -> None:
        """Until ``step`` is undone, likewise."""
        while step in await self.done():
            move = await self.command("rollback", kill_after_s)
            await self.obey(move["task"])

    async def done(self) -> list[str]:
        status = await self.command("status")
        await self.obey(status["told"])
        return [each["name"] for each in status["steps"] if each["state"] == "done"]

    async def obey(self, task: str) -> None:
        for part in task.split("; "):
            await self._do(part)

    async def _do(self, part: str) -> None:
        for verb, act in (("start ", self.start_consumers), ("stop ", self.stop_consumers)):
            for kind in ("the consumers of group ", "the KCL application "):
                if part.startswith(verb + kind):
                    await act(part.removeprefix(verb + kind))
        old = title(self.old)
        if part.startswith("stop the producers of"):
            await self.producer.stop()
        elif part.startswith("start the producers of"):
            await self._produce(self.old if old in part else self.new)
        elif old in part and "may write to" in part:
            await self._produce(self.old)
        elif "keep it running" in part and not self.mirror.is_running:
            await self._mirrors.enter_async_context(self.mirror)
        elif part.startswith("run the mirror back") and self._back is None:
            self._back = Back(self.mirror, self.folder)
            await self._mirrors.enter_async_context(self._back)

    async def _produce(self, end: End) -> None:
        await self.producer.stop()
        self.producer.start(end)

    async def start_consumers(self, name: str) -> None:
        if name in self._consumers:
            return
        self._consumers[name] = stack = AsyncExitStack()
        stream, topic = (self.old, self.new) if isinstance(self.old, StreamEnd) else (self.new, self.old)
        assert isinstance(stream, StreamEnd)
        assert isinstance(topic, TopicEnd)
        if name == self.group:
            await stack.enter_async_context(working(GroupConsumer(Group(name, topic), self.seen)))
        else:
            await stack.enter_async_context(working(Application(KclApplication(name, self.dynamo), stream, self.seen)))

    async def stop_consumers(self, name: str) -> None:
        if (stack := self._consumers.pop(name, None)) is not None:
            await stack.aclose()

    async def assert_all_seen(self, but: Callable[[int], bool] = lambda _: False) -> None:
        """Nothing is produced any more: consumers have seen every record, each key in order; maybe ``but`` some."""
        await self.producer.stop()
        sent = {record.id for record in self.producer.sent if not but(record.id)}
        await eventually(lambda: sent <= set(self.seen.ids), "every record seen", timeout_s=60)
        wrong = {key: ids for key, ids in self.seen.by_key.items() if not in_order(ids)}
        assert not wrong

    async def assert_changed(self) -> None:
        """What stands on the new side and was not produced there is changed, and nothing of it should be dropped."""
        assert isinstance(self.new, TopicEnd)
        mirrored = [each for each in await self.new.records() if ORIGIN_HEADER in dict(each.headers)]
        assert mirrored
        assert all((each.value or b"").endswith(CHANGED) for each in mirrored)
        assert not any(is_left_out(Stamp.of(each.value or b"").id) for each in mirrored)


class Back(MirrorProcess):
    """The mirror back, by the configuration that the command wrote."""

    def __init__(self, forward: MirrorProcess, folder: Path) -> None:
        super().__init__(folder / "back", {}, {})
        (written,) = forward.config.parent.glob("*-reverse.yaml")
        self.config = written
        self.url = f"http://{HOST}:{free_port()}"
        text = written.read_text()
        assert text
        self._listen = self.url.removeprefix("http://")

    def start(self, *command: str) -> None:
        super().start(*(command or ("run", "--set", f"http.listen={self._listen}")))


def title(end: End) -> str:
    return f"Kinesis stream {end.name}" if isinstance(end, StreamEnd) else f"Kafka topic {end.name}"


TO_KAFKA_TRANSFORMED = "to-kafka-transformed"


@pytest.fixture(params=["to-kafka", "to-kinesis"])
def system(
    request: pytest.FixtureRequest,
    kinesis: str,
    kafka: str,
    stream: StreamFactory,
    topic: TopicFactory,
    moto: str,
    tmp_path: Path,
) -> System:
    streaming, named = StreamEnd(kinesis, stream(2)), TopicEnd(kafka, topic(PARTITIONS))
    old, new = (named, streaming) if request.param == "to-kinesis" else (streaming, named)
    return System(old, new, moto, tmp_path, steps("reduced") if request.param == TO_KAFKA_TRANSFORMED else {})


async def begin(system: System) -> None:
    """Consumers stand at the beginning and are at work, and producers write."""
    if isinstance(system.old, StreamEnd):
        shards = await asyncio.to_thread(shard_ids, system.old)
        await KclApplication(system.application, system.dynamo).stand(dict.fromkeys(shards, "TRIM_HORIZON"))
        await system.start_consumers(system.application)
    else:
        assert isinstance(system.old, TopicEnd)
        # A group without places begins at the end, wherever that is by the time that its member has joined.
        await Group(system.group, system.old).stand(dict.fromkeys(range(PARTITIONS), 0))
        await system.start_consumers(system.group)
    system.producer.start(system.old)


@pytest.mark.parametrize("system", ["to-kinesis"], indirect=True)
async def test_a_migration_under_load_to_its_end(system: System) -> None:
    """Consumers and producers move by what the command tells: every record is seen, every key in order."""
    async with system:
        await begin(system)
        await system.advance(STEPS[-1])
        await system.finish()
        await system.assert_all_seen()


@pytest.mark.parametrize("system", [TO_KAFKA_TRANSFORMED], indirect=True)
async def test_a_migration_under_load_there_and_back(system: System) -> None:
    """Producers return behind a barrier of their own, consumers by translation: the same, on the old side.

    All of it with a mirror that drops some records and changes the others, of which what it drops may be seen or not.
    """
    async with system:
        await begin(system)
        await system.advance(STEPS[-1])
        await system.rollback("consumers-moved")
        await system.assert_all_seen(but=is_left_out)
        await system.assert_changed()


@pytest.mark.long
@pytest.mark.parametrize("step", STEPS)
async def test_a_migration_that_is_killed_in_every_step_and_rolled_back_from_any(
    system: System, draw: Random, step: str
) -> None:
    """All the way back, and then to the end, each command killed at a moment of its own before it is called again."""
    async with system:
        await begin(system)
        await system.advance(step, draw.uniform(0.5, 4))
        await system.rollback(STEPS[0], draw.uniform(0.5, 4))
        await system.advance(STEPS[-1], draw.uniform(0.5, 4))
        await system.finish(draw.uniform(0.5, 4))
        await system.assert_all_seen()
