"""The quick start, as a reader goes through it."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.docs.pages import ROOT, pages
from tests.support.command import run_command
from tests.support.mirror_process import MirrorProcess

EXAMPLE = ROOT / "docs/examples/orders.py"


async def test_the_quick_start_ends_with_both_sides_equal(
    kinesis: str, stream: Callable[[int], str], kafka: str, topic: Callable[[int], str], tmp_path: Path
) -> None:
    """Its program writes orders, its configuration mirrors them, its command proves it, and SIGTERM ends it with 0."""
    written = _configuration()
    source, sink = written["source"]["kinesis"], written["sink"]["kafka"]
    source |= {"stream": stream(4), "endpoint_url": kinesis}
    sink |= {"topic": topic(4), "bootstrap_servers": [kafka]}
    more = {"checkpoints": None, "name": source["stream"]}
    mirror = MirrorProcess(tmp_path, written["source"], written["sink"], more)
    await _fill(source["stream"], 30, kinesis)
    async with mirror:
        await _fill(source["stream"], 20, kinesis)
        await mirror.until_written(50)
        verified = await run_command("verify", mirror.config)
        assert await mirror.stop() == 0
    assert (verified.code, verified.err) == (0, "")
    assert "equal: same records, same order of every key" in verified.out


def _configuration() -> dict[str, Any]:
    (text,) = (
        block.text
        for page in pages()
        if page.title == "docs/quick-start.md"
        for block in page.blocks()
        if block.language == "yaml"
    )
    found: dict[str, Any] = yaml.safe_load(text)
    return found


async def _fill(stream: str, count: int, url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, EXAMPLE, stream, str(count), url), stdout=subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert out.decode() == f"{count} orders are in {stream}\n"
