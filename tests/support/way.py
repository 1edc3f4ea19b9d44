"""Two ends of any kind, and the way from one to the other that a mirror is to keep."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

from tests.support.ends import End, StreamEnd, TopicEnd
from tests.support.mirror_process import MirrorProcess
from tests.support.records import TestRecord

From_co = TypeVar("From_co", bound=End, covariant=True)
Into_co = TypeVar("Into_co", bound=End, covariant=True)


@dataclass(frozen=True, slots=True)
class Way(Generic[From_co, Into_co]):
    """The ends are where the test writes and reads, and the mirror too unless it is told others."""

    folder: Path
    source: From_co
    sink: Into_co

    def through(self, **changed: Any) -> Self:
        """The same with another ``source`` or ``sink``, as one behind a proxy, or another ``folder``."""
        return replace(self, **changed)

    def mirror(self, more: Mapping[str, Any] | None = None) -> MirrorProcess:
        """Not started. ``more`` are keys of its configuration."""
        return MirrorProcess(self.folder, self.source.section, self.sink.section, more)

    async def write(self, records: Iterable[TestRecord]) -> int:
        return await self.source.write(records)

    async def until_arrived(self, count: int, timeout_s: float = 90) -> None:
        """Wait until so many different generated records are in the sink."""
        await self.sink.until_arrived(count, timeout_s)

    async def ids_by_key(self) -> dict[bytes, list[int]]:
        """What arrived: each key's ids in the order of the sink."""
        return await self.sink.ids_by_key()


IntoKinesis = Way[TopicEnd, StreamEnd]


class IntoKinesisFactory(Protocol):
    def __call__(
        self, shards: int = 2, partitions: int = 4, config: Mapping[str, str] | None = None, server: str | None = None
    ) -> IntoKinesis: ...
