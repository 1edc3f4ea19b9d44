"""kmbridge run, with ends in memory: what signals, failures and options do."""

import asyncio
import json
import os
import signal
import socket
import sys
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Self

import pytest

import bridge.assembly.ends
import bridge.assembly.mirror
import bridge.assembly.opening
import bridge.cli.run
import bridge.fleet.mirroring
import bridge.workers.channel
from bridge.assembly import Assembly
from bridge.config import Configuration
from bridge.coordination.single import SingleWorker
from bridge.engine.mirror import Ends, Mirror
from bridge.engine.policy import Policy
from bridge.keeping.stores import own_store
from bridge.keeping.worker import Keeping
from checkpoints.base import Checkpoint
from checkpoints.sqlite.store import SqliteCheckpoints
from connectors.base import Clock, GapError, Place, RefusedError, UnreachableError
from connectors.memory.faults import Faults
from connectors.memory.sink import MemorySink
from connectors.memory.source import MemorySource, MemoryStream
from connectors.memory.topic import MemoryTopic
from tests.bridge.cli.called import Called, call
from tests.bridge.test_config_mistakes import VALID

Hook = Callable[[], Any]


class Sink(MemorySink):
    """Calls ``entering`` when it is entered."""

    entering: Hook

    async def __aenter__(self) -> Self:
        await self.entering()
        return self


class Beginning(Faults):
    """Calls ``reading`` before each read."""

    reading: Hook

    async def before(self, operation: str, target: str) -> None:
        if operation == "read":
            self.reading()


class Bench:
    """A mirror in memory in the place of the one that a configuration asks for."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.database = folder / "orders.db"
        self.config = folder / "o.yaml"
        self.config.write_text(f"{VALID}checkpoints: {{sqlite: {{path: {self.database}}}}}\nhttp: null\n")
        self.stream = MemoryStream("orders", 2, Clock())
        self.topic = MemoryTopic("mirrored", 2)
        self.entering: Hook = _nothing
        self.reading: Hook = lambda: None
        self._capsys = capsys
        self._signalled = False

    def assemble(self, configuration: Configuration, **_: object) -> Assembly:
        faults = Beginning()
        faults.reading = self.reading
        source = MemorySource(self.stream, Clock(), faults)
        sink = Sink(self.topic, Faults(), Random(1))
        sink.entering = self.entering
        keeping = Keeping(own_store(configuration, Clock()), SingleWorker())
        ends = Ends(source, sink)
        mirror = Mirror(ends, keeping.store, keeping.coordinator, Policy(), clock=Clock(), random=Random(1))
        return Assembly(mirror, ends, keeping)

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send it to this process, once a run: a second one would end the tests."""
        if not self._signalled:
            self._signalled = True
            os.kill(os.getpid(), number)

    def run(self, *options: str) -> Called:
        self._signalled = False
        return call(self._capsys, "run", self.config, "--set", "log.format=json", *options)

    def checkpoints(self) -> Mapping[str, Checkpoint]:
        async def loaded() -> Mapping[str, Checkpoint]:
            async with SqliteCheckpoints(self.database, "orders") as store:
                return await store.load()

        return asyncio.run(loaded())


async def _nothing() -> None:
    pass


def _log(called: Called) -> list[dict[str, Any]]:
    return [json.loads(line) for line in called.err.splitlines() if line.startswith("{")]


@pytest.fixture
def bench(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = Bench(tmp_path, capsys)
    monkeypatch.setattr(bridge.fleet.mirroring, "assemble", made.assemble)
    return made


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_drains_saves_and_exits_0(bench: Bench, number: signal.Signals) -> None:
    """Everything that was there is mirrored, and the checkpoints say so."""
    for count in range(50):
        bench.stream.put(str(count).encode(), b"x")

    def reading() -> None:
        if sum(map(len, bench.topic.partitions)) == 50:
            bench.signal(number)

    bench.reading = reading
    called = bench.run()
    assert called.code == 0
    assert called.out == ""
    saved = bench.checkpoints()
    for shard in bench.stream.shards.values():
        assert saved[shard.partition.id].position == str(len(shard.records) - 1)
    events = [line["event"] for line in _log(called)]
    assert [each for each in events if not each.startswith("no checkpoints")] == ["mirroring", "draining", "stopped"]
    assert {line["mirror"] for line in _log(called)} == {"orders"}


def test_the_start_is_told_with_both_ends_and_where_the_checkpoints_are(bench: Bench) -> None:
    """And with where reading begins while there are none."""
    bench.reading = bench.signal
    bench.stream.put(b"k", b"x")
    first = _log(bench.run())[0]
    assert (first["source"], first["sink"], first["mirror"]) == ("memory:orders", "memory:mirrored", "orders")
    assert (first["checkpoints"], first["start"]) == (str(bench.database), "trim_horizon")


def test_a_signal_before_the_ends_are_reached_exits_0(bench: Bench) -> None:
    """There is nothing to drain, and nothing to wait for."""

    async def entering() -> None:
        bench.signal()
        await asyncio.sleep(60)

    bench.entering = entering
    assert bench.run().code == 0


@pytest.mark.parametrize("kind", [UnreachableError, RefusedError])
def test_an_end_that_cannot_be_reached_exits_3(bench: Bench, kind: type[UnreachableError]) -> None:
    """With operation, cause and hint, and no traceback."""

    async def entering() -> None:
        raise kind("reach Kafka at b-1:9098", "connection refused", "is the broker up?")

    bench.entering = entering
    called = bench.run()
    assert called.code == 3
    assert called.err == "error: reach Kafka at b-1:9098: connection refused\nhint: is the broker up?\n"


def test_an_end_that_never_answers_exits_3_in_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bound of our own stands behind those of the connectors."""

    async def entering() -> None:
        await asyncio.sleep(60)

    bench.entering = entering
    monkeypatch.setattr(bridge.assembly.opening, "OPENING_S", 0.05)
    called = bench.run()
    assert called.code == 3
    assert called.err.startswith("error: open the sink: no answer within")


def test_a_traceback_is_logged_at_level_debug(bench: Bench) -> None:
    """Beside the message, for those who ask for it."""

    async def entering() -> None:
        raise UnreachableError("reach Kafka", "connection refused")

    bench.entering = entering
    called = bench.run("--set", "log.level=debug")
    assert called.code == 3
    assert any("Traceback" in line.get("exception", "") for line in _log(called))
    assert called.err.endswith("error: reach Kafka: connection refused\n")


def test_a_mirror_whose_lanes_all_failed_exits_1(bench: Bench) -> None:
    """The message names each lane and why."""

    def reading() -> None:
        raise GapError("read", "trimmed", lost_from="1", lost_to="5", resume=Place())

    bench.reading = reading
    called = bench.run()
    assert called.code == 1
    assert "error: mirror: shard-0000: read: trimmed" in called.err
    assert "shard-0001" in called.err


def test_a_second_process_of_the_same_mirror_exits_1(bench: Bench) -> None:
    """It names the owner of the checkpoints, and touches neither end."""

    async def entering() -> None:
        pytest.fail("the sink was entered")

    async def beside() -> Called:
        async with SqliteCheckpoints(bench.database, "orders"):
            return await asyncio.to_thread(_without_signals, bench)

    bench.entering = entering
    called = asyncio.run(beside())
    assert called.code == 1
    assert f"error: own the checkpoints in {bench.database}" in called.err


def _without_signals(bench: Bench) -> Called:
    """In a thread there are no signal handlers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signal, "signal", lambda *_: signal.SIG_DFL)
        return bench.run()


def test_a_taken_port_exits_2_and_names_its_key(bench: Bench) -> None:
    """Two mirrors on one machine need two ports."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        called = bench.run("--set", f"http.listen=127.0.0.1:{port}")
    assert called.code == 2
    assert str(port) in called.err
    assert "http.listen" in called.err


def test_status_is_served_where_the_start_says(bench: Bench) -> None:
    """The address is in the first line of the log, also where the port is a free one."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    answers: list[Any] = []

    async def entering() -> None:
        answers.append(json.loads(await asyncio.to_thread(_get, f"http://127.0.0.1:{port}/status")))

    bench.entering = entering
    bench.reading = bench.signal
    called = bench.run("--set", f"http.listen=127.0.0.1:{port}")
    assert called.code == 0
    assert _log(called)[0]["status"] == f"http://127.0.0.1:{port}/status"
    assert [(answer["name"], answer["state"]) for answer in answers] == [("orders", "starting")]


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=5) as answer:
        body: bytes = answer.read()
        return body


@pytest.mark.parametrize("workers", ["1", "auto"])
def test_one_worker_is_this_process(bench: Bench, workers: str) -> None:
    """Also where one a core is asked for and the checkpoints are for one alone."""
    bench.reading = bench.signal
    assert bench.run("--workers", workers).code == 0


@pytest.mark.parametrize("workers", ["0", "-1", "1.5", "many", ""])
def test_a_number_of_workers_that_is_none_is_refused(bench: Bench, workers: str) -> None:
    """With what is allowed."""
    called = bench.run("--workers", workers)
    assert called.code == 2
    assert "allowed: a number from 1 on, or auto" in called.err


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_several_workers_need_checkpoints_that_they_can_share(bench: Bench, kind: str) -> None:
    """The message names the key and what to set."""
    options = ("--set", "checkpoints=memory") if kind == "memory" else ()
    called = bench.run("--workers", "2", *options)
    assert called.code == 2
    assert f"checkpoints: {kind} is for one worker" in called.err
    assert "set checkpoints to kafka: {topic: TOPIC}" in called.err


def test_several_workers_between_streams_need_a_kafka_somewhere(bench: Bench) -> None:
    """Neither end has a cluster, so that its servers are what is to be set."""
    ends = ("source={kinesis: {stream: a}}", "sink={kinesis: {stream: b}}", "checkpoints=auto")
    called = bench.run("--workers", "2", *(text for end in ends for text in ("--set", end)))
    assert called.code == 2
    assert "checkpoints: auto, from Kinesis to Kinesis, is for one worker" in called.err
    assert "set checkpoints to kafka: {bootstrap_servers: [HOST:PORT]}" in called.err


@pytest.mark.parametrize(("codec", "warnings"), [("raw", 1), ("kpl", 0), ("envelope", 0)])
def test_raw_records_are_warned_of(bench: Bench, codec: str, warnings: int) -> None:
    """A reverse mirror could not tell what it sent itself."""
    bench.reading = bench.signal
    called = bench.run("--set", f"sink={{kinesis: {{stream: orders, region: us-east-1, codec: {codec}}}}}")
    said = [line for line in _log(called) if line["level"] == "warning"]
    assert called.code == 0
    assert [line["event"] for line in said if "codec" in line] == [
        "records carry no origin: no reverse mirror beside it"
    ] * warnings


def test_a_file_of_checkpoints_that_is_not_read_is_warned_of(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless it is where the checkpoints of this pair are."""
    monkeypatch.chdir(bench.config.parent)
    (bench.config.parent / "orders.kmbridge.db").touch()
    between = "sink={kinesis: {stream: orders, region: us-east-1}}"
    for more, warnings in (((), 1), (("--set", between), 0)):
        bench.reading = bench.signal
        called = bench.run("--set", "checkpoints=auto", *more)
        said = [line for line in _log(called) if "in a file that is not read" in line["event"]]
        assert len(said) == warnings


def test_several_workers_are_this_command_with_an_index(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is given all that the command was given; the whole exits with the code that the supervisor comes to."""
    calls: list[Sequence[str]] = []

    async def supervise(_: Configuration, __: str, processes: int, command: Callable[[int], Sequence[str]]) -> int:
        calls.extend(command(index) for index in range(processes))
        return 3

    monkeypatch.setattr(bridge.cli.run, "supervise", supervise)
    monkeypatch.setattr(Configuration, "shares_work", True)
    assert bench.run("--workers", "2", "--name", "other").code == 3
    for index, command in enumerate(calls):
        options = ["--worker", str(index), "--name", "other", "--set", "log.format=json", "--", str(bench.config)]
        assert command == (sys.executable, "-P", "-m", "bridge.cli", "run", *options)
    assert len(calls) == 2


def test_automatic_is_one_worker_a_core(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the checkpoints can be shared."""
    counts: list[int] = []

    async def supervise(_: Configuration, __: str, processes: int, ___: object) -> int:
        counts.append(processes)
        return 0

    monkeypatch.setattr(bridge.cli.run, "supervise", supervise)
    monkeypatch.setattr(Configuration, "shares_work", True)
    monkeypatch.setattr(bridge.cli.run, "usable_cores", lambda: 7)
    assert bench.run("--workers", "auto").code == 0
    assert counts == [7]


def test_a_worker_without_a_supervisor_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody starts one by mistake."""
    monkeypatch.setattr(bridge.workers.channel, "_STANDARD_INPUT", os.open(os.devnull, os.O_RDONLY))
    called = bench.run("--worker", "0")
    assert called.code == 2
    assert "--workers N" in called.err
