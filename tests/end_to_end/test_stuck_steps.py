"""Steps of one's own that do not come back."""

import asyncio
from pathlib import Path

import pytest
import yaml

from tests.support.ends import TopicEnd
from tests.support.factories import TopicFactory
from tests.support.mirror_process import MirrorProcess, Status
from tests.support.records import generate

pytestmark = pytest.mark.broker

STEPS = """
import asyncio, threading

def called(record):
    threading.Event().wait()

async def awaited(record):
    await asyncio.Event().wait()
"""


async def test_a_step_that_is_stuck_is_told_and_holds_up_no_drain(
    kafka: str, topic: TopicFactory, tmp_path: Path
) -> None:
    """Whether it has a thread or the loop: its lane says for how long, and the process ends well and soon."""
    source = TopicEnd(kafka, topic(1))
    (tmp_path / "stuck_steps.py").write_text(STEPS)
    process = MirrorProcess(tmp_path, {}, {})
    mirrors = [
        {
            "name": name,
            "source": source.section,
            "sink": TopicEnd(kafka, topic(1)).section,
            "checkpoints": "memory",
            "transforms": [{"python": f"stuck_steps:{name}", "path": str(tmp_path), "timeout": "200ms"}],
        }
        for name in ("called", "awaited")
    ]
    http = {"listen": process.url.removeprefix("http://")}
    process.config.write_text(yaml.safe_dump({"defaults": {"http": http}, "mirrors": mirrors}))

    def are_told(status: Status) -> bool:
        told = {each["name"]: str([lane["error"] for lane in each["lanes"]]) for each in status["mirrors"]}
        return "an earlier call has not ended" in told["called"] and "no answer within 0.2 s" in told["awaited"]

    async with process:
        await source.write(generate(20, 2))
        await process.until(are_told, "both are told")
        assert await asyncio.wait_for(process.stop(), 20) == 0
