"""A dual writer between two ends in memory."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bridge.migration.dual_write import DualWriter, DualWriteSettings, Written
from tests.bridge.migration.dual_write.memory_end import MemoryEnd

Sent = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Pair:
    """Both ends, and the settings of who writes to them."""

    authority: MemoryEnd
    shadow: MemoryEnd
    settings: DualWriteSettings

    def writer(self, **changed: Any) -> DualWriter:
        return DualWriter(replace(self.settings, **changed))


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    authority, shadow = MemoryEnd("authority"), MemoryEnd("shadow")
    settings = DualWriteSettings("orders", authority, shadow, tmp_path / "spool.db", settle_s=0.01)
    return Pair(authority, shadow, settings)


def series(count: int, keys: int = 5, first: int = 0) -> list[Sent]:
    return [(f"key-{number % keys}".encode(), b"%d" % number) for number in range(first, first + count)]


async def send_all(writer: DualWriter, sent: Iterable[Sent]) -> list[Written]:
    return await asyncio.gather(*(writer.send(key, value) for key, value in sent))


def by_key(sent: Iterable[Sent]) -> dict[bytes | None, list[bytes | None]]:
    found: dict[bytes | None, list[bytes | None]] = {}
    for key, value in sent:
        found.setdefault(key, []).append(value)
    return found
