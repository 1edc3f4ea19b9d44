"""The supervisor as an operator has it: a process with signals, exit codes and an HTTP port. Workers are stand-ins."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.bridge.test_config_mistakes import VALID
from tests.bridge.workers.stage import Actor, Stage
from tests.support.command import run_command
from tests.support.ports import HOST, free_port

_ROOT = Path(__file__).parents[3]
_TIMEOUT_S = 30


class Supervised:
    def __init__(self, process: Process, url: str) -> None:
        self.process = process
        self.url = url
        self.actors: list[Actor] = []

    async def ended(self) -> tuple[int, str]:
        """Its exit code, and what it and its workers wrote to stderr."""
        async with asyncio.timeout(_TIMEOUT_S):
            _, err = await self.process.communicate()
        return self.process.returncode or 0, err.decode()


@asynccontextmanager
async def supervised(stage: Stage, folder: Path) -> AsyncIterator[Supervised]:
    """Two workers, neither of them ready."""
    address = f"{HOST}:{free_port()}"
    config = folder / "o.yaml"
    config.write_text(f"{VALID}http: {{listen: '{address}'}}\n")
    arguments = ("-m", "tests.bridge.workers.supervised", str(config), str(stage.port), "2")
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stderr=PIPE, cwd=_ROOT)
    running = Supervised(process, f"http://{address}")
    try:
        running.actors = [await stage.next(0), await stage.next(1)]
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        for actor in running.actors:
            actor.order("exit", 0)
        await process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_drains_all_and_exits_0(stage: Stage, tmp_path: Path, number: signal.Signals) -> None:
    """The supervisor waits for every worker."""
    async with supervised(stage, tmp_path) as running:
        running.process.send_signal(number)
        for actor in running.actors:
            await actor.drains()
            assert running.process.returncode is None
            actor.order("exit", 0)
        code, err = await running.ended()
        assert code == 0
        assert f'"asked_by": "{number.name}"' in err


async def test_a_signal_to_every_process_is_one_signal(stage: Stage, tmp_path: Path) -> None:
    """Some systems send it to the workers too; with the supervisor's own request it is no second one."""
    async with supervised(stage, tmp_path) as running:
        running.process.terminate()
        for actor in running.actors:
            actor.kill(signal.SIGTERM)
            for _ in ("the signal", "the supervisor"):
                await actor.drains()
            actor.kill(signal.SIGTERM)
            actor.order("exit", 0)
        assert (await running.ended())[0] == 0


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
async def test_a_second_signal_forces_all(stage: Stage, tmp_path: Path, number: signal.Signals, expected: int) -> None:
    """Nobody is waited for and nobody is left, not even one that hangs; the exit code names the signal."""
    async with supervised(stage, tmp_path) as running:
        running.process.terminate()
        for actor in running.actors:
            await actor.drains()
        running.actors[0].kill(signal.SIGSTOP)
        running.process.send_signal(number)
        code, err = await running.ended()
        assert code == expected
        assert "forced by a second signal" in err
        for actor in running.actors:
            await actor.left()


async def test_workers_drain_when_their_supervisor_is_killed(stage: Stage, tmp_path: Path) -> None:
    """No worker goes on alone, and none is cut off."""
    async with supervised(stage, tmp_path) as running:
        running.process.kill()
        for actor in running.actors:
            await actor.drains()
            actor.order("exit", 0)
            await actor.left()


async def test_one_port_tells_of_all(stage: Stage, tmp_path: Path) -> None:
    """Status, metrics and readiness are those of the mirror, whoever of its workers does the work."""
    async with supervised(stage, tmp_path) as running, aiohttp.ClientSession(running.url) as session:
        async with session.get("/readyz") as waiting, session.get("/healthz") as healthy:
            assert (waiting.status, await waiting.text()) == (503, "orders is starting\n")
            assert healthy.status == 200
        running.actors[0].order("show", "running", 3, "b=running")
        running.actors[1].order("show", "running", 4, "a=waiting")
        document = await _status(session, records=7)
        assert [lane["partition"] for lane in document["lanes"]] == ["a", "b"]
        assert (document["name"], document["version"], document["state"]) == ("orders", "1.2.3", "running")
        async with session.get("/readyz") as ready, session.get("/metrics") as metrics:
            assert ready.status == 200
            text = await metrics.text()
        assert 'kmbridge_records_written_total{mirror="orders"} 7.0' in text
        assert 'kmbridge_retries_total{mirror="orders",operation="write",reason="timeout"} 7.0' in text
        assert 'kmbridge_lanes{mirror="orders",state="waiting"} 1.0' in text


async def _status(session: aiohttp.ClientSession, records: int) -> dict[str, Any]:
    """The document, once it shows so many records."""
    async with asyncio.timeout(_TIMEOUT_S):
        while True:
            async with session.get("/status") as answer:
                document: dict[str, Any] = await answer.json()
            if document["records_total"] == records:
                return document
            await asyncio.sleep(0.02)


async def test_real_workers_end_with_what_they_say(tmp_path: Path) -> None:
    """From the command line on: nothing is there to be reached, each worker says so, and the whole ends with them."""
    port = free_port()
    source = f"kinesis://eu-west-1/orders?endpoint_url=http://{HOST}:{port}"
    done = await run_command("run", source, f"kafka://{HOST}:{port}/orders", "--workers", "2", "--set", "http=null")
    ends = [json.loads(line) for line in done.err.splitlines() if "all end with it" in line]
    assert [end["cause"] for end in ends] == [f"exit code {done.code}"]
    assert done.code == 3
    assert "hint: check address" in done.err
    assert "Traceback" not in done.err
